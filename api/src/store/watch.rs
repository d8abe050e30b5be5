//! Notices at once that the schema has moved, on a connection of its own.
//!
//! On PostgreSQL the migrator's announcements are listened to; on SQLite the number is read that counts changes of the schema,
//! which costs a read of the file's first page. Where neither works, behind some poolers for example, the timer has to do.

use std::convert::Infallible;
use std::time::Duration;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sea_orm::sqlx::{Connection, Error as DriverError, query_scalar};
use seaworthy::ledger::CHANNEL;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How often SQLite is asked.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// First and longest pause before the next try to listen.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// How to connect for watching.
pub(super) enum Watch {
    Postgres(Box<PgConnectOptions>),
    Sqlite(Box<SqliteConnectOptions>),
}

impl Watch {
    /// Tells whenever the schema may have moved; ends only with the task that runs it.
    pub(super) async fn tell(&self, moved: &Notify) {
        let mut pause = PAUSES.0;
        loop {
            let begun = Instant::now();
            let Err(error) = self.until_failure(moved).await;
            tracing::debug!(%error, "changes of the schema are noticed by the timer only");
            if begun.elapsed() > PAUSES.1 {
                pause = PAUSES.0;
            }
            tokio::time::sleep(pause.mul_f32(0.5 + fastrand::f32())).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    async fn until_failure(&self, moved: &Notify) -> Result<Infallible, DriverError> {
        match self {
            Self::Postgres(options) => listen(options, moved).await,
            Self::Sqlite(options) => ask(options, moved).await,
        }
    }
}

async fn listen(options: &PgConnectOptions, moved: &Notify) -> Result<Infallible, DriverError> {
    // A listener wants a pool, and one that others use would lack a connection for good.
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options.clone().application_name("todo-api listening"))
        .await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    // Whatever was announced before is not told again.
    moved.notify_one();
    while listener.try_recv().await?.is_some() {
        moved.notify_one();
    }
    Err(DriverError::PoolClosed)
}

async fn ask(options: &SqliteConnectOptions, moved: &Notify) -> Result<Infallible, DriverError> {
    let mut connection = SqliteConnection::connect_with(options).await?;
    let mut before = None;
    loop {
        let version: i64 = query_scalar("PRAGMA schema_version")
            .fetch_one(&mut connection)
            .await?;
        if before.replace(version) != Some(version) {
            moved.notify_one();
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}
