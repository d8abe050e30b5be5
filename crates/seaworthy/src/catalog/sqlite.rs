//! What only SQLite says: how a table is kept, what happens to a row that breaks a constraint, how a key is sorted.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::is_false;

/// What happens when a row breaks a constraint (manual, "The ON CONFLICT Clause").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Conflict {
    /// The statement fails and takes back what it did.
    #[default]
    Abort,
    /// The statement fails, and its transaction is rolled back.
    Rollback,
    /// The statement fails, and what it did before stays.
    Fail,
    /// The row is skipped.
    Ignore,
    /// The row takes the place of those that it clashes with, or the default that of a NULL.
    Replace,
}

/// What a primary key or a unique constraint says beside its columns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyOptions {
    /// What happens when two rows agree.
    #[serde(default, skip_serializing_if = "Conflict::is_abort")]
    pub on_conflict: Conflict,
    /// The columns that are sorted from high to low. `INTEGER PRIMARY KEY DESC` is not the row id and may be NULL (manual,
    /// "CREATE TABLE", 5).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub descending: Vec<String>,
    /// The collations of columns, by their names, where they are not their own; in upper case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub collations: BTreeMap<String, String>,
}

/// What stands behind the columns of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableOptions {
    /// Whether values have to fit the types of their columns.
    #[serde(default, skip_serializing_if = "is_false")]
    pub strict: bool,
    /// Whether rows are kept in the order of the primary key and have no row id.
    #[serde(default, skip_serializing_if = "is_false")]
    pub without_rowid: bool,
}

impl Conflict {
    /// Returns whether it is what happens when nothing is said.
    #[must_use]
    pub fn is_abort(&self) -> bool {
        *self == Self::Abort
    }

    /// Returns the clause, with a space before it; nothing where none is needed.
    #[must_use]
    pub fn clause(self) -> &'static str {
        match self {
            Self::Abort => "",
            Self::Rollback => " ON CONFLICT ROLLBACK",
            Self::Fail => " ON CONFLICT FAIL",
            Self::Ignore => " ON CONFLICT IGNORE",
            Self::Replace => " ON CONFLICT REPLACE",
        }
    }

    /// Returns what a word after `ON CONFLICT` says, in upper or lower case.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "abort" => Some(Self::Abort),
            "rollback" => Some(Self::Rollback),
            "fail" => Some(Self::Fail),
            "ignore" => Some(Self::Ignore),
            "replace" => Some(Self::Replace),
            _ => None,
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Abort => "abort",
            Self::Rollback => "rollback",
            Self::Fail => "fail",
            Self::Ignore => "ignore",
            Self::Replace => "replace",
        })
    }
}

impl KeyOptions {
    /// Returns whether nothing is said.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Returns whether a column is sorted from high to low.
    #[must_use]
    pub fn descends(&self, column: &str) -> bool {
        self.descending.iter().any(|name| name == column)
    }

    pub(super) fn rename_column(&mut self, from: &str, to: &str) {
        for name in self.descending.iter_mut().filter(|name| *name == from) {
            to.clone_into(name);
        }
        if let Some(collation) = self.collations.remove(from) {
            self.collations.insert(to.to_owned(), collation);
        }
    }
}

impl fmt::Display for KeyOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let descending = self.descending.iter().map(|name| format!("{name} DESC"));
        let collations = self
            .collations
            .iter()
            .map(|(name, collation)| format!("{name} COLLATE {collation}"));
        let mut words: Vec<String> = descending.chain(collations).collect();
        if !self.on_conflict.is_abort() {
            words.push(self.on_conflict.clause().trim_start().to_owned());
        }
        formatter.write_str(&words.join(", "))
    }
}

impl TableOptions {
    /// Returns the words, in the order in which SQL is written.
    #[must_use]
    pub fn words(self) -> Vec<&'static str> {
        [(self.strict, "STRICT"), (self.without_rowid, "WITHOUT ROWID")]
            .into_iter()
            .filter_map(|(is_set, word)| is_set.then_some(word))
            .collect()
    }
}
