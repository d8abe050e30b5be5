//! Connecting: what is agreed with the driver before the first statement, and why a connection could not be made.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sea_orm::sqlx::{
    AssertSqlSafe, ConnectOptions, Error as DriverError, Executor, PgPool, Row, SqlitePool, raw_sql,
};
use sea_orm::{DbErr, RuntimeErr};
use thiserror::Error;

use super::{Access, DatabaseError, DatabaseUrl, Settings};
use crate::sql::quoted;

/// The name in a search path that stands for the schema of the role, if it has one.
const SCHEMA_OF_ROLE: &str = "$user";

/// Why a session could not be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The connection could not be made.
    #[error("could not connect to {url}")]
    Connection {
        /// The database, without its password.
        url: DatabaseUrl,
        /// What the driver said.
        source: DatabaseError,
    },
    /// A schema of the settings does not exist.
    #[error("the schema \"{schema}\" does not exist in {url}")]
    NoSchema {
        /// The database, without its password.
        url: DatabaseUrl,
        /// The schema, as it was written.
        schema: String,
    },
    /// The role may not use a schema of the settings.
    #[error("the role \"{role}\" may not use the schema \"{schema}\" in {url}")]
    SchemaDenied {
        /// The database, without its password.
        url: DatabaseUrl,
        /// The schema, as it was written.
        schema: String,
        /// The role that the session is logged in as.
        role: String,
    },
}

impl SessionError {
    pub(super) fn connection(url: &DatabaseUrl, source: impl Into<DatabaseError>) -> Self {
        Self::Connection {
            url: url.clone(),
            source: source.into(),
        }
    }

    /// Returns the way out in one line, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Connection { source, .. } => source.fault().hint().map(str::to_owned),
            Self::NoSchema { schema, .. } => Some(format!(
                "create it first: CREATE SCHEMA {}, or name another one with --database-schema or DATABASE_SCHEMA",
                identifier(schema)
            )),
            Self::SchemaDenied { schema, role, .. } => Some(format!(
                "let the owner of the schema run GRANT USAGE, CREATE ON SCHEMA {} TO {}",
                identifier(schema),
                identifier(role)
            )),
        }
    }
}

/// Connects to PostgreSQL and enters the schemas of the settings.
pub(super) async fn open_postgres(url: &DatabaseUrl, settings: &Settings) -> Result<PgPool, SessionError> {
    let failed = |error: DriverError| SessionError::connection(url, driver_failure(error));
    let schemas = settings.schema.as_deref().map(schema_names).unwrap_or_default();
    let pool = connect_postgres(url, settings, &schemas).await.map_err(failed)?;
    if schemas.is_empty() {
        return Ok(pool);
    }
    let entered = check_schemas(&pool, url, &schemas).await;
    if entered.is_err() {
        pool.close().await;
    }
    entered.map(|()| pool)
}

async fn connect_postgres(
    url: &DatabaseUrl,
    settings: &Settings,
    schemas: &[String],
) -> Result<PgPool, DriverError> {
    // No statement cache: a plan made before a step is wrong after it ("cached plan must not change result type").
    let options = url
        .as_str()
        .parse::<PgConnectOptions>()?
        .application_name(&settings.application_name)
        .statement_cache_capacity(0)
        // A pooler refuses a parameter that it does not track, and since PostgreSQL 12 the server's own default is as exact.
        .extra_float_digits(None)
        .disable_statement_logging();
    let search_path = (!schemas.is_empty()).then(|| path_of(schemas));
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(settings.connect_timeout)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .after_connect(move |connection, _| -> BoxFuture<'_, Result<(), DriverError>> {
            let search_path = search_path.clone();
            Box::pin(async move {
                if let Some(sql) = search_path {
                    connection.execute(raw_sql(AssertSqlSafe(sql))).await?;
                }
                Ok(())
            })
        })
        .connect_with(options.clone())
        .await;
    match pool {
        // The pool goes on trying while nobody listens, and keeps to itself why it gave up.
        Err(DriverError::PoolTimedOut) => Err(reason_of_refusal(&options).await),
        other => other,
    }
}

/// Returns why a server that did not answer in time cannot be reached.
async fn reason_of_refusal(options: &PgConnectOptions) -> DriverError {
    match tokio::time::timeout(Duration::from_secs(1), options.connect()).await {
        Ok(Err(error)) => error,
        _ => DriverError::PoolTimedOut,
    }
}

