//! Connections: UTC everywhere, limits on waiting, no sign of life asked for before each statement.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::fs::{Access, access};
use rustix::io::Errno;
use sea_orm::sqlx::pool::{PoolConnectionMetadata, PoolOptions};
use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sea_orm::sqlx::{ConnectOptions, Connection, Database, Error as DriverError, Postgres, Sqlite};
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, QueryResult, Statement, TransactionOptions,
    TransactionTrait,
};
use seaworthy::sql::Dialect;
use thiserror::Error;

use super::kept::Kept;
use super::watch::Watch;

/// The address of a database; never shown, because it may hold a password.
#[derive(Clone)]
pub(crate) struct Address(String);

/// How much the database is asked to bear.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Most connections at a time.
    pub(crate) connections: u32,
    /// Longest wait for a free connection.
    pub(crate) acquire: Duration,
    /// Longest wait for a lock.
    pub(crate) lock: Duration,
    /// Longest run of a statement; PostgreSQL only.
    pub(crate) statement: Duration,
}

/// The database cannot be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum OpenError {
    /// The address makes no sense.
    #[error("the database address cannot be read")]
    Address { source: DriverError },
    /// It names no database that this build can talk to.
    #[error("the database address begins with neither sqlite: nor postgres:")]
    Scheme,
    /// Nobody answers, or the file cannot be opened.
    #[error("could not connect to the database")]
    Connect { source: DriverError },
    /// The schema cannot be read.
    #[error("could not read the schema")]
    Schema { source: DbErr },
}

/// A connection that nobody has used for this long is asked for a sign of life before it is used again.
pub(super) const IDLE: Duration = Duration::from_secs(5);

pub(super) struct Pool {
    connection: DatabaseConnection,
    kept: AnyKept,
    retired: Retired,
    watch: Watch,
}

enum AnyKept {
    Postgres(Kept<Postgres>),
    Sqlite(Kept<Sqlite>),
}

/// Connections opened before a point in time are let go of.
#[derive(Clone)]
pub(super) struct Retired {
    epoch: Instant,
    /// Microseconds after the epoch.
    before: Arc<AtomicU64>,
}

impl Pool {
    pub(super) async fn open(address: &Address, limits: &Limits) -> Result<Self, OpenError> {
        let retired = Retired {
            epoch: Instant::now(),
            before: Arc::default(),
        };
        let (scheme, _) = address.0.split_once(':').ok_or(OpenError::Scheme)?;
        // SQLAlchemy names a driver: `postgresql+asyncpg:`.
        let (connection, watch) = match scheme.split('+').next() {
            Some("postgres" | "postgresql") => open_postgres(address, limits, &retired).await?,
            Some("sqlite") => open_sqlite(address, limits, &retired).await?,
            _ => return Err(OpenError::Scheme),
        };
        let kept = match &watch {
            Watch::Postgres(_) => {
                let pool = connection.get_postgres_connection_pool().clone();
                AnyKept::Postgres(Kept::new(pool, retired.clone()))
            }
            Watch::Sqlite(_) => {
                let pool = connection.get_sqlite_connection_pool().clone();
                AnyKept::Sqlite(Kept::new(pool, retired.clone()))
            }
        };
        Ok(Self {
            connection,
            kept,
            retired,
            watch,
        })
    }

    /// Returns the connection for what is not asked often; for the rest there is less to be waited for with [`Self::all`],
    /// [`Self::execute`] and [`Self::begin`].
    pub(super) fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    pub(super) fn dialect(&self) -> Dialect {
        match &self.kept {
            AnyKept::Postgres(_) => Dialect::Postgresql,
            AnyKept::Sqlite(_) => Dialect::Sqlite,
        }
    }

    pub(super) async fn all(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match &self.kept {
            AnyKept::Postgres(kept) => kept.all(statement).await,
            AnyKept::Sqlite(kept) => kept.all(statement).await,
        }
    }

    /// Returns how many rows were touched.
    pub(super) async fn execute(&self, statement: Statement) -> Result<u64, DbErr> {
        match &self.kept {
            AnyKept::Postgres(kept) => kept.execute(statement).await,
            AnyKept::Sqlite(kept) => kept.execute(statement).await,
        }
    }

    pub(super) async fn begin(&self, options: TransactionOptions) -> Result<DatabaseTransaction, DbErr> {
        match &self.kept {
            AnyKept::Postgres(kept) => {
                let _turn = kept.turn();
                self.connection.begin_with_options(options).await
            }
            AnyKept::Sqlite(kept) => {
                let _turn = kept.turn();
                self.connection.begin_with_options(options).await
            }
        }
    }

