//! The name of a table, and the names that statements call it by.

use std::collections::BTreeSet;
use std::fmt;

use crate::sql::{Dialect, name_parts};

/// The name of a table that is there.
pub(super) struct Name {
    pub(super) dialect: Dialect,
    pub(super) schema: String,
    pub(super) table: String,
    /// Whether it is found without its schema.
    pub(super) is_visible: bool,
    /// The name as it is shown.
    pub(super) shown: String,
}

impl Name {
    /// Returns whether a statement that says this means the table.
    pub(super) fn is(&self, said: &str) -> bool {
        match name_parts(said).as_slice() {
            [table] => self.is_visible && self.has(table, &self.table),
            [schema, table] => self.has(schema, &self.schema) && self.has(table, &self.table),
            _ => false,
        }
    }

    pub(super) fn is_among(&self, said: &BTreeSet<String>) -> bool {
        said.iter().any(|said| self.is(said))
    }

    /// Returns whether two names are the same to the database.
    pub(super) fn has(&self, said: &str, name: &str) -> bool {
        match self.dialect {
            Dialect::Postgresql => said == name,
            Dialect::Sqlite => said.eq_ignore_ascii_case(name),
        }
    }

    /// Returns what no other table of the database has.
    pub(super) fn key(&self) -> (String, String) {
        match self.dialect {
            Dialect::Postgresql => (self.schema.clone(), self.table.clone()),
            Dialect::Sqlite => (self.schema.clone(), self.table.to_ascii_lowercase()),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}
