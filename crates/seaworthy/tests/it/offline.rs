//! Scripts: fed to `psql` and `sqlite3` they leave behind what a run would, and stop where a run would.

use insta::assert_snapshot;
use sea_orm::DbBackend;
use seaworthy::command::{self, CommandError, OfflineScript};
use seaworthy::environment::Environment;
use seaworthy::revision::Stage;
use seaworthy::verify::ScratchDatabase;

use crate::clients::{Way, ask, feed, feed_by, feed_through_settings, look};
use crate::databases::{Sql, current, databases, downgrade, environment, events, tables, upgrade};

pub(crate) fn revisions() -> [Sql; 3] {
    let loose = ["CREATE TABLE t_b (id integer)", "CREATE INDEX t_b_id ON t_b (id)"];
    [
        Sql::table("a", None),
        Sql::new("b", Some("a"), &loose, &["DROP TABLE t_b"]).without_transaction(),
        Sql::new(
            "c",
            Some("b"),
            &["INSERT INTO t_b VALUES (1), (2)"],
            &["DELETE FROM t_b"],
        ),
    ]
}

pub(crate) async fn script(
    environment: &Environment,
    from: Option<&str>,
    to: &str,
) -> Result<OfflineScript, CommandError> {
    let from = from.map(|from| from.parse().unwrap());
    command::upgrade_sql(environment, from.as_ref(), &to.parse().unwrap(), Stage::Contract).await
}

async fn script_down(environment: &Environment, from: &str, to: &str) -> String {
    let from = from.parse().unwrap();
    let script = command::downgrade_sql(environment, Some(&from), &to.parse().unwrap()).await;
    script.unwrap().sql
}

/// Empties a database, so that the next script finds nothing.
pub(crate) fn empty(database: &ScratchDatabase) {
    match database.url().file() {
        Some(file) => std::fs::remove_file(file).unwrap(),
        None => {
            let schemas =
                "DROP SCHEMA IF EXISTS tenant CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public";
            ask(database, schemas);
        }
    }
}