/// Checks that each schema exists and may be used: the server skips the others in a search path without a word, and the next
/// one in it would be migrated instead.
///
/// Not while the pool connects, because it repeats what fails there until its time is over.
async fn check_schemas(pool: &PgPool, url: &DatabaseUrl, schemas: &[String]) -> Result<(), SessionError> {
    let failed = |error: DriverError| SessionError::connection(url, driver_failure(error));
    let names: Vec<String> = schemas.iter().map(|name| literal(name)).collect();
    let sql = format!(
        "SELECT name, n.oid IS NOT NULL AS is_there, current_user::text AS role FROM unnest(ARRAY[{}]) \
         WITH ORDINALITY AS wanted (name, place) LEFT JOIN pg_namespace n ON n.nspname = name \
         WHERE name <> '{SCHEMA_OF_ROLE}' AND coalesce(NOT has_schema_privilege(n.oid, 'USAGE'), true) \
         ORDER BY place LIMIT 1",
        names.join(", ")
    );
    let rows = pool
        .fetch_all(raw_sql(AssertSqlSafe(sql)))
        .await
        .map_err(failed)?;
    let Some(row) = rows.first() else { return Ok(()) };
    let url = url.clone();
    let schema: String = row.try_get("name").map_err(failed)?;
    Err(match row.try_get("is_there").map_err(failed)? {
        true => SessionError::SchemaDenied {
            role: row.try_get("role").map_err(failed)?,
            url,
            schema,
        },
        false => SessionError::NoSchema { url, schema },
    })
}

/// Opens a SQLite file; the flag makes the statement that runs fail.
pub(super) async fn open_sqlite(
    url: &DatabaseUrl,
    settings: &Settings,
    access: Access,
    interrupted: &Arc<AtomicBool>,
) -> Result<SqlitePool, SessionError> {
    let mut options = url
        .as_str()
        .parse::<SqliteConnectOptions>()
        .map_err(|error| SessionError::connection(url, driver_failure(error)))?
        .busy_timeout(settings.lock_timeout)
        .statement_cache_capacity(0)
        // Rows come from a thread of the driver's own; with room for many it does not stop and go after every few.
        .row_buffer_size(1_000)
        .disable_statement_logging();
    // `mode=ro` in the address wins: sqlx answers "attempt to write a readonly database" then.
    if !url.as_str().contains("mode=ro") {
        options = options.create_if_missing(access == Access::Write);
    }
    let interrupted = Arc::clone(interrupted);
    SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(settings.connect_timeout)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .after_connect(move |connection, _| -> BoxFuture<'_, Result<(), DriverError>> {
            let interrupted = Arc::clone(&interrupted);
            Box::pin(async move {
                let mut handle = connection.lock_handle().await?;
                // Every 10,000 virtual machine instructions, which is well below a millisecond.
                handle.set_progress_handler(10_000, move || !interrupted.swap(false, Ordering::Relaxed));
                Ok(())
            })
        })
        .connect_with(options)
        .await
        .map_err(|error| SessionError::connection(url, driver_failure(error)))
}

fn driver_failure(error: DriverError) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))
}

/// Returns the names of a list with commas in between. Each is taken as it is written, in upper case and with spaces inside;
/// one in double quotes may have commas, and has quotes twice.
pub(super) fn schema_names(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = Some(list);
    while let Some(text) = rest {
        let (name, end) = name_in_quotes(text).unwrap_or_else(|| {
            let end = text.find(',').unwrap_or(text.len());
            (text[..end].trim().to_owned(), end)
        });
        names.push(name);
        rest = text[end..].strip_prefix(',');
    }
    names
}

/// Returns the name in double quotes at the beginning, and where the comma behind it is, or the end.
fn name_in_quotes(text: &str) -> Option<(String, usize)> {
    let start = text.find('"')? + 1;
    if !text[..start - 1].trim().is_empty() {
        return None;
    }
    let mut quotes = text[start..]
        .match_indices('"')
        .map(|(place, _)| start + place)
        .peekable();
    while let Some(quote) = quotes.next() {
        if quotes.next_if_eq(&(quote + 1)).is_some() {
            continue;
        }
        let behind = &text[quote + 1..];
        let comma = behind.find(',').unwrap_or(behind.len());
        let is_end = behind[..comma].trim().is_empty();
        return is_end.then(|| (text[start..quote].replace("\"\"", "\""), quote + 1 + comma));
    }
    None
}

/// Returns the statement that makes a list of schemas, with commas between them, the search path.
pub(crate) fn search_path(schemas: &str) -> String {
    path_of(&schema_names(schemas))
}

fn path_of(schemas: &[String]) -> String {
    let quoted: Vec<String> = schemas.iter().map(|name| quoted(name)).collect();
    format!("SET search_path = {}", quoted.join(", "))
}

fn literal(text: &str) -> String {
    // With its `E` the backslash means the same whatever `standard_conforming_strings` says.
    format!("E'{}'::text", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// Returns a name as a person would write it in SQL: quoted where it has to be.
fn identifier(name: &str) -> String {
    let is_plain = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if is_plain { name.to_owned() } else { quoted(name) }
}
