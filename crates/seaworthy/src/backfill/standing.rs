//! Where a backfill stands, as the database has it.

use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement};
use serde::Serialize;

use super::sql;

/// Where a backfill stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Standing {
    /// What it is known by.
    pub name: String,
    /// Its table.
    pub table: String,
    /// How far it has got.
    pub state: State,
    /// Whether somebody has paused it.
    pub is_paused: bool,
    /// Rows passed so far.
    pub seen: u64,
    /// Rows changed so far.
    pub changed: u64,
    /// Rows that there were when it began, about.
    pub total: u64,
    /// Rows that the next batch looks at.
    pub batch_rows: u64,
    /// How long it rests after a batch, as a part of the time that the batch took.
    pub rest: f64,
    /// How far a replica may be behind, in milliseconds.
    pub max_lag_ms: u64,
    /// When it began.
    pub started_at: String,
    /// When the last batch was committed.
    pub updated_at: String,
    /// Why it ended badly the last time, if it did.
    pub error: Option<String>,
    #[serde(skip)]
    pub(super) checksum: String,
    #[serde(skip)]
    pub(super) place: Option<String>,
    #[serde(skip)]
    pub(super) bound: Option<String>,
}

/// How far a backfill has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It goes on, or stopped halfway.
    Running,
    /// It has been everywhere, and not been verified.
    Finished,
    /// It is done: no row is left that it should have changed.
    Verified,
}

impl State {
    /// Returns `running`, `finished` or `verified`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Verified => "verified",
        }
    }
}

impl Standing {
    /// Reads where all backfills stand, or one; fails where the table does not exist.
    pub(super) async fn read(
        connection: &impl ConnectionTrait,
        name: Option<&str>,
    ) -> Result<Vec<Self>, DbErr> {
        let backend = connection.get_database_backend();
        let statement = Statement::from_string(backend, sql::select(backend, name));
        connection
            .query_all_raw(statement)
            .await?
            .iter()
            .map(Self::from_row)
            .collect()
    }

    fn from_row(row: &QueryResult) -> Result<Self, DbErr> {
        let number = |column| {
            row.try_get::<i64>("", column)
                .map(|value| u64::try_from(value).unwrap_or(0))
        };
        let state: String = row.try_get("", "state")?;
        Ok(Self {
            name: row.try_get("", "name")?,
            table: row.try_get("", "table_name")?,
            state: match state.as_str() {
                "verified" => State::Verified,
                "finished" => State::Finished,
                _ => State::Running,
            },
            is_paused: number("is_paused")? > 0,
            seen: number("rows_seen")?,
            changed: number("rows_changed")?,
            total: number("rows_total")?,
            batch_rows: number("batch_rows")?,
            rest: row.try_get("", "rest")?,
            max_lag_ms: number("max_lag_ms")?,
            started_at: row.try_get("", "started_at")?,
            updated_at: row.try_get("", "updated_at")?,
            error: row.try_get("", "error")?,
            checksum: row.try_get("", "checksum")?,
            place: row.try_get("", "place")?,
            bound: row.try_get("", "bound")?,
        })
    }
}
