//! How far the server has got with a statement: builds of indexes, and copies of tables.

use sea_orm::DbErr;
use serde::Serialize;

use super::Session;

/// What the server says about a statement that takes its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServerProgress {
    /// The command: `CREATE INDEX CONCURRENTLY`.
    pub command: String,
    /// The phase: `building index: scanning table`.
    pub phase: String,
    /// How much of the phase is done, in its own unit; zero of zero where that is not known.
    pub done: i64,
    /// How much there is to do.
    pub total: i64,
    /// The process whose transaction has to end first, while it waits for one.
    pub waits_for: Option<i32>,
}

impl Session {
    /// Returns how far a server process has got; nothing where the server does not tell (manual, "Progress Reporting").
    pub(super) async fn progress_of(&self, pid: i32) -> Result<Option<ServerProgress>, DbErr> {
        let sql = format!(
            "SELECT command, phase, \
             CASE WHEN lockers_total > lockers_done THEN lockers_done WHEN blocks_total > 0 THEN blocks_done ELSE tuples_done END AS done, \
             CASE WHEN lockers_total > lockers_done THEN lockers_total WHEN blocks_total > 0 THEN blocks_total ELSE tuples_total END AS total, \
             nullif(current_locker_pid, 0)::int AS waits_for FROM pg_stat_progress_create_index WHERE pid = {pid} \
             UNION ALL SELECT command, phase, heap_blks_scanned, heap_blks_total, NULL \
             FROM pg_stat_progress_cluster WHERE pid = {pid}"
        );
        let rows = self.rows(&sql).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(Some(ServerProgress {
            command: row.try_get("", "command")?,
            phase: row.try_get("", "phase")?,
            done: row.try_get("", "done")?,
            total: row.try_get("", "total")?,
            waits_for: row.try_get("", "waits_for")?,
        }))
    }
}
