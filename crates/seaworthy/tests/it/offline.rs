//! Scripts: fed to `psql` and `sqlite3` they leave behind what a run would, and stop where a run would.

use insta::assert_snapshot;
use sea_orm::DbBackend;
use seaworthy::command::{self, CommandError, OfflineScript};
use seaworthy::environment::Environment;
use seaworthy::revision::Stage;
use seaworthy::verify::ScratchDatabase;

use crate::clients::{Way, ask, feed, feed_by, feed_through_settings, look};
use crate::databases::{Sql, current, databases, environment, events, postgres, send, tables, upgrade};

fn revisions() -> [Sql; 3] {
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

async fn script(
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
fn empty(database: &ScratchDatabase) {
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
async fn statements_reach_the_database_as_they_are() {
    let both = [
        "-- nothing here",
        "",
        ";;;",
        "INSERT INTO t_a VALUES (1, 'a;\r\nb') -- a comment; behind it",
        "/* .quit\n.quit\n#quit\n*/ INSERT INTO t_a VALUES (2, '-- no comment\n.quit\n#quit\n\\.\n\\q\n:USER :''USER''')",
        "INSERT INTO t_a VALUES (3, 'x'); -- one\nINSERT INTO t_a VALUES (4, 'y'); -- two",
    ];
    let sqlite = [
        "CREATE TABLE t_b AS SELECT 6\n/\n2 AS\ngo",
        "CREATE TRIGGER t_t AFTER INSERT ON t_a BEGIN\n  UPDATE t_a SET note = CASE WHEN note = ';' THEN 'END;' ELSE note END;\nEND",
        "INSERT INTO t_a VALUES (5, ';')",
    ];
    let postgresql = [
        "CREATE TABLE t_b AS SELECT (ARRAY[7, 8, 9])[1:USER.n] AS s, E'\\'; \\\\q' AS e FROM (SELECT 2 AS n) AS \"user\"",
        "/* a /* nested; */ comment */ SELECT 1; -- end",
        "DO $x$ BEGIN -- it's here\n INSERT INTO t_a VALUES (5, $$\\q ; --$$); END $x$",
        "CREATE FUNCTION t_f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END",
    ];
    for database in databases().await {
        let own = match database.url().backend() {
            DbBackend::Sqlite => &sqlite[..],
            _ => &postgresql[..],
        };
        // The user of `psql` is a variable of it.
        let own: Vec<String> = own
            .iter()
            .map(|sql| sql.replace("USER.n", "\"user\".n"))
            .collect();
        let statements: Vec<&str> = both
            .iter()
            .copied()
            .chain(own.iter().map(String::as_str))
            .collect();
        let environment = environment(
            &database,
            &[Sql::table("a", None), Sql::new("b", Some("a"), &statements, &[])],
        );
        upgrade(&environment, "head").await.unwrap();
        let by_run = look(&database);
        empty(&database);
        let text = script(&environment, None, "head").await.unwrap().sql;
        feed(&database, &text).with_code(0);
        assert_eq!(look(&database), by_run);
        assert_eq!(current(&environment).await, ["b"]);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_variable_of_psql_stays_out_of_a_script() {
    let Some(database) = postgres().await else { return };
    let slice = "CREATE TABLE t_b AS SELECT (ARRAY[7, 8, 9])[1:n] AS s FROM (SELECT 2 AS n) AS x";
    let environment = environment(&database, &[Sql::new("a", None, &[slice], &[])]);
    let text = script(&environment, None, "head").await.unwrap().sql;
    feed_through_settings(&database, "\\set n 3\n", &text).with_code(0);
    assert_eq!(ask(&database, "SELECT s FROM t_b"), "{7,8}");
    database.remove().await.unwrap();
}

#[tokio::test]
async fn what_a_revision_sets_ends_with_its_step() {
    let Some(database) = postgres().await else { return };
    let baseline = "SET statement_timeout = 0;\nSET client_encoding = 'UTF8';\n\
                    SELECT pg_catalog.set_config('search_path', '', false);\nSET row_security = off;\n\n\
                    CREATE TABLE public.t_a (id integer);\n\n--\n-- PostgreSQL database dump complete\n--\n";
    let role = format!("seaworthy_{:x}", fastrand::u64(..));
    let (become_role, temporary) = (
        format!("SET ROLE {role}"),
        "CREATE TEMP TABLE t_temp (id integer)",
    );
    let tenant = [
        "CREATE SCHEMA tenant",
        "SET search_path = tenant",
        "CREATE TABLE t_b (id integer)",
    ];
    let revisions = [
        Sql::new("a", None, &[baseline], &[]),
        Sql::new("b", Some("a"), &tenant, &[]),
        Sql::new("c", Some("b"), &[temporary, &become_role], &[]),
        Sql::new(
            "d",
            Some("c"),
            &[temporary, "SET LOCAL search_path = tenant"],
            &[],
        ),
        Sql::new(
            "e",
            Some("d"),
            &["SET TimeZone = 'Asia/Tokyo'", "SET search_path = ''"],
            &[],
        )
        .without_transaction(),
        Sql::new(
            "f",
            Some("e"),
            &["CREATE TABLE t_c AS SELECT current_user::text AS who, current_setting('TimeZone') AS zone"],
            &[],
        ),
    ];
    ask(&database, &format!("CREATE ROLE {role}"));
    let environment = environment(&database, &revisions);
    let text = script(&environment, None, "head").await.unwrap().sql;
    feed(&database, &text).with_code(0);
    assert_eq!(current(&environment).await, ["f"]);
    assert_eq!(
        ask(&database, "SELECT zone, who = session_user FROM public.t_c"),
        "UTC|t"
    );
    empty(&database);
    // The schema that a session is in already is the one it comes back to.
    feed(
        &database,
        &format!("CREATE SCHEMA tenant2; SET search_path = tenant2;\n{text}"),
    )
    .with_code(0);
    assert_eq!(
        ask(&database, "SELECT count(*) FROM tenant2.seaql_migrations"),
        "6"
    );
    assert_eq!(ask(&database, "SELECT count(*) FROM tenant2.t_c"), "1");
    database.remove().await.unwrap();
    let server = postgres().await.unwrap();
    ask(&server, &format!("DROP ROLE {role}"));
    server.remove().await.unwrap();
}

#[tokio::test]
async fn a_script_works_in_the_schema_of_its_environment() {
    let Some(database) = postgres().await else { return };
    ask(&database, "CREATE SCHEMA \"My App\"");
    let mut environment = environment(&database, &revisions());
    environment.settings.schema = Some("My App".to_owned());
    let text = script(&environment, None, "head").await.unwrap().sql;
    feed(&database, &text).with_code(0);
    let schemas = "SELECT DISTINCT schemaname FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')";
    assert_eq!(ask(&database, schemas), "My App");
    assert_eq!(current(&environment).await, ["c"]);
    database.remove().await.unwrap();
}

#[tokio::test]
async fn statements_of_one_string_stay_together_without_a_transaction() {
    for database in databases().await {
        let together = "INSERT INTO t_a VALUES (1, 'x'); INSERT INTO t_a VALUES (1, 'y')";
        let environment = environment(
            &database,
            &[
                Sql::table("a", None),
                Sql::new("b", Some("a"), &[together], &[]).without_transaction(),
            ],
        );
        let text = script(&environment, None, "head").await.unwrap().sql;
        assert_ne!(feed(&database, &text).code, Some(0));
        // SQLite knows no string of several statements.
        let kept = match database.url().backend() {
            DbBackend::Sqlite => "1",
            _ => "0",
        };
        assert_eq!(ask(&database, "SELECT count(*) FROM t_a"), kept);
        assert_eq!(current(&environment).await, ["a"]);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_table_that_goes_takes_no_rows_of_others_with_it() {
    let database = databases().await.swap_remove(0);
    for transaction in [true, false] {
        let drop = Sql::new("b", Some("a"), &["DROP TABLE t_a"], &[]);
        let drop = if transaction {
            drop
        } else {
            drop.without_transaction()
        };
        let environment = environment(&database, &[Sql::table("a", None), drop]);
        upgrade(&environment, "a").await.unwrap();
        let child = "CREATE TABLE t_b (a integer REFERENCES t_a (id) ON DELETE CASCADE)";
        send(
            &database,
            &format!("{child}; INSERT INTO t_a VALUES (1, 'x'); INSERT INTO t_b VALUES (1)"),
        )
        .await;
        let text = script(&environment, None, "head").await.unwrap().sql;
        let fed = feed(&database, &text).with_code(1);
        assert!(fed.err.contains("rows reference rows that are gone"), "{fed:#?}");
        assert_eq!(ask(&database, "SELECT count(*) FROM t_b"), "1");
        assert_eq!(current(&environment).await, ["a"]);
        empty(&database);
    }
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_pragma_of_a_step_ends_with_it() {
    let database = databases().await.swap_remove(0);
    let environment = environment(
        &database,
        &[
            Sql::new("a", None, &["CREATE TABLE t_a (id integer CHECK (id > 0))"], &[]),
            Sql::new(
                "b",
                Some("a"),
                &[
                    "PRAGMA ignore_check_constraints = ON",
                    "INSERT INTO t_a VALUES (0)",
                ],
                &[],
            ),
            Sql::new("c", Some("b"), &["INSERT INTO t_a VALUES (-1)"], &[]),
        ],
    );
    let text = script(&environment, None, "head").await.unwrap().sql;
    let fed = feed(&database, &text).with_code(1);
    assert!(fed.err.contains("CHECK constraint failed"), "{fed:#?}");
    assert_eq!(current(&environment).await, ["b"]);
    database.remove().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_fed_is_not_written() {
    let mut refused = Vec::new();
    for database in databases().await {
        let bad = match database.url().backend() {
            DbBackend::Sqlite => vec!["SELECT 1;\n.shell true", "SELECT 'a", "COMMIT", "SELECT 'a\0b'"],
            _ => vec![
                "\\! true",
                "COPY t_a FROM STDIN",
                "DO $$ BEGIN",
                "SELECT 1; ROLLBACK",
            ],
        };
        for sql in bad {
            let environment = environment(&database, &[Sql::new("a", None, &[sql], &[])]);
            let error = script(&environment, Some("base"), "head").await.unwrap_err();
            assert_eq!(error.kind(), "not_feedable");
            refused.push(std::error::Error::source(&error).unwrap().to_string());
        }
        database.remove().await.unwrap();
    }
    assert_snapshot!(refused.join("\n"), @r"
    sqlite3 would read a command of its own: SELECT 1;
    a quote is not closed: SELECT 'a
    a statement controls the transaction of its step: COMMIT
    a statement contains a NUL character: SELECT 'ab'
    psql would read a command of its own: \! true
    COPY reads its rows from standard input, which is the script: COPY t_a FROM STDIN
    a dollar quote is not closed: DO $$ BEGIN
    a statement controls the transaction of its step: SELECT 1; ROLLBACK
    ");
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
    -- destroys rows of table t_b
    ");
    database.remove().await.unwrap();
}
