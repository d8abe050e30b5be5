//! Compares two catalogs.
//!
//! Both are expected in the words of the same engine; whatever may still be spelled in two ways is compared by what it
//! means. Things that are equal but for a name that nobody chose are the same thing.

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use rename::{Rename, RenameError, Suggestion};

use super::Operation;
use crate::catalog::{Catalog, Dialect, Ignore, Opaque, Table};

mod columns;
mod constraints;
mod dependents;
mod enums;
mod indexes;
mod names;
mod order;
mod rename;
mod suggest;
mod tables;

/// What a comparison takes for granted.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// What is left alone on both sides.
    pub ignore: Ignore,
    /// Renames that somebody has agreed to. Others are suggested, and come out as something added and something dropped.
    pub renames: Vec<Rename>,
}

/// How two catalogs differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What turns the first into the second, in an order in which it can be done.
    pub operations: Vec<Operation>,
    /// What is dropped and added and may be one thing under another name.
    pub suggestions: Vec<Suggestion>,
    /// What is declared and missing, and nothing that operations can bring.
    pub notes: Vec<Note>,
}

/// Something that is declared and missing, and nothing that operations can bring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum Note {
    /// A view.
    MissingView {
        /// Its name.
        name: String,
    },
    /// A trigger.
    MissingTrigger {
        /// Its table.
        table: String,
        /// Its name.
        name: String,
    },
}

/// Two catalogs cannot be compared.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DiffError {
    /// They are of different kinds of databases.
    #[error("a schema of {live} cannot be compared with one of {declared}")]
    Dialects {
        /// The first.
        live: Dialect,
        /// The second.
        declared: Dialect,
    },
    /// Neither says what kind of database it is of.
    #[error("neither of the two schemas says which kind of database it is of")]
    NoDialect,
    /// A rename was agreed to that does not fit.
    #[error("{rename} cannot be: {reason}")]
    Rename {
        /// The rename.
        rename: Rename,
        /// Why not.
        reason: String,
    },
}

impl Difference {
    /// Returns whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty() && self.notes.is_empty()
    }

    /// Returns what undoes the operations, in the order in which it can be done.
    #[must_use]
    pub fn inverse(&self) -> Vec<Operation> {
        self.operations
            .iter()
            .rev()
            .filter_map(Operation::inverse)
            .collect()
    }
}

impl Policy {
    /// Returns the same policy, in which suggestions from a first comparison are agreed to.
    #[must_use]
    pub fn accept<'a>(mut self, suggestions: impl IntoIterator<Item = &'a Suggestion>) -> Self {
        self.renames.extend(
            suggestions
                .into_iter()
                .map(|suggestion| suggestion.rename.clone()),
        );
        self
    }
}

/// Compares a live catalog with a declared one and returns what turns the first into the second.
///
/// # Errors
///
/// Fails when the two are of different kinds of databases, or when a rename was agreed to that does not fit.
pub fn diff(live: &Catalog, declared: &Catalog, policy: &Policy) -> Result<Difference, DiffError> {
    let dialect = match (live.dialect, declared.dialect) {
        (Some(live), Some(declared)) if live != declared => {
            return Err(DiffError::Dialects { live, declared });
        }
        (Some(dialect), _) | (None, Some(dialect)) => dialect,
        (None, None) => return Err(DiffError::NoDialect),
    };
    let (mut live, mut declared) = (live.clone(), declared.clone());
    live.leave_out(&policy.ignore);
    declared.leave_out(&policy.ignore);

    if dialect == Dialect::Sqlite {
        rename::adopt_spelling(&mut live, &declared);
    }
    let mut operations = rename::apply(&mut live, &declared, &policy.renames)?;
    enums::compare(&live, &declared, &mut operations);
    let mut notes = Vec::new();
    let pairs = tables::pair(&live, &declared);
    for (live, declared) in &pairs.common {
        compare_tables(dialect, live, declared, &mut operations);
        let triggers = declared
            .triggers
            .iter()
            .filter(|trigger| !has(&live.triggers, trigger));
        notes.extend(triggers.map(|trigger| Note::MissingTrigger {
            table: declared.name.clone(),
            name: trigger.name.clone(),
        }));
    }
    if dialect == Dialect::Postgresql {
        dependents::step_aside(&pairs, &mut operations);
    }
    tables::add(dialect, &pairs, &mut operations);
    tables::drop(dialect, &pairs, &mut operations);
    let views = declared.views.iter().filter(|view| !has(&live.views, view));
    notes.extend(views.map(|view| Note::MissingView {
        name: view.name.clone(),
    }));
    Ok(Difference {
        suggestions: suggest::suggestions(dialect, &pairs),
        operations: order::in_order(operations),
        notes,
    })
}

fn has(found: &[Opaque], wanted: &Opaque) -> bool {
    found.iter().any(|opaque| opaque.name == wanted.name)
}

fn compare_tables(dialect: Dialect, live: &Table, declared: &Table, operations: &mut Vec<Operation>) {
    if live == declared {
        return;
    }
    if dialect == Dialect::Postgresql && live.comment != declared.comment {
        operations.push(Operation::AlterTableComment {
            table: declared.name.clone(),
            from: live.comment.clone(),
            to: declared.comment.clone(),
        });
    }
    columns::compare(dialect, live, declared, operations);
    constraints::compare(dialect, live, declared, operations);
    indexes::compare(dialect, live, declared, operations);
}
