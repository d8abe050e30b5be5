//! What `diff --sql` prints, fed to `psql` and `sqlite3`: it turns one schema into the other, or changes nothing.

use insta::assert_snapshot;
use sea_orm::DbBackend;
use seaworthy::command::{self, CompareRequest, Side};
use seaworthy::environment::Environment;
use seaworthy::verify::ScratchDatabase;

use crate::clients::{Way, ask, feed, feed_by, look};
use crate::databases::{databases, environment, postgres};

/// Returns the script that makes the schema of one database that of the other.
async fn script(from: &ScratchDatabase, to: &ScratchDatabase) -> String {
    let environment: Environment = environment(from, &[]);
    let side = |database: &ScratchDatabase| Side::Database(database.url().clone());
    let found = command::diff(&environment, &side(from), &side(to), &CompareRequest::default()).await;
    found.unwrap().script(&environment).unwrap()
}

/// Two databases of the same kind.
async fn pairs() -> Vec<[ScratchDatabase; 2]> {
    let (first, second) = (databases().await, databases().await);
    first.into_iter().zip(second).map(|(a, b)| [a, b]).collect()
}

async fn remove(pair: [ScratchDatabase; 2]) {
    for database in pair {
        database.remove().await.unwrap();
    }
}

const PARENT: &str = "CREATE TABLE t_a (id integer PRIMARY KEY, note text);";
const STRICT_PARENT: &str = "CREATE TABLE t_a (id integer PRIMARY KEY, note text NOT NULL, more integer);";
const CHILD: &str =
    "CREATE TABLE t_b (id integer PRIMARY KEY, a integer REFERENCES t_a (id) ON DELETE CASCADE);";

#[tokio::test]
async fn a_script_that_meets_a_null_loses_no_row() {
    for pair in pairs().await {
        let [from, to] = &pair;
        let rows = "INSERT INTO t_a VALUES (1, NULL), (2, 'b'); INSERT INTO t_b VALUES (7, 1), (8, 2);";
        ask(from, &format!("{PARENT}{CHILD}{rows}"));
        ask(to, &format!("{STRICT_PARENT}{CHILD}"));
        let before = look(from);
        let text = script(from, to).await;
        // With keys enforced by whoever feeds it, and fed once more.
        let with_keys = match from.url().backend() {
            DbBackend::Sqlite => format!("PRAGMA foreign_keys = ON;\n{text}"),
            _ => text.clone(),
        };
        for (way, text) in [(Way::Input, &text), (Way::File, &text), (Way::Input, &with_keys)] {
            let fed = feed_by(way, from, text);
            assert_ne!(fed.code, Some(0), "{fed:#?}");
            assert_eq!(look(from), before);
        }
        ask(from, "UPDATE t_a SET note = 'a' WHERE id = 1");
        for (way, text) in [(Way::Input, &text), (Way::File, &with_keys)] {
            feed_by(way, from, text);
            assert_eq!(ask(from, "SELECT note FROM t_a ORDER BY id"), "a\nb");
            assert_eq!(ask(from, "SELECT id, a FROM t_b ORDER BY id"), "7|1\n8|2");
            assert_eq!(script(from, to).await, "");
        }
        remove(pair).await;
    }
}

#[tokio::test]
async fn a_script_that_fails_anywhere_changes_nothing() {
    for pair in pairs().await {
        let [from, to] = &pair;
        let rows = "INSERT INTO t_a VALUES (1, 'a'), (2, 'b'); INSERT INTO t_b VALUES (7, 1), (8, 2);";
        ask(from, &format!("{PARENT}{CHILD}{rows}"));
        ask(
            to,
            &format!("{STRICT_PARENT}{CHILD}CREATE TABLE t_c (id integer); CREATE INDEX t_b_a ON t_b (a);"),
        );
        let before = look(from);
        let text = script(from, to).await;
        let lines: Vec<&str> = text.lines().collect();
        let commit = lines.iter().position(|line| *line == "COMMIT;").unwrap();
        for place in 2..=commit {
            let mut broken = lines.clone();
            broken.insert(place, "SELECT nothing FROM nowhere;");
            let fed = feed(from, &(broken.join("\n") + "\n"));
            assert_ne!(fed.code, Some(0), "line {place}: {fed:#?}");
            assert_eq!(look(from), before, "line {place}");
        }
        feed(from, &text).with_code(0);
        assert_eq!(ask(from, "SELECT id, a FROM t_b ORDER BY id"), "7|1\n8|2");
        remove(pair).await;
    }
}

#[tokio::test]
async fn a_foreign_key_that_rows_break_is_not_added() {
    for pair in pairs().await {
        let [from, to] = &pair;
        let loose = "CREATE TABLE t_b (id integer PRIMARY KEY, a integer);";
        ask(from, &format!("{PARENT}{loose}INSERT INTO t_b VALUES (7, 1)"));
        ask(to, &format!("{PARENT}{CHILD}"));
        let before = look(from);
        let fed = feed(from, &script(from, to).await);
        assert_ne!(fed.code, Some(0), "{fed:#?}");
        assert_eq!(look(from), before);
        remove(pair).await;
    }
}

