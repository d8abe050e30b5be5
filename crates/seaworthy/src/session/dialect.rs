//! From the driver's kinds of databases to ours: the one place that meets one which is not served.

use sea_orm::DbBackend;
use sea_orm::sea_query::{PostgresQueryBuilder, QueryStatementWriter, SqliteQueryBuilder};

use crate::sql::Dialect;

impl Dialect {
    /// Returns the dialect of a connection; `MySQL` has none yet.
    #[must_use]
    pub fn of(backend: DbBackend) -> Option<Self> {
        match backend {
            DbBackend::Postgres => Some(Self::Postgresql),
            DbBackend::Sqlite => Some(Self::Sqlite),
            _ => None,
        }
    }
}

/// Returns the dialect of a kind of database.
///
/// # Panics
///
/// Panics for `MySQL`, which no address and no connection of this build can name: its driver is not compiled in.
#[must_use]
pub fn dialect_of(backend: DbBackend) -> Dialect {
    Dialect::of(backend).unwrap_or_else(|| unreachable!("{backend:?} has no driver in this build"))
}

/// Returns the driver's name for a dialect.
#[must_use]
pub fn backend_of(dialect: Dialect) -> DbBackend {
    match dialect {
        Dialect::Postgresql => DbBackend::Postgres,
        Dialect::Sqlite => DbBackend::Sqlite,
    }
}

/// Returns a statement as text, its values inside.
pub fn inline(backend: DbBackend, statement: &impl QueryStatementWriter) -> String {
    match dialect_of(backend) {
        Dialect::Postgresql => statement.to_string(PostgresQueryBuilder),
        Dialect::Sqlite => statement.to_string(SqliteQueryBuilder),
    }
}
