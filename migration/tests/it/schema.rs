//! The schema of a live database as JSON, in the words of the fixtures.
//!
//! One query per database reads the engine's own catalog. Names that the engine made up (constraints, sequences) and
//! spellings that mean the same (`varchar(20)`, identity or serial) are left out or unified.

use std::fs;
use std::path::Path;

use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde_json::Value;

use crate::databases::{TestDatabase, value};

/// Asserts that a database has the schema of a revision's fixture, given by the revision's number.
pub(crate) async fn assert_revision(connection: &DatabaseConnection, number: u32) {
    let found = differences_from_revision(connection, number).await;
    assert!(
        found.is_empty(),
        "the schema is not that of {number:03}:\n{}",
        found.join("\n")
    );
}

/// Lists where a database differs from a revision's fixture, one line each.
pub(crate) async fn differences_from_revision(connection: &DatabaseConnection, number: u32) -> Vec<String> {
    let prefix = match connection.get_database_backend() {
        DbBackend::Postgres => "pg",
        _ => "sqlite",
    };
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/fixtures/{prefix}_{number:03}.json"));
    let expected = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    differences(&expected, &inspect(connection).await)
}

/// Asserts that a database is where the inherited revisions end: their schema, each recorded once.
pub(crate) async fn assert_head(database: &TestDatabase) {
    let connection = database.connect().await;
    assert_revision(&connection, 3).await;
    for table in [
        "seaql_migrations",
        "(SELECT DISTINCT version FROM seaql_migrations) AS rows",
    ] {
        let rows: i64 = value(&connection, &format!("SELECT count(*) FROM {table}")).await;
        assert_eq!(rows, 3, "rows in {table}");
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
