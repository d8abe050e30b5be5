//! What revisions send, in scripts: it reaches the database as it is, and what it does to the session ends with its step.

use std::error::Error;

use insta::assert_snapshot;
use sea_orm::DbBackend;

use crate::clients::{ask, feed, feed_through_settings, look};
use seaworthy::verify::ScratchDatabase;

use crate::databases::{Sql, current, databases, environment, postgres, send, session, upgrade};
use crate::offline::{empty, revisions, script};

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
            // `BEGIN ATOMIC`, the last of them, came with PostgreSQL 14.
            _ if version(&database).await < 14 => &postgresql[..postgresql.len() - 1],
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
            refused.push(error.source().unwrap().to_string());
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

async fn version(database: &ScratchDatabase) -> u8 {
    let session = session(database).await;
    let version = session.server_version().await.unwrap();
    session.close().await;
    version
}
