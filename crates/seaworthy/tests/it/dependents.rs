//! What is nobody's declaration and stands in the way all the same: views and triggers stay when what they read changes.

use sea_orm::ConnectionTrait;
use seaworthy::autogenerate::{Policy, SqlError, diff, sql};
use seaworthy::catalog::{Catalog, Scope, inspect, normalize};
use seaworthy::session::Session;
use seaworthy::verify::ScratchDatabase;

use crate::databases::{postgres, session};

/// Turns a database into what is declared, in one transaction as a revision would.
async fn become_declared(session: &Session, declared: &str) -> Catalog {
    let connection = session.connection();
    let declared: Catalog = serde_json::from_str(declared).unwrap();
    let live = inspect(connection, &Scope::default()).await.unwrap();
    let declared = normalize(connection, &Scope::default(), &declared).await.unwrap();
    let found = diff(&live, &declared, &Policy::default()).unwrap();
    assert!(!found.operations.is_empty());
    let statements = sql(&live, &found.operations).unwrap();
    let all = format!("BEGIN; {}; COMMIT", statements.join("; "));
    connection.execute_unprepared(&all).await.unwrap();
    let after = inspect(connection, &Scope::default()).await.unwrap();
    let left = diff(&after, &declared, &Policy::default()).unwrap();
    assert!(left.operations.is_empty(), "{:?}", left.operations);
    // Whoever undoes it gets the first schema back.
    let statements = sql(&after, &found.inverse()).unwrap();
    let all = format!("BEGIN; {}; COMMIT", statements.join("; "));
    connection.execute_unprepared(&all).await.unwrap();
    let back = inspect(connection, &Scope::default()).await.unwrap();
    assert_eq!(back, live);
    after
}

async fn number(session: &Session, sql: &str) -> i64 {
    let rows = session.rows(sql).await.unwrap();
    rows[0].try_get("", "number").unwrap()
}

#[tokio::test]
async fn a_table_that_is_built_again_keeps_its_triggers_and_views() {
    let database = ScratchDatabase::sqlite(&std::env::temp_dir()).unwrap();
    let session = session(&database).await;
    let made = "PRAGMA foreign_keys = OFF;
        CREATE TABLE log (what TEXT);
        CREATE TABLE tasks (id INTEGER PRIMARY KEY, title VARCHAR(20), done BOOLEAN NOT NULL DEFAULT 0);
        CREATE INDEX idx_tasks_done ON tasks (done);
        CREATE VIEW open_tasks AS SELECT id, title FROM tasks WHERE NOT done;
        CREATE TRIGGER note AFTER INSERT ON tasks BEGIN INSERT INTO log VALUES (new.title || ';'); END;
        CREATE TRIGGER \"it's gone\" AFTER DELETE ON tasks BEGIN DELETE FROM log; END;
        INSERT INTO tasks (title) VALUES ('one')";
    session.connection().execute_unprepared(made).await.unwrap();
    let declared = r#"{"tables": [
        {"name": "log", "columns": [{"name": "what", "type": "text"}]},
        {"name": "tasks",
         "columns": [{"name": "id", "type": "integer", "pk": true, "auto": true},
                     {"name": "title", "type": "string(40)", "nullable": false},
                     {"name": "done", "type": "boolean", "nullable": false, "default": "0"}],
         "indexes": [{"name": "idx_tasks_done", "columns": ["done"]}],
         "triggers": ["note", "it's gone"]}
    ], "views": ["open_tasks"]}"#;
    let after = become_declared(&session, declared).await;
    assert_eq!(after.objects.unwrap().len(), 3);
    session
        .send("INSERT INTO tasks (title) VALUES ('two')")
        .await
        .unwrap();
    assert_eq!(number(&session, "SELECT count(*) AS number FROM log").await, 2);
    assert_eq!(
        number(&session, "SELECT count(*) AS number FROM open_tasks").await,
        2
    );
    session
        .send("DELETE FROM tasks WHERE title = 'one'")
        .await
        .unwrap();
    assert_eq!(number(&session, "SELECT count(*) AS number FROM log").await, 0);
    session.close().await;
    database.remove().await.unwrap();
}

