//! Databases that cannot be used as they are: each gets a clear error, and nothing is lost.

use std::fs;
use std::panic::{self, AssertUnwindSafe};

use futures_util::FutureExt;
use tempfile::TempDir;

use crate::databases::{TestDatabase, on_postgres, on_sqlite};
use crate::program::Program;
use crate::schema::assert_head;

/// Verbs that look and change nothing.
const READING: [&str; 12] = [
    "current",
    "current --check-heads",
    "history",
    "history --indicate-current",
    "history --applied",
    "heads",
    "branches",
    "show 001 003",
    "plan",
    "plan base",
    "status",
    "upgrade head --sql",
];

#[tokio::test]
async fn an_unreachable_server_is_named_without_its_password() {
    let program = Program::migration_at("postgres://todo:s3cret@127.0.0.1:1/todo");
    for verb in ["upgrade head --connect-timeout 1s", "status --connect-timeout 1s"] {
        let ended = program.run(verb).await.with_code(1).saying(&[
            "error: could not connect to postgres://todo@127.0.0.1:1/todo",
            "Connection refused",
            "hint: is the server running",
        ]);
        assert!(!ended.stderr.contains("s3cret"), "{ended:#?}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_said_to_be_wrong_and_not_shown() {
    on_postgres(async |database| {
        let (scheme, rest) = database.address().split_once("://").unwrap();
        let (user, place) = rest.rsplit_once('@').unwrap();
        let (name, password) = user.split_once(':').unwrap_or((user, ""));
        let program = Program::migration_at(&format!("{scheme}://{name}:s3cret@{place}"));
        let ended = program.run("upgrade head").await;
        assert!(!format!("{ended:?}").contains("s3cret"), "{ended:#?}");
        if password.is_empty() {
            // A server that asks for no password takes any.
            ended.with_code(0);
        } else {
            ended.with_code(1).saying(&[
                "error: could not connect to postgres://",
                "password authentication failed for user",
                "hint: check user and password in DATABASE_URL",
            ]);
        }
    })
    .await;
}

#[tokio::test]
async fn a_database_that_is_not_there_is_named() {
    on_postgres(async |database| {
        let address = format!("{}_elsewhere", database.address());
        Program::migration_at(&address)
            .run("upgrade head")
            .await
            .with_code(1)
            .saying(&["does not exist", "hint: create the database first"]);
    })
    .await;
}

#[tokio::test]
async fn a_role_that_may_only_read_can_look_at_everything_and_change_nothing() {
    on_postgres(async |database| {
        Program::migration(database).run("upgrade 002").await.with_code(0);
        let grant =
            "GRANT USAGE ON SCHEMA public TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}";
        as_role(database, grant, async |program| {
            let before = contents(database).await;
            for verb in READING {
                let code = if verb.ends_with("--check-heads") { 3 } else { 0 };
                program.run(verb).await.with_code(code);
            }
            let denied = ["permission denied", "must be owner"];
            for verb in ["upgrade head", "downgrade base --yes", "stamp 001", "fresh --yes"] {
                let ended = program.run(verb).await.with_code(1);
                assert!(
                    denied.iter().any(|text| ended.stderr.contains(text)),
                    "{ended:#?}"
                );
                ended.saying(&["hint: migrate as the role that owns the tables"]);
            }
            assert_eq!(contents(database).await, before);
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_role_that_may_not_create_an_extension_is_told_so() {
    on_postgres(async |database| {
        let program = Program::migration(database);
        program.run("upgrade 4f6ae8c3190d").await.with_code(0);
        let grant = "GRANT USAGE, CREATE ON SCHEMA public TO {role}; \
                     GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}; \
                     GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}";
        as_role(database, grant, async |program| {
            program.run("upgrade head").await.with_code(1).saying(&[
                "error: upgrade of e05c7b1d48a2 failed",
                "permission denied to create extension \"pg_trgm\"",
                "hint: ",
            ]);
        })
        .await;
        // Somebody else may create it beforehand.
        database.execute("CREATE EXTENSION pg_trgm").await;
        program.run("upgrade head").await.with_code(0);
        assert_head(database).await;
    })
    .await;
}

#[tokio::test]
async fn looking_leaves_no_trace_on_sqlite() {
    on_sqlite(async |database| {
        let program = Program::migration(database);
        look(database).await;
        let file = database.address().trim_start_matches("sqlite://").to_owned();
        assert!(!fs::exists(&file).unwrap(), "{file} was made by looking");
        program.run("upgrade 002").await.with_code(0);
        let before = fs::read(&file).unwrap();
        look(database).await;
        assert_eq!(fs::read(&file).unwrap(), before);
    })
    .await;
}

#[tokio::test]
async fn looking_leaves_no_trace_on_postgresql() {
    on_postgres(async |database| {
        let before = contents(database).await;
        look(database).await;
        assert_eq!(contents(database).await, before);
    })
    .await;
}

#[tokio::test]
async fn a_read_only_file_is_looked_at_and_not_changed() {
    on_sqlite(async |database| {
        Program::migration(database).run("upgrade 002").await.with_code(0);
        let before = contents(database).await;
        let program = Program::migration_at(&format!("{}?mode=ro", database.address()));
        for verb in READING {
            let code = if verb.ends_with("--check-heads") { 3 } else { 0 };
            program.run(verb).await.with_code(code);
        }
        program.run("upgrade head").await.with_code(1).saying(&[
            "attempt to write a readonly database",
            "hint: point DATABASE_URL at the primary",
        ]);
        assert_eq!(contents(database).await, before);
    })
    .await;
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_not_made() {
    let folder = TempDir::new().unwrap();
    let missing = folder.path().join("missing");
    let program = Program::migration_at(&format!("sqlite://{}/todo.db", missing.display()));
    program.run("upgrade head").await.with_code(1).saying(&[
        "error: could not connect to sqlite://",
        "unable to open database file",
        "hint: check that the folder exists",
    ]);
    assert!(!missing.exists());
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("letter.db");
    let text = "Dear Ada, this is no database at all. ".repeat(200);
    fs::write(&file, &text).unwrap();
    let program = Program::migration_at(&format!("sqlite://{}", file.display()));
    for verb in ["upgrade head", "status", "stamp head"] {
        program.run(verb).await.with_code(1).saying(&[
            "file is not a database",
            "hint: the file exists but is no SQLite database",
        ]);
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

/// A limit on the size of files stands for the end of the disk: a step that does not fit is rolled back.
#[tokio::test]
async fn a_step_for_which_there_is_no_room_is_rolled_back() {
    on_sqlite(async |database| {
        let program = Program::migration(database);
        program.run("upgrade 001").await.with_code(0);
        let file = database.address().trim_start_matches("sqlite://").to_owned();
        // The signal for it is ignored so that the write itself fails; the limit counts blocks of 512 bytes.
        let blocks = fs::metadata(&file).unwrap().len() / 512 + 8;
        let limit = format!("trap '' XFSZ; ulimit -f {blocks}");
        program
            .start_limited(&limit, "upgrade head")
            .end()
            .await
            .with_code(1)
            .saying(&["error: upgrade of 002 failed", "disk", "hint: "]);
        program.run("upgrade head").await.with_code(0);
        assert_head(database).await;
    })
    .await;
}

async fn look(database: &TestDatabase) {
    for verb in READING {
        let code = if verb.ends_with("--check-heads") { 3 } else { 0 };
        Program::migration(database).run(verb).await.with_code(code);
    }
}

/// Runs the program as a new role that may log in and what a grant says; `{role}` in it stands for the name.
async fn as_role(database: &TestDatabase, grant: &str, act: impl AsyncFnOnce(Program)) {
    let role = format!("seaworthy_{:016x}", fastrand::u64(..));
    let create = format!("CREATE ROLE {role} LOGIN PASSWORD 's3cret'");
    database.execute(&create).await;
    database.execute(&grant.replace("{role}", &role)).await;
    let (scheme, rest) = database.address().split_once("://").unwrap();
    let place = rest.rsplit_once('@').unwrap().1;
    let program = Program::migration_at(&format!("{scheme}://{role}:s3cret@{place}"));
    let outcome = AssertUnwindSafe(act(program)).catch_unwind().await;
    let remove = format!("DROP OWNED BY {role}; DROP ROLE {role}");
    database.execute(&remove).await;
    if let Err(failure) = outcome {
        panic::resume_unwind(failure);
    }
}

/// Returns everything that a database has, as far as a change could be seen: names and sizes, and the rows of the ledger.
async fn contents(database: &TestDatabase) -> String {
    let names = database.either(
        "SELECT coalesce(group_concat(name || coalesce(sql, '')), '') FROM (SELECT * FROM sqlite_master ORDER BY name)",
        "SELECT coalesce(string_agg(relname || relfilenode || ' ' || reltuples || ' ' || relnatts, ',' \
         ORDER BY relname), '') FROM pg_class WHERE relnamespace = 'public'::regnamespace",
    );
    let mut contents: String = database.value(names).await;
    for table in ["seaql_migrations", "seaworthy_history"] {
        if database.has(table).await {
            let rows: i64 = database.value(&format!("SELECT count(*) FROM {table}")).await;
            contents.push_str(&format!("\n{table}: {rows}"));
        }
    }
    contents
}
