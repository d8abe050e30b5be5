//! SeaORM's own tools on the same database: `sea-orm-cli`, the stock sub-commands, and the stock runner in between.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use migration::Migrator;
use sea_orm_migration::MigratorTrait;
use tempfile::TempDir;

use crate::databases::{TestDatabase, on_postgres, on_sqlite, variable};
use crate::program::Program;
use crate::schema::{assert_head, assert_revision, head, ids};

#[tokio::test]
async fn sea_orm_cli_drives_the_binary_on_sqlite() {
    on_sqlite(async |database| drive(database).await).await;
}

#[tokio::test]
async fn sea_orm_cli_drives_the_binary_on_postgresql() {
    on_postgres(async |database| drive(database).await).await;
}

#[tokio::test]
async fn the_stock_runner_and_ours_take_turns_on_sqlite() {
    for ours_first in [true, false] {
        on_sqlite(async |database| take_turns(database, ours_first).await).await;
    }
}

#[tokio::test]
async fn the_stock_runner_and_ours_take_turns_on_postgresql() {
    for ours_first in [true, false] {
        on_postgres(async |database| take_turns(database, ours_first).await).await;
    }
}

#[tokio::test]
async fn what_the_stock_runner_did_since_is_undone_in_order_on_sqlite() {
    on_sqlite(async |database| undo_what_others_did(database).await).await;
}

#[tokio::test]
async fn what_the_stock_runner_did_since_is_undone_in_order_on_postgresql() {
    on_postgres(async |database| undo_what_others_did(database).await).await;
}

#[tokio::test]
async fn the_stock_flags_mean_what_they_meant_on_sqlite() {
    on_sqlite(async |database| use_flags(database).await).await;
}

#[tokio::test]
async fn the_stock_flags_mean_what_they_meant_on_postgresql() {
    on_postgres(async |database| use_flags(database).await).await;
}

#[tokio::test]
async fn a_schema_of_its_own_holds_everything() {
    on_postgres(async |database| {
        database.execute("CREATE SCHEMA harbour").await;
        let program = Program::migration(database);
        program.run("-s harbour up -n 2").await.with_code(0);
        program.run("--database-schema harbour up").await.with_code(0);
        let tables = "SELECT count(*) || ' in ' || string_agg(DISTINCT schemaname, ', ') FROM pg_tables \
                      WHERE schemaname NOT IN ('pg_catalog', 'information_schema')";
        let all: String = database.value(tables).await;
        assert!(all.ends_with(" in harbour"), "{all}");
        program
            .run("-s harbour current")
            .await
            .with_code(0)
            .saying(&[&format!("{} (head)", head())]);
        let elsewhere = program.run("current").await.with_code(0);
        assert_eq!(elsewhere.stdout, "");
        program.run("-s harbour fresh --yes").await.with_code(0);
        assert_eq!(database.value::<String>(tables).await, all);
    })
    .await;
}

async fn drive(database: &TestDatabase) {
    let program = Program::migration(database);
    let applied = async |ids: &[&str]| {
        let names: i64 = database.value("SELECT count(*) FROM seaql_migrations").await;
        assert_eq!(names, i64::try_from(ids.len()).unwrap());
        let current = program.run("current").await.with_code(0);
        let first_words: Vec<_> = current.stdout.split_whitespace().take(1).collect();
        assert_eq!(first_words, ids.last().into_iter().copied().collect::<Vec<_>>());
        let connection = database.connect().await;
        assert_revision(&connection, ids.len()).await;
        let stock = Migrator::get_applied_migrations(&connection).await.unwrap();
        assert_eq!(stock.len(), ids.len());
    };
    let all = ids();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();

    sea_orm_cli(database, "up -n 1").await;
    applied(&all[..1]).await;
    program.run("upgrade +1").await.with_code(0);
    applied(&all[..2]).await;
    let status = sea_orm_cli(database, "status").await;
    assert!(status.contains("Current:  002 (2 applied)"), "{status}");
    let pending = format!("Pending:  {} revisions", all.len() - 2);
    assert!(status.contains(&pending), "{status}");
    sea_orm_cli(database, "up").await;
    applied(&all).await;
    sea_orm_cli(database, "down").await;
    applied(&all[..all.len() - 1]).await;
    program.run("upgrade head").await.with_code(0);
    sea_orm_cli(database, "down -n 2").await;
    applied(&all[..all.len() - 2]).await;
    sea_orm_cli(database, "fresh").await;
    applied(&all).await;
    sea_orm_cli(database, "refresh").await;
    applied(&all).await;
    program.run("downgrade 001 --yes").await.with_code(0);
    applied(&all[..1]).await;
    sea_orm_cli(database, "reset").await;
    assert!(!database.has("seaql_migrations").await);
    assert!(database.has("seaworthy_history").await);
    program.run("upgrade head").await.with_code(0);
    applied(&all).await;
    assert_head(database).await;
}

