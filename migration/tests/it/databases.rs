//! Databases that live as long as one test: a temporary file, or a database of its own on the test server.

use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

use futures_util::FutureExt;
use sea_orm_migration::sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement, TryGetable,
};
use seaworthy::verify::ScratchDatabase;
use tempfile::TempDir;

use crate::program::until;

/// The database of a test, and how to look into it without the product.
pub(crate) struct TestDatabase {
    scratch: ScratchDatabase,
}

/// Runs a test on a SQLite file that does not exist yet, and removes it afterwards.
pub(crate) async fn on_sqlite(test: impl AsyncFnOnce(&TestDatabase)) {
    let folder = TempDir::new().unwrap();
    let scratch = ScratchDatabase::sqlite(folder.path()).unwrap();
    test(&TestDatabase { scratch }).await;
}

/// Runs a test on an empty PostgreSQL database and drops it afterwards, also when the test failed.
pub(crate) async fn on_postgres(test: impl AsyncFnOnce(&TestDatabase)) {
    let Some(server) = server() else { return };
    let scratch = ScratchDatabase::postgres(&server).await.unwrap();
    let database = TestDatabase { scratch };
    let outcome = AssertUnwindSafe(test(&database)).catch_unwind().await;
    database.scratch.remove().await.unwrap();
    if let Err(failure) = outcome {
        panic::resume_unwind(failure);
    }
}

impl TestDatabase {
    /// Returns the address with its password.
    pub(crate) fn address(&self) -> &str {
        self.scratch.address()
    }

    pub(crate) fn backend(&self) -> DbBackend {
        self.scratch.url().backend()
    }

    /// Returns what the two databases spell differently.
    pub(crate) fn either<'a>(&self, sqlite: &'a str, postgres: &'a str) -> &'a str {
        match self.backend() {
            DbBackend::Postgres => postgres,
            _ => sqlite,
        }
    }

    /// Connects; a SQLite file appears by that.
    pub(crate) async fn connect(&self) -> DatabaseConnection {
        connect(&format!("{}{}", self.address(), self.either("?mode=rwc", ""))).await
    }

    /// Connects and begins a transaction that stays open until the connection is closed.
    pub(crate) async fn hold(&self, sql: &str) -> DatabaseConnection {
        let connection = self.connect().await;
        connection.execute_unprepared(sql).await.unwrap();
        connection
    }

    pub(crate) async fn execute(&self, sql: &str) {
        let connection = self.connect().await;
        connection.execute_unprepared(sql).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Returns the one value that a query answers.
    pub(crate) async fn value<T: TryGetable>(&self, query: &str) -> T {
        let connection = self.connect().await;
        let value = value(&connection, query).await;
        connection.close().await.unwrap();
        value
    }

    /// Returns whether there is a table or an index of this name.
    pub(crate) async fn has(&self, name: &str) -> bool {
        let query = self.either(
            "SELECT count(*) FROM sqlite_master WHERE name = ",
            "SELECT count(*) FROM pg_class WHERE relname = ",
        );
        self.value::<i64>(&format!("{query}'{name}'")).await == 1
    }

    /// Returns the newest entry of the history: `upgrade up 001 done`.
    pub(crate) async fn last_entry(&self) -> String {
        let query = "SELECT kind || ' ' || direction || ' ' || revision || ' ' || outcome FROM seaworthy_history \
                     ORDER BY id DESC LIMIT 1";
        self.value(query).await
    }

    /// Waits until the statement of [`Program::troubles`]'s slow step runs, in a transaction on SQLite.
    ///
    /// [`Program::troubles`]: crate::program::Program::troubles
    pub(crate) async fn is_kept_busy(&self) {
        let connection = self.connect().await;
        let is_busy = async || match self.backend() {
            DbBackend::Postgres => {
                let query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                             AND pid <> pg_backend_pid() AND state = 'active' AND query LIKE 'SELECT pg_sleep%'";
                value::<i64>(&connection, query).await == 1
            }
            _ => match connection
                .execute_unprepared("PRAGMA busy_timeout = 0; BEGIN IMMEDIATE")
                .await
            {
                Ok(_) => {
                    connection.execute_unprepared("ROLLBACK").await.unwrap();
                    false
                }
                Err(_) => true,
            },
        };
        until("a slow step runs", is_busy).await;
        connection.close().await.unwrap();
    }

    /// Waits until nobody else is connected; nobody ever is to SQLite, which has no server.
    pub(crate) async fn is_deserted(&self) {
        if self.backend() != DbBackend::Postgres {
            return;
        }
        let connection = self.connect().await;
        let query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                     AND pid <> pg_backend_pid()";
        let is_deserted = async || value::<i64>(&connection, query).await == 0;
        until("every session has ended", is_deserted).await;
        connection.close().await.unwrap();
    }
}

/// Connects with one connection, so that what is set on it stays set.
pub(crate) async fn connect(address: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(address);
    options
        .max_connections(1)
        .connect_timeout(Duration::from_secs(30))
        .sqlx_logging(false);
    // The error names what went wrong, never the address with its password.
    Database::connect(options).await.unwrap()
}

/// Returns the one value that a query answers.
pub(crate) async fn value<T: TryGetable>(connection: &DatabaseConnection, query: &str) -> T {
    let statement = Statement::from_string(connection.get_database_backend(), query);
    let row = connection.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// Returns the server for PostgreSQL tests, or nothing when they were left out on purpose.
pub(crate) fn server() -> Option<String> {
    let server = variable("TEST_POSTGRES_URL");
    if server.is_none() && variable("SEAWORTHY_SQLITE_ONLY").as_deref() == Some("1") {
        // Past the harness, which keeps what a passing test prints to itself.
        io::stderr()
            .write_all(b"left out on PostgreSQL: SEAWORTHY_SQLITE_ONLY=1\n")
            .unwrap();
        return None;
    }
    Some(server.expect(
        "TEST_POSTGRES_URL must name a PostgreSQL server for tests: run scripts/test, which starts one, \
         or leave PostgreSQL out with scripts/test --sqlite-only",
    ))
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told about the server by the script that runs them"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
