//! The hazards of a script: what would block a running application, break it, or destroy its rows.
//!
//! Everything is decided from the text of the statements, the schema before them and the server's version; no database is
//! asked. [`RULES`] lists what is looked for; each rule is one file with the page that explains it.

use serde::Serialize;

pub use accept::{accept, accepted_by_remarks};
pub use effects::{Effect, HeldLock, Work, effects, holds_blocking_lock, validates};
pub use rules::{RULES, Rule, rule};

use crate::sql::{Dialect, Reading, Remark, Schema, Statement, read, read_with_remarks};
use step::Step;
use timeline::Timeline;

mod accept;
mod effects;
mod locks;
mod rules;
mod step;
mod timeline;

/// What is known about the place where a script will run.
#[derive(Clone, Debug)]
pub struct Context {
    before: Schema,
    transaction: Surrounding,
    server: Server,
}

/// What will run a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// PostgreSQL of a major version; one of [`VERSIONS`].
    Postgres(u8),
    /// SQLite.
    Sqlite,
}

impl From<u8> for Server {
    fn from(version: u8) -> Self {
        Self::Postgres(version)
    }
}

impl Server {
    /// Returns whose SQL it runs.
    #[must_use]
    pub fn dialect(self) -> Dialect {
        match self {
            Self::Postgres(_) => Dialect::Postgresql,
            Self::Sqlite => Dialect::Sqlite,
        }
    }

    /// Returns the major version of PostgreSQL; the newest for SQLite, whose version the rules do not ask for.
    fn version(self) -> u8 {
        match self {
            Self::Postgres(version) => version,
            Self::Sqlite => *VERSIONS.end(),
        }
    }
}

/// Whether somebody else has opened a transaction around the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surrounding {
    /// One transaction surrounds all statements, and whoever runs the script opens and commits it.
    Transaction,
    /// Each statement commits by itself, unless the script says otherwise.
    Nothing,
}

/// How bad a hazard is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// To be known.
    Warn,
    /// To be avoided.
    Error,
}

/// Something that a statement does to a running application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hazard {
    /// The code of the rule that found it.
    pub category: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The statement, counted from zero.
    pub statement: usize,
    /// The line on which the statement begins, counted from one.
    pub line: usize,
    /// The table that it is about.
    pub table: Option<String>,
    /// What happens.
    pub message: String,
    /// What to do instead.
    pub help: &'static str,
    /// Why it is taken knowingly, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
    /// The statement itself.
    #[serde(skip)]
    pub sql: String,
    /// The tables in use that the statement locks.
    #[serde(skip)]
    pub locked: Vec<String>,
}

/// The versions of PostgreSQL that the rules know.
pub const VERSIONS: std::ops::RangeInclusive<u8> = 13..=18;

impl Default for Context {
    /// Returns a transaction around the script, PostgreSQL 15, and nothing known about the schema: every table that the
    /// script does not create is in use.
    fn default() -> Self {
        Self {
            before: Schema::default().settled(false),
            transaction: Surrounding::Transaction,
            server: Server::Postgres(15),
        }
    }
}

impl Context {
    /// Takes the statements that made the schema as it is before the script; what they do not create does not exist.
    #[must_use]
    pub fn schema(mut self, sql: &str) -> Self {
        self.before = Schema::default().settled(true);
        self.and_then(sql)
    }

    /// Adds what further statements made, such as those of an earlier revision.
    #[must_use]
    pub fn and_then(self, sql: &str) -> Self {
        let statements = read(sql, self.server.dialect());
        self.after(&statements)
    }

    /// Adds what statements made that have been read.
    #[must_use]
    pub fn after(mut self, statements: &[Statement]) -> Self {
        let is_complete = self.before.is_complete();
        for statement in statements {
            self.before.apply(&statement.parsed);
        }
        self.before = self.before.settled(is_complete);
        self
    }

    /// Says whether a transaction surrounds the script.
    #[must_use]
    pub fn surrounded_by(mut self, transaction: Surrounding) -> Self {
        self.transaction = transaction;
        self
    }

    /// Says what will run it; a number is a major version of PostgreSQL.
    #[must_use]
    pub fn on(mut self, server: impl Into<Server>) -> Self {
        self.server = server.into();
        self
    }
}

/// Returns the hazards of a script, in the order of its statements.
///
/// A comment before a statement accepts one of its hazards: `-- seaworthy: accept index-blocking: it has 40 rows`.
#[must_use]
pub fn lint(sql: &str, context: &Context) -> Vec<Hazard> {
    let (statements, behind) = read_with_remarks(sql, &Reading::from(context.server.dialect()));
    let flattened = statements
        .into_iter()
        .flat_map(|statement| statement.flattened(0));
    hazards(&flattened.collect::<Vec<_>>(), &behind, context)
}

/// Returns the hazards of statements that have been read, in their order.
#[must_use]
pub fn lint_statements(statements: &[Statement], context: &Context) -> Vec<Hazard> {
    hazards(statements, &[], context)
}

fn hazards(statements: &[Statement], behind: &[Remark], context: &Context) -> Vec<Hazard> {
    let timeline = Timeline::new(statements, context);
    let mut hazards = Vec::new();
    let mut state = step::State::new(context.transaction);
    for (index, statement) in statements.iter().enumerate() {
        let mut step = Step::new(index, statement, &timeline, &state, context);
        let found = rules::check(&mut step);
        let locked: Vec<String> = step.locks.iter().map(|lock| lock.table.clone()).collect();
        let next = state.after(&step, &found);
        state = next;
        hazards.extend(found.into_iter().map(|(rule, finding)| Hazard {
            category: rule.code,
            severity: rule.severity,
            statement: index,
            line: statement.line,
            table: finding.table,
            message: finding.message,
            help: rule.help,
            accepted: None,
            sql: statement.text().to_owned(),
            locked: locked.clone(),
        }));
    }
    accept::by_remarks(&mut hazards, statements, behind);
    hazards
}

impl Hazard {
    /// Returns whether it is an error that nobody has accepted.
    #[must_use]
    pub fn is_open_error(&self) -> bool {
        self.severity == Severity::Error && self.accepted.is_none()
    }
}
