//! The hazards of a script: what would block a running application, break it, or destroy its rows.
//!
//! Everything is decided from the text of the statements, the schema before them and the server's version; no database is
//! asked. [`RULES`] lists what is looked for; each rule is one file with the page that explains it.

use serde::Serialize;

pub use accept::{accept, accepted_by_remarks};
pub use effects::{Effect, HeldLock, Work, effects, holds_blocking_lock};
pub use rules::{RULES, Rule, rule};

use schema::Schema;
use step::Step;
use timeline::Timeline;

mod accept;
mod cursor;
mod effects;
mod locks;
mod rules;
mod schema;
mod statement;
mod step;
mod timeline;
mod token;

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
        self.before = schema_after(Schema::default(), sql).settled(true);
        self
    }

    /// Adds what further statements made, such as those of an earlier revision.
    #[must_use]
    pub fn and_then(mut self, sql: &str) -> Self {
        let is_complete = self.before.is_complete();
        self.before = schema_after(self.before, sql).settled(is_complete);
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

fn schema_after(mut schema: Schema, sql: &str) -> Schema {
    for sentence in token::sentences(sql) {
        schema.apply(&statement::read(&sentence.tokens));
    }
    schema
}

/// Returns the hazards of a script, in the order of its statements.
///
/// A comment before a statement accepts one of its hazards: `-- seaworthy: accept index-blocking: it has 40 rows`.
#[must_use]
pub fn lint(sql: &str, context: &Context) -> Vec<Hazard> {
    let (sentences, behind) = token::read(sql);
    let timeline = Timeline::new(&sentences, context);
    let mut hazards = Vec::new();
    let mut state = step::State::new(context.transaction);
    for (index, sentence) in sentences.iter().enumerate() {
        let mut step = Step::new(index, sentence, &timeline, &state, context);
        let found = rules::check(&mut step);
        let line = sentence.tokens.first().map_or(1, |token| token.line);
        let locked: Vec<String> = step.locks.iter().map(|lock| lock.table.clone()).collect();
        let next = state.after(&step, &found);
        state = next;
        hazards.extend(found.into_iter().map(|(rule, finding)| Hazard {
            category: rule.code,
            severity: rule.severity,
            statement: index,
            line,
            table: finding.table,
            message: finding.message,
            help: rule.help,
            accepted: None,
            sql: sentence.source.clone(),
            locked: locked.clone(),
        }));
    }
    accept::by_remarks(&mut hazards, &sentences, &behind);
    hazards
}

impl Hazard {
    /// Returns whether it is an error that nobody has accepted.
    #[must_use]
    pub fn is_open_error(&self) -> bool {
        self.severity == Severity::Error && self.accepted.is_none()
    }
}
