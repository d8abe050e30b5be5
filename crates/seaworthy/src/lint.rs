//! The hazards of a script: what would block a running application, break it, or destroy its rows.
//!
//! Everything is decided from the text of the statements, the schema before them and the server's version; no database is
//! asked. [`RULES`] lists what is looked for; each rule is one file with the page that explains it.

use std::sync::Arc;

use serde::Serialize;

pub use accept::{accept, accepted_by_remarks, accepts_loss, accepts_unknown};
pub use effects::{Effect, HeldLock, Work, effects, holds_blocking_lock, validates};
pub use repeats::{Place, merge_repeats};
pub use rules::{RULES, Rule, rule};
pub use settings::{
    ConstraintNames, ConstraintPattern, ForbiddenType, Level, NamePattern, Required, Settings, SettingsError,
    nearest,
};

use crate::sql::{Dialect, Parsed, Reading, Remark, Schema, Statement, read, read_with_remarks};
use step::Step;
use timeline::Timeline;

mod accept;
mod effects;
mod locks;
mod repeats;
mod rules;
mod settings;
mod step;
#[cfg(test)]
mod tests;
mod timeline;

/// What is known about the place where a script will run.
#[derive(Clone, Debug)]
pub struct Context {
    before: Schema,
    unread: Vec<UnreadSchema>,
    transaction: Surrounding,
    server: Server,
    settings: Arc<Settings>,
    is_strict: bool,
}

/// Text of a schema that could not be understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnreadSchema {
    /// The line on which it begins, counted from one.
    pub line: usize,
    /// What is not understood.
    pub what: String,
    /// Whether nothing behind it is known either.
    pub is_all_behind: bool,
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
    /// What the way back would do: it decides nothing.
    Note,
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
    /// Every statement that it is true of, where [`merge_repeats`] has found several; the first is `statement`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<Place>,
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
    /// Returns a transaction around the script, PostgreSQL 15, the rules as they are, and nothing known about the schema: every
    /// table that the script does not create is in use.
    fn default() -> Self {
        Self {
            before: Schema::default().settled(false),
            unread: Vec::new(),
            transaction: Surrounding::Transaction,
            server: Server::Postgres(15),
            settings: Arc::default(),
            is_strict: false,
        }
    }
}

impl Context {
    /// Takes the statements that made the schema as it is before the script.
    ///
    /// A table that they do not create is in use all the same, unless the script creates it: a statement that names it would fail
    /// otherwise. It does not exist where a statement says `IF EXISTS`, as long as all of the text is understood.
    #[must_use]
    pub fn schema(mut self, sql: &str) -> Self {
        let mut statements = read(sql, self.server.dialect());
        self.unread = statements.iter().filter_map(UnreadSchema::of).collect();
        // Nobody knows where a statement ends that something is open in.
        statements.retain(|statement| statement.unclosed.is_none());
        self.before = Schema::default().settled(self.unread.is_empty());
        self.after(&statements)
    }

    /// Returns what of the schema could not be understood.
    #[must_use]
    pub fn unread(&self) -> &[UnreadSchema] {
        &self.unread
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
            self.before.apply_whole(statement);
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

    /// Says what the project asks for; its levels are applied by [`lint`] and by [`Settings::apply_levels`], after acceptances.
    #[must_use]
    pub fn settings(mut self, settings: &Arc<Settings>) -> Self {
        self.settings = Arc::clone(settings);
        self
    }

    /// Counts what happens only in sessions of some settings as if it happened, as whoever is about to run a script has to.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.is_strict = true;
        self
    }

    /// Says what will run it; a number is a major version of PostgreSQL.
    #[must_use]
    pub fn on(mut self, server: impl Into<Server>) -> Self {
        self.server = server.into();
        self
    }
}

impl UnreadSchema {
    fn of(statement: &Statement) -> Option<Self> {
        let (what, is_all_behind) = match (statement.unclosed, &statement.parsed) {
            (Some(what), _) => (format!("{what} is opened and never closed"), true),
            (None, Parsed::Opaque { what }) => (what.clone(), false),
            _ => return None,
        };
        Some(Self {
            line: statement.line,
            what,
            is_all_behind,
        })
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
    let mut found = hazards(&flattened.collect::<Vec<_>>(), &behind, context);
    context.settings.apply_levels(&mut found);
    found
}

/// Returns the hazards of statements that have been read, in their order, before the levels of the settings: what a revision
/// accepts is looked for first, whether it is switched off or not.
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
            severity: finding.severity.unwrap_or(rule.severity),
            statement: index,
            line: statement.line,
            statements: Vec::new(),
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
    /// Makes it a note, unless it is about an acceptance that matches nothing, which is wrong either way.
    pub fn demote(&mut self) {
        if self.category != "override-unmatched" {
            self.severity = Severity::Note;
        }
    }

    /// Returns whether it is an error that nobody has accepted.
    #[must_use]
    pub fn is_open_error(&self) -> bool {
        self.severity == Severity::Error && self.accepted.is_none()
    }
}
