//! Online operations: what they leave behind, where they go on, what they refuse, and who waits for them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use insta::assert_snapshot;
use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::prelude::*;
use seaworthy::catalog::{Catalog, Scope, inspect};
use seaworthy::lint::{Context, Surrounding, lint};
use seaworthy::online::{self, FilledColumn};
use seaworthy::script::{Known, NoDatabase, Recorder, RowCounts};
use seaworthy::session::{Access, Session, Settings};
use seaworthy::verify::ScratchDatabase;

use crate::databases::{databases, postgres, session};

mod dual_columns;
mod filled_columns;
mod generated;
mod limits;
mod partitions;
mod refusals;
mod runners;
mod splits;
mod swaps;

async fn count(session: &Session, query: &str) -> i64 {
    let rows = session
        .rows(&format!("SELECT CAST(({query}) AS bigint) AS number"))
        .await
        .unwrap();
    rows[0].try_get("", "number").unwrap()
}

/// Waits until there are more rows than there were.
async fn until_written(session: &Session, table: &str) {
    let rows = format!("SELECT count(*) FROM {table}");
    let before = count(session, &rows).await;
    while count(session, &rows).await < before + 20 {
        tokio::task::yield_now().await;
    }
}

/// SQLite gives its one turn to whoever comes by, and on a busy machine somebody may come last for seconds.
async fn patient(database: &ScratchDatabase) -> Session {
    let settings = Settings {
        lock_timeout: Duration::from_secs(60),
        ..Settings::default()
    };
    Session::open(database.url(), &settings, Access::Write)
        .await
        .unwrap()
}

/// What a revision would call.
type Call = for<'a> fn(&'a SchemaManager<'a>) -> BoxFuture<'a, Result<(), DbErr>>;

/// An operation, and what has to be there before it.
struct Case {
    name: &'static str,
    before: &'static [&'static str],
    call: Call,
}

const TABLES: [&str; 4] = [
    "CREATE TABLE users (id integer PRIMARY KEY, email varchar(200) NOT NULL)",
    "CREATE TABLE tasks (id integer PRIMARY KEY, user_id integer, title varchar(200) NOT NULL, done boolean NOT NULL DEFAULT false)",
    "INSERT INTO users VALUES (1, 'ann@example.com'), (2, 'bob@example.com')",
    "INSERT INTO tasks (id, user_id, title) VALUES (1, 1, 'Buy milk'), (2, 2, 'Water plants'), (7, 2, 'Call home')",
];

