//! The throw-away place: makes what is declared, reads it back, and leaves nothing behind.

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, RuntimeErr, TransactionSession,
    TransactionTrait, sqlx,
};

use super::DeclareError;
use crate::catalog::expression::quoted;
use crate::catalog::inspect::{postgres, sqlite};
use crate::catalog::{Catalog, ColumnStorage, Dialect, Scope, Table, TableStorage, ddl};

/// Tables that are made in one transaction. Each holds some locks until the end, and a server has room for about 6,000.
const TABLES_AT_ONCE: usize = 100;

/// Tables that are made in one database in memory. SQLite looks through its whole schema for each statement that changes it.
const TABLES_IN_MEMORY: usize = 50;

/// What is to be made, in order.
#[derive(Debug, Default)]
pub(super) struct Sketch {
    /// Types and sequences, which any table may need.
    pub(super) prelude: Vec<Part>,
    /// Tables with their indexes, which need nothing of each other.
    pub(super) tables: Vec<Part>,
}

/// Statements that belong to one thing.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) subject: String,
    pub(super) name: String,
    pub(super) statements: Vec<String>,
}

impl Sketch {
    /// Returns the statements of a catalog without its foreign keys: they need no engine to be understood, and a temporary
    /// table cannot refer to a lasting one.
    pub(super) fn of(dialect: Dialect, catalog: &Catalog) -> Self {
        let mut sketch = Self::default();
        if dialect == Dialect::Postgresql {
            sketch
                .prelude
                .extend(catalog.enums.iter().map(|(name, labels)| Part {
                    subject: format!("the enum {name}"),
                    name: name.clone(),
                    statements: vec![ddl::create_enum(name, labels)],
                }));
            sketch
                .prelude
                .extend(catalog.sequences.iter().map(|sequence| Part {
                    subject: format!("the sequence {}", sequence.name),
                    name: sequence.name.clone(),
                    statements: vec![ddl::create_sequence(sequence)],
                }));
        }
        for table in &catalog.tables {
            let bare = standing_alone(table);
            let mut statements = ddl::make_table(dialect, &bare);
            let indexes = bare.indexes.iter();
            statements.extend(indexes.map(|index| ddl::create_index(dialect, &table.name, index)));
            statements.extend(ddl::comments(dialect, table));
            sketch.tables.push(Part::table(&table.name, statements));
        }
        sketch
    }
}

/// Takes off what a temporary table cannot have, what ties it to other tables, and what no engine has to understand.
fn standing_alone(table: &Table) -> Table {
    let mut bare = table.clone();
    bare.foreign_keys.clear();
    bare.storage = TableStorage::default();
    bare.inherits.clear();
    bare.partitions.clear();
    for check in &mut bare.checks {
        check.inherited = false;
    }
    for column in &mut bare.columns {
        column.inherited = false;
        column.storage = ColumnStorage::default();
    }
    for index in &mut bare.indexes {
        index.options.clear();
    }
    bare
}

impl Part {
    pub(super) fn table(name: &str, statements: Vec<String>) -> Self {
        Self {
            subject: format!("the table {name}"),
            name: name.to_owned(),
            statements,
        }
    }
}

/// Makes what is sketched and reads it back.
pub(super) async fn read<C>(
    connection: &C,
    scope: &Scope,
    dialect: Dialect,
    sketch: &Sketch,
) -> Result<Catalog, DeclareError>
where
    C: ConnectionTrait + TransactionTrait,
{
    match dialect {
        Dialect::Postgresql => {
            let schema = postgres::find_schema(connection, scope.schema.as_deref()).await?;
            read_on_postgres(connection, &schema, sketch).await
        }
        Dialect::Sqlite => read_on_sqlite(sketch).await,
    }
}

async fn read_on_postgres<C>(connection: &C, schema: &str, sketch: &Sketch) -> Result<Catalog, DeclareError>
where
    C: ConnectionTrait + TransactionTrait,
{
    let mut whole = Catalog::new(Dialect::Postgresql);
    // Sequences are read also where there are no tables.
    let none: &[Part] = &[];
    let chunks = sketch.tables.chunks(TABLES_AT_ONCE);
    let chunks = if sketch.tables.is_empty() {
        vec![none]
    } else {
        chunks.collect()
    };
    for chunk in chunks {
        let transaction = connection.begin().await.map_err(database)?;
        let read = read_chunk(&transaction, schema, &sketch.prelude, chunk).await;
        transaction.rollback().await.map_err(database)?;
        match read {
            Ok(catalog) => {
                whole.tables.extend(catalog.tables);
                whole.sequences = catalog.sequences;
            }
            Err(error) => return Err(find_culprit(connection, schema, &sketch.prelude, chunk, error).await),
        }
    }
    whole.sort();
    Ok(whole)
}

