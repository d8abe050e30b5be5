//! Reads the schema of a live database: one statement, whatever the number of tables.

use sea_orm::{ConnectionTrait, DbErr, TransactionTrait};
use thiserror::Error;

use super::object::plain_name;
use super::{Catalog, Dialect, Ignore, Need, NeedKind, Object, ObjectKind};

pub(super) mod postgres;
pub(super) mod sqlite;

/// Which part of a database is looked at.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The schema, on PostgreSQL; that of the connection's search path when absent.
    pub schema: Option<String>,
    /// What is left out.
    pub ignore: Ignore,
}

/// A schema could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InspectError {
    /// There is no reader for this kind of database.
    #[error("the schema of a {backend} database cannot be read yet, only those of PostgreSQL and SQLite")]
    Unsupported {
        /// What the driver calls it.
        backend: String,
    },
    /// The schema is not there, or the role may not use it.
    #[error("there is no schema {schema}, or the role may not use it")]
    NoSchema {
        /// Its name, or what the search path says.
        schema: String,
    },
    /// The database refused.
    #[error("could not read the schema")]
    Database {
        /// What it said.
        source: DbErr,
    },
    /// The schema went on changing while it was read.
    #[error(
        "the schema could not be read: it holds what the reader does not understand, or goes on changing"
    )]
    Unclear {
        /// What was wrong with the last answer.
        source: serde_json::Error,
    },
    /// A statement in SQLite's schema table makes no sense.
    #[error("the definition of {name} in the schema table cannot be read")]
    Statement {
        /// The table or index.
        name: String,
    },
}

impl Scope {
    /// Returns a scope of one schema.
    #[must_use]
    pub fn schema(schema: impl Into<String>) -> Self {
        Self {
            schema: Some(schema.into()),
            ..Self::default()
        }
    }
}

/// Reads the schema of a database. Works inside a transaction as well as outside of one, and leaves nothing behind.
///
/// # Errors
///
/// Fails when the database refuses or is of another kind, or when there is no such schema.
pub async fn inspect<C>(connection: &C, scope: &Scope) -> Result<Catalog, InspectError>
where
    C: ConnectionTrait + TransactionTrait,
{
    let backend = connection.get_database_backend();
    let mut catalog = match Dialect::of(backend) {
        Some(Dialect::Postgresql) => postgres::inspect(connection, scope.schema.as_deref()).await?,
        Some(Dialect::Sqlite) => sqlite::inspect(connection).await?,
        None => {
            return Err(InspectError::Unsupported {
                backend: format!("{backend:?}"),
            });
        }
    };
    catalog.leave_out(&scope.ignore);
    catalog.sort();
    Ok(catalog)
}

impl Catalog {
    /// Takes out what is on a list.
    pub fn leave_out(&mut self, ignore: &Ignore) {
        let ignore = &ignore.with_named_by(self.tables.iter().map(|table| table.name.as_str()));
        self.tables.retain(|table| !ignore.covers(&table.name));
        self.sequences.retain(|sequence| !ignore.covers(&sequence.name));
        self.enums.retain(|name, _| !ignore.covers(name));
        self.views.retain(|view| !ignore.covers(&view.name));
        let is_sqlite = self.dialect == Some(Dialect::Sqlite);
        if let Some(objects) = &mut self.objects {
            let covers_relation =
                |object: &Object| object.relation.as_deref().is_some_and(|name| ignore.covers(name));
            let covers_name = |object: &Object| match is_sqlite {
                // A trigger belongs to its table, whoever made it: one that nobody knows of is lost when the table is built again.
                true => object.kind == ObjectKind::View && ignore.covers(&object.name),
                false => ignore.covers(&object.plain_name()),
            };
            objects.retain(|object| !covers_name(object) && !covers_relation(object));
        }
        if let Some(roles) = &mut self.roles {
            let is_covered = |need: &Need| match need.kind {
                NeedKind::Object(_) => ignore.covers(&plain_name(&need.name)),
                NeedKind::Table | NeedKind::Enum | NeedKind::Sequence => ignore.covers(&need.name),
            };
            roles.entries.retain(|entry| !entry.needs.iter().any(is_covered));
        }
    }
}

impl From<DbErr> for InspectError {
    fn from(source: DbErr) -> Self {
        Self::Database { source }
    }
}