const CASES: [Case; 14] = [
    Case {
        name: "create_index",
        before: &[],
        call: |manager| {
            Box::pin(online::create_index(
                manager,
                Index::create()
                    .name("idx_tasks_user_id")
                    .table("tasks")
                    .col("user_id")
                    .take(),
            ))
        },
    },
    Case {
        name: "create_index, unique, of an expression",
        before: &[],
        call: |manager| {
            Box::pin(online::create_index(
                manager,
                "CREATE UNIQUE INDEX users_email_lower_key ON users (lower(email))",
            ))
        },
    },
    Case {
        name: "drop_index",
        before: &["CREATE INDEX idx_tasks_title ON tasks (title)"],
        call: |manager| Box::pin(online::drop_index(manager, "idx_tasks_title")),
    },
    Case {
        name: "add_check",
        before: &[],
        call: |manager| {
            Box::pin(online::add_check(
                manager,
                "tasks",
                "tasks_title_check",
                Expr::col("title").ne(""),
            ))
        },
    },
    Case {
        name: "add_foreign_key",
        before: &[],
        call: |manager| {
            let mut key = ForeignKey::create();
            key.name("tasks_user_id_fkey")
                .from("tasks", "user_id")
                .to("users", "id")
                .on_delete(ForeignKeyAction::Cascade);
            Box::pin(online::add_foreign_key(manager, key))
        },
    },
    Case {
        name: "add_unique",
        before: &[],
        call: |manager| {
            Box::pin(online::add_unique(
                manager,
                "tasks",
                "tasks_user_id_title_key",
                ["user_id", "title"],
            ))
        },
    },
    Case {
        name: "set_not_null",
        before: &[],
        call: |manager| Box::pin(online::set_not_null(manager, "tasks", "user_id")),
    },
    Case {
        name: "drop_not_null",
        before: &[],
        call: |manager| Box::pin(online::drop_not_null(manager, "tasks", "title")),
    },
    Case {
        name: "add_column",
        before: &[],
        call: |manager| {
            let column = ColumnDef::new("priority")
                .string_len(20)
                .not_null()
                .default("medium")
                .take();
            Box::pin(online::add_column(manager, "tasks", column))
        },
    },
    Case {
        name: "add_column with a default for each row",
        before: &[],
        call: |manager| {
            let default = match manager.get_database_backend() {
                DbBackend::Postgres => "gen_random_uuid()::text",
                _ => "(lower(hex(randomblob(16))))",
            };
            let column = ColumnDef::new("token")
                .string_len(36)
                .not_null()
                .default(Expr::cust(default))
                .take();
            Box::pin(online::add_column(manager, "tasks", column))
        },
    },
    Case {
        name: "drop_column",
        before: &["CREATE INDEX idx_tasks_title ON tasks (title)"],
        call: |manager| Box::pin(online::drop_column(manager, "tasks", "done")),
    },
    Case {
        name: "drop_constraint",
        before: &[
            "DROP TABLE tasks",
            "CREATE TABLE tasks (id integer PRIMARY KEY, title text, CONSTRAINT tasks_title_check CHECK (title <> ''))",
        ],
        call: |manager| Box::pin(online::drop_constraint(manager, "tasks", "tasks_title_check")),
    },
    Case {
        name: "FilledColumn::expand",
        before: &[],
        call: |manager| {
            Box::pin(async move {
                let column = FilledColumn::new("tasks", "user_id", Expr::cust("tasks.id + 1"));
                column.expand(manager).await
            })
        },
    },
    Case {
        name: "FilledColumn::restore",
        before: &[],
        call: |manager| {
            Box::pin(async move {
                let column = FilledColumn::new("tasks", "title", Expr::cust("'untitled'"));
                column.restore(manager).await
            })
        },
    },
];

/// Makes the tables that a case begins with.
async fn prepare(session: &Session, case: &Case) {
    session.send("DROP TABLE IF EXISTS tasks; DROP TABLE IF EXISTS users; DROP TABLE IF EXISTS seaworthy_backfills").await.unwrap();
    for statement in TABLES.iter().chain(case.before) {
        session.send(statement).await.unwrap();
    }
}

async fn call(session: &Session, case: &Case) -> Result<(), DbErr> {
    (case.call)(&SchemaManager::new(session.connection())).await
}

/// Returns the schema without the tables of the tool.
async fn schema(session: &Session) -> Catalog {
    let mut catalog = inspect(session.connection(), &Scope::default()).await.unwrap();
    catalog
        .tables
        .retain(|table| !table.name.starts_with("seaworthy"));
    catalog
}

/// Returns the statements of a case, nothing being sent.
async fn recorded(backend: DbBackend, case: &Case) -> Vec<String> {
    let known = Arc::new(Known::over(Arc::new(NoDatabase), backend));
    let (recorder, connection) = Recorder::connect(backend, known, RowCounts::Some);
    (case.call)(&SchemaManager::new(&connection)).await.unwrap();
    recorder.take().0
}

/// Returns what a run that was killed has sent at most: each time a transaction more.
fn prefixes(statements: &[String]) -> Vec<&[String]> {
    let mut prefixes = Vec::new();
    let mut is_open = false;
    // A backfill is described in a comment: a run that has died in it has at most begun with it.
    let described = statements
        .iter()
        .position(|statement| statement.starts_with("--"));
    for (place, statement) in statements[..described.unwrap_or(statements.len())]
        .iter()
        .enumerate()
    {
        if !is_open {
            prefixes.push(&statements[..place]);
        }
        is_open = (is_open || statement == "BEGIN") && statement != "COMMIT";
    }
    prefixes.push(&statements[..described.unwrap_or(statements.len())]);
    prefixes
}

