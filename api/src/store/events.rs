//! What happened to tasks: written by the database, read here.
//!
//! On PostgreSQL an event gets its position when somebody reads it: numbers that were given before the commit would be passed
//! by a reader who sees a later one first. Positions of one owner are given by one reader at a time.

use entity::task_event::{Column, Entity};
use sea_orm::sea_query::{Order, Query};
use sea_orm::{ColumnTrait, DbErr, QueryResult, Value};
use seaworthy::sql::Dialect;

use super::keys::Sql;
use super::row::zoned;
use super::{Scope, Store, StoreError};
use crate::domain::{EventKind, Feature, Instant, TaskEvent};

/// What somebody's list of events holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventRange {
    /// The last position; nothing where there is none.
    pub(crate) last: Option<i64>,
    /// Whether there are events without a position.
    pub(crate) has_new: bool,
    /// Whether there is an event at the position that was asked for: not, when the list was made again since.
    pub(crate) is_known: bool,
}

/// Most rows that one sweep removes, so that nobody waits long behind it.
const BATCH: i64 = 500;

const RANGE: &str = "SELECT (SELECT max(position) FROM task_events WHERE user_id = $1), \
    EXISTS (SELECT 1 FROM task_events WHERE user_id = $1 AND position IS NULL), \
    EXISTS (SELECT 1 FROM task_events WHERE user_id = $1 AND position = $2)";
const BEGIN_POSTGRES: &str =
    "INSERT INTO task_events (user_id, kind, task_id, created_at) VALUES ($1, 'asked', 0, $2)";
const BEGIN_SQLITE: &str = "INSERT INTO task_events (position, user_id, kind, task_id, created_at) \
    SELECT 1 + coalesce((SELECT max(id) FROM task_events), (SELECT seq FROM sqlite_sequence WHERE name = 'task_events')), \
    $1, 'asked', 0, $2";
const TAKE_TURN: &str = "SELECT pg_advisory_xact_lock(hashtextextended('task_events' || chr(31) || $1, 0))";
const PLACE: &str = "UPDATE task_events SET position = placed.position FROM (\
    SELECT id, nextval('task_events_id_seq') AS position FROM (\
    SELECT id FROM task_events WHERE user_id = $1 AND position IS NULL ORDER BY id) AS waiting) AS placed \
    WHERE task_events.id = placed.id";
// The oldest rows come first, so that no index over times is needed, which every change would have to write. An event stays while
// the one after it is not old: whoever was told of it in between asks by its position, however old it is.
const SWEEP: &str = "DELETE FROM task_events WHERE id IN (SELECT id FROM task_events e \
    WHERE id < (SELECT coalesce((SELECT id FROM task_events WHERE created_at > $1 ORDER BY id LIMIT 1), 9223372036854775807)) \
    AND created_at <= $1 \
    AND (position IS NULL OR $1 >= (SELECT created_at FROM task_events \
    WHERE user_id = e.user_id AND position > e.position ORDER BY position LIMIT 1)) \
    ORDER BY id LIMIT $2)";

impl Store {
    /// Removes some events from before a moment; returns whether there may be more of them.
    pub(crate) async fn sweep_events(&self, before: Instant) -> Result<bool, StoreError> {
        if !self.shape().has(Feature::Changes) {
            return Ok(false);
        }
        let values = vec![before.to_zoned().into(), BATCH.into()];
        let swept = self.runner().execute(&Sql { text: SWEEP, values }).await?;
        Ok(swept >= BATCH.unsigned_abs())
    }
}

impl Scope {
    /// Returns what the owner's list of events holds, and whether a position is one of it.
    pub(crate) async fn event_range(&self, position: Option<i64>) -> Result<EventRange, StoreError> {
        let values: Vec<Value> = vec![self.owner.as_str().into(), position.unwrap_or_default().into()];
        let row = self.runner().one(&Sql { text: RANGE, values }).await?;
        let row = row.ok_or(StoreError::NotFound)?;
        Ok(EventRange {
            last: row.try_get_by_index(0)?,
            has_new: row.try_get_by_index(1)?,
            is_known: row.try_get_by_index(2)?,
        })
    }

    /// Begins the owner's list, so that it has a position.
    pub(crate) async fn begin_events(&self, now: Instant) -> Result<(), StoreError> {
        let text = match self.dialect() {
            Dialect::Postgresql => BEGIN_POSTGRES,
            Dialect::Sqlite => BEGIN_SQLITE,
        };
        let values = vec![self.owner.as_str().into(), now.to_zoned().into()];
        self.runner().execute(&Sql { text, values }).await.map(drop)
    }

    /// Gives the owner's new events their positions; nobody else does until the transaction ends.
    pub(crate) async fn place_events(&self) -> Result<(), StoreError> {
        match self.dialect() {
            Dialect::Postgresql => {
                self.begin().await?;
                self.runner().all(&self.of_owner(TAKE_TURN)).await?;
                self.runner().execute(&self.of_owner(PLACE)).await.map(drop)
            }
            Dialect::Sqlite => Ok(()),
        }
    }

    /// Returns the owner's events after a position, at most so many.
    pub(crate) async fn events_after(&self, position: i64, limit: u64) -> Result<Vec<TaskEvent>, StoreError> {
        let select = Query::select()
            .columns([Column::Position, Column::Kind, Column::TaskId, Column::CreatedAt])
            .from(Entity)
            .and_where(Column::UserId.eq(self.owner.as_str()))
            .and_where(Column::Position.gt(position))
            .and_where(Column::TaskId.gt(0))
            .order_by(Column::Position, Order::Asc)
            .limit(limit)
            .to_owned();
        let rows = self.runner().all(&select).await?;
        let events: Result<Vec<TaskEvent>, DbErr> = rows.iter().map(read).collect();
        Ok(events?)
    }

    fn of_owner(&self, text: &'static str) -> Sql {
        let values: Vec<Value> = vec![self.owner.as_str().into()];
        Sql { text, values }
    }
}

fn read(row: &QueryResult) -> Result<TaskEvent, DbErr> {
    let kind: String = row.try_get_by_index(1)?;
    Ok(TaskEvent {
        position: row.try_get_by_index(0)?,
        // What a later build writes is a change like others to this one.
        kind: EventKind::parse(&kind).unwrap_or(EventKind::Changed),
        task_id: row.try_get_by_index(2)?,
        at: zoned(row, 3)?,
    })
}
