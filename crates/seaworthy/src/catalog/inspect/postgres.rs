//! PostgreSQL, 13 and later: the server assembles the catalog, one query for all of it.

use std::collections::BTreeMap;

use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, QueryResult, RuntimeErr, Statement, TransactionSession,
    TransactionTrait, sqlx,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::InspectError;
use crate::catalog::expression::{quoted, without_parentheses};
use crate::catalog::{Catalog, Dependent, IndexKey, Object, Roles};

const QUERY: &str = include_str!("postgres.sql");

/// What there is beside tables.
const OBJECTS: &str = include_str!("objects.sql");

/// What decides how the server prints expressions and definitions (manual, "Client Connection Defaults" and "Version and Platform
/// Compatibility"), so that no setting of a database or a role changes what is read. A query over system tables looks dear to
/// the planner, which would compile it for longer than it runs; and of a database that was never analysed it takes every part for
/// a few rows, and would walk through one for each row of another. Searching for the best order of joins, which all are by hash,
/// took twice as long as the joins of a small schema, and gained nothing on one of 1,000 tables.
const SETTINGS: &str = "SET LOCAL IntervalStyle TO postgres; SET LOCAL DateStyle TO ISO; SET LOCAL TimeZone TO UTC; \
     SET LOCAL bytea_output TO hex; SET LOCAL extra_float_digits TO 1; SET LOCAL lc_monetary TO 'C'; \
     SET LOCAL quote_all_identifiers TO off; SET LOCAL standard_conforming_strings TO on; SET LOCAL jit TO off; \
     SET LOCAL enable_nestloop TO off; SET LOCAL join_collapse_limit TO 1";

/// How often reading is tried while others change what is read.
const TRIES: u32 = 5;

pub(super) async fn inspect<C>(connection: &C, schema: Option<&str>) -> Result<Catalog, InspectError>
where
    C: ConnectionTrait + TransactionTrait,
{
    let mut tries = 1;
    loop {
        let transaction = connection.begin().await?;
        let read = match find_schema(&transaction, schema).await {
            Ok(schema) => read_whole(&transaction, &schema).await,
            Err(error) => Err(error),
        };
        // Takes the search path back, also when the transaction was a savepoint in somebody else's.
        transaction.rollback().await?;
        match read {
            Err(error) if tries < TRIES && is_race(&error) => tries += 1,
            other => return other,
        }
    }
}

/// Returns the name of a schema that is there: the one asked for, or the first of the search path.
pub(in crate::catalog) async fn find_schema<C: ConnectionTrait>(
    connection: &C,
    schema: Option<&str>,
) -> Result<String, InspectError> {
    let statement = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "SELECT current_setting('search_path') AS path, \
         CASE WHEN $1::text IS NULL THEN current_schema()::text \
         ELSE (SELECT nspname::text FROM pg_namespace WHERE nspname = $1) END AS name",
        [schema.into()],
    );
    let row = connection.query_one_raw(statement).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("the answer to a query without a table".to_owned()))?;
    match (row.try_get::<Option<String>>("", "name")?, schema) {
        (Some(name), _) => Ok(name),
        (None, Some(schema)) => Err(InspectError::NoSchema {
            schema: schema.to_owned(),
        }),
        (None, None) => Err(InspectError::NoSchema {
            schema: format!("on the search path {}", row.try_get::<String>("", "path")?),
        }),
    }
}

/// Reads one schema with all that it holds, in one statement, so that all of it is of one moment.
async fn read_whole<C: ConnectionTrait>(connection: &C, schema: &str) -> Result<Catalog, InspectError> {
    enter(connection, &[schema]).await?;
    let query = format!("SELECT (\n{QUERY}\n) AS catalog, (\n{OBJECTS}\n) AS objects");
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, query, [schema.into()]);
    let row = one_row(connection, statement).await?;
    let mut catalog = parsed(&row.try_get::<String>("", "catalog")?)?;
    let beside: Beside = from_json(&row.try_get::<String>("", "objects")?)?;
    catalog.objects = Some(beside.objects);
    catalog.roles = Some(Roles {
        own: beside.role,
        entries: beside.roles,
    });
    catalog.not_compared = beside.not_compared;
    catalog.outside = beside.outside;
    Ok(catalog)
}

/// What a schema holds beside tables.
#[derive(Deserialize)]
struct Beside {
    objects: Vec<Object>,
    roles: Vec<Object>,
    role: String,
    outside: Vec<Dependent>,
    #[serde(default)]
    not_compared: BTreeMap<String, u64>,
}

/// Reads the tables of one schema with a search path of it and `others`, so that names of these are printed without a schema.
///
/// Changes the search path of the transaction that `connection` is in.
pub(in crate::catalog) async fn read<C: ConnectionTrait>(
    connection: &C,
    schema: &str,
    others: &[&str],
) -> Result<Catalog, InspectError> {
    let path: Vec<&str> = std::iter::once(schema).chain(others.iter().copied()).collect();
    enter(connection, &path).await?;
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, QUERY, [schema.into()]);
    let row = one_row(connection, statement).await?;
    parsed(&row.try_get::<String>("", "catalog")?)
}

async fn enter<C: ConnectionTrait>(connection: &C, schemas: &[&str]) -> Result<(), InspectError> {
    let path: Vec<String> = schemas.iter().copied().map(quoted).collect();
    let settings = format!("SET LOCAL search_path TO {}; {SETTINGS}", path.join(", "));
    connection.execute_unprepared(&settings).await?;
    Ok(())
}

async fn one_row<C: ConnectionTrait>(connection: &C, statement: Statement) -> Result<QueryResult, DbErr> {
    let row = connection.query_one_raw(statement).await?;
    row.ok_or_else(|| DbErr::RecordNotFound("the answer to a query without a table".to_owned()))
}

fn parsed(text: &str) -> Result<Catalog, InspectError> {
    let mut catalog: Catalog = from_json(text)?;
    tidy(&mut catalog);
    Ok(catalog)
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, InspectError> {
    serde_json::from_str(text).map_err(|source| InspectError::Unclear { source })
}

/// Takes off what PostgreSQL prints around expressions.
fn tidy(catalog: &mut Catalog) {
    for table in &mut catalog.tables {
        for column in &mut table.columns {
            let printed = column.default.take();
            column.set_printed_default(printed);
            if let Some(generated) = &mut column.generated {
                generated.expr = without_parentheses(&generated.expr).to_owned();
            }
        }
        for check in &mut table.checks {
            check.expr = without_parentheses(&check.expr).to_owned();
        }
        for index in &mut table.indexes {
            index.predicate = index
                .predicate
                .as_deref()
                .map(|text| without_parentheses(text).to_owned());
            for part in &mut index.columns {
                if let IndexKey::Expression(expression) = &mut part.key {
                    *expression = without_parentheses(expression).to_owned();
                }
            }
        }
    }
}

/// The functions that print expressions look at the catalog as it is now, and not as the query's snapshot has it: what
/// was dropped in between is an internal error, an undefined object, or a NULL where none can be.
fn is_race(error: &InspectError) -> bool {
    match error {
        InspectError::Unclear { .. } => true,
        InspectError::Database {
            source: DbErr::Query(RuntimeErr::SqlxError(error)) | DbErr::Exec(RuntimeErr::SqlxError(error)),
        } => match error.as_ref() {
            sqlx::Error::Database(error) => error
                .code()
                .is_some_and(|code| ["XX000", "42P01", "42704", "42703"].contains(&code.as_ref())),
            _ => false,
        },
        _ => false,
    }
}
