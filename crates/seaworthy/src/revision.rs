//! What a revision says about itself: its identifier and its header.
//!
//! A revision is a SeaORM migration plus a [`Header`]. Nothing here knows how revisions relate (that is `graph`) or
//! what a database holds (that is `ledger`).

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use sea_orm_migration::MigrationTrait;
use serde::{Deserialize, Serialize};

use crate::backfill::Backfill;
pub use accepted::Accepted;
pub use plain::{Plain, Tag, ViaMigration, ViaRevision};

mod accepted;
mod plain;

/// A SeaORM migration that may say more about itself than its name.
///
/// Without a header the revision takes its name as its id and revises the one before it in the list, which makes a
/// plain list of migrations a linear chain.
pub trait Revision: MigrationTrait {
    /// Returns the revision's header, or nothing when name and place in the list say it all.
    fn header(&self) -> Option<Header> {
        None
    }

    /// Returns the backfills that applying the revision works off, in order; such a revision does nothing else.
    ///
    /// The runner of this tool works them off by itself and does not call `up`. For SeaORM's own runner, `up` calls
    /// [`Backfill::run`] for each, and the revision says `use_transaction() = Some(false)`.
    fn backfills(&self) -> Vec<Backfill> {
        Vec::new()
    }
}

/// The name of a revision in the graph: `001`, or twelve hex digits.
///
/// Not to be confused with SeaORM's name (`m20241225_100000_create_initial_tables`), which is what
/// `seaql_migrations` stores.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RevisionId(Arc<str>);

/// What a revision declares: who it is, what it builds on, and in which stage of a change it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The identifier within the graph.
    pub id: RevisionId,
    /// SeaORM's name for the migration, the value in `seaql_migrations`; equal to the id unless set.
    pub name: String,
    /// The parents: none for a base, one usually, several for a merge.
    pub revises: Vec<RevisionId>,
    /// One line that says what the revision does.
    pub message: String,
    /// When the file was made, in UTC: `2024-12-25 10:00:00`. For people; nothing is ordered by it.
    pub created: Option<String>,
    /// Branch labels; they spread along the branch.
    pub labels: Vec<String>,
    /// Ids or labels that must be applied before this revision without being its parents.
    pub depends_on: Vec<String>,
    /// The phase of the product that this revision alone stands for.
    pub phase: Option<String>,
    /// Where in a zero-downtime change the revision belongs.
    pub stage: Stage,
    /// What is gone once the revision is applied: `tasks`, or `tasks.is_recurring`.
    pub removes: Vec<String>,
    /// What has another type or another meaning once the revision is applied, under the name that it had.
    pub changes: Vec<String>,
    /// The backfills that must be finished and verified before the revision is applied.
    pub requires_backfills: Vec<String>,
    /// The hazards that are taken knowingly.
    pub accepted: Vec<Accepted>,
    /// Why the revision cannot be undone, if it cannot.
    pub irreversible: Option<String>,
}

/// Which way a revision is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// It is applied.
    Up,
    /// It is undone.
    Down,
}

/// Where in a zero-downtime change a revision belongs; in the order in which they come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Adds what the new code needs and the old code does not mind.
    #[default]
    Expand,
    /// Moves data while both shapes exist.
    Migrate,
    /// Removes what no running code reads any more.
    Contract,
}

impl Direction {
    /// Returns `up` or `down`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

impl Stage {
    /// Returns `expand`, `migrate` or `contract`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Expand => "expand",
            Self::Migrate => "migrate",
            Self::Contract => "contract",
        }
    }
}

impl Header {
    /// Returns the header of a base: a revision without parents.
    pub fn new(id: impl Into<RevisionId>) -> Self {
        let id = id.into();
        Self {
            name: id.as_str().to_owned(),
            id,
            revises: Vec::new(),
            message: String::new(),
            created: None,
            labels: Vec::new(),
            depends_on: Vec::new(),
            phase: None,
            stage: Stage::default(),
            removes: Vec::new(),
            changes: Vec::new(),
            requires_backfills: Vec::new(),
            accepted: Vec::new(),
            irreversible: None,
        }
    }

    /// Adds a parent; call it once for each parent of a merge.
    #[must_use]
    pub fn revises(mut self, parent: impl Into<RevisionId>) -> Self {
        self.revises.push(parent.into());
        self
    }

    /// Sets the line that says what the revision does.
    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// Sets when the file was made, in UTC: `2024-12-25 10:00:00`.
    #[must_use]
    pub fn created(mut self, created: impl Into<String>) -> Self {
        self.created = Some(created.into());
        self
    }

    /// Adds a branch label.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.labels.push(label.into());
        self
    }

    /// Adds a revision id or label that must be applied first although it is no parent.
    #[must_use]
    pub fn depends_on(mut self, dependency: impl Into<String>) -> Self {
        self.depends_on.push(dependency.into());
        self
    }

    /// Sets the phase of the product that this revision stands for.
    #[must_use]
    pub fn phase(mut self, phase: impl Into<String>) -> Self {
        self.phase = Some(phase.into());
        self
    }

    /// Sets the stage of the change.
    #[must_use]
    pub fn stage(mut self, stage: Stage) -> Self {
        self.stage = stage;
        self
    }

    /// Names a table, or a column as `table.column`, that is gone once the revision is applied; call it once for each.
    ///
    /// Dropped and renamed tables and columns are found in the SQL as well. What has to be named is what the SQL does not
    /// show, such as a column whose meaning ends.
    #[must_use]
    pub fn removes(mut self, what: impl Into<String>) -> Self {
        self.removes.push(what.into());
        self
    }

    /// Names a table, or a column as `table.column`, that has another type or another meaning once the revision is applied,
    /// under the name that it had; call it once for each.
    ///
    /// A build that knows the revision was written for both.
    #[must_use]
    pub fn changes(mut self, what: impl Into<String>) -> Self {
        self.changes.push(what.into());
        self
    }

    /// Names a backfill that must be finished and verified before the revision is applied; call it once for each.
    #[must_use]
    pub fn requires_backfill(mut self, name: impl Into<String>) -> Self {
        self.requires_backfills.push(name.into());
        self
    }

    /// Accepts a hazard of one statement, for a reason that is kept in the history; call it once for each.
    ///
    /// One that matches no hazard is an error when the revision is linted or run.
    #[must_use]
    pub fn accepts(mut self, accepted: Accepted) -> Self {
        self.accepted.push(accepted);
        self
    }

    /// Declares that the revision cannot be undone, and why. Its `down` is not called any more.
    #[must_use]
    pub fn irreversible(mut self, reason: impl Into<String>) -> Self {
        self.irreversible = Some(reason.into());
        self
    }

    /// Sets SeaORM's name for the migration.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }
}

/// Returns what the code of a revision said when it panicked.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|message| (*message).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a message".to_owned())
}

impl RevisionId {
    /// Returns the identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for RevisionId {
    fn from(id: &str) -> Self {
        Self(id.into())
    }
}

impl From<String> for RevisionId {
    fn from(id: String) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for RevisionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl fmt::Debug for RevisionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}
