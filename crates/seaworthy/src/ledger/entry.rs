//! One entry of the history: who did what to which revision, when, and how it ended.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, Query, SelectStatement, TableRef};
use sea_orm::{DbBackend, DbErr, QueryResult};
use serde::{Deserialize, Serialize};

use crate::revision::{Accepted, Direction, Stage};
use crate::session::Actor;
use crate::session::dialect_of;
use crate::sql::Dialect;

/// An entry of the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its place in the history; zero before it is written.
    pub id: i64,
    /// The run it belongs to: eight hex digits, the same for all entries of one command.
    pub run: String,
    /// What kind of run it was.
    pub kind: Kind,
    /// Whether the revision came or went.
    pub direction: Direction,
    /// The revision's id.
    pub revision: String,
    /// SeaORM's name for it.
    pub name: String,
    /// Where in a zero-downtime change it belongs; unknown of entries that older versions of this tool wrote, and of
    /// revisions that the tool did not know.
    pub stage: Option<Stage>,
    /// How it ended.
    pub outcome: Outcome,
    /// When it began.
    pub started_at: Moment,
    /// When it ended; absent on [`Outcome::Started`].
    pub finished_at: Option<Moment>,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<i64>,
    /// What went wrong.
    pub error: Option<String>,
    /// SHA-256 of the SQL that the revision was recorded to send, or of the part that is through; absent when that cannot be
    /// known beforehand.
    pub checksum: Option<String>,
    /// How many parts of a step without a transaction are through.
    pub parts_done: Option<i64>,
    /// The hazards of the revision that were taken knowingly.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<Accepted>,
    /// Who ran it, and with what.
    #[serde(flatten)]
    pub actor: Actor,
}

/// What kind of run an entry belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Revisions were applied.
    Upgrade,
    /// Revisions were undone.
    Downgrade,
    /// Revisions were declared applied or not, without running them.
    Stamp,
    /// A database of Alembic's was taken over.
    Adopt,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// A step without a transaction began; if nothing follows, it died halfway.
    Started,
    /// Some statements of a step without a transaction are through.
    Progressed,
    /// It ended well.
    Done,
    /// It failed.
    Failed,
    /// It was stopped by the person who ran it.
    Cancelled,
}

/// A point in time, known now or only when a script runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Moment {
    /// A known time.
    At(DateTime<Utc>),
    /// The time at which the database executes the statement.
    #[serde(skip)]
    Execution,
}

/// Returns the present time, cut to milliseconds.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the clock for the history"
)]
#[must_use]
pub fn now() -> DateTime<Utc> {
    let now = Utc::now();
    DateTime::from_timestamp_millis(now.timestamp_millis()).unwrap_or(now)
}

const TIME_FORMAT: &str = "%Y-%m-%dT%H:%M:%S%.3fZ";

/// The columns of an entry, in the order in which [`Entry::select`] asks for them.
#[derive(Deserialize)]
struct Stored {
    id: i64,
    run: String,
    kind: Kind,
    direction: Direction,
    revision: String,
    name: String,
    stage: Option<Stage>,
    outcome: Outcome,
    started_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    duration_ms: Option<i64>,
    error: Option<String>,
    checksum: Option<String>,
    parts_done: Option<i64>,
    by_user: Option<String>,
    by_host: Option<String>,
    tool_version: String,
    accepted: Option<String>,
}

/// Which columns a history has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// All of them.
    Complete,
    /// It was made before accepted hazards were recorded; the next run that has something to do adds the column.
    WithoutAccepted,
    /// It was made before stages were recorded, too.
    WithoutStage,
}

impl Layout {
    /// Returns the layout of the version before.
    pub(super) fn older(self) -> Option<Self> {
        match self {
            Self::Complete => Some(Self::WithoutAccepted),
            Self::WithoutAccepted => Some(Self::WithoutStage),
            Self::WithoutStage => None,
        }
    }
}

impl Entry {
    /// Returns whether the entry tells of a step without a transaction that began and has not ended.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        matches!(self.outcome, Outcome::Started | Outcome::Progressed)
    }

    /// Returns whether a row of the applied set with this time was written together with the entry.
    ///
    /// Another tool may have undone and applied the revision since, of which the history knows nothing.
    pub(super) fn tells_of(&self, applied_at: i64) -> bool {
        let Some(Moment::At(finished_at)) = self.finished_at else {
            return false;
        };
        // A script rounds its time to a second, a run cuts it off.
        let apart = finished_at.timestamp().abs_diff(applied_at);
        self.outcome == Outcome::Done && self.direction == Direction::Up && apart <= 1
    }

    /// Returns the query for entries; [`Entry::from_row`] reads its rows.
    ///
    /// A row is one JSON array: the SQLite driver copies every single value and hands it from thread to thread.
    pub(super) fn select(table: TableRef, backend: DbBackend, layout: Layout) -> SelectStatement {
        let array = match dialect_of(backend) {
            Dialect::Postgresql => "json_build_array",
            Dialect::Sqlite => "json_array",
        };
        let time = |column: &str| match dialect_of(backend) {
            Dialect::Postgresql => {
                format!("to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')")
            }
            Dialect::Sqlite => column.to_owned(),
        };
        let (stage, accepted) = match layout {
            Layout::Complete => ("stage", "accepted"),
            Layout::WithoutAccepted => ("stage", "NULL"),
            Layout::WithoutStage => ("NULL", "NULL"),
        };
        let entry = format!(
            "CAST({array}(id, run, kind, direction, revision, name, {stage}, outcome, {started_at}, {finished_at}, duration_ms, error, \
             checksum, parts_done, by_user, by_host, tool_version, {accepted}) AS text)",
            started_at = time("started_at"),
            finished_at = time("finished_at"),
        );
        Query::select()
            .from(table)
            .expr_as(Expr::cust(entry), "entry")
            .to_owned()
    }

    pub(super) fn from_row(row: &QueryResult) -> Result<Self, DbErr> {
        let array: String = row.try_get("", "entry")?;
        let stored: Stored = serde_json::from_str(&array)
            .map_err(|error| DbErr::Type(format!("{array} is no entry of the history: {error}")))?;
        // What a later version writes in another form is no reason not to read the rest.
        let accepted = stored
            .accepted
            .and_then(|accepted| serde_json::from_str(&accepted).ok())
            .unwrap_or_default();
        Ok(Self {
            id: stored.id,
            run: stored.run,
            kind: stored.kind,
            direction: stored.direction,
            revision: stored.revision,
            name: stored.name,
            stage: stored.stage,
            outcome: stored.outcome,
            started_at: Moment::At(stored.started_at),
            finished_at: stored.finished_at.map(Moment::At),
            duration_ms: stored.duration_ms,
            error: stored.error,
            checksum: stored.checksum,
            parts_done: stored.parts_done,
            accepted,
            actor: Actor {
                user: stored.by_user,
                host: stored.by_host,
                tool_version: stored.tool_version,
            },
        })
    }
}

impl Kind {
    /// Returns the word that the history stores.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Upgrade => "upgrade",
            Self::Downgrade => "downgrade",
            Self::Stamp => "stamp",
            Self::Adopt => "adopt",
        }
    }
}

impl Outcome {
    /// Returns the word that the history stores.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Progressed => "progressed",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Moment {
    /// Returns the time as the history stores it on SQLite, or nothing when it is not known yet.
    #[must_use]
    pub fn text(self) -> Option<String> {
        match self {
            Self::At(time) => Some(time.format(TIME_FORMAT).to_string()),
            Self::Execution => None,
        }
    }
}
