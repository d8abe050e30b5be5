//! How PostgreSQL keeps rows and values; nothing that a query would notice.

use serde::{Deserialize, Serialize};

use super::is_false;
use super::written::or_default;

/// How the server keeps the rows of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableStorage {
    /// Whether a crash empties it (manual, "CREATE TABLE", `UNLOGGED`).
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_false")]
    pub unlogged: bool,
    /// Its storage parameters, each as `name=value`.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub options: Vec<String>,
}

/// How the server keeps the values of a column; absent is what its type brings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnStorage {
    /// Where values go that are large: `PLAIN`, `EXTERNAL`, `EXTENDED` or `MAIN` (manual, "TOAST").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
    /// How they are compressed; PostgreSQL 14 and later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression: Option<String>,
    /// How much the server keeps of what it finds when it analyses them (manual, "ALTER TABLE", `SET STATISTICS`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statistics: Option<i32>,
    /// What the planner is told of them, each as `name=value`: `n_distinct=-0.5` (manual, "ALTER TABLE").
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub options: Vec<String>,
}

impl TableStorage {
    /// Returns whether nothing is said about it.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

impl ColumnStorage {
    /// Returns whether nothing is said about it.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}
