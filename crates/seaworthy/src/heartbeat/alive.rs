//! Who is alive.

use sea_orm::{DbErr, QueryResult};
use serde::{Deserialize, Serialize};

use super::{Build, sql};
use crate::session::{Fault, Session};

/// A process that gave a sign of life not long ago.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alive {
    /// The process.
    pub instance: String,
    /// What it runs.
    #[serde(flatten)]
    pub build: Build,
    /// How many seconds ago the last sign was, by the database's clock.
    pub seen_seconds_ago: f64,
}

/// The columns in the order in which the query asks for them; lists are JSON inside of text.
#[derive(Deserialize)]
struct Stored(String, String, String, String, String, String, f64);

/// Returns who is alive, the longest-running first; nothing when there is no table to tell.
///
/// # Errors
///
/// Fails when the table is there and cannot be read.
pub async fn alive(session: &Session) -> Result<Option<Vec<Alive>>, DbErr> {
    match session.rows(&sql::select_alive(session.backend())).await {
        Ok(rows) => rows
            .iter()
            .map(Alive::from_row)
            .collect::<Result<_, _>>()
            .map(Some),
        Err(error) if Fault::of(&error) == Fault::UndefinedTable => Ok(None),
        Err(error) => Err(error),
    }
}

impl Alive {
    fn from_row(row: &QueryResult) -> Result<Self, DbErr> {
        let text: String = row.try_get("", "alive")?;
        let malformed = |error: serde_json::Error| DbErr::Type(format!("{text} is no sign of life: {error}"));
        let Stored(instance, name, version, needs, uses, knows, age) =
            serde_json::from_str(&text).map_err(malformed)?;
        let list = |text: &str| serde_json::from_str(text).map_err(malformed);
        Ok(Self {
            instance,
            build: Build {
                name,
                version,
                needs: list(&needs)?,
                uses: list(&uses)?,
                knows: list(&knows)?,
            },
            // The clock of a virtual machine may be set back.
            seen_seconds_ago: (age.max(0.0) * 10.0).round() / 10.0,
        })
    }
}
