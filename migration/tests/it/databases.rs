//! Databases that live as long as one test: a temporary file, or a database of its own on the test server.

use std::io::{self, Write};
use std::panic;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use sea_orm_migration::sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};
use tempfile::TempDir;

/// Runs a test on an empty SQLite file and removes it afterwards.
pub(crate) async fn on_sqlite<T, F>(test: T)
where
    T: FnOnce(DatabaseConnection) -> F,
    F: Future<Output = ()>,
{
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("test.db");
    let connection = connect(&format!("sqlite://{}?mode=rwc", file.display())).await;
    test(connection).await;
}

/// Runs a test on an empty PostgreSQL database and drops it afterwards, also when the test failed.
pub(crate) async fn on_postgres<T, F>(test: T)
where
    T: FnOnce(DatabaseConnection) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let Some(server) = server() else { return };
    let name = unused_name();
    let admin = connect(&server).await;
    admin
        .execute_unprepared(&format!("CREATE DATABASE {name}"))
        .await
        .unwrap();

    let connection = connect(&with_database(&server, &name)).await;
    let outcome = tokio::spawn(test(connection)).await;

    admin
        .execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)"))
        .await
        .unwrap();
    if let Err(failure) = outcome {
        panic::resume_unwind(failure.into_panic());
    }
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

async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(1)
        .connect_timeout(Duration::from_secs(30));
    // The error names what went wrong, never the URL with its password.
    Database::connect(options).await.unwrap()
}

/// Replaces the database of a URL and keeps server, user and parameters.
fn with_database(server: &str, name: &str) -> String {
    let (address, parameters) = match server.split_once('?') {
        Some((address, parameters)) => (address, format!("?{parameters}")),
        None => (server, String::new()),
    };
    let (scheme, rest) = address.split_once("://").expect("a database URL has a scheme");
    let authority = rest.split('/').next().unwrap_or_default();
    format!("{scheme}://{authority}/{name}{parameters}")
}

fn unused_name() -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let nanoseconds = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!("migration_{}_{number}_{nanoseconds}", process::id())
}
