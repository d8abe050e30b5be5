//! The lock of a PostgreSQL database: a session advisory lock on a connection of its own.
//!
//! It is given back by its name on every way out. The end of the connection would end it as well, but behind a pooler the
//! server's connection does not end with ours.

use std::sync::Arc;

use sea_orm::DbErr;
use tokio::runtime::Handle;

use super::{Holder, LockError, is_key, orphan};
use crate::session::{Access, Session};

/// How often a lock is asked back that a pooler has left at another server connection than the one that answers.
const MOST_UNLOCKS: u32 = 20;

/// The connection that holds the lock or is going to; dropping it gives the lock back in the background.
#[derive(Debug)]
pub(super) struct LockConnection {
    session: Arc<Session>,
    key: String,
    label: String,
    /// The server process that was asked for the lock.
    pid: Option<i32>,
    /// Whether the lock is held, or was asked for and the answer is not known.
    may_hold: bool,
}

/// The session that works under the lock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Worker {
    /// Its server process.
    pub(super) pid: i32,
    /// Whether it is marked for the run that comes after a crash.
    pub(super) is_marked: bool,
}

impl LockConnection {
    /// Connects, and refuses where a pooler stands in between.
    pub(super) async fn open(
        worker: &Session,
        name: &str,
        doing: &str,
        who: &str,
    ) -> Result<Self, LockError> {
        let session = Session::open(worker.url(), worker.settings(), Access::Read)
            .await
            .map_err(|source| LockError::Connection { source })?;
        // Before anything is locked or set: it would stay with a server connection that is not ours alone.
        if let Some(pid) = session.shared_process(worker).await.map_err(database)? {
            session.close().await;
            return Err(LockError::Pooled { pid });
        }
        let name = name.replace('\'', "''");
        Ok(Self {
            session: Arc::new(session),
            key: format!("hashtextextended('seaworthy:' || coalesce(current_schema(), '') || '.{name}', 0)"),
            label: format!("{doing} by {who}").replace('\'', "''"),
            pid: None,
            may_hold: false,
        })
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    pub(super) async fn try_lock(&mut self) -> Result<bool, LockError> {
        // `idle_session_timeout` (PostgreSQL 14) would end the connection, and with it the lock, during a long step.
        let sql = format!(
            "SELECT CASE WHEN pg_try_advisory_lock({key}) THEN set_config('application_name', 'seaworthy since ' \
             || to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') || ': {label}', false) END \
             IS NOT NULL AS locked, CASE WHEN current_setting('server_version_num')::int >= 140000 \
             THEN set_config('idle_session_timeout', '0', false) END AS patience, \
             pg_backend_pid() AS pid",
            key = self.key,
            label = self.label,
        );
        self.may_hold = true;
        let rows = self.session.rows(&sql).await.map_err(database)?;
        let Some(row) = rows.first() else { return Ok(false) };
        self.pid = row.try_get("", "pid").map_err(database)?;
        self.may_hold = row.try_get("", "locked").map_err(database)?;
        Ok(self.may_hold)
    }

    pub(super) async fn holder(&self) -> Result<Option<Holder>, LockError> {
        let sql = format!(
            "SELECT a.pid::bigint AS pid, coalesce(a.usename, '') || coalesce(' from ' || host(a.client_addr), '') AS who, \
             coalesce(a.application_name, '') AS doing, (extract(epoch FROM clock_timestamp() - coalesce(\
             substring(a.application_name FROM 'since (\\d{{4}}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ)')::timestamptz, \
             a.backend_start)) * 1000)::bigint AS held_ms \
             FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid WHERE {}",
            is_key(&self.key)
        );
        let rows = self.session.rows(&sql).await.map_err(database)?;
        let Some(row) = rows.first() else { return Ok(None) };
        let doing: String = row.try_get("", "doing").map_err(database)?;
        Ok(Some(Holder {
            pid: row.try_get("", "pid").map_err(database)?,
            who: row.try_get("", "who").map_err(database)?,
            doing: doing
                .split_once(": ")
                .map_or(doing.as_str(), |(_, doing)| doing)
                .to_owned(),
            held_ms: row.try_get::<i64>("", "held_ms").map_err(database)?.max(0),
        }))
    }

    /// Puts the limits of a run in force in the session that works, and ends what an earlier run has left in the server.
    pub(super) async fn prepare(&self, worker: &Session) -> Result<Worker, LockError> {
        // Whatever is sent under the lock is sent within the limits.
        let rows = worker
            .rows(&format!(
                "{}; SELECT pg_backend_pid() AS pid, {} AS goes_on",
                worker.prepare_run(),
                orphan::CAN_BE
            ))
            .await
            .map_err(database)?;
        let (pid, is_marked) = rows
            .last()
            .map_or(Ok((0, false)), |row| {
                Ok((row.try_get("", "pid")?, row.try_get("", "goes_on")?))
            })
            .map_err(database)?;
        // A busy pooler may have kept the two apart until now.
        if self.pid == Some(pid) {
            return Err(LockError::Pooled { pid });
        }
        if is_marked {
            orphan::mark(worker, &self.key).await.map_err(database)?;
            orphan::end(&self.session, &self.key, pid).await;
        }
        Ok(Worker { pid, is_marked })
    }

    /// Returns whether the lock is still there.
    pub(super) async fn holds(&self) -> bool {
        let sql = format!(
            "SELECT 1 FROM pg_locks WHERE pid = pg_backend_pid() AND {}",
            is_key(&self.key)
        );
        matches!(self.session.rows(&sql).await, Ok(rows) if rows.len() == 1)
    }

    /// Takes the mark of the session that works back.
    pub(super) async fn unmark(&self, worker: &Session) {
        orphan::unmark(worker, &self.key).await;
    }

    /// Gives the lock back, and closes the connection.
    pub(super) async fn release(mut self) {
        if self.may_hold {
            unlock(&self.session, &self.key, self.pid).await;
            self.may_hold = false;
        }
        self.session.hang_up().await;
    }
}

impl Drop for LockConnection {
    fn drop(&mut self) {
        // Outside of a runtime the connection ends with its socket, which is all that is left to do.
        let runtime = Handle::try_current();
        if let (true, Ok(runtime)) = (self.may_hold, runtime) {
            let (session, key, pid) = (Arc::clone(&self.session), self.key.clone(), self.pid);
            // Nothing is waited for: the task ends with the connection.
            drop(runtime.spawn(async move {
                unlock(&session, &key, pid).await;
                session.hang_up().await;
            }));
        }
    }
}

/// Gives the lock back by its name; a connection that is gone has none.
///
/// More than once only where a pooler was not found out and the lock is with a server connection that others are given as well.
async fn unlock(session: &Session, key: &str, holder: Option<i32>) {
    let is_key = is_key(key);
    let is_left = holder.map_or_else(
        || "false".to_owned(),
        |pid| format!("EXISTS (SELECT FROM pg_locks WHERE pid = {pid} AND {is_key})"),
    );
    // Asked for only where it is held: the server warns of what is not.
    let sql = format!(
        "SELECT {is_left} AS is_left, coalesce((SELECT pg_advisory_unlock({key}) FROM pg_locks \
         WHERE pid = pg_backend_pid() AND {is_key}), false) AS is_unlocked"
    );
    for _ in 0..MOST_UNLOCKS {
        let Ok(rows) = session.rows(&sql).await else {
            return;
        };
        let is_true = |name: &str| {
            rows.first()
                .is_some_and(|row| row.try_get("", name).unwrap_or(false))
        };
        if is_true("is_unlocked") || !is_true("is_left") {
            return;
        }
    }
    tracing::warn!("the migration lock could not be given back: a pooler keeps its server connection");
}

fn database(source: DbErr) -> LockError {
    LockError::Database {
        source: source.into(),
    }
}
