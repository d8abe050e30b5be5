//! The schema that somebody wants: from entities and what they cannot say, or from a catalog written by hand.
//!
//! Whatever is declared is made in a throw-away place of the same engine and read back with the reader of live databases:
//! the engine knows best what it makes of a type, a default or an expression.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DbErr, EntityTrait, TransactionTrait};
use thiserror::Error;

pub use extra::{Extra, TableExtra};

use self::entity::Declared;
use super::{Catalog, Dialect, InspectError, Scope, written};

mod check;
mod entity;
mod extra;
mod restore;
mod shadow;

/// The entities that a database is compared with, and what attributes of entities cannot say.
///
/// ```
/// use seaworthy::catalog::{Index, IndexPart, Target};
///
/// # mod task {
/// #     use sea_orm::entity::prelude::*;
/// #     #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
/// #     #[sea_orm(table_name = "tasks")]
/// #     pub struct Model { #[sea_orm(primary_key)] pub id: i32, pub title: String, pub done: bool }
/// #     #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
/// #     pub enum Relation {}
/// #     impl ActiveModelBehavior for ActiveModel {}
/// # }
/// let target = Target::new().entity(task::Entity).extra(|extra| {
///     extra
///         .table("tasks")
///         .index(Index::new(Some("idx_tasks_open"), ["id"]).filter("NOT done"))
///         .index(Index::new(Some("idx_tasks_title"), [""; 0]).part(IndexPart::expression("lower(title)")))
///         .check("ck_tasks_title", "length(title) > 0");
/// });
/// ```
#[derive(Clone, Default)]
pub struct Target {
    entities: Vec<fn(Dialect) -> Declared>,
    extras: Vec<Arc<AddExtra>>,
    is_complete: bool,
}

type AddExtra = dyn Fn(&mut Extra) + Send + Sync;

/// A declared schema makes no sense, or not to this database.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DeclareError {
    /// The catalog is written in the SQL of another kind of database.
    #[error("the declared schema is written for {declared}, and the database is {database}")]
    OtherDialect {
        /// That of the catalog.
        declared: Dialect,
        /// That of the connection.
        database: Dialect,
    },
    /// Two tables, columns or other things have the same name.
    #[error("{subject} is declared twice")]
    Twice {
        /// Which.
        subject: String,
    },
    /// A key, an index or an extra names a column or table that is not declared.
    #[error("{subject} names {name}, which is not declared")]
    Unknown {
        /// What names it.
        subject: String,
        /// What is not there.
        name: String,
    },
    /// A type or an expression is not one.
    #[error("{subject} is declared with {sql:?}, which is not one type or expression")]
    NotAnExpression {
        /// What it belongs to.
        subject: String,
        /// The text.
        sql: String,
    },
    /// An entity lives in a schema of its own.
    #[error("the entity of {table} belongs to the schema {entity}, and the schema {looked_at} is compared")]
    OtherSchema {
        /// The table.
        table: String,
        /// The schema that the entity names.
        entity: String,
        /// The schema that is looked at.
        looked_at: String,
    },
    /// The role may not make temporary tables.
    #[error(
        "the role may not make temporary tables, which is how declared types and expressions are understood; \
         GRANT TEMPORARY ON DATABASE helps"
    )]
    NoTemporaryTables {
        /// What the server said.
        source: DbErr,
    },
    /// The database does not understand a part of what is declared.
    #[error("the database does not accept the declaration of {subject}")]
    Rejected {
        /// The table, type or sequence.
        subject: String,
        /// What the database said.
        source: DbErr,
    },
    /// The database refused.
    #[error("could not try the declared schema out")]
    Database {
        /// What it said.
        source: DbErr,
    },
    /// What was made could not be read.
    #[error(transparent)]
    Inspect(#[from] InspectError),
}

impl Target {
    /// Returns a target without entities.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the same target with one more entity.
    #[must_use]
    pub fn entity<E: EntityTrait>(mut self, _: E) -> Self {
        self.entities.push(Declared::of::<E>);
        self
    }

    /// Returns the same target with what attributes of entities cannot say.
    #[must_use]
    pub fn extra(mut self, add: impl Fn(&mut Extra) + Send + Sync + 'static) -> Self {
        self.extras.push(Arc::new(add));
        self
    }

    /// Claims that the entities and the extras say all that there is: whatever else a table has is to go, an index, a constraint,
    /// a default or a length. Without it these stay where no attribute mentions them, and are counted.
    #[must_use]
    pub fn complete(mut self) -> Self {
        self.is_complete = true;
        self
    }

