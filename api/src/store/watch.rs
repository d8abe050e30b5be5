//! Notices at once that the schema has moved, or that something has happened to tasks, on a connection of its own.
//!
//! On PostgreSQL the announcements of the migrator and of the trigger are listened to; on SQLite the numbers are read that count
//! changes of the schema and of the file, which costs a read of its first page. Where neither works, behind some poolers for
//! example, timers have to do.

use std::convert::Infallible;
use std::time::Duration;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sea_orm::sqlx::{Connection, Error as DriverError, query_as, query_scalar};
use seaworthy::ledger::CHANNEL;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::domain::UserId;
use crate::events::Hub;

/// How often SQLite is asked.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// Where the trigger of revision 9c2e7a41f0b3 announces whose tasks have changed.
const EVENTS: &str = "todo_events";
/// First and longest pause before the next try to listen.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// How to connect for watching.
pub(super) enum Watch {
    Postgres(Box<PgConnectOptions>),
    Sqlite(Box<SqliteConnectOptions>),
}

impl Watch {
    /// Tells whenever the schema may have moved, and wakes those whose tasks have changed; ends only with the task that runs it.
    pub(super) async fn tell(&self, moved: &Notify, hub: &Hub) {
        let mut pause = PAUSES.0;
        loop {
            let begun = Instant::now();
            let Err(error) = self.until_failure(moved, hub).await;
            tracing::debug!(%error, "changes of the schema are noticed by the timer only");
            if begun.elapsed() > PAUSES.1 {
                pause = PAUSES.0;
            }
            tokio::time::sleep(pause.mul_f32(0.5 + fastrand::f32())).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    async fn until_failure(&self, moved: &Notify, hub: &Hub) -> Result<Infallible, DriverError> {
        match self {
            Self::Postgres(options) => listen(options, moved, hub).await,
            Self::Sqlite(options) => ask(options, moved, hub).await,
        }
    }
}

async fn listen(options: &PgConnectOptions, moved: &Notify, hub: &Hub) -> Result<Infallible, DriverError> {
    // A listener wants a pool, and one that others use would lack a connection for good.
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options.clone().application_name("todo-api listening"))
        .await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    listener.listen_all([CHANNEL, EVENTS]).await?;
    // Whatever was announced before is not told again.
    moved.notify_one();
    hub.wake_all();
    while let Some(told) = listener.try_recv().await? {
        match told.channel() {
            EVENTS => UserId::parse(told.payload())
                .iter()
                .for_each(|user| hub.wake(user)),
            _ => moved.notify_one(),
        }
    }
    Err(DriverError::PoolClosed)
}

async fn ask(options: &SqliteConnectOptions, moved: &Notify, hub: &Hub) -> Result<Infallible, DriverError> {
    let mut connection = SqliteConnection::connect_with(options).await?;
    let mut before = None;
    let mut written = Written::default();
    loop {
        let version: i64 = query_scalar("PRAGMA schema_version")
            .fetch_one(&mut connection)
            .await?;
        if before.replace(version) != Some(version) {
            moved.notify_one();
        }
        match hub.is_awaited() {
            true => written.tell(&mut connection, hub).await?,
            false => written = Written::default(),
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// What was written to a file of SQLite, as far as it is known.
#[derive(Default)]
struct Written {
    /// Counts what others have committed.
    version: Option<i64>,
    /// The last event that somebody was woken for.
    event: Option<i64>,
}

impl Written {
    /// Wakes those whose tasks have changed.
    async fn tell(&mut self, connection: &mut SqliteConnection, hub: &Hub) -> Result<(), DriverError> {
        let version: i64 = query_scalar("PRAGMA data_version")
            .fetch_one(&mut *connection)
            .await?;
        if self.version.replace(version) == Some(version) {
            return Ok(());
        }
        let Some(event) = self.event else {
            // They were not looked at until now.
            hub.wake_all();
            let last = query_scalar("SELECT max(id) FROM task_events")
                .fetch_one(connection)
                .await;
            // On older schemas there is no such table, and nobody who waits.
            self.event = last.ok().flatten();
            return Ok(());
        };
        let news = query_as("SELECT user_id, max(id) FROM task_events WHERE id > ? GROUP BY user_id")
            .bind(event)
            .fetch_all(connection)
            .await;
        let news: Vec<(String, i64)> = news.unwrap_or_default();
        for (user, last) in &news {
            self.event = self.event.max(Some(*last));
            UserId::parse(user).iter().for_each(|user| hub.wake(user));
        }
        Ok(())
    }
}
