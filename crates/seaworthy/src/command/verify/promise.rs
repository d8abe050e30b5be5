//! What every revision promises without saying so, and how it reads when one does not keep it.

use std::error::Error;
use std::fmt;

use serde::Serialize;

use crate::catalog::Dialect;
use crate::graph::RevisionGraph;
use crate::revision::RevisionId;

/// What every revision promises without saying so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Promise {
    /// There is one newest revision.
    OneHead,
    /// It can be applied.
    Applies,
    /// It can be undone.
    Undoes,
    /// Undoing it brings the schema of before back.
    ComesBack,
    /// Applying it again makes the same schema as at first.
    Repeats,
    /// Rows that it does not remove are still there, and so is what they hold.
    KeepsRows,
    /// Undoing everything leaves nothing behind.
    LeavesNothing,
    /// Everything in one go makes the same schema as step by step.
    AtOnce,
    /// The newest schema is what the entities declare.
    Declared,
}

impl Promise {
    /// Returns what accepts a break of it, as the category of an `Accepted`: `verify-comes-back`.
    #[must_use]
    pub fn category(self) -> &'static str {
        match self {
            Self::OneHead => "verify-one-head",
            Self::Applies => "verify-applies",
            Self::Undoes => "verify-undoes",
            Self::ComesBack => "verify-comes-back",
            Self::Repeats => "verify-repeats",
            Self::KeepsRows => "verify-keeps-rows",
            Self::LeavesNothing => "verify-leaves-nothing",
            Self::AtOnce => "verify-at-once",
            Self::Declared => "verify-declared",
        }
    }
}

/// A promise that is not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BrokenPromise {
    /// Which promise.
    pub promise: Promise,
    /// The kind of database; absent when it has nothing to do with one.
    pub dialect: Option<Dialect>,
    /// The revision that breaks it; absent when it takes all of them.
    pub revision: Option<RevisionId>,
    /// Whether the database had rows in it.
    pub with_rows: bool,
    /// What is wrong, in words: what would turn what was found into what should be, what the database said, which rows
    /// are gone.
    pub details: Vec<String>,
    /// Why it is taken knowingly, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
}

/// Promises that are not kept, as the error of a test: its `Debug` is as readable as its `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct BrokenPromises(pub Vec<BrokenPromise>);

/// Returns the broken promise of several heads.
pub(super) fn heads(graph: &RevisionGraph) -> Vec<BrokenPromise> {
    let heads = graph.heads();
    if heads.len() < 2 {
        return Vec::new();
    }
    let names: Vec<&str> = heads.iter().map(RevisionId::as_str).collect();
    vec![BrokenPromise {
        promise: Promise::OneHead,
        dialect: None,
        revision: None,
        with_rows: false,
        details: vec![format!("{} are heads; `merge` joins them", names.join(" and "))],
        accepted: None,
    }]
}

impl BrokenPromise {
    /// Returns what is broken in one line, without the details.
    #[must_use]
    pub fn summary(&self) -> String {
        let revision = self
            .revision
            .as_ref()
            .map_or_else(|| "the revisions".to_owned(), RevisionId::to_string);
        let what = match self.promise {
            Promise::OneHead => "there are several newest revisions".to_owned(),
            Promise::Applies => format!("{revision} cannot be applied"),
            Promise::Undoes => format!("{revision} cannot be undone"),
            Promise::ComesBack => format!("undoing {revision} does not bring back the schema of before it"),
            Promise::Repeats => format!("applying {revision} again makes another schema than at first"),
            Promise::KeepsRows => format!("{revision} loses rows, or what they hold"),
            Promise::LeavesNothing => "undoing everything leaves something behind".to_owned(),
            Promise::AtOnce => "all revisions in one go make another schema than step by step".to_owned(),
            Promise::Declared => "the newest schema is not what the entities declare".to_owned(),
        };
        let place = self
            .dialect
            .map(|dialect| format!("{dialect}: "))
            .unwrap_or_default();
        let rows = match (self.with_rows, self.promise) {
            (true, Promise::KeepsRows) | (false, _) => "",
            (true, _) => ", with rows in the database",
        };
        format!("{place}{what}{rows}")
    }
}

impl fmt::Display for BrokenPromise {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.summary())?;
        for detail in &self.details {
            write!(formatter, "\n    {detail}")?;
        }
        Ok(())
    }
}

impl fmt::Display for BrokenPromises {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(BrokenPromise::to_string).collect();
        formatter.write_str(&lines.join("\n"))
    }
}

impl fmt::Debug for BrokenPromises {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\n{self}")
    }
}

impl Error for BrokenPromises {}
