//! The migration lock: one run at a time per database.
//!
//! On PostgreSQL a session advisory lock on a connection of its own; it ends with the connection, so a crash frees it. What
//! the server goes on with for a run that crashed is ended by the next one.
//! On SQLite a lock of the operating system on a file beside the database, which ends with the process. Nobody ever
//! waits inside the server: a session blocked in `pg_advisory_lock` holds a snapshot that the holder's
//! `CREATE INDEX CONCURRENTLY` waits for, and PostgreSQL ends that deadlock by failing the index build.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use sea_orm::{DbBackend, DbErr};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use self::file::LockFile;
use super::{Blocker, DatabaseError, ServerProgress, Session, SessionError};

mod file;
mod orphan;

/// Pause between two tries to get the lock.
const POLL: Duration = Duration::from_millis(200);

/// Proof that this process, and no other, migrates the database; the lock ends when it is released or dropped.
#[derive(Debug)]
pub struct Locked<'a> {
    session: &'a Session,
    guard: Guard,
}

/// Who has the lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The server process on PostgreSQL, the operating system's process on SQLite.
    pub pid: i64,
    /// The role or the user, and the machine where it is known.
    pub who: String,
    /// What it is doing, in the words it gave.
    pub doing: String,
    /// How long it has had the lock, in milliseconds.
    pub held_ms: i64,
}

/// The lock was not obtained.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another run has it, and did not finish in time.
    #[error("another migration is running: {}", describe(holder.as_ref()))]
    Held {
        /// Who has the lock, where it could be found out.
        holder: Option<Holder>,
        /// How long this run waited.
        waited: Duration,
    },
    /// The connection for the lock could not be made.
    #[error("could not open the connection that holds the migration lock")]
    Connection {
        /// Why not.
        source: SessionError,
    },
    /// The server did not answer as expected.
    #[error("could not take the migration lock")]
    Database {
        /// What it said.
        source: DatabaseError,
    },
    /// The lock file could not be made.
    #[error("could not make the lock file {path}")]
    File {
        /// Its path.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// A pooler stands in between that gives one server connection to several sessions.
    #[error(
        "a pooler stands between this program and the server: two connections of ours share the server process {pid}, so a \
         session's lock and limits mean nothing"
    )]
    Pooled {
        /// The server process.
        pid: i32,
    },
    /// The lock was lost while the run went on: its connection ended.
    #[error("the connection that holds the migration lock is gone")]
    Lost,
}

#[derive(Debug)]
enum Guard {
    Connection {
        session: Box<Session>,
        key: String,
        worker: i32,
        is_marked: bool,
    },
    File(#[expect(dead_code, reason = "held for its lock, which ends when it is dropped")] LockFile),
    /// A database in memory belongs to this process alone.
    Nothing,
}

impl Session {
    /// Takes the migration lock, trying again until `wait` has passed.
    ///
    /// `name` tells apart the version tables of one schema; `doing` and `who` are shown to others who wait. `waiting` hears
    /// who has the lock after each try that failed.
    ///
    /// # Errors
    ///
    /// Fails when another run has the lock for too long, or the lock cannot be taken at all.
    pub async fn lock(
        &self,
        name: &str,
        doing: &str,
        who: &str,
        wait: Duration,
        waiting: &(dyn Fn(Option<&Holder>, Duration) + Sync),
    ) -> Result<Locked<'_>, LockError> {
        let start = Instant::now();
        let mut attempt = match (self.backend(), self.url.file()) {
            (DbBackend::Postgres, _) => Attempt::Connection(self.lock_connection(name, doing, who).await?),
            (_, Some(database)) => Attempt::File {
                database,
                doing: doing.to_owned(),
                who: who.to_owned(),
                taken: None,
            },
            (_, None) => {
                return Ok(Locked {
                    session: self,
                    guard: Guard::Nothing,
                });
            }
        };
        while !attempt.try_lock().await? {
            let holder = attempt.holder().await?;
            let waited = start.elapsed();
            if waited >= wait {
                return Err(LockError::Held { holder, waited });
            }
            waiting(holder.as_ref(), waited);
            tokio::time::sleep(POLL.mul_f64(0.75 + fastrand::f64() / 2.0).min(wait - waited)).await;
        }
        Ok(Locked {
            session: self,
            guard: attempt.into_guard(self).await?,
        })
    }

    async fn lock_connection(&self, name: &str, doing: &str, who: &str) -> Result<LockConnection, LockError> {
        let session = Self::open(&self.url, &self.settings, super::Access::Read)
            .await
            .map_err(|source| LockError::Connection { source })?;
        let name = name.replace('\'', "''");
        Ok(LockConnection {
            session: Box::new(session),
            key: format!("hashtextextended('seaworthy:' || coalesce(current_schema(), '') || '.{name}', 0)"),
            label: format!("{doing} by {who}").replace('\'', "''"),
            pid: None,
        })
    }
}

impl Session {
    /// Returns whether a pooler gives the server connection of this session to others between two statements; on PostgreSQL.
    ///
    /// # Errors
    ///
    /// Fails when a second connection cannot be made.
    pub async fn is_pooled(&self) -> Result<bool, SessionError> {
        let failed = |source: DbErr| SessionError {
            url: self.url.clone(),
            source: source.into(),
        };
        let other = Self::open(&self.url, &self.settings, super::Access::Read).await?;
        let pid = "SELECT pg_backend_pid() AS pid";
        let mut pids: Vec<i32> = Vec::with_capacity(2);
        for session in [self, &other] {
            let rows = session.rows(pid).await.map_err(failed)?;
            pids.extend(
                rows.first()
                    .map(|row| row.try_get::<i32>("", "pid"))
                    .transpose()
                    .map_err(failed)?,
            );
        }
        other.close().await;
        Ok(pids.first() == pids.last())
    }
}

