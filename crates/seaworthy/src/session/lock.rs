//! The migration lock: one run at a time per database.
//!
//! On PostgreSQL a session advisory lock on a connection of its own; it is given back by its name, and ends with the connection,
//! so a crash frees it. What the server goes on with for a run that crashed is ended by the next one.
//! On SQLite a lock of the operating system on a file beside the database, which ends with the process. Nobody ever
//! waits inside the server: a session blocked in `pg_advisory_lock` holds a snapshot that the holder's
//! `CREATE INDEX CONCURRENTLY` waits for, and PostgreSQL ends that deadlock by failing the index build.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use self::file::LockFile;
use self::server::{LockConnection, Worker};
use super::{Blocker, DatabaseError, ServerProgress, Session, SessionError, dialect_of};
use crate::sql::Dialect;

mod file;
mod orphan;
mod server;

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
        "a pooler stands between this program and the server and shares the server process {pid} among sessions, so a session's \
         lock and limits mean nothing"
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
        connection: LockConnection,
        worker: Worker,
    },
    File(#[expect(dead_code, reason = "held for its lock, which ends when it is dropped")] LockFile),
    /// A database in memory belongs to this process alone.
    Nothing,
}

impl Session {
    /// Takes the migration lock, trying again until `wait` has passed.
    ///
    /// `name` tells apart the version tables of one schema; `doing` and `who` are shown to others who wait. `waiting` hears
    /// who has the lock after each try that failed. Nothing stays locked when the future is dropped.
    ///
    /// # Errors
    ///
    /// Fails when another run has the lock for too long, a pooler stands before the server, or the lock cannot be taken at all.
    pub async fn lock(
        &self,
        name: &str,
        doing: &str,
        who: &str,
        wait: Duration,
        waiting: &(dyn Fn(Option<&Holder>, Duration) + Sync),
    ) -> Result<Locked<'_>, LockError> {
        let mut attempt = match (dialect_of(self.backend()), self.url.file()) {
            (Dialect::Postgresql, _) => {
                Attempt::Connection(LockConnection::open(self, name, doing, who).await?)
            }
            (Dialect::Sqlite, Some(database)) => Attempt::File {
                database,
                doing: doing.to_owned(),
                who: who.to_owned(),
                taken: None,
            },
            (Dialect::Sqlite, None) => {
                return Ok(Locked {
                    session: self,
                    guard: Guard::Nothing,
                });
            }
        };
        if let Err(error) = attempt.lock_within(wait, waiting).await {
            attempt.give_up().await;
            return Err(error);
        }
        Ok(Locked {
            session: self,
            guard: attempt.into_guard(self).await?,
        })
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
            Guard::Connection { connection, worker } => {
                let sql = format!("SELECT pg_cancel_backend({})", worker.pid);
                // A server that does not answer will not be stopped by an error here either.
                drop(connection.session().rows(&sql).await);
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
            Guard::Connection { connection, worker } => {
                let blockers = connection.session().blockers_of(worker.pid).await;
                blockers.unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    /// Returns how far the running statement has got, where the server tells.
    pub(crate) async fn progress(&self) -> Option<ServerProgress> {
        match &self.guard {
            Guard::Connection { connection, worker } => {
                let progress = connection.session().progress_of(worker.pid).await;
                progress.ok().flatten()
            }
            _ => None,
        }
    }

    /// Checks that the lock is still there.
    ///
    /// # Errors
    ///
    /// Fails with [`LockError::Lost`] when its connection ended meanwhile.
    pub async fn check(&self) -> Result<(), LockError> {
        match &self.guard {
            Guard::Connection { connection, .. } if !connection.holds().await => Err(LockError::Lost),
            _ => Ok(()),
        }
    }

    /// Gives the lock back.
    ///
    /// One that is dropped instead is given back in the background, which a process that ends does not wait for.
    pub async fn release(self) {
        if let Guard::Connection { connection, worker } = self.guard {
            if worker.is_marked {
                connection.unmark(self.session).await;
            }
            connection.release().await;
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

    /// Tries until it has the lock or the time is over.
    async fn lock_within(
        &mut self,
        wait: Duration,
        waiting: &(dyn Fn(Option<&Holder>, Duration) + Sync),
    ) -> Result<(), LockError> {
        let start = Instant::now();
        while !self.try_lock().await? {
            let holder = self.holder().await?;
            let waited = start.elapsed();
            if waited >= wait {
                return Err(LockError::Held { holder, waited });
            }
            waiting(holder.as_ref(), waited);
            tokio::time::sleep(POLL.mul_f64(0.75 + fastrand::f64() / 2.0).min(wait - waited)).await;
        }
        Ok(())
    }

    async fn into_guard(self, worker: &Session) -> Result<Guard, LockError> {
        match self {
            Self::Connection(connection) => match connection.prepare(worker).await {
                Ok(worker) => Ok(Guard::Connection { connection, worker }),
                Err(error) => {
                    connection.release().await;
                    Err(error)
                }
            },
            Self::File { taken, .. } => Ok(taken.map_or(Guard::Nothing, Guard::File)),
        }
    }

    async fn give_up(self) {
        if let Self::Connection(connection) = self {
            connection.release().await;
        }
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