async fn read_chunk<C: ConnectionTrait>(
    transaction: &C,
    schema: &str,
    prelude: &[Part],
    tables: &[Part],
) -> Result<Catalog, DeclareError> {
    let statements: Vec<&str> = prelude
        .iter()
        .chain(tables)
        .flat_map(|part| part.statements.iter().map(String::as_str))
        .collect();
    let sql = format!("{}; {}", enter(schema), statements.join("; "));
    transaction.execute_unprepared(&sql).await.map_err(database)?;
    let own = "SELECT nspname::text AS name FROM pg_namespace WHERE oid = pg_my_temp_schema()";
    let row = transaction
        .query_one_raw(sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, own))
        .await
        .map_err(database)?;
    let Some(row) = row else {
        // Nothing was made, so there is no such schema yet.
        return Ok(Catalog::new(Dialect::Postgresql));
    };
    let own: String = row.try_get("", "name").map_err(database)?;
    let mut catalog = postgres::read(transaction, &own, &[schema]).await?;
    // The connection may have temporary tables of its own.
    catalog
        .tables
        .retain(|table| tables.iter().any(|part| part.name == table.name));
    catalog
        .sequences
        .retain(|sequence| prelude.iter().any(|part| part.name == sequence.name));
    Ok(catalog)
}

/// Whatever is made goes into the temporary schema, and finds there first what it names.
fn enter(schema: &str) -> String {
    let schema = ddl::text(&quoted(schema));
    format!(
        "SELECT set_config('search_path', 'pg_temp, ' || {schema} || ', ' || current_setting('search_path'), true)"
    )
}

/// Makes one thing after the other to find out which it is that the server does not accept.
async fn find_culprit<C>(
    connection: &C,
    schema: &str,
    prelude: &[Part],
    tables: &[Part],
    error: DeclareError,
) -> DeclareError
where
    C: ConnectionTrait + TransactionTrait,
{
    let Ok(transaction) = connection.begin().await else {
        return error;
    };
    let mut found = error;
    if transaction.execute_unprepared(&enter(schema)).await.is_ok() {
        for part in prelude.iter().chain(tables) {
            if let Err(source) = transaction.execute_unprepared(&part.statements.join("; ")).await {
                found = rejected(part, source);
                break;
            }
        }
    }
    // What went wrong first is worth more than that this did, too.
    drop(transaction.rollback().await);
    found
}

async fn read_on_sqlite(sketch: &Sketch) -> Result<Catalog, DeclareError> {
    let mut whole = Catalog::new(Dialect::Sqlite);
    for chunk in sketch.tables.chunks(TABLES_IN_MEMORY) {
        let mut options = ConnectOptions::new("sqlite::memory:");
        options.max_connections(1).sqlx_logging(false);
        let memory = Database::connect(options).await.map_err(database)?;
        let read = match make_in_memory(&memory, chunk).await {
            Ok(()) => sqlite::inspect(&memory).await.map_err(DeclareError::from),
            Err(error) => Err(error),
        };
        memory.close().await.map_err(database)?;
        whole.tables.extend(read?.tables);
    }
    whole.sort();
    Ok(whole)
}

async fn make_in_memory(memory: &DatabaseConnection, tables: &[Part]) -> Result<(), DeclareError> {
    let statements: Vec<&str> = tables
        .iter()
        .flat_map(|part| part.statements.iter().map(String::as_str))
        .collect();
    // One transaction: not for safety, but each statement would be one of its own.
    let all = format!("BEGIN; {}; COMMIT", statements.join("; "));
    let Err(source) = memory.execute_unprepared(&all).await else {
        return Ok(());
    };
    drop(memory.execute_unprepared("ROLLBACK").await);
    for part in tables {
        if let Err(source) = memory.execute_unprepared(&part.statements.join("; ")).await {
            return Err(rejected(part, source));
        }
    }
    Err(database(source))
}

fn rejected(part: &Part, source: DbErr) -> DeclareError {
    let code = match &source {
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            match error.as_ref() {
                sqlx::Error::Database(error) => error.code().map(std::borrow::Cow::into_owned),
                _ => None,
            }
        }
        _ => None,
    };
    if code.as_deref() == Some("42501") && source.to_string().contains("temporary") {
        return DeclareError::NoTemporaryTables { source };
    }
    DeclareError::Rejected {
        subject: part.subject.clone(),
        source,
    }
}

fn database(source: DbErr) -> DeclareError {
    DeclareError::Database { source }
}