impl Locked<'_> {
    /// Returns the session that the lock protects.
    #[must_use]
    pub fn session(&self) -> &Session {
        self.session
    }

    /// Makes the statement that the session runs now fail.
    pub(crate) async fn cancel(&self) {
        match &self.guard {
            Guard::Connection { session, worker, .. } => {
                // A server that does not answer will not be stopped by an error here either.
                drop(session.rows(&format!("SELECT pg_cancel_backend({worker})")).await);
            }
            _ => self.session.interrupt(true),
        }
    }

    /// Takes back a wish to cancel that no statement heard, so that it does not hit the next one.
    pub(crate) fn withdraw_cancel(&self) {
        self.session.interrupt(false);
    }

    /// Returns the sessions that the running statement waits for; always none on SQLite, which cannot tell.
    pub(crate) async fn blockers(&self) -> Vec<Blocker> {
        match &self.guard {
            Guard::Connection { session, worker, .. } => {
                session.blockers_of(*worker).await.unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    /// Returns how far the running statement has got, where the server tells.
    pub(crate) async fn progress(&self) -> Option<ServerProgress> {
        match &self.guard {
            Guard::Connection { session, worker, .. } => session.progress_of(*worker).await.ok().flatten(),
            _ => None,
        }
    }

    /// Checks that the lock is still there.
    ///
    /// # Errors
    ///
    /// Fails with [`LockError::Lost`] when its connection ended meanwhile.
    pub async fn check(&self) -> Result<(), LockError> {
        let Guard::Connection { session, key, .. } = &self.guard else {
            return Ok(());
        };
        let sql = format!(
            "SELECT 1 FROM pg_locks WHERE pid = pg_backend_pid() AND {}",
            is_key(key)
        );
        match session.rows(&sql).await {
            Ok(rows) if rows.len() == 1 => Ok(()),
            _ => Err(LockError::Lost),
        }
    }

    /// Gives the lock back.
    pub async fn release(self) {
        if let Guard::Connection {
            session,
            key,
            is_marked,
            ..
        } = self.guard
        {
            if is_marked {
                orphan::unmark(self.session, &key).await;
            }
            session.close().await;
        }
    }
}

enum Attempt {
    Connection(LockConnection),
    File {
        database: PathBuf,
        doing: String,
        who: String,
        taken: Option<LockFile>,
    },
}

impl Attempt {
    async fn try_lock(&mut self) -> Result<bool, LockError> {
        match self {
            Self::Connection(connection) => connection.try_lock().await,
            Self::File {
                database,
                doing,
                who,
                taken,
            } => {
                *taken = LockFile::try_lock(database, doing, who)?;
                Ok(taken.is_some())
            }
        }
    }

    async fn holder(&self) -> Result<Option<Holder>, LockError> {
        match self {
            Self::Connection(connection) => connection.holder().await,
            Self::File { database, .. } => Ok(LockFile::holder(database)),
        }
    }

    async fn into_guard(self, worker: &Session) -> Result<Guard, LockError> {
        match self {
            Self::Connection(connection) => {
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
                if connection.pid == Some(pid) {
                    return Err(LockError::Pooled { pid });
                }
                if is_marked {
                    orphan::mark(worker, &connection.key).await.map_err(database)?;
                    orphan::end(&connection.session, &connection.key, pid).await;
                }
                Ok(Guard::Connection {
                    session: connection.session,
                    key: connection.key,
                    worker: pid,
                    is_marked,
                })
            }
            Self::File { taken, .. } => Ok(taken.map_or(Guard::Nothing, Guard::File)),
        }
    }
}

/// The connection that is going to hold the lock, and what to ask it.
struct LockConnection {
    session: Box<Session>,
    key: String,
    label: String,
    /// The server process that has answered.
    pid: Option<i32>,
}

impl LockConnection {
    async fn try_lock(&mut self) -> Result<bool, LockError> {
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
        let rows = self.session.rows(&sql).await.map_err(database)?;
        let Some(row) = rows.first() else { return Ok(false) };
        self.pid = row.try_get("", "pid").map_err(database)?;
        row.try_get("", "locked").map_err(database)
    }

    async fn holder(&self) -> Result<Option<Holder>, LockError> {
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
}

/// The condition under which a row of `pg_locks` is the granted advisory lock of this key in this database.
fn is_key(key: &str) -> String {
    format!(
        "locktype = 'advisory' AND granted AND objsubid = 1 \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
         AND ((classid::bigint << 32) | objid::bigint) = {key}"
    )
}

fn database(source: DbErr) -> LockError {
    LockError::Database {
        source: source.into(),
    }
}

fn describe(holder: Option<&Holder>) -> String {
    holder.map_or_else(
        || "its lock is held, by whom cannot be seen".to_owned(),
        |holder| {
            format!(
                "{} (process {}, {}) has held the lock for {:.1} s",
                holder.who,
                holder.pid,
                holder.doing,
                Duration::from_millis(u64::try_from(holder.held_ms).unwrap_or_default()).as_secs_f64()
            )
        },
    )
}
