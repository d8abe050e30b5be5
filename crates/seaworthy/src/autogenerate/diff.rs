//! Compares two catalogs.
//!
//! Both are expected in the words of the same engine; whatever may still be spelled in two ways is compared by what it
//! means. Things that are equal but for a name that nobody chose are the same thing.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use rename::{Rename, RenameError, Suggestion};
pub use undeclared::{Undeclared, undeclared};

use super::Operation;
use crate::catalog::{Catalog, Dialect, Ignore, Opaque, Table};

mod columns;
mod constraints;
mod dependents;
mod disturbance;
mod enums;
mod families;
mod indexes;
mod names;
mod numbering;
mod objects;
mod order;
mod rename;
mod roles;
mod statements;
mod storage;
mod suggest;
mod tables;
mod undeclared;
mod unsaid;

/// What a comparison takes for granted.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// What is left alone on both sides.
    pub ignore: Ignore,
    /// Renames that somebody has agreed to. Others are suggested, and come out as something added and something dropped.
    pub renames: Vec<Rename>,
    /// How much the wanted schema says.
    pub wanted: Wanted,
    /// What is compared only when it is asked for.
    pub with: Vec<With>,
}

/// What is compared only when it is asked for: roles belong to a server, not to a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum With {
    /// Who may do what with something.
    Grants,
    /// Whose something is.
    Owners,
}

impl FromStr for With {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "grants" => Ok(Self::Grants),
            "owners" => Ok(Self::Owners),
            _ => Err(UnknownWord(word.to_owned())),
        }
    }
}

/// A word names nothing that can be compared on request.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is neither grants nor owners")]
pub struct UnknownWord(String);

/// How much a wanted schema says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// What entities can say, or somebody who writes a catalog: a unique index does for a unique constraint, how rows are kept is
    /// left to whoever runs the database, and a constraint may be known of all rows where new ones were all that was asked for.
    #[default]
    Declared,
    /// Everything: it was read from a database.
    Whole,
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
    /// How many things neither operations nor notes speak of, by kind: those that one side says nothing about, as entities say
    /// nothing about views, and those of kinds that no catalog knows.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub not_compared: BTreeMap<String, u64>,
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
    /// An object that is wanted and cannot be made again after a change that it stands in the way of.
    InTheWay {
        /// What it is, and its name: `view open_tasks`.
        object: String,
        /// What it needs: `tasks.done, which is dropped`.
        reason: String,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingView { name } => write!(formatter, "missing view {name}"),
            Self::MissingTrigger { table, name } => write!(formatter, "missing trigger {name} on {table}"),
            Self::InTheWay { object, reason } => write!(formatter, "in the way: {object} needs {reason}"),
        }
    }
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
    /// A table is to be divided otherwise, which no statement does.
    #[error(
        "{table} cannot be divided in another way: its rows would have to move into a table that is made anew"
    )]
    PartitionKey {
        /// The table, or the part that is divided itself.
        table: String,
    },
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
    roles::among_objects(&policy.with, &mut live, &mut declared);
    let before = live.clone();

    if dialect == Dialect::Sqlite {
        rename::adopt_spelling(&live, &mut declared);
    }
    let renames = match dialect {
        Dialect::Postgresql => policy.renames.clone(),
        Dialect::Sqlite => rename::as_spelled(&live, &policy.renames),
    };
    let mut operations = rename::apply(&mut live, &declared, &renames)?;
    if !declared.says_everything() {
        unsaid::adopt(&live, &mut declared);
    }
    let unmentioned = match declared.is_open {
        true => undeclared::adopt(&live, &mut declared),
        false => BTreeMap::new(),
    };
    if policy.wanted == Wanted::Declared {
        families::adopt_parents(&live, &mut declared);
    }
    families::move_parts(policy.wanted, &mut live, &mut declared, &mut operations);
    numbering::set_sequences_free(&mut live, &mut declared);
    enums::compare(&live, &declared, &mut operations);
    let mut notes = Vec::new();
    let pairs = tables::pair(&live, &declared);
    for (live, declared) in &pairs.common {
        compare_tables(dialect, policy.wanted, live, declared, &mut operations)?;
        let triggers = declared.triggers.iter().filter(|trigger| {
            !has(&live.triggers, trigger) && !before.has_trigger(&live.name, &trigger.name)
        });
        notes.extend(triggers.map(|trigger| Note::MissingTrigger {
            table: declared.name.clone(),
            name: trigger.name.clone(),
        }));
    }
    if dialect == Dialect::Postgresql {
        enums::set_defaults_aside(&mut operations);
        dependents::step_aside(&pairs, &mut operations);
    }
    tables::add(dialect, &pairs, &mut operations);
    tables::drop(dialect, &pairs, &mut operations);
    let views = declared
        .views
        .iter()
        .filter(|view| !has(&live.views, view) && !before.has_view(&view.name));
    notes.extend(views.map(|view| Note::MissingView {
        name: view.name.clone(),
    }));
    let operations = match dialect {
        Dialect::Postgresql => {
            let mut changes = objects::compare(&before, &declared, &operations);
            notes.append(&mut changes.notes);
            let operations = changes.among(order::in_order(dialect, operations));
            notes.extend(disturbance::outside(&before, &operations));
            operations
        }
        Dialect::Sqlite => {
            statements::compare(&before, &live, &declared, &policy.ignore, &mut operations);
            order::in_order(dialect, operations)
        }
    };
    Ok(Difference {
        suggestions: suggest::suggestions(dialect, &pairs),
        operations,
        notes,
        not_compared: objects::not_compared(&live, &declared)
            .into_iter()
            .chain(unmentioned)
            .collect(),
    })
}

fn has(found: &[Opaque], wanted: &Opaque) -> bool {
    found.iter().any(|opaque| opaque.name == wanted.name)
}

fn compare_tables(
    dialect: Dialect,
    wanted: Wanted,
    live: &Table,
    declared: &Table,
    operations: &mut Vec<Operation>,
) -> Result<(), DiffError> {
    if live == declared {
        return Ok(());
    }
    if dialect == Dialect::Postgresql {
        families::compare(wanted, live, declared, operations)?;
    }
    let own = families::without_inherited(live, declared);
    let (live, declared) = own
        .as_ref()
        .map_or((live, declared), |(live, declared)| (live, declared));
    if dialect == Dialect::Postgresql && live.comment != declared.comment {
        operations.push(Operation::AlterTableComment {
            table: declared.name.clone(),
            from: live.comment.clone(),
            to: declared.comment.clone(),
        });
    }
    if live.options() != declared.options() {
        operations.push(Operation::AlterTableOptions {
            table: declared.name.clone(),
            from: live.options(),
            to: declared.options(),
        });
    }
    if wanted == Wanted::Whole {
        storage::compare(live, declared, operations);
    }
    columns::compare(dialect, wanted, live, declared, operations);
    if wanted == Wanted::Whole {
        storage::restore(live, declared, operations);
    }
    constraints::compare(dialect, wanted, live, declared, operations);
    indexes::compare(dialect, wanted, live, declared, operations);
    Ok(())
}
