//! `verify`: whether each revision keeps its promises, tried out on scratch databases.
//!
//! On each kind of database the revisions are walked twice, on an empty database and on one with rows: each is applied,
//! undone and applied again. Then everything is undone and applied in one go. What is not as it should be comes back as a
//! value; only what keeps the walk itself from being made is an error.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Serialize;
use tokio_util::sync::CancellationToken;
use walk::Course;

use super::{CommandError, Project};
use crate::catalog::{Catalog, Dialect, Target as Declared};
use crate::environment::Environment;
use crate::graph::{Applied, HistoryRange, Step, Target};
use crate::revision::{Direction, RevisionId};
use crate::session::DatabaseUrl;
use crate::session::dialect_of;
use crate::verify::ScratchDatabase;

pub use acceptance::VainAcceptance;
pub use branches::{BranchPair, collisions};
pub use promise::{BrokenPromise, BrokenPromises, Promise};
pub(super) use reasons::causes;
pub(super) use rehearsal::{plan, rehearse};

mod acceptance;
mod branches;
mod extensions;
mod found;
mod kept;
mod promise;
mod reasons;
mod rehearsal;
mod walk;

/// Where revisions are tried out, and against what.
#[derive(Default)]
pub struct Verification<'a> {
    /// Where scratch databases are made; SQLite in the system's temporary folder when nobody says.
    pub places: Vec<Place>,
    /// What the newest schema is compared with.
    pub declared: Option<Declared>,
    /// Makes rows after each revision; those it does not care about get some of their own.
    pub rows: Option<Box<Rows<'a>>>,
    /// Leaves the walk over a database with rows out, and with it the promise that rows are kept.
    pub without_rows: bool,
    /// The revisions whose promises are looked at; all where nothing is chosen. Those that they need are only applied.
    pub chosen: Option<Chosen>,
    /// Ends the walk when it is cancelled.
    pub stop: CancellationToken,
}

/// The revisions whose promises are looked at.
#[derive(Clone, Debug)]
pub enum Chosen {
    /// This one.
    One(Target),
    /// A range, both ends included.
    Range(HistoryRange),
}

/// Returns statements that insert rows after a revision, by its id and the schema that there is by then; nothing for rows
/// that are made up.
pub type Rows<'a> = dyn Fn(&RevisionId, &Catalog) -> Option<Vec<String>> + Send + Sync + 'a;

/// Where a scratch database is made.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// A SQLite file below a folder.
    Sqlite(PathBuf),
    /// A database of its own on a PostgreSQL server; the address names any database to connect to first.
    Postgresql(String),
}

/// What came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[must_use = "a promise may be broken"]
pub struct Verified {
    /// How many revisions there are.
    pub revisions: usize,
    /// Whether the walk with rows was left out, so that nobody knows whether they are kept.
    pub without_rows: bool,
    /// What was walked on.
    pub databases: Vec<VerifiedDatabase>,
    /// What is not as it should be.
    pub broken: Vec<BrokenPromise>,
    /// What is not as it should be, and taken knowingly.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<BrokenPromise>,
    /// What revisions take knowingly, and was not found here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vain: Vec<VainAcceptance>,
}

/// A kind of database that the revisions were walked on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VerifiedDatabase {
    /// Which kind.
    pub dialect: Dialect,
    /// How many times a revision was applied or undone.
    pub steps: usize,
    /// How many rows were put in.
    pub rows: u64,
    /// Tables that no rows could be made up for, so that nobody knows whether they would be kept.
    pub unfilled: Vec<Unfilled>,
    /// Revisions that cannot be undone; the walk went on from them.
    pub irreversible: Vec<Irreversible>,
}

/// A revision that cannot be undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Irreversible {
    /// The revision.
    pub revision: RevisionId,
    /// Why not: what it declares, that it has no `down`, or what its `down` says before it does anything.
    pub reason: String,
}

/// A table that no rows could be made up for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unfilled {
    /// The revision after which it was tried.
    pub revision: RevisionId,
    /// The table.
    pub table: String,
    /// What the database said.
    pub reason: String,
}

impl<'a> Verification<'a> {
    /// Returns a verification on SQLite, in the system's temporary folder.
    #[must_use]
    pub fn new() -> Self {
        Self::default().on(Place::Sqlite(std::env::temp_dir()))
    }

    /// Returns a verification on the kind of database that this one is, on its own server; on SQLite where there is none.
    #[must_use]
    pub fn near(database: Option<&DatabaseUrl>) -> Self {
        Self::default().on(Place::beside(database))
    }

    /// Returns the same verification on one more database.
    #[must_use]
    pub fn on(mut self, place: Place) -> Self {
        self.places.push(place);
        self
    }

