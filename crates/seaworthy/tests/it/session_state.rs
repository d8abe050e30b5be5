//! What a revision sets for its session ends with the revision: neither the bookkeeping nor later revisions see it.

use std::process::Command;

use proptest::prelude::{Strategy, prop};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sea_orm::DbBackend;
use seaworthy::environment::Environment;
use seaworthy::session::Session;
use seaworthy::verify::ScratchDatabase;

use crate::clients::feed;
use crate::databases::{Sql, current, databases, downgrade, environment, postgres, send, session, upgrade};
use crate::offline::script;

/// Settings after which the ledger could not be written, or would be written to another table.
const IN_THE_WAY_ON_POSTGRESQL: [&str; 16] = [
    "SELECT pg_catalog.set_config('search_path', '', false)",
    "SET search_path = ''",
    "SET LOCAL search_path = pg_catalog",
    "SET ROLE pg_monitor",
    "SET LOCAL ROLE pg_monitor",
    "SET SESSION AUTHORIZATION pg_monitor",
    "SET session_replication_role = replica",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "SET default_transaction_isolation = serializable",
    "SET row_security = off",
    "SET standard_conforming_strings = off",
    "SET DateStyle = 'German'",
    "CREATE TEMPORARY TABLE seaql_migrations (version text, applied_at bigint)",
    "CREATE TEMPORARY TABLE seaworthy_history (id integer)",
    "CREATE SCHEMA aside; CREATE TABLE aside.seaql_migrations (version text); SET search_path = aside, public",
    "CREATE TEMPORARY TABLE parent (id int PRIMARY KEY); CREATE TEMPORARY TABLE child (id int REFERENCES parent \
     DEFERRABLE INITIALLY DEFERRED); INSERT INTO child VALUES (1); INSERT INTO parent VALUES (1)",
];

const IN_THE_WAY_ON_SQLITE: [&str; 6] = [
    "CREATE TEMPORARY TABLE seaql_migrations (version text, applied_at bigint)",
    "CREATE TEMP TABLE seaworthy_history (id integer)",
    "PRAGMA ignore_check_constraints = ON",
    "PRAGMA writable_schema = ON",
    "PRAGMA case_sensitive_like(1)",
    "CREATE TEMP VIEW t_b AS SELECT 1",
];