async fn take_turns(database: &TestDatabase, ours_first: bool) {
    let program = Program::migration(database);
    let connection = database.connect().await;
    for number in 1..=ids().len() {
        if (number % 2 == 1) == ours_first {
            // Not `+1`, which could go by either of two branches.
            let next = format!("upgrade {}", ids()[number - 1]);
            program.run(&next).await.with_code(0);
        } else {
            Migrator::up(&connection, Some(1)).await.unwrap();
        }
        assert_revision(&connection, number).await;
    }
    let ended = program.run("upgrade head").await.with_code(0);
    assert_eq!(ended.stderr, "");
    for number in (0..ids().len()).rev() {
        if (number % 2 == 0) == ours_first {
            Migrator::down(&connection, Some(1)).await.unwrap();
        } else {
            let undone = program.run("downgrade -1 --yes").await;
            // From a merge, and where two branches have an end, one step may be either's. The stock runner knows no branches.
            match undone.stderr.contains("'-1' is ambiguous") {
                true => Migrator::down(&connection, Some(1)).await.unwrap(),
                false => drop(undone.with_code(0)),
            }
        }
        assert_revision(&connection, number).await;
    }
    connection.close().await.unwrap();
}

/// What our history remembers of a revision is old news once the stock runner has applied it.
async fn undo_what_others_did(database: &TestDatabase) {
    let program = Program::migration(database);
    program.run("upgrade head").await.with_code(0);
    program.run("downgrade base --yes").await.with_code(0);
    let connection = database.connect().await;
    Migrator::up(&connection, None).await.unwrap();
    let undone = program.run("downgrade base --yes").await.with_code(0).stdout;
    let order: Vec<_> = undone
        .lines()
        .filter_map(|line| line.strip_prefix("Running downgrade ")?.split_whitespace().next())
        .collect();
    let newest_first: Vec<String> = ids().into_iter().rev().collect();
    assert_eq!(order, newest_first, "{undone}");
    assert_revision(&connection, 0).await;
    connection.close().await.unwrap();
}

async fn use_flags(database: &TestDatabase) {
    let program = Program::migration_at("sqlite:///the/wrong/one.db");
    let with = |arguments: &str| format!("-u {} {arguments}", database.address());
    program
        .run(&with("up -n 1 -v"))
        .await
        .with_code(0)
        .saying(&["Running upgrade <base> -> 001"]);
    // Without a sub-command everything is applied.
    program
        .run(&with(""))
        .await
        .with_code(0)
        .saying(&[&format!("the database is at {}", head())]);
    program
        .run(&with("down"))
        .await
        .with_code(0)
        .saying(&[&format!("Running downgrade {} -> ", head())]);
    program
        .run(&with("down --num 99"))
        .await
        .with_code(0)
        .saying(&["the database is at base"]);
    program.run(&with("down")).await.with_code(0);
    program.run(&with("up --num 99")).await.with_code(0);
    program
        .run(&with("status --verbose"))
        .await
        .with_code(0)
        .saying(&[&format!("Current:  {} ({} applied)", head(), ids().len())]);
    assert_head(database).await;
}

/// Runs the real `sea-orm-cli` and returns what the binary said.
///
/// It starts `cargo run --manifest-path <folder>/Cargo.toml -- <verb>`. A stand-in for cargo starts the binary that is
/// built already: a second build would take minutes and replace the binary under the other tests.
async fn sea_orm_cli(database: &TestDatabase, verb: &str) -> String {
    let program = variable("TEST_SEA_ORM_CLI")
        .expect("TEST_SEA_ORM_CLI must name the program sea-orm-cli: run scripts/test, which installs it");
    let folder = TempDir::new().unwrap();
    let cargo = folder.path().join("cargo");
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = run ] && [ \"$2\" = --manifest-path ] && [ -f \"$3\" ] && [ \"$4\" = -- ] || exit 99\n\
         shift 4\nexec {} \"$@\"\n",
        env!("CARGO_BIN_EXE_migration")
    );
    fs::write(&cargo, script).unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let path = variable("PATH").unwrap();
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(program)
        .args(["migrate", "-u", database.address(), "-d"])
        .arg(crate_folder)
        .args(verb.split_whitespace())
        .env("PATH", format!("{}:{path}", folder.path().display()))
        .current_dir(folder.path())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{verb}: {said}");
    assert!(!said.contains("error"), "{verb}: {said}");
    said
}