#[test]
fn a_table_is_not_built_again_without_a_trigger_that_nobody_can_make_again() {
    let live: Catalog = serde_json::from_str(
        r#"{"dialect": "sqlite", "tables": [
            {"name": "tasks", "columns": [{"name": "title", "type": "TEXT"}], "triggers": ["note"]}
        ]}"#,
    )
    .unwrap();
    let mut wanted = live.clone();
    wanted.tables[0].columns[0].nullable = false;
    let found = diff(&live, &wanted, &Policy::default()).unwrap();
    let refused = sql(&live, &found.operations).unwrap_err();
    assert!(matches!(refused, SqlError::Trigger { trigger, .. } if trigger == "note"));
}

#[tokio::test]
async fn a_type_changes_below_views_triggers_and_computed_columns() {
    let Some(database) = postgres().await else {
        return;
    };
    let session = session(&database).await;
    let made = "CREATE TYPE mood AS ENUM ('sad', 'ok', 'odd');
        CREATE TABLE m (
            id integer NOT NULL, v integer, mood mood DEFAULT 'ok' CHECK (mood <> 'odd'), moods mood[],
            twice integer GENERATED ALWAYS AS (v * 2) STORED
        );
        CREATE INDEX idx_m_ok ON m (id) WHERE mood = 'ok';
        CREATE INDEX idx_m_mood ON m (mood);
        CREATE INDEX idx_m_twice ON m (twice);
        CREATE VIEW low AS SELECT id, v, mood FROM m WHERE v < 5;
        CREATE VIEW lower AS SELECT id, mood FROM low WHERE v < 3;
        CREATE MATERIALIZED VIEW kept AS SELECT id, mood FROM m;
        CREATE UNIQUE INDEX kept_id ON kept (id);
        GRANT SELECT ON low TO PUBLIC;
        COMMENT ON VIEW low IS 'it''s low';
        CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
        CREATE TRIGGER look BEFORE UPDATE OF v ON m FOR EACH ROW WHEN (new.v > 0) EXECUTE FUNCTION look();
        INSERT INTO m VALUES (1, 1, 'ok', '{sad,ok}')";
    session.connection().execute_unprepared(made).await.unwrap();
    let declared = r#"{"tables": [{
        "name": "m",
        "columns": [{"name": "id", "type": "int4", "nullable": false}, {"name": "v", "type": "int8"},
                    {"name": "mood", "type": "enum(mood)", "default": "'ok'"}, {"name": "moods", "type": "mood[]"},
                    {"name": "twice", "type": "int", "generated": "v * 2"}],
        "checks": [{"expr": "mood <> 'odd'"}],
        "indexes": [{"name": "idx_m_ok", "columns": ["id"], "where": "mood = 'ok'"},
                    {"name": "idx_m_mood", "columns": ["mood"]}, {"name": "idx_m_twice", "columns": ["twice"]}],
        "triggers": ["look"]
    }], "enums": {"mood": ["odd", "ok", "sad"]}, "views": ["low", "lower", "kept"]}"#;
    become_declared(&session, declared).await;
    let granted =
        "SELECT count(*) AS number FROM pg_class, aclexplode(relacl) WHERE relname = 'low' AND grantee = 0";
    assert_eq!(number(&session, granted).await, 1);
    let said = "SELECT count(*) AS number FROM pg_class WHERE relname = 'low' AND obj_description(oid) = 'it''s low'";
    assert_eq!(number(&session, said).await, 1);
    assert_eq!(number(&session, "SELECT count(*) AS number FROM lower").await, 1);
    assert_eq!(number(&session, "SELECT count(*) AS number FROM kept").await, 1);
    session.close().await;
    database.remove().await.unwrap();
}