#[tokio::test]
async fn the_ledger_is_written_whatever_a_revision_sets() {
    for database in databases().await {
        let cases: &[&str] = match database.url().backend() {
            DbBackend::Postgres => &IN_THE_WAY_ON_POSTGRESQL,
            _ => &IN_THE_WAY_ON_SQLITE,
        };
        for with_transaction in [true, false] {
            let mut revisions = vec![Sql::table("a", None)];
            let mut parent = "a".to_owned();
            for (index, case) in cases.iter().enumerate() {
                if !with_transaction && case.contains("SET LOCAL") {
                    continue;
                }
                let case = case.replace("SCHEMA aside", &format!("SCHEMA aside_{with_transaction}"));
                let case = case.replace("aside.", &format!("aside_{with_transaction}."));
                let id = format!("b{index}");
                let last = format!("DROP TABLE IF EXISTS t_{id}");
                let setting = Sql::new(&id, Some(&parent), &["SELECT 1", &case], &[&last, &case]);
                revisions.push(match with_transaction {
                    true => setting,
                    false => setting.without_transaction(),
                });
                let next = format!("c{index}");
                let create = format!("CREATE TABLE t_{next} (id integer)");
                revisions.push(Sql::new(
                    &next,
                    Some(&id),
                    &[&create],
                    &[&format!("DROP TABLE t_{next}")],
                ));
                parent = next;
            }
            let environment = environment(&database, &revisions);
            upgrade(&environment, "head").await.unwrap();
            assert_eq!(current(&environment).await, [parent.as_str()]);
            if database.url().backend() == DbBackend::Postgres {
                send(
                    &database,
                    "DROP SCHEMA IF EXISTS aside_true CASCADE; DROP SCHEMA IF EXISTS aside_false CASCADE",
                )
                .await;
            }
            downgrade(&environment, "base").await.unwrap();
            if database.url().backend() == DbBackend::Postgres {
                send(
                    &database,
                    "DROP SCHEMA IF EXISTS aside_true CASCADE; DROP SCHEMA IF EXISTS aside_false CASCADE",
                )
                .await;
            }
            assert!(current(&environment).await.is_empty());
        }
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn what_pg_dump_writes_is_a_first_revision() {
    let Some(database) = postgres().await else { return };
    let dump = "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0; \
                SET client_encoding = 'UTF8'; SET standard_conforming_strings = on; \
                SELECT pg_catalog.set_config('search_path', '', false); SET check_function_bodies = false; \
                SET xmloption = content; SET client_min_messages = warning; SET row_security = off; \
                SET default_tablespace = ''; SET default_table_access_method = heap; \
                CREATE TABLE public.t_base (id integer PRIMARY KEY)";
    let revisions = [
        Sql::new("a", None, &[dump], &["DROP TABLE t_base"]),
        Sql::table("b", Some("a")),
    ];
    let environment = environment(&database, &revisions);
    upgrade(&environment, "head").await.unwrap();
    assert_eq!(crate::databases::tables(&database).await, ["t_b", "t_base"]);
    downgrade(&environment, "base").await.unwrap();
    assert!(crate::databases::tables(&database).await.is_empty());
    database.remove().await.unwrap();
}

/// What `pg_dump` prints goes up, down and into a script, but for the lines that are psql's own.
#[tokio::test]
async fn what_pg_dump_prints_is_a_first_revision() {
    let Some(source) = postgres().await else { return };
    let schema = "CREATE TYPE mood AS ENUM ('well', 'ill'); CREATE TABLE t_crew (id serial PRIMARY KEY, mood mood DEFAULT 'well'); \
                  CREATE TABLE t_berth (id integer PRIMARY KEY, crew_id integer REFERENCES t_crew (id) ON DELETE CASCADE); \
                  CREATE INDEX i_mood ON t_crew (mood); CREATE VIEW ill AS SELECT id FROM t_crew WHERE mood = 'ill'; \
                  CREATE FUNCTION sigh() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; \
                  CREATE TRIGGER sigh BEFORE INSERT ON t_crew FOR EACH ROW EXECUTE FUNCTION sigh()";
    send(&source, schema).await;
    let printed = Command::new("pg_dump")
        .args(["--schema-only", "--no-owner", source.address()])
        .output()
        .unwrap();
    assert!(printed.status.success(), "{printed:?}");
    let printed = String::from_utf8(printed.stdout).unwrap();
    let lines = printed.lines().filter(|line| !line.starts_with('\\'));
    let dump = lines.collect::<Vec<_>>().join("\n");
    let down = "DROP VIEW ill; DROP TABLE t_berth, t_crew; DROP FUNCTION sigh; DROP TYPE mood";
    let revisions = [Sql::new("a", None, &[&dump], &[down]), Sql::table("b", Some("a"))];
    for through_script in [false, true] {
        let database = postgres().await.unwrap();
        let environment = environment(&database, &revisions);
        match through_script {
            false => drop(upgrade(&environment, "head").await.unwrap()),
            true => {
                let script = script(&environment, None, "head").await.unwrap();
                feed(&database, &script.sql).with_code(0);
            }
        }
        assert_eq!(
            crate::databases::tables(&database).await,
            ["t_b", "t_berth", "t_crew"]
        );
        let ill = session(&database).await;
        ill.send("INSERT INTO t_crew (mood) VALUES ('ill')")
            .await
            .unwrap();
        assert_eq!(ill.rows("SELECT id FROM ill").await.unwrap().len(), 1);
        ill.close().await;
        downgrade(&environment, "base").await.unwrap();
        assert!(crate::databases::tables(&database).await.is_empty());
        database.remove().await.unwrap();
    }
    source.remove().await.unwrap();
}

#[tokio::test]
async fn a_setting_that_switches_foreign_keys_off_ends_with_its_revision() {
    let Some(database) = postgres().await else { return };
    let revisions = [
        Sql::table("a", None),
        Sql::new(
            "b",
            Some("a"),
            &[
                "SET session_replication_role = replica",
                "CREATE TABLE t_b (a integer REFERENCES t_a (id))",
            ],
            &[],
        ),
        Sql::new("c", Some("b"), &["INSERT INTO t_b VALUES (42)"], &[]),
    ];
    let environment = environment(&database, &revisions);
    upgrade(&environment, "head").await.unwrap_err();
    assert_eq!(current(&environment).await, ["b"]);
    database.remove().await.unwrap();
}

#[tokio::test]
async fn the_ledger_is_found_in_a_schema_of_any_name() {
    let Some(database) = postgres().await else { return };
    send(
        &database,
        "CREATE SCHEMA \"My \"\" Schema\"; CREATE SCHEMA app; CREATE SCHEMA \"App\"",
    )
    .await;
    for schema in ["My \" Schema", "App", "app"] {
        let leaving = "SET search_path = public";
        let revisions = [
            Sql::new("a", None, &[leaving], &[leaving]),
            Sql::new(
                "b",
                Some("a"),
                &["CREATE TABLE t_here (id integer)", leaving],
                &["DROP TABLE t_here", leaving],
            ),
            Sql::new("c", Some("b"), &[leaving], &[leaving]).without_transaction(),
        ];
        let mut environment = environment(&database, &revisions);
        environment.settings.schema = Some(schema.to_owned());
        upgrade(&environment, "head").await.unwrap();
        let session = session(&database).await;
        let quoted = format!("\"{}\"", schema.replace('"', "\"\""));
        for table in ["t_here", "seaql_migrations"] {
            session
                .rows(&format!("SELECT 1 FROM {quoted}.{table}"))
                .await
                .unwrap();
        }
        session.close().await;
        downgrade(&environment, "base").await.unwrap();
    }
    database.remove().await.unwrap();
}

#[tokio::test]
async fn parts_of_one_revision_share_their_session_also_after_a_failure() {
    let Some(database) = postgres().await else { return };
    send(&database, "CREATE SCHEMA side").await;
    let parts = [
        "SET search_path = side",
        "CREATE TABLE t_first (id integer)",
        "INSERT INTO public.t_seed VALUES (1)",
        "CREATE TABLE t_second (id integer)",
    ];
    let revisions = [
        Sql::new("a", None, &parts, &[]).without_transaction(),
        Sql::table("b", Some("a")),
    ];
    let environment = environment(&database, &revisions);
    upgrade(&environment, "head").await.unwrap_err();
    send(&database, "CREATE TABLE t_seed (id integer)").await;
    upgrade(&environment, "head").await.unwrap();
    assert_eq!(crate::databases::tables(&database).await, ["t_b", "t_seed"]);
    send(
        &database,
        "SELECT 1 FROM side.t_first; SELECT 1 FROM side.t_second",
    )
    .await;
    database.remove().await.unwrap();
}

/// A table to make first, for what the pool below does with it.
const BASE_ON_POSTGRESQL: &[&str] = &[
    "CREATE SCHEMA side; GRANT ALL ON SCHEMA side, public TO pg_monitor",
    "CREATE SEQUENCE numbers CACHE 10; GRANT ALL ON SEQUENCE numbers TO pg_monitor",
    "CREATE TABLE t_parent (id integer PRIMARY KEY); CREATE TABLE t_child (id integer REFERENCES t_parent (id))",
];

/// What revisions are drawn from; `#` stands for the revision's number.
const POOL_ON_POSTGRESQL: &[&[&str]] = &[
    &["CREATE TABLE t_# (id integer)"],
    &["SET search_path = side, public", "CREATE TABLE t_# (id integer)"],
    &[
        "SELECT pg_catalog.set_config('search_path', '', false)",
        "CREATE TABLE public.t_# (id integer)",
    ],
    &["CREATE TABLE t_# (id integer)", "SET ROLE pg_monitor"],
    &["SET SESSION AUTHORIZATION pg_monitor; CREATE TABLE t_# (id integer)"],
    &["CREATE TABLE t_# (id integer); SET session_replication_role = replica"],
    &["INSERT INTO t_child VALUES (#)"],
    &[
        "CREATE TEMPORARY TABLE scratch AS SELECT 1 AS id",
        "CREATE TABLE t_# AS SELECT * FROM scratch",
    ],
    &["PREPARE plan AS SELECT 1", "CREATE TABLE t_# AS EXECUTE plan"],
    &[
        "SET lock_timeout = '9s'; SET statement_timeout = '1h'; SET application_name = 'else'; SET DateStyle = 'German'",
    ],
    &[
        "CREATE TABLE t_# AS SELECT current_user::text AS who, current_setting('search_path') AS path, \
         current_setting('lock_timeout') AS lock, current_setting('statement_timeout') AS statement, \
         current_setting('application_name') AS application, current_setting('my.own', true) AS own, \
         current_setting('DateStyle') AS dates, current_setting('seaworthy.lock_timeout', true) AS told",
    ],
    &[
        "SET my.own = 'mine'",
        "CREATE TABLE t_# AS SELECT nextval('public.numbers') AS number",
    ],
    &[
        "LISTEN channel_of_#",
        "CREATE TABLE t_# AS SELECT * FROM pg_listening_channels() AS name",
    ],
    &[
        "DECLARE held CURSOR WITH HOLD FOR SELECT 1",
        "CREATE TABLE t_# (id integer)",
    ],
    &[
        "DO $$ BEGIN PERFORM set_config('search_path', 'side', false); END $$",
        "CREATE TABLE t_# (id integer)",
    ],
    &["SELECT lastval()", "CREATE TABLE t_# (id integer)"],
];

const BASE_ON_SQLITE: &[&str] = &[
    "CREATE TABLE t_parent (id integer PRIMARY KEY); CREATE TABLE t_child (id integer REFERENCES t_parent (id) ON DELETE CASCADE)",
    "CREATE TABLE t_checked (id integer CHECK (id < 0)); CREATE TABLE scratch (id integer)",
    "CREATE TABLE t_log (id integer); CREATE TRIGGER on_log AFTER INSERT ON t_log WHEN new.id < 3 \
     BEGIN INSERT INTO t_log VALUES (new.id + 1); END",
];

const POOL_ON_SQLITE: &[&[&str]] = &[
    &["CREATE TABLE t_# (id integer)"],
    &["PRAGMA foreign_keys = OFF"],
    &["PRAGMA foreign_keys = OFF; CREATE TABLE t_# (id integer)"],
    &["INSERT INTO t_child VALUES (#)"],
    &["PRAGMA ignore_check_constraints = ON"],
    &["INSERT INTO t_checked VALUES (#)"],
    &["PRAGMA recursive_triggers = ON"],
    &["INSERT INTO t_log VALUES (0)"],
    &["PRAGMA case_sensitive_like = ON"],
    &["CREATE TABLE t_# AS SELECT 'a' LIKE 'A' AS alike"],
    &["CREATE TEMP TABLE scratch (id integer); INSERT INTO scratch VALUES (#)"],
    &["CREATE TEMP TRIGGER on_parent AFTER INSERT ON t_parent BEGIN DELETE FROM main.scratch; END"],
    &["INSERT INTO scratch VALUES (#); INSERT INTO t_parent VALUES (100 + #)"],
    &["PRAGMA legacy_alter_table = ON; CREATE TABLE t_# (id integer)"],
    &["PRAGMA defer_foreign_keys = ON", "PRAGMA read_uncommitted = ON"],
    &[
        "PRAGMA user_version = #",
        "CREATE TABLE t_# AS SELECT * FROM pragma_user_version",
    ],
];

/// Which of the pool a revision is, and whether it runs in a transaction.
fn choices() -> impl Strategy<Value = Vec<(usize, bool)>> {
    let choice = (0..POOL_ON_POSTGRESQL.len(), prop::bool::weighted(0.75));
    prop::collection::vec(choice, 3..7)
}

fn revisions(base: &[&str], pool: &[&[&str]], choices: &[(usize, bool)]) -> Vec<Sql> {
    let mut revisions = vec![Sql::new("r0", None, base, &[])];
    for (index, (choice, with_transaction)) in choices.iter().enumerate() {
        let number = (index + 1).to_string();
        let sql: Vec<String> = pool[*choice]
            .iter()
            .map(|sql| sql.replace('#', &number))
            .collect();
        let sql: Vec<&str> = sql.iter().map(String::as_str).collect();
        let revision = Sql::new(&format!("r{number}"), Some(&format!("r{index}")), &sql, &[]);
        revisions.push(match with_transaction {
            true => revision,
            false => revision.without_transaction(),
        });
    }
    revisions
}

/// Returns what there is: tables with their owners, rows, the applied set.
async fn contents(database: &ScratchDatabase) -> Vec<String> {
    let session = session(database).await;
    let found = match session.backend() {
        DbBackend::Postgres => contents_of_postgres(&session).await,
        _ => contents_of_sqlite(&session).await,
    };
    session.close().await;
    found
}

async fn column(session: &Session, sql: &str) -> Vec<String> {
    let rows = session.rows(sql).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

async fn contents_of_postgres(session: &Session) -> Vec<String> {
    let tables = "SELECT format('%I.%I', nspname, relname) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace \
                  WHERE nspname IN ('public', 'side') AND relkind = 'r' AND relname NOT LIKE 'sea%' ORDER BY 1";
    let mut found = Vec::new();
    for table in column(session, tables).await {
        let rows = format!(
            "SELECT '{table} of ' || (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = '{table}'::regclass) \
             || coalesce(' ' || string_agg(r::text, ',' ORDER BY r::text), '') FROM {table} r"
        );
        found.extend(column(session, &rows).await);
    }
    found.extend(column(session, "SELECT version FROM public.seaql_migrations ORDER BY 1").await);
    found
}

async fn contents_of_sqlite(session: &Session) -> Vec<String> {
    let mut found = column(
        session,
        "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name",
    )
    .await;
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sea%' AND name NOT LIKE 'sqlite%' \
                  ORDER BY 1";
    for table in column(session, tables).await {
        let columns = column(
            session,
            &format!("SELECT '\"' || name || '\"' FROM pragma_table_info('{table}')"),
        )
        .await;
        let rows = format!(
            "SELECT '{table} ' || coalesce(group_concat({}, ','), '') FROM {table}",
            columns.join(" || '|' || ")
        );
        found.extend(column(session, &rows).await);
    }
    found.extend(column(session, "SELECT version FROM seaql_migrations ORDER BY 1").await);
    found
}

/// Runs everything at once on one database and revision by revision on another; both stop at the first that fails.
async fn compare(at_once: &ScratchDatabase, one_by_one: &ScratchDatabase, revisions: &[Sql], label: &str) {
    let together: Environment = environment(at_once, revisions);
    let result = upgrade(&together, "head").await;
    let single = environment(one_by_one, revisions);
    for number in 0..revisions.len() {
        if upgrade(&single, &format!("r{number}")).await.is_err() {
            break;
        }
    }
    let (one, other) = (contents(at_once).await, contents(one_by_one).await);
    assert_eq!(one, other, "{label}: {result:?}");
}

#[tokio::test]
async fn a_fresh_run_leaves_what_separate_runs_leave_on_postgresql() {
    let mut runner = TestRunner::deterministic();
    for _ in 0..10 {
        let choices = choices().new_tree(&mut runner).unwrap().current();
        let (Some(one), Some(other)) = (postgres().await, postgres().await) else {
            return;
        };
        let drawn = revisions(BASE_ON_POSTGRESQL, POOL_ON_POSTGRESQL, &choices);
        compare(&one, &other, &drawn, &format!("{choices:?}")).await;
        for database in [one, other] {
            database.remove().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_fresh_run_leaves_what_separate_runs_leave_on_sqlite() {
    let mut runner = TestRunner::deterministic();
    for _ in 0..40 {
        let choices = choices().new_tree(&mut runner).unwrap().current();
        let [one, other] = [(); 2].map(|()| ScratchDatabase::sqlite(&std::env::temp_dir()).unwrap());
        let drawn = revisions(BASE_ON_SQLITE, POOL_ON_SQLITE, &choices);
        compare(&one, &other, &drawn, &format!("{choices:?}")).await;
        for database in [one, other] {
            database.remove().await.unwrap();
        }
    }
}

/// Each pair of the pool, the second right after the first: what the first sets is what the second could see.
#[tokio::test]
async fn nothing_that_one_revision_sets_is_seen_by_the_next() {
    for first in 0..POOL_ON_SQLITE.len() {
        let choices: Vec<(usize, bool)> = (0..POOL_ON_SQLITE.len())
            .flat_map(|second| [(first, second % 2 == 0), (second, true)])
            .filter(|(choice, _)| ![3, 5].contains(choice))
            .collect();
        let [one, other] = [(); 2].map(|()| ScratchDatabase::sqlite(&std::env::temp_dir()).unwrap());
        let drawn = revisions(BASE_ON_SQLITE, POOL_ON_SQLITE, &choices);
        compare(&one, &other, &drawn, &format!("{choices:?}")).await;
        for database in [one, other] {
            database.remove().await.unwrap();
        }
    }
}