#[tokio::test]
async fn a_script_leaves_the_same_database_as_a_run() {
    for database in databases().await {
        for way in [Way::Input, Way::File] {
            let environment = environment(&database, &revisions());
            let up = script(&environment, None, "head").await.unwrap();
            feed_by(way, &database, &up.sql).with_code(0);
            assert_eq!(tables(&database).await, ["t_a", "t_b"]);
            assert_eq!(current(&environment).await, ["c"]);
            assert_eq!(
                events(&environment).await,
                ["up a done", "up b done", "up c done"]
            );
            // The checksums are those of a run: nothing looks edited afterwards.
            assert!(upgrade(&environment, "head").await.unwrap().changed.is_empty());

            let down = script_down(&environment, "c", "a").await;
            feed_by(way, &database, &down).with_code(0);
            assert_eq!(tables(&database).await, ["t_a"]);
            assert_eq!(current(&environment).await, ["a"]);
            empty(&database);
        }
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn without_a_range_a_script_starts_where_the_database_stands() {
    for database in databases().await {
        let environment = environment(&database, &revisions());
        upgrade(&environment, "a").await.unwrap();
        let up = script(&environment, None, "head").await.unwrap();
        assert_eq!(up.revisions, ["b".into(), "c".into()]);
        let stamp = command::stamp_sql(&environment, None, &["b".parse().unwrap()])
            .await
            .unwrap();
        feed(&database, &stamp.sql).with_code(0);
        assert_eq!(current(&environment).await, ["b"]);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_range_asks_no_database() {
    let database = &databases().await[0];
    let environment = environment(database, &revisions());
    let up = script(&environment, Some("a"), "head").await.unwrap();
    assert_eq!(up.revisions, ["b".into(), "c".into()]);
    assert!(!database.url().file().unwrap().exists());
}

/// Revisions of one statement a line, all but the last in a transaction; the third builds a table again on SQLite.
fn chain(backend: DbBackend) -> Vec<Sql> {
    let rebuild: &[&str] = match backend {
        DbBackend::Sqlite => &[
            "PRAGMA foreign_keys = OFF",
            "CREATE TABLE t_new (id integer PRIMARY KEY, note text NOT NULL)",
            "INSERT INTO t_new SELECT id, note FROM t_a",
            "DROP TABLE t_a",
            "ALTER TABLE t_new RENAME TO t_a",
        ],
        _ => &[
            "SET work_mem = '8MB'",
            "ALTER TABLE public.t_a ALTER COLUMN note SET NOT NULL",
        ],
    };
    vec![
        Sql::table("a", None),
        Sql::new(
            "b",
            Some("a"),
            &[
                "INSERT INTO t_a VALUES (1, 'x'), (2, 'y')",
                "CREATE TABLE t_b (id integer PRIMARY KEY, a integer REFERENCES t_a (id) ON DELETE CASCADE)",
                "INSERT INTO t_b VALUES (7, 1), (8, 2)",
            ],
            &[],
        ),
        Sql::new("c", Some("b"), rebuild, &[]),
        Sql::new(
            "d",
            Some("c"),
            &[
                "UPDATE t_b SET id = id + 1 WHERE id = 8",
                "CREATE INDEX t_b_a ON t_b (a)",
            ],
            &[],
        )
        .without_transaction(),
    ]
}

#[tokio::test]
async fn a_script_that_fails_anywhere_leaves_whole_steps() {
    for database in databases().await {
        let revisions = chain(database.url().backend());
        let environment = environment(&database, &revisions);
        // What is there after each step of a run.
        let mut whole = Vec::new();
        for id in ["base", "a", "b", "c"] {
            if id != "base" {
                upgrade(&environment, id).await.unwrap();
            }
            whole.push((id, look(&database)));
        }
        empty(&database);
        let text = script(&environment, Some("base"), "head").await.unwrap().sql;
        let lines: Vec<&str> = text.lines().collect();
        let mut reached = std::collections::BTreeSet::new();
        // The first lines are those that make the client stop.
        for place in 2..=lines.len() {
            let mut broken = lines.clone();
            broken.insert(place, "SELECT nothing FROM nowhere;");
            let fed = feed(&database, &(broken.join("\n") + "\n"));
            assert_ne!(fed.code, Some(0), "line {place}: {fed:#?}");
            let at = current(&environment)
                .await
                .pop()
                .unwrap_or_else(|| "base".to_owned());
            reached.insert(at.clone());
            let found = look(&database);
            match whole.iter().find(|(id, _)| *id == at) {
                // The step without a transaction may have begun.
                Some(("c", expected)) => {
                    let before_it = found
                        .replace("(9,2)", "(8,2)")
                        .replace("9</id>", "8</id>")
                        .replace("\nCREATE INDEX t_b_a ON t_b (a);", "");
                    assert_eq!(before_it, *expected, "line {place}");
                }
                Some((_, expected)) => assert_eq!(found, *expected, "line {place}, at {at}"),
                None => assert_eq!(place, lines.len(), "only the whole script reaches {at}"),
            }
            empty(&database);
        }
        assert_eq!(
            reached.into_iter().collect::<Vec<_>>(),
            ["a", "b", "base", "c", "d"]
        );
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_script_downwards_that_fails_anywhere_leaves_whole_steps() {
    let revisions = [
        Sql::table("a", None),
        Sql::new(
            "b",
            Some("a"),
            &[
                "CREATE TABLE t_b (id integer PRIMARY KEY, a integer REFERENCES t_a (id) ON DELETE CASCADE)",
                "INSERT INTO t_a VALUES (1, 'x'), (2, 'y')",
                "INSERT INTO t_b VALUES (7, 1), (8, 2)",
            ],
            &["DROP TABLE t_b", "DELETE FROM t_a"],
        ),
        Sql::new(
            "c",
            Some("b"),
            &[
                "ALTER TABLE t_b ADD COLUMN note text",
                "UPDATE t_b SET note = 'z'",
            ],
            &["ALTER TABLE t_b DROP COLUMN note", "UPDATE t_a SET note = 'w'"],
        ),
    ];
    for database in databases().await {
        let environment = environment(&database, &revisions);
        let mut whole = Vec::new();
        for id in ["c", "b", "a", "base"] {
            match id {
                "c" => drop(upgrade(&environment, id).await.unwrap()),
                _ => drop(downgrade(&environment, id).await.unwrap()),
            }
            whole.push((id, look(&database)));
        }
        let text = script_down(&environment, "c", "base").await;
        let lines: Vec<&str> = text.lines().collect();
        let mut reached = std::collections::BTreeSet::new();
        for place in 2..=lines.len() {
            empty(&database);
            upgrade(&environment, "head").await.unwrap();
            let mut broken = lines.clone();
            broken.insert(place, "SELECT nothing FROM nowhere;");
            let fed = feed(&database, &(broken.join("\n") + "\n"));
            assert_ne!(fed.code, Some(0), "line {place}: {fed:#?}");
            let at = current(&environment)
                .await
                .pop()
                .unwrap_or_else(|| "base".to_owned());
            let expected = whole.iter().find(|(id, _)| *id == at).map(|(_, there)| there);
            assert_eq!(Some(&look(&database)), expected, "line {place}, at {at}");
            reached.insert(at);
        }
        assert_eq!(reached.into_iter().collect::<Vec<_>>(), ["a", "b", "base", "c"]);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_client_that_is_told_to_go_on_stops_all_the_same() {
    for database in databases().await {
        let bad = Sql::new(
            "b",
            Some("a"),
            &["INSERT INTO t_a VALUES (1, 'x')", "BROKEN"],
            &[],
        );
        let environment = environment(
            &database,
            &[Sql::table("a", None), bad, Sql::table("c", Some("b"))],
        );
        let settings = match database.url().backend() {
            DbBackend::Sqlite => ".bail off\nPRAGMA foreign_keys = OFF;\n",
            _ => {
                "\\set AUTOCOMMIT off\n\\set ON_ERROR_ROLLBACK on\n\\set ON_ERROR_STOP off\n\\set SINGLELINE on\n"
            }
        };
        let text = script(&environment, None, "head").await.unwrap().sql;
        let fed = feed_through_settings(&database, settings, &text);
        assert_ne!(fed.code, Some(0), "{fed:#?}");
        assert_eq!(tables(&database).await, ["t_a"]);
        assert_eq!(current(&environment).await, ["a"]);
        assert_eq!(ask(&database, "SELECT count(*) FROM t_a"), "0");
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_script_that_is_fed_again_changes_nothing() {
    for database in databases().await {
        let count = |id: &str, parent: &str, by: i32| {
            let (up, down) = (
                format!("UPDATE t_a SET id = id + {by}"),
                format!("UPDATE t_a SET id = id - {by}"),
            );
            Sql::new(id, Some(parent), &[&up], &[&down])
        };
        let first = Sql::new(
            "a",
            None,
            &["CREATE TABLE t_a (id integer)", "INSERT INTO t_a VALUES (1)"],
            &["DROP TABLE t_a"],
        );
        let revisions = [
            first,
            count("b", "a", 10),
            count("c", "b", 100).without_transaction(),
        ];
        let environment = environment(&database, &revisions);
        upgrade(&environment, "a").await.unwrap();
        let in_transaction = script(&environment, Some("a"), "b").await.unwrap().sql;
        let without = script(&environment, Some("b"), "c").await.unwrap().sql;
        for (text, id) in [(&in_transaction, "11"), (&without, "111")] {
            feed(&database, text).with_code(0);
            let fed = feed(&database, text);
            assert_ne!(fed.code, Some(0), "{fed:#?}");
            assert_eq!(ask(&database, "SELECT id FROM t_a"), id);
        }
        let down = script_down(&environment, "c", "a").await;
        feed(&database, &down).with_code(0);
        let again = feed(&database, &down);
        assert!(again.err.contains("revision c is not applied"), "{again:#?}");
        assert_eq!(ask(&database, "SELECT id FROM t_a"), "1");
        assert_eq!(events(&environment).await.len(), 5);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_script_says_what_it_destroys() {
    let database = databases().await.swap_remove(0);
    let environment = environment(&database, &revisions());
    let text = script_down(&environment, "c", "a").await;
    let comments: Vec<&str> = text.lines().filter(|line| line.starts_with("--")).collect();
    assert_snapshot!(comments.join("\n"), @r"
    -- seaworthy 0.1.0: downgrade. Feed it to: sqlite3
    -- Running downgrade c -> b, make c
    -- destroys rows of table t_b
    -- Running downgrade b -> a, make b
    -- destroys table t_b
    ");
    database.remove().await.unwrap();
}
