//! Views and triggers of SQLite: compared by what they say, made, changed and dropped, and named where they stand in the way.

use sea_orm_migration::SchemaManager;
use seaworthy::autogenerate::{Policy, diff, sql};
use seaworthy::catalog::Catalog;
use seaworthy::online;

use crate::sqlite_tables::{database, schema, send, text, turn_into};

const TABLES: &str =
    "CREATE TABLE f (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER); CREATE TABLE log (what TEXT);";

/// Two schemas beside the tables, and what turns one into the other.
const PAIRS: [(&str, &str, &str); 7] = [
    ("", "CREATE VIEW v AS SELECT a FROM f", "add view v"),
    (
        "CREATE VIEW v AS SELECT a FROM f",
        "CREATE VIEW v AS SELECT b FROM f",
        "drop view v; add view v",
    ),
    (
        "CREATE VIEW \"v\" AS SELECT a FROM f",
        "create view v as\n  select A -- it\n  from [f]",
        "",
    ),
    (
        "",
        "CREATE TRIGGER g AFTER INSERT ON F BEGIN INSERT INTO log VALUES (new.a); END",
        "add trigger g",
    ),
    (
        "CREATE TRIGGER g AFTER INSERT ON f BEGIN INSERT INTO log VALUES (new.a); END",
        "CREATE TRIGGER g AFTER INSERT ON log BEGIN INSERT INTO f (a) VALUES (1); END",
        "drop trigger g; add trigger g",
    ),
    (
        "CREATE VIEW v AS SELECT a FROM f; CREATE TRIGGER g INSTEAD OF INSERT ON v BEGIN INSERT INTO f (a) VALUES (new.a); END",
        "CREATE VIEW v AS SELECT a, 1 AS one FROM f; \
         CREATE TRIGGER g INSTEAD OF INSERT ON v BEGIN INSERT INTO f (a) VALUES (new.a); END",
        "drop trigger g; drop view v; add view v; add trigger g",
    ),
    (
        "CREATE VIEW v AS SELECT b FROM f; CREATE TRIGGER g AFTER UPDATE OF b ON f BEGIN INSERT INTO log VALUES (new.b); END",
        "ALTER TABLE f DROP COLUMN b; CREATE VIEW v AS SELECT a FROM f; \
         CREATE TRIGGER g AFTER UPDATE OF a ON f BEGIN INSERT INTO log VALUES (new.a); END",
        "drop trigger g; drop view v; drop column f.b INTEGER; add view v; add trigger g",
    ),
];

#[tokio::test]
async fn views_and_triggers_are_found_made_and_undone() {
    for (one, other, said) in PAIRS {
        let (first, live) = database(&format!("{TABLES}{one}")).await;
        let (second, wanted) = database(&format!("{TABLES}{other}")).await;
        let (one, other) = (schema(&live).await, schema(&wanted).await);
        let snapshot = Catalog::from_json(&other.to_json()).unwrap();
        assert_eq!(turn_into(&live, &snapshot).await.join("; "), said);
        let difference = diff(&one, &other, &Policy::default()).unwrap();
        let statements = sql(&schema(&live).await, &difference.inverse()).unwrap();
        send(&live, &format!("BEGIN; {}; COMMIT", statements.join("; "))).await;
        let left = diff(&schema(&live).await, &one, &Policy::default()).unwrap();
        assert!(left.is_empty(), "{:?} is left", left.operations);
        for (database, session) in [(first, live), (second, wanted)] {
            session.close().await;
            database.remove().await.unwrap();
        }
    }
}

/// Views that read what is dropped below, and one that only looks so.
const READERS: &str =
    "CREATE VIEW by_name AS SELECT id, x.b FROM f x; CREATE VIEW same AS SELECT 1 AS b FROM f;";

#[tokio::test]
async fn what_reads_a_column_or_table_that_goes_is_named_before_anything_runs() {
    let (database, session) = database(&format!("{TABLES}{READERS}")).await;
    let live = schema(&session).await;
    let refused = |change: &dyn Fn(&mut Catalog)| {
        let mut wanted = live.clone();
        change(&mut wanted);
        let found = diff(&live, &wanted, &Policy::default()).unwrap();
        sql(&live, &found.operations).unwrap_err().to_string()
    };
    assert_eq!(
        refused(&|wanted| wanted.tables[0].columns.retain(|column| column.name != "b")),
        "cannot drop f.b: view by_name reads it; drop or change the view first"
    );
    assert_eq!(
        refused(&|wanted| wanted.tables.retain(|table| table.name != "f")),
        "cannot drop f: view by_name reads it; drop or change the view first"
    );
    let manager = SchemaManager::new(session.connection());
    let error = online::drop_column(&manager, "f", "b").await.unwrap_err();
    let said = format!("{error:?}");
    assert!(said.contains("view by_name reads it"), "{said}");
    assert_eq!(schema(&session).await, live);

    send(&session, "DROP VIEW by_name").await;
    online::drop_column(&manager, "f", "b").await.unwrap();
    assert_eq!(text(&session, "SELECT count(*) || '' FROM same").await, "0");
    session.close().await;
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_table_gets_another_name_and_another_type_below_its_views_and_triggers() {
    let on = |table: &str, kind: &str| {
        format!(
            "CREATE TABLE {table} (id INTEGER PRIMARY KEY, a {kind}); CREATE TABLE log (what TEXT);\
             CREATE VIEW v AS SELECT a FROM {table};\
             CREATE TRIGGER g AFTER INSERT ON {table} BEGIN INSERT INTO log VALUES (new.a); END;"
        )
    };
    let (first, live) = database(&on("f", "INTEGER")).await;
    let (second, wanted) = database(&on("e", "TEXT")).await;
    let mut other = schema(&wanted).await;
    other.tables[0].renamed_from = Some("f".to_owned());
    turn_into(&live, &other).await;
    send(&live, "INSERT INTO e (a) VALUES ('x')").await;
    assert_eq!(text(&live, "SELECT what || a FROM log, v").await, "xx");
    for (database, session) in [(first, live), (second, wanted)] {
        session.close().await;
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_not_compared_is_counted() {
    let made = "CREATE VIRTUAL TABLE words USING fts5 (body)";
    let (database, session) = database(made).await;
    let live = schema(&session).await;
    assert_eq!(
        live.not_compared.into_iter().collect::<Vec<_>>(),
        [("virtual table".to_owned(), 1)]
    );
    session.close().await;
    database.remove().await.unwrap();
}