#[tokio::test]
async fn what_a_transaction_may_not_hold_stands_outside_of_it() {
    let (Some(from), Some(to)) = (postgres().await, postgres().await) else {
        return;
    };
    let table = |values: &str, default: &str| {
        format!(
            "CREATE TYPE mood AS ENUM ({values}); CREATE TABLE t_a (id integer, m mood DEFAULT '{default}', old integer);\
             CREATE INDEX t_a_id ON t_a (id);"
        )
    };
    ask(&from, &table("'calm'", "calm"));
    ask(
        &from,
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_a_id'::regclass",
    );
    ask(&to, &table("'calm', 'rough'", "rough"));
    ask(&to, "ALTER TABLE t_a DROP COLUMN old");
    let text = script(&from, &to).await;
    assert_snapshot!(text, @r#"
    \set ON_ERROR_STOP on
    \set AUTOCOMMIT on \set ON_ERROR_ROLLBACK off \set SINGLELINE off
    -- seaworthy 0.1.0: differences. Feed it to: psql
    SET client_encoding = 'UTF8'; SET DateStyle = 'ISO, MDY'; SET TimeZone = 'UTC';
    -- destroys rows or values: drop column t_a.old integer
    ALTER TYPE "mood" ADD VALUE 'rough';
    BEGIN;
    ALTER TABLE "t_a" ALTER COLUMN "m" SET DEFAULT 'rough';
    ALTER TABLE "t_a" DROP COLUMN "old";
    COMMIT;
    REINDEX INDEX CONCURRENTLY "t_a_id";
    "#);
    feed(&from, &text).with_code(0);
    assert_eq!(script(&from, &to).await, "");
    remove([from, to]).await;
}

#[tokio::test]
async fn a_label_that_is_added_is_used_at_once_wherever_one_can_stand() {
    let (Some(from), Some(to)) = (postgres().await, postgres().await) else {
        return;
    };
    let table = "CREATE TABLE t (id integer, m mood, list mood[]);";
    ask(&from, &format!("CREATE TYPE mood AS ENUM ('calm'); {table}"));
    ask(&from, "INSERT INTO t VALUES (1, 'calm', '{calm}')");
    ask(
        &to,
        &format!(
            "CREATE TYPE mood AS ENUM ('calm', 'rough', 'wild'); {table} \
             ALTER TABLE t ALTER list SET DEFAULT '{{rough,wild}}', ADD n mood NOT NULL DEFAULT 'rough', \
                 ADD more mood[] DEFAULT ARRAY['wild'::mood], ADD CHECK (m <> 'rough'), \
                 ADD is_wild boolean GENERATED ALWAYS AS (m = 'wild') STORED; \
             CREATE INDEX t_rough ON t (id) WHERE m = 'rough'; CREATE INDEX t_wild ON t ((m = 'wild')); \
             CREATE VIEW wild AS SELECT id FROM t WHERE m = 'wild'; CREATE DOMAIN rather AS mood DEFAULT 'wild' CHECK (VALUE <> 'calm'); \
             CREATE TABLE u (m mood PRIMARY KEY DEFAULT 'wild', d rather)"
        ),
    );
    feed(&from, &script(&from, &to).await).with_code(0);
    assert_eq!(script(&from, &to).await, "");
    assert_eq!(ask(&from, "SELECT n, more, is_wild FROM t"), "rough|{wild}|f");
    remove([from, to]).await;
}

#[tokio::test]
async fn a_script_is_written_for_the_schema_of_its_environment() {
    let (Some(from), Some(to)) = (postgres().await, postgres().await) else {
        return;
    };
    for (database, columns) in [(&from, "id integer"), (&to, "id integer, note text")] {
        ask(
            database,
            &format!("CREATE SCHEMA \"My App\"; CREATE TABLE \"My App\".t_a ({columns})"),
        );
    }
    let mut environment: Environment = environment(&from, &[]);
    environment.settings.schema = Some("My App".to_owned());
    let side = |database: &ScratchDatabase| Side::Database(database.url().clone());
    let found = command::diff(&environment, &side(&from), &side(&to), &CompareRequest::default()).await;
    let text = found.unwrap().script(&environment).unwrap();
    feed(&from, &text).with_code(0);
    assert_eq!(look(&from), look(&to));
    remove([from, to]).await;
}

#[tokio::test]
async fn a_script_for_sqlite_guards_a_table_that_is_built_again() {
    let pair = pairs().await.swap_remove(0);
    let [from, to] = &pair;
    ask(from, &format!("{PARENT}{CHILD}"));
    ask(
        to,
        &format!("{STRICT_PARENT}{CHILD}").replace(", more integer", ""),
    );
    assert_snapshot!(script(from, to).await, @r#"
    .bail on
    -- seaworthy 0.1.0: differences. Feed it to: sqlite3
    PRAGMA foreign_keys = ON;
    PRAGMA foreign_keys = OFF;
    BEGIN IMMEDIATE;
    CREATE TEMP TABLE seaworthy_keys (broken_before integer, broken_after integer, CONSTRAINT "rows reference rows that are gone" CHECK (broken_after <= broken_before));
    INSERT INTO temp.seaworthy_keys (broken_before) SELECT count(*) FROM pragma_foreign_key_check;
    CREATE TABLE "seaworthy_new_t_a" ("id" INTEGER PRIMARY KEY, "note" TEXT NOT NULL);
    INSERT INTO "seaworthy_new_t_a" ("id", "note") SELECT "id", "note" FROM "t_a";
    DROP TABLE "t_a";
    PRAGMA legacy_alter_table = ON;
    ALTER TABLE "seaworthy_new_t_a" RENAME TO "t_a";
    PRAGMA legacy_alter_table = OFF;
    UPDATE temp.seaworthy_keys SET broken_after = (SELECT count(*) FROM pragma_foreign_key_check);
    DROP TABLE temp.seaworthy_keys;
    COMMIT;
    PRAGMA foreign_keys = ON;
    "#);
    remove(pair).await;
}
