//! Views and triggers: known by their names, and brought back by the statement that made them.

use serde::{Deserialize, Serialize};

use super::expression::mentions;

/// A view or a trigger.
///
/// Two are the same when they have the same name; what they do is not compared. In JSON one is its name alone, or an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Opaque {
    /// Its name.
    pub name: String,
    /// What makes it again, where that is known: one or more statements, the last without a semicolon.
    pub sql: Option<String>,
}

impl Opaque {
    /// Returns one that is known by name only.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            sql: None,
        }
    }

    /// Returns whether its statement speaks of a table, column or view; not where the statement is unknown.
    #[must_use]
    pub fn reads(&self, name: &str) -> bool {
        self.sql.as_deref().is_some_and(|sql| mentions(sql, name))
    }

    /// Forgets the statement when it speaks of something that has another name from now on.
    pub(super) fn renamed(&mut self, from: &str) {
        if self.reads(from) {
            self.sql = None;
        }
    }
}

/// How one is written down.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Name(String),
    Whole { name: String, sql: Option<String> },
}

impl From<Written> for Opaque {
    fn from(written: Written) -> Self {
        match written {
            Written::Name(name) => Self::new(name),
            Written::Whole { name, sql } => Self { name, sql },
        }
    }
}

impl From<Opaque> for Written {
    fn from(Opaque { name, sql }: Opaque) -> Self {
        match sql {
            None => Self::Name(name),
            sql => Self::Whole { name, sql },
        }
    }
}