    /// Returns how many entities there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entities.len()
    }

    /// Returns whether there are no entities.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entities.is_empty()
    }

    /// Returns the declared schema in the words of the database at hand, which is left as it is.
    ///
    /// On PostgreSQL this makes temporary tables in a transaction that is rolled back, on SQLite tables in memory.
    ///
    /// # Errors
    ///
    /// Fails when the declaration makes no sense to the database, or the role may not make temporary tables.
    pub async fn catalog<C>(&self, connection: &C, scope: &Scope) -> Result<Catalog, DeclareError>
    where
        C: ConnectionTrait + TransactionTrait,
    {
        let mut catalog = self.declared(connection, scope).await?;
        catalog.leave_out(&scope.ignore);
        Ok(catalog)
    }

    async fn declared<C>(&self, connection: &C, scope: &Scope) -> Result<Catalog, DeclareError>
    where
        C: ConnectionTrait + TransactionTrait,
    {
        let dialect = dialect(connection)?;
        let declared: Vec<Declared> = self.entities.iter().map(|entity| entity(dialect)).collect();
        let mut catalog = entity::read(connection, scope, dialect, declared).await?;
        catalog.is_partial = true;
        catalog.is_open = !self.is_complete;
        if self.extras.is_empty() {
            return Ok(catalog);
        }
        let mut extra = Extra::new(catalog.clone());
        for add in &self.extras {
            add(&mut extra);
        }
        let wanted = extra.finish()?;
        let mut changed = wanted.clone();
        changed
            .tables
            .retain(|table| catalog.table(&table.name) != Some(table));
        let normal = normalize(connection, scope, &changed).await?;
        catalog.tables.retain(|table| normal.table(&table.name).is_none());
        catalog.tables.extend(normal.tables);
        catalog.enums = wanted.enums;
        catalog.sequences = normal.sequences;
        catalog.sort();
        Ok(catalog)
    }
}

/// Returns a declared catalog in the words of the database at hand, which is left as it is.
///
/// A catalog that was written by hand may spell types and expressions as it likes; one that was read from a database comes
/// back as it is.
///
/// # Errors
///
/// Fails when the catalog contradicts itself, makes no sense to the database, or the role may not make temporary tables.
pub async fn normalize<C>(connection: &C, scope: &Scope, declared: &Catalog) -> Result<Catalog, DeclareError>
where
    C: ConnectionTrait + TransactionTrait,
{
    let dialect = dialect(connection)?;
    if let Some(written) = declared.dialect
        && written != dialect
    {
        return Err(DeclareError::OtherDialect {
            declared: written,
            database: dialect,
        });
    }
    let mut declared = in_words_of(dialect, declared);
    check::cut_names(dialect, &mut declared);
    let declared = &declared;
    check::check(dialect, declared)?;
    let marked = restore::marked(declared);
    let sketch = shadow::Sketch::of(dialect, &marked);
    let mut normal = match shadow::read(connection, scope, dialect, &sketch).await {
        Ok(read) => restore::restore(dialect, declared, &marked, read),
        // It was read from a database, so it is in the words of one, and names a type or function that this one is yet to get.
        Err(DeclareError::Rejected { .. }) if brings_what_tables_need(declared) => declared.clone(),
        Err(error) => return Err(error),
    };
    normal.leave_out(&scope.ignore);
    Ok(normal)
}

/// Whether tables need objects that the catalog itself has: extensions, domains, functions.
fn brings_what_tables_need(declared: &Catalog) -> bool {
    let mut objects = declared.objects.iter().flatten();
    objects.any(|object| !object.used_by.is_empty())
}

/// Returns a catalog whose types are spelled in words of an engine, or at least in none that no engine knows.
fn in_words_of(dialect: Dialect, declared: &Catalog) -> Catalog {
    let mut catalog = declared.clone();
    let is_neutral = declared.dialect.is_none();
    for column in catalog.tables.iter_mut().flat_map(|table| &mut table.columns) {
        column.data_type = written::data_type(dialect, &column.data_type, is_neutral);
    }
    catalog
}

fn dialect<C: ConnectionTrait>(connection: &C) -> Result<Dialect, DeclareError> {
    let backend = connection.get_database_backend();
    let unsupported = || InspectError::Unsupported {
        backend: format!("{backend:?}"),
    };
    Dialect::of(backend)
        .ok_or_else(unsupported)
        .map_err(DeclareError::from)
}