/// Sends what a killed run has sent; what builds an index wants a message of its own.
async fn send_each(session: &Session, statements: &[String]) {
    for statement in statements {
        session.send(statement).await.unwrap();
    }
}

/// Returns what the server writes anew whenever it changes something about a table.
async fn versions(session: &Session) -> String {
    let sql = match session.backend() {
        DbBackend::Postgres => {
            "SELECT string_agg(line, ' ' ORDER BY line) AS versions FROM (\
             SELECT 'c' || oid || ':' || xmin AS line FROM pg_class WHERE relnamespace = 'public'::regnamespace \
             UNION ALL SELECT 'a' || attrelid || '.' || attnum || ':' || xmin FROM pg_attribute WHERE attrelid >= 16384 \
             UNION ALL SELECT 'k' || oid || ':' || xmin FROM pg_constraint WHERE oid >= 16384) AS lines"
        }
        _ => "SELECT CAST(schema_version AS text) AS versions FROM pragma_schema_version",
    };
    session.rows(sql).await.unwrap()[0]
        .try_get("", "versions")
        .unwrap()
}

#[tokio::test]
async fn each_operation_does_what_it_says_and_nothing_the_second_time() {
    for database in databases().await {
        let session = session(&database).await;
        for case in &CASES {
            prepare(&session, case).await;
            let before = schema(&session).await;
            call(&session, case)
                .await
                .unwrap_or_else(|error| panic!("{}: {error}", case.name));
            let after = schema(&session).await;
            assert_ne!(before, after, "{} did nothing", case.name);
            let written = versions(&session).await;
            call(&session, case)
                .await
                .unwrap_or_else(|error| panic!("{}, again: {error}", case.name));
            // `IF EXISTS` and `DROP NOT NULL` are sent again; they change no row of the catalog either.
            assert_eq!(schema(&session).await, after, "{} twice", case.name);
            assert_eq!(versions(&session).await, written, "{} wrote again", case.name);
        }
        session.close().await;
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_run_that_was_killed_after_any_step_goes_on() {
    let Some(database) = postgres().await else { return };
    let session = session(&database).await;
    let mut killed = 0;
    for case in &CASES {
        prepare(&session, case).await;
        call(&session, case).await.unwrap();
        let done = schema(&session).await;
        let recorded = recorded(DbBackend::Postgres, case).await;
        for sent in prefixes(&recorded) {
            prepare(&session, case).await;
            send_each(&session, sent).await;
            call(&session, case)
                .await
                .unwrap_or_else(|error| panic!("{} after {sent:?}: {error}", case.name));
            assert_eq!(schema(&session).await, done, "{} after {sent:?}", case.name);
            killed += 1;
        }
    }
    assert!(killed > 30, "only {killed} places were tried");
    session.close().await;
    database.remove().await.unwrap();
}

/// PostgreSQL 18 can demand a value of new rows only.
#[tokio::test]
async fn a_not_null_that_was_not_validated_is_proven() {
    let Some(database) = postgres().await else { return };
    let session = session(&database).await;
    if session.server_version().await.unwrap() >= 18 {
        let make = "CREATE TABLE rows (id integer PRIMARY KEY, a integer); INSERT INTO rows VALUES (1); \
                    ALTER TABLE rows ADD CONSTRAINT a_there NOT NULL a NOT VALID";
        session.send(make).await.unwrap();
        let manager = SchemaManager::new(session.connection());
        let refused = online::set_not_null(&manager, "rows", "a").await.unwrap_err();
        assert!(
            refused.to_string().contains("these rows break it: id = 1"),
            "{refused}"
        );
        session.send("UPDATE rows SET a = 1").await.unwrap();
        online::set_not_null(&manager, "rows", "a").await.unwrap();
        let proven = schema(&session).await.table("rows").cloned().unwrap();
        assert!(
            !proven.column("a").unwrap().nullable && proven.checks.is_empty(),
            "{proven:#?}"
        );
        online::drop_not_null(&manager, "rows", "a").await.unwrap();
        session
            .send("ALTER TABLE rows ADD NOT NULL a NOT VALID")
            .await
            .unwrap();
        online::drop_not_null(&manager, "rows", "a").await.unwrap();
        session.send("INSERT INTO rows VALUES (2)").await.unwrap();
    }
    session.close().await;
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_column_that_was_dropped_is_filled_again() {
    let Some(database) = postgres().await else { return };
    let session = session(&database).await;
    let case = &CASES[9];
    prepare(&session, case).await;
    for _ in 0..2 {
        call(&session, case).await.unwrap();
        let manager = SchemaManager::new(session.connection());
        online::drop_column(&manager, "tasks", "token").await.unwrap();
    }
    session.close().await;
    database.remove().await.unwrap();
}

#[tokio::test]
async fn what_they_send_has_no_hazard_that_they_could_avoid() {
    let known = Context::default()
        .schema(&TABLES.join(";\n"))
        .surrounded_by(Surrounding::Nothing);
    for case in &CASES {
        let context = known.clone().and_then(&case.before.join(";\n"));
        let script = recorded(DbBackend::Postgres, case).await.join(";\n");
        let found: Vec<_> = lint(&script, &context)
            .into_iter()
            .map(|hazard| hazard.category)
            .collect();
        let expected: &[&str] = match case.name {
            // What these are about is for the code that runs to survive.
            "drop_column" => &["column-removed", "data-loss"],
            "drop_not_null" | "FilledColumn::restore" => &["null-exposed"],
            _ => &[],
        };
        assert_eq!(found, expected, "{}:\n{script}", case.name);
    }
}

#[tokio::test]
async fn the_whole_sequence_is_recorded() {
    let mut said = String::new();
    for case in &CASES {
        let statements = recorded(DbBackend::Postgres, case).await.join("; ");
        let transactions = statements.replace("COMMIT; ", "COMMIT\n  ");
        said.push_str(&format!("{}\n  {transactions}\n", case.name));
    }
    assert_snapshot!(said, @r#"
    create_index
      CREATE INDEX CONCURRENTLY IF NOT EXISTS "idx_tasks_user_id" ON "tasks" ("user_id")
    create_index, unique, of an expression
      CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS users_email_lower_key ON users (lower(email))
    drop_index
      DROP INDEX CONCURRENTLY IF EXISTS idx_tasks_title
    add_check
      BEGIN; SET LOCAL lock_timeout = '200ms'; SET LOCAL statement_timeout = '15s'; ALTER TABLE tasks ADD CONSTRAINT tasks_title_check CHECK ("title" <> '') NOT VALID; COMMIT
      BEGIN; SET LOCAL lock_timeout = '200ms'; ALTER TABLE tasks VALIDATE CONSTRAINT tasks_title_check; COMMIT
    add_foreign_key
      BEGIN; SET LOCAL lock_timeout = '200ms'; SET LOCAL statement_timeout = '15s'; ALTER TABLE "tasks" ADD CONSTRAINT "tasks_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE CASCADE NOT VALID; COMMIT
      BEGIN; SET LOCAL lock_timeout = '200ms'; ALTER TABLE tasks VALIDATE CONSTRAINT tasks_user_id_fkey; COMMIT
    add_unique
      CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS tasks_user_id_title_key ON tasks (user_id, title); BEGIN; SET LOCAL lock_timeout = '200ms'; SET LOCAL statement_timeout = '15s'; ALTER TABLE tasks ADD CONSTRAINT tasks_user_id_title_key UNIQUE USING INDEX tasks_user_id_title_key; COMMIT
    set_not_null
      BEGIN; SET LOCAL lock_timeout = '200ms'; SET LOCAL statement_timeout = '15s'; ALTER TABLE tasks ADD CONSTRAINT tasks_user_id_not_null CHECK (user_id IS NOT NULL) NOT VALID; COMMIT
      BEGIN; SET LOCAL lock_timeout = '200ms'; ALTER TABLE tasks VALIDATE CONSTRAINT tasks_user_id_not_null; COMMIT
      BEGIN; SET LOCAL lock_timeout = '200ms'; SET LOCAL statement_timeout = '15s'; ALTER TABLE tasks ALTER COLUMN user_id SET NOT NULL; COMMIT
      BEGIN; SET LOCAL lock_timeout = '200ms'; SET LOCAL statement_timeout = '15s'; ALTER TABLE tasks DROP CONSTRAINT IF EXISTS tasks_user_id_not_null; COMMIT
    drop_not_null
      BEGIN; SET LOCAL lock_timeout = '200ms'; SET LOCAL statement_timeout = '15s'; ALTER TABLE tasks ALTER COLUMN title DROP NOT NULL; COMMIT
    add_column
      BEGIN; SET LOCAL lock_timeout = '200ms'; SET LOCAL statement_timeout = '15s'; ALTER TABLE "tasks" ADD COLUMN "priority" varchar(20) NOT NULL DEFAULT 'medium'; COMMIT
    add_column with a default for each row
      -- backfill online_tasks_token_default: is forgotten; BEGIN; SET LOCAL lock_timeout = '200ms'; SET LOCAL statement_timeout = '15s'; ALTER TABLE "tasks" ADD COLUMN "token" varchar(36); COMMIT
      BEGIN; SET LOCAL lock_timeout = '200ms'; SET LOCAL statement_timeout = '15s'; ALTER TABLE tasks ALTER COLUMN token SET DEFAULT gen_random_uuid()::text; COMMIT
      -- backfill online_tasks_token_default, in batches: UPDATE "tasks" SET "token" = gen_random_uuid()::text WHERE ("token" IS NULL); BEGIN; SET LOCAL lock_timeout = '200ms'; SET LOCAL statement_timeout = '15s'; ALTER TABLE tasks ADD CONSTRAINT tasks_token_not_null CHECK (token IS NOT NULL) NOT VALID; COMMIT
      BEGIN; SET LOCAL lock_timeout = '200ms'; ALTER TABLE tasks VALIDATE CONSTRAINT tasks_token_not_null; COMMIT
      BEGIN; SET LOCAL lock_timeout = '200ms'; SET LOCAL statement_timeout = '15s'; ALTER TABLE tasks ALTER COLUMN token SET NOT NULL; COMMIT
      BEGIN; SET LOCAL lock_timeout = '200ms'; SET LOCAL statement_timeout = '15s'; ALTER TABLE tasks DROP CONSTRAINT IF EXISTS tasks_token_not_null; COMMIT
    drop_column
      BEGIN; SET LOCAL lock_timeout = '200ms'; SET LOCAL statement_timeout = '15s'; ALTER TABLE tasks DROP COLUMN IF EXISTS done; COMMIT
    drop_constraint
      BEGIN; SET LOCAL lock_timeout = '200ms'; SET LOCAL statement_timeout = '15s'; ALTER TABLE tasks DROP CONSTRAINT IF EXISTS tasks_title_check; COMMIT
    FilledColumn::expand
      CREATE OR REPLACE FUNCTION seaworthy_tasks_user_id_filled() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $seaworthy$
    BEGIN
      NEW.user_id := (SELECT tasks.id + 1 FROM (SELECT NEW.*) AS tasks);
      RETURN NEW;
    END
    $seaworthy$; BEGIN; SET LOCAL lock_timeout = '200ms'; SET LOCAL statement_timeout = '15s'; CREATE TRIGGER zz_seaworthy_user_id_filled BEFORE INSERT OR UPDATE ON tasks FOR EACH ROW WHEN (NEW.user_id IS NULL) EXECUTE FUNCTION seaworthy_tasks_user_id_filled(); COMMIT
    FilledColumn::restore
      CREATE OR REPLACE FUNCTION seaworthy_tasks_title_filled() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $seaworthy$
    BEGIN
      NEW.title := (SELECT 'untitled' FROM (SELECT NEW.*) AS tasks);
      RETURN NEW;
    END
    $seaworthy$; BEGIN; SET LOCAL lock_timeout = '200ms'; SET LOCAL statement_timeout = '15s'; CREATE TRIGGER zz_seaworthy_title_filled BEFORE INSERT OR UPDATE ON tasks FOR EACH ROW WHEN (NEW.title IS NULL) EXECUTE FUNCTION seaworthy_tasks_title_filled(); COMMIT
      BEGIN; SET LOCAL lock_timeout = '200ms'; SET LOCAL statement_timeout = '15s'; ALTER TABLE tasks ALTER COLUMN title DROP NOT NULL; COMMIT
    "#);
}

#[tokio::test]
async fn sqlite_keeps_rows_indexes_triggers_views_and_numbers() {
    let database = ScratchDatabase::sqlite(&std::env::temp_dir()).unwrap();
    let session = session(&database).await;
    for statement in [
        "PRAGMA foreign_keys = ON",
        "CREATE TABLE users (id integer PRIMARY KEY)",
        "CREATE TABLE tasks (id integer PRIMARY KEY AUTOINCREMENT, user_id integer REFERENCES users (id) ON DELETE CASCADE, title text)",
        "CREATE TABLE tags (id integer PRIMARY KEY, task_id integer NOT NULL REFERENCES tasks (id) ON DELETE CASCADE)",
        "CREATE INDEX idx_tasks_title ON tasks (lower(title)) WHERE title <> ''",
        "CREATE VIEW titles AS SELECT title FROM tasks",
        "CREATE TABLE log (line text)",
        "CREATE TRIGGER tasks_insert AFTER INSERT ON tasks BEGIN INSERT INTO log VALUES (NEW.title); END",
        "CREATE TRIGGER users_delete AFTER DELETE ON users BEGIN DELETE FROM tasks WHERE user_id = OLD.id; END",
        "INSERT INTO users VALUES (1)",
        "INSERT INTO tasks VALUES (1, 1, 'Buy milk'), (9, 1, 'Gone')",
        "DELETE FROM tasks WHERE id = 9",
        "INSERT INTO tags VALUES (1, 1)",
    ] {
        session.send(statement).await.unwrap();
    }
    let manager = SchemaManager::new(session.connection());
    online::set_not_null(&manager, "tasks", "title").await.unwrap();
    online::add_check(&manager, "tasks", "tasks_title_check", Expr::cust("title <> ''"))
        .await
        .unwrap();
    session
        .send("INSERT INTO tasks (user_id, title) VALUES (1, 'Next')")
        .await
        .unwrap();
    let rows = session
        .rows(
            "SELECT (SELECT group_concat(id || ' ' || title) FROM tasks) || ' | ' || (SELECT count(*) FROM tags) || ' | ' || \
             (SELECT group_concat(line) FROM log) || ' | ' || (SELECT count(*) FROM titles) || ' | ' || \
             (SELECT group_concat(name) FROM (SELECT name FROM sqlite_schema WHERE type IN ('index', 'trigger') ORDER BY name)) \
             || ' | ' || (SELECT foreign_keys FROM pragma_foreign_keys) AS all_of_it",
        )
        .await
        .unwrap();
    let all: String = rows[0].try_get("", "all_of_it").unwrap();
    assert_snapshot!(all, @"1 Buy milk,10 Next | 1 | Buy milk,Gone,Next | 2 | idx_tasks_title,tasks_insert,users_delete | 1");
    session.close().await;
    database.remove().await.unwrap();
}