    /// Returns how to notice that the schema has moved.
    pub(super) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Returns the file of the database when the process may not write to it; connections of before may still do so for a while.
    pub(super) fn unwritable_file(&self) -> Option<&Path> {
        match &self.watch {
            Watch::Postgres(_) => None,
            Watch::Sqlite(options) => {
                let file = options.get_filename();
                let refused = matches!(
                    access(file, Access::WRITE_OK),
                    Err(Errno::ACCESS | Errno::PERM | Errno::ROFS)
                );
                refused.then_some(file)
            }
        }
    }

    /// Lets go of every connection that was open at that moment, each when it is wanted next: their prepared statements may be
    /// wrong.
    pub(super) fn retire_connections(&self, moment: Instant) {
        let before = self.retired.since_epoch(moment);
        self.retired.before.fetch_max(before, Ordering::AcqRel);
    }

    /// Returns how many connections are at work, open and waiting, and allowed.
    pub(super) fn usage(&self) -> (u32, u32, u32) {
        match self.dialect() {
            Dialect::Postgresql => usage_of(self.connection.get_postgres_connection_pool()),
            Dialect::Sqlite => usage_of(self.connection.get_sqlite_connection_pool()),
        }
    }

    pub(super) async fn close(&self) {
        match &self.kept {
            AnyKept::Postgres(kept) => kept.close(),
            AnyKept::Sqlite(kept) => kept.close(),
        }
        // Closing a pool twice is no error, and there is nothing left to do about one that fails.
        drop(self.connection.close_by_ref().await);
    }
}

impl Retired {
    fn since_epoch(&self, moment: Instant) -> u64 {
        let since = moment.saturating_duration_since(self.epoch);
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }

    /// Whether a connection may be used that was allowed at that moment.
    pub(super) fn allows_since(&self, moment: Instant) -> bool {
        self.since_epoch(moment) >= self.before.load(Ordering::Acquire)
    }

    fn allows(&self, connection: &PoolConnectionMetadata) -> bool {
        let age = u64::try_from(connection.age.as_micros()).unwrap_or(u64::MAX);
        self.since_epoch(Instant::now()).saturating_sub(age) >= self.before.load(Ordering::Acquire)
    }
}

fn usage_of<DB: Database>(pool: &sea_orm::sqlx::Pool<DB>) -> (u32, u32, u32) {
    let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
    let used = pool.size().saturating_sub(idle);
    (used, idle, pool.options().get_max_connections())
}

fn options<DB: Database>(limits: &Limits, retired: &Retired) -> PoolOptions<DB> {
    let retired = retired.clone();
    PoolOptions::new()
        .max_connections(limits.connections)
        .acquire_timeout(limits.acquire)
        .test_before_acquire(false)
        .before_acquire(move |connection: &mut DB::Connection, metadata| {
            let is_allowed = retired.allows(&metadata);
            Box::pin(async move {
                if is_allowed && metadata.idle_for > IDLE {
                    connection.ping().await?;
                }
                Ok(is_allowed)
            })
        })
}

async fn open_postgres(
    address: &Address,
    limits: &Limits,
    retired: &Retired,
) -> Result<(DatabaseConnection, Watch), OpenError> {
    let rest = address.0.split_once(':').map_or("", |(_, rest)| rest);
    let milliseconds = |limit: Duration| limit.as_millis().to_string();
    // The inherited columns keep no zone and their default is the session's local time.
    let connect = PgConnectOptions::from_str(&format!("postgres:{rest}"))
        .map_err(|source| OpenError::Address { source })?
        .application_name("todo-api")
        .options([
            ("timezone", "UTC".to_owned()),
            // As on the disks of today. With the default of 4 a plan for everybody sorts what an index has in order, which
            // is cheap for the tasks of most and not for a hundred thousand.
            ("random_page_cost", "1.1".to_owned()),
            ("lock_timeout", milliseconds(limits.lock)),
            ("statement_timeout", milliseconds(limits.statement)),
        ])
        .disable_statement_logging();
    let options: PgPoolOptions = options(limits, retired);
    let pool = options
        .connect_with(connect.clone())
        .await
        .map_err(|source| OpenError::Connect { source })?;
    Ok((pool.into(), Watch::Postgres(Box::new(connect))))
}

async fn open_sqlite(
    address: &Address,
    limits: &Limits,
    retired: &Retired,
) -> Result<(DatabaseConnection, Watch), OpenError> {
    let connect = SqliteConnectOptions::from_str(&address.0)
        .map_err(|source| OpenError::Address { source })?
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(limits.lock)
        .disable_statement_logging();
    // Readers do not wait for the one writer; more threads than this only contend.
    let options: SqlitePoolOptions = options(limits, retired).max_connections(limits.connections.min(4));
    let pool = options
        .connect_with(connect.clone())
        .await
        .map_err(|source| OpenError::Connect { source })?;
    Ok((pool.into(), Watch::Sqlite(Box::new(connect))))
}

impl From<String> for Address {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Address")
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 20,
            acquire: Duration::from_secs(5),
            lock: Duration::from_secs(3),
            statement: Duration::from_secs(10),
        }
    }
}
