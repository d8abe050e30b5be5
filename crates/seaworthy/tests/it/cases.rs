//! Comparisons of live databases with declared structures, on both databases: one file of cases for each kind of thing.
//! What is found is done, leaves nothing to find, and is undone.

use std::fmt::Write as _;

use sea_orm::{ConnectionTrait, DatabaseConnection};
use serde_json::Value;

use crate::databases::{postgres, session};
use seaworthy::verify::ScratchDatabase;

pub(crate) mod case;
mod settle;

/// Each file with its name.
const FILES: [(&str, &str); 7] = [
    ("tables", include_str!("cases/tables.json")),
    ("columns", include_str!("cases/columns.json")),
    ("defaults", include_str!("cases/defaults.json")),
    ("indexes", include_str!("cases/indexes.json")),
    ("constraints", include_str!("cases/constraints.json")),
    ("types", include_str!("cases/types.json")),
    ("versions", include_str!("cases/versions.json")),
];

#[tokio::test]
async fn every_case_is_found_on_sqlite() {
    let mut wrong = String::new();
    for (place, case) in cases().iter().enumerate() {
        let Some(ddl) = case["a"]["sqlite"].as_str() else {
            continue;
        };
        let database = ScratchDatabase::sqlite(&std::env::temp_dir()).unwrap();
        let session = session(&database).await;
        let said = find_and_settle(session.connection(), case, ddl).await;
        session.close().await;
        database.remove().await.unwrap();
        judge(place, case, "sqlite", &said, &mut wrong);
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Each case has a schema of its own. What came with a later version than the server's is left to newer servers.
#[tokio::test]
async fn every_case_is_found_on_postgresql() {
    let Some(database) = postgres().await else {
        return;
    };
    let session = session(&database).await;
    let version = u64::from(session.server_version().await.unwrap());
    let mut wrong = String::new();
    for (place, case) in cases().iter().enumerate() {
        let is_known = case["since"].as_u64().is_none_or(|since| since <= version);
        let Some(ddl) = case["a"]["postgresql"].as_str().filter(|_| is_known) else {
            continue;
        };
        let enter = format!("CREATE SCHEMA case_{place}; SET search_path TO case_{place}, public");
        session.connection().execute_unprepared(&enter).await.unwrap();
        let said = find_and_settle(session.connection(), case, ddl).await;
        judge(place, case, "postgresql", &said, &mut wrong);
    }
    session.close().await;
    database.remove().await.unwrap();
    assert!(wrong.is_empty(), "{wrong}");
}

fn cases() -> Vec<Value> {
    let mut all = Vec::new();
    for (name, text) in FILES {
        let mut file: Value = serde_json::from_str(text).unwrap();
        let cases = file["cases"].as_array_mut().unwrap();
        assert!(!cases.is_empty(), "{name} has no cases");
        all.append(cases);
    }
    all
}

/// Returns the operations that a case finds, in words, and what is wrong with doing and undoing them.
async fn find_and_settle(session: &DatabaseConnection, case: &Value, ddl: &str) -> Vec<String> {
    let found = match case::compare(session, case, ddl).await {
        Ok(found) => found,
        Err(error) => return vec![format!("failed: {error}")],
    };
    let mut said: Vec<String> = found.operations.iter().map(case::words).collect();
    // What a build that failed left behind takes more than these operations to clean up.
    let can_be_done = !found.is_empty() && case["afterwards"].is_null();
    if can_be_done && let Err(error) = settle::settle(session, case, &found).await {
        said.push(format!("cannot be done: {error}"));
    }
    said
}

fn judge(place: usize, case: &Value, kind: &str, found: &[String], wrong: &mut String) {
    let expected: Vec<&str> = case["finds"][kind]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    if found != expected {
        writeln!(
            wrong,
            "{place} {}\n  expected {expected:#?}\n  found {found:#?}",
            case["title"].as_str().unwrap()
        )
        .unwrap();
    }
}
