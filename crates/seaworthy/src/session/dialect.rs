//! From the driver's kinds of databases to ours: the one place that meets one which is not served.

use sea_orm::DbBackend;

use crate::sql::Dialect;

/// Returns the dialect of a kind of database.
///
/// # Panics
///
/// Panics for MySQL, which no address and no connection of this build can name: its driver is not compiled in.
#[must_use]
pub fn dialect_of(backend: DbBackend) -> Dialect {
    match backend {
        DbBackend::Postgres => Dialect::Postgresql,
        DbBackend::Sqlite => Dialect::Sqlite,
        other => unreachable!("{other:?} has no driver in this build"),
    }
}

/// Returns the driver's name for a dialect.
#[must_use]
pub fn backend_of(dialect: Dialect) -> DbBackend {
    match dialect {
        Dialect::Postgresql => DbBackend::Postgres,
        Dialect::Sqlite => DbBackend::Sqlite,
    }
}