    /// Returns the same verification on a PostgreSQL server as well, on which the role may create databases.
    #[must_use]
    pub fn on_postgresql(self, server: impl Into<String>) -> Self {
        self.on(Place::Postgresql(server.into()))
    }

    /// Returns the same verification, in which the newest schema has to be what entities declare.
    #[must_use]
    pub fn declared(mut self, declared: Declared) -> Self {
        self.declared = Some(declared);
        self
    }

    /// Returns the same verification with rows of somebody who knows what a table wants.
    ///
    /// The function is asked after each revision, and says nothing where rows may be made up.
    #[must_use]
    pub fn rows(
        mut self,
        rows: impl Fn(&RevisionId, &Catalog) -> Option<Vec<String>> + Send + Sync + 'a,
    ) -> Self {
        self.rows = Some(Box::new(rows));
        self
    }

    /// Returns the same verification on empty databases alone, where revisions want rows that nobody can make up.
    #[must_use]
    pub fn without_rows(mut self) -> Self {
        self.without_rows = true;
        self
    }
}

impl Verified {
    /// Returns the same value when every promise is kept.
    ///
    /// # Errors
    ///
    /// Fails with every promise that is broken, which is what a test wants to show.
    pub fn into_result(self) -> Result<Self, BrokenPromises> {
        if self.broken.is_empty() {
            Ok(self)
        } else {
            Err(BrokenPromises(self.broken))
        }
    }
}

impl std::fmt::Debug for Place {
    /// Shows no address: it may hold a password.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Sqlite(_) => "Sqlite",
            Self::Postgresql(_) => "Postgresql",
        })
    }
}

/// Tries all revisions out on scratch databases, which are removed afterwards. The environment's own database is not
/// touched.
///
/// # Errors
///
/// Fails when the revisions make no sense together, a scratch database cannot be made or read, or it was stopped. A promise
/// that is broken is no error but part of the answer; [`Verified::into_result`] makes one of it.
pub async fn verify(
    environment: &Environment,
    verification: &Verification<'_>,
) -> Result<Verified, CommandError> {
    let project = Project::of(environment)?;
    let course = project.course(verification.chosen.as_ref())?;
    let mut verified = Verified {
        revisions: course.chosen.as_ref().map_or(course.steps.len(), BTreeSet::len),
        without_rows: verification.without_rows,
        databases: Vec::new(),
        broken: match course.chosen {
            Some(_) => Vec::new(),
            None => promise::heads(&project.graph),
        },
        accepted: Vec::new(),
        vain: Vec::new(),
    };
    for place in &verification.places {
        let (database, broken) = walk::all(environment, &course, verification, place).await?;
        verified.databases.push(database);
        verified.broken.extend(broken);
    }
    project.settle_promises(&mut verified, &course);
    Ok(verified)
}

impl Project<'_> {
    /// Returns the way to the chosen revisions.
    fn course(&self, chosen: Option<&Chosen>) -> Result<Course, CommandError> {
        let nowhere = Applied::default();
        let steps = self.graph.upgrade(&nowhere, &Target::heads())?.steps;
        let listed = match chosen {
            None => return Ok(Course { steps, chosen: None }),
            Some(Chosen::One(target)) => self.graph.show(std::slice::from_ref(target), &nowhere)?,
            Some(Chosen::Range(range)) => self.graph.history(Some(range), &nowhere)?,
        };
        let chosen: BTreeSet<RevisionId> = listed.into_iter().map(|listed| listed.revision).collect();
        let mut needed = BTreeSet::new();
        for revision in &chosen {
            let target: Target = revision.as_str().parse()?;
            let steps = self.graph.upgrade(&nowhere, &target)?.steps;
            needed.extend(steps.into_iter().map(|step| step.revision));
        }
        let is_needed = |step: &Step| step.direction == Direction::Up && needed.contains(&step.revision);
        Ok(Course {
            steps: steps.into_iter().filter(is_needed).collect(),
            chosen: Some(chosen),
        })
    }
}

impl Place {
    /// Returns the place beside a database: its server, or the system's temporary folder.
    pub(super) fn beside(database: Option<&DatabaseUrl>) -> Self {
        let dialect = database.map_or(Dialect::Sqlite, |url| dialect_of(url.backend()));
        match (database, dialect) {
            (Some(url), Dialect::Postgresql) => Self::Postgresql(url.as_str().to_owned()),
            (None, Dialect::Postgresql) | (_, Dialect::Sqlite) => Self::Sqlite(std::env::temp_dir()),
        }
    }

    /// Makes a scratch database here.
    pub(super) async fn scratch(&self) -> Result<ScratchDatabase, CommandError> {
        Ok(match self {
            Self::Sqlite(folder) => ScratchDatabase::sqlite(folder)?,
            Self::Postgresql(server) => ScratchDatabase::postgres(server).await?,
        })
    }

    fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgresql(_) => Dialect::Postgresql,
        }
    }
}
