//! The schema of a live database as JSON, in the words of the fixtures.
//!
//! One query per database reads the engine's own catalog. Names that the engine made up (constraints, sequences) and
//! spellings that mean the same (`varchar(20)`, identity or serial) are left out or unified.

use std::fs;
use std::path::Path;

use migration::Migrator;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde_json::{Map, Value};

use crate::databases::{TestDatabase, value};

/// How many revisions came with the guide, each with a whole schema as its fixture.
pub(crate) const INHERITED: usize = 3;

/// Returns the ids of all revisions, oldest first.
pub(crate) fn ids() -> Vec<String> {
    let revisions = Migrator::revisions();
    let headers = revisions.iter().filter_map(|revision| revision.header());
    headers.map(|header| header.id.to_string()).collect()
}

/// Returns the id of the newest revision.
pub(crate) fn head() -> String {
    ids().pop().unwrap()
}

/// Asserts that a database has the schema that the first so many revisions make.
pub(crate) async fn assert_revision(connection: &DatabaseConnection, number: usize) {
    let found = differences_from_revision(connection, number).await;
    assert!(
        found.is_empty(),
        "the schema is not that after {number} revisions:\n{}",
        found.join("\n")
    );
}

/// Lists where a database differs from what the first so many revisions make, one line each.
pub(crate) async fn differences_from_revision(connection: &DatabaseConnection, number: usize) -> Vec<String> {
    let backend = connection.get_database_backend();
    let (mut expected, mut found) = (expected(backend, number), inspect(connection).await);
    // A column that comes back on the way down comes last.
    sort_columns(&mut expected);
    sort_columns(&mut found);
    differences(&expected, &found)
}

/// Asserts that the columns, too, are in the order that the inherited revisions make them in.
pub(crate) async fn assert_order_of_columns(connection: &DatabaseConnection, number: usize) {
    let backend = connection.get_database_backend();
    let found = differences(&expected(backend, number), &inspect(connection).await);
    assert_eq!(found, [""; 0]);
}

fn sort_columns(schema: &mut Value) {
    for table in schema["tables"].as_object_mut().into_iter().flatten() {
        if let Some(columns) = table.1["columns"].as_array_mut() {
            columns.sort_by_key(|column| column["name"].to_string());
        }
    }
}

/// Returns the schema that the first so many revisions make: the last inherited fixture, and what ours change about it.
fn expected(backend: DbBackend, number: usize) -> Value {
    let ids = ids();
    let mut schema = match number {
        0 => fixture(backend, "000"),
        _ => fixture(backend, &ids[number.min(INHERITED) - 1]),
    };
    for id in ids.iter().take(number).skip(INHERITED) {
        merge(&mut schema, fixture(backend, id));
    }
    schema
}

fn fixture(backend: DbBackend, id: &str) -> Value {
    let prefix = match backend {
        DbBackend::Postgres => "pg",
        _ => "sqlite",
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/fixtures/{prefix}_{id}.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// Changes a document by a merge patch: members replace members, `null` removes one.
fn merge(document: &mut Value, patch: Value) {
    let Value::Object(members) = patch else {
        *document = patch;
        return;
    };
    if !document.is_object() {
        *document = Value::Object(Map::new());
    }
    for (name, value) in members {
        match value {
            Value::Null => drop(document.as_object_mut().unwrap().remove(&name)),
            value => merge(&mut document[name], value),
        }
    }
}

/// Asserts that a database is at the newest revision: the schema, and each revision recorded once.
pub(crate) async fn assert_head(database: &TestDatabase) {
    let connection = database.connect().await;
    let number = ids().len();
    assert_revision(&connection, number).await;
    for table in [
        "seaql_migrations",
        "(SELECT DISTINCT version FROM seaql_migrations) AS rows",
    ] {
        let rows: i64 = value(&connection, &format!("SELECT count(*) FROM {table}")).await;
        assert_eq!(rows, i64::try_from(number).unwrap(), "rows in {table}");
    }
    connection.close().await.unwrap();
}

/// Reads everything but the bookkeeping tables of the runners.
pub(crate) async fn inspect(connection: &DatabaseConnection) -> Value {
    let backend = connection.get_database_backend();
    let query = match backend {
        DbBackend::Postgres => include_str!("schema/postgres.sql"),
        DbBackend::Sqlite => include_str!("schema/sqlite.sql"),
        other => panic!("no query for {other:?}"),
    };
    let row = connection
        .query_one_raw(Statement::from_string(backend, query))
        .await
        .unwrap()
        .unwrap();
    serde_json::from_str(&row.try_get_by_index::<String>(0).unwrap()).unwrap()
}

/// Lists the places where two documents differ, one line each.
pub(crate) fn differences(expected: &Value, found: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    compare("", Some(expected), Some(found), &mut lines);
    lines
}

fn compare(path: &str, expected: Option<&Value>, found: Option<&Value>, lines: &mut Vec<String>) {
    match (expected, found) {
        (Some(Value::Object(expected)), Some(Value::Object(found))) => {
            let missing_here = found.keys().filter(|key| !expected.contains_key(*key));
            for key in expected.keys().chain(missing_here) {
                compare(&format!("{path}/{key}"), expected.get(key), found.get(key), lines);
            }
        }
        (Some(Value::Array(expected)), Some(Value::Array(found))) => {
            for index in 0..expected.len().max(found.len()) {
                compare(
                    &format!("{path}/{index}"),
                    expected.get(index),
                    found.get(index),
                    lines,
                );
            }
        }
        _ if expected == found => {}
        _ => lines.push(format!(
            "{path}: expected {}, found {}",
            shown(expected),
            shown(found)
        )),
    }
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Value::to_string)
}

#[test]
fn differences_name_the_place_and_both_sides() {
    let expected = serde_json::json!({"tables": {"tasks": ["id", "title"], "users": []}});
    let found = serde_json::json!({"tables": {"tasks": ["id"], "tags": 1, "users": []}});
    assert_eq!(
        differences(&expected, &found),
        [
            "/tables/tasks/1: expected \"title\", found nothing",
            "/tables/tags: expected nothing, found 1",
        ]
    );
}
