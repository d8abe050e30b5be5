//! The phases of our own: what stands in their way is named, and what a failed build left does not.

use std::io::Write;
use std::process::{Command, Stdio};

use sea_orm_migration::sea_orm::ConnectionTrait;

use crate::databases::{TestDatabase, on_postgres, on_sqlite};
use crate::program::Program;
use crate::schema::{assert_head, ids};

const DUPLICATES: &str = "INSERT INTO users (id, email) VALUES ('ada', 'Ada@example.org'), ('lovelace', 'ada@EXAMPLE.org'), \
                          ('bob', 'bob@example.org')";

#[tokio::test]
async fn addresses_that_differ_only_in_case_are_named_before_anything_is_built_on_sqlite() {
    on_sqlite(async |database| name_duplicates(database).await).await;
}

#[tokio::test]
async fn addresses_that_differ_only_in_case_are_named_before_anything_is_built_on_postgresql() {
    on_postgres(async |database| name_duplicates(database).await).await;
}

#[tokio::test]
async fn a_unique_index_that_failed_elsewhere_is_built_anew() {
    on_postgres(async |database| {
        let program = Program::migration(database);
        program.run("upgrade a3c1f0d27b64").await.with_code(0);
        database.execute(DUPLICATES).await;
        let connection = database.connect().await;
        let build = "CREATE UNIQUE INDEX CONCURRENTLY users_email_lower_key ON users (lower(email))";
        connection.execute_unprepared(build).await.unwrap_err();
        connection.close().await.unwrap();
        let valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('users_email_lower_key')";
        assert!(!database.value::<bool>(valid).await);

        program
            .run("upgrade head")
            .await
            .with_code(1)
            .saying(&["Ada@example.org"]);
        database.execute("DELETE FROM users WHERE id = 'lovelace'").await;
        program.run("upgrade head").await.with_code(0);
        assert!(database.value::<bool>(valid).await);
        assert_head(database).await;
    })
    .await;
}

#[tokio::test]
async fn every_index_that_was_left_invalid_is_built_anew() {
    on_postgres(async |database| {
        let program = Program::migration(database);
        program.run("upgrade phase-VIII").await.with_code(0);
        let built = "indexrelid IN (SELECT to_regclass(name) FROM (VALUES ('idx_tasks_list_priority'), ('idx_tasks_text')) \
                     AS built (name))";
        let spoil = format!("UPDATE pg_index SET indisvalid = false WHERE {built}");
        let valid = format!("SELECT count(*) FROM pg_index WHERE indisvalid AND {built}");
        database.execute(&spoil).await;
        // As if the builds had failed: nothing is recorded, and the indexes are in the way.
        database
            .execute("DELETE FROM seaql_migrations WHERE version >= 'm20241229'")
            .await;
        assert_eq!(database.value::<i64>(&valid).await, 0);
        // One of them goes with phase XVII.
        program.run("upgrade phase-XVI").await.with_code(0);
        assert_eq!(database.value::<i64>(&valid).await, 2);
        program.run("upgrade head").await.with_code(0);
        assert_head(database).await;
    })
    .await;
}

#[tokio::test]
async fn an_upgrade_first_ends_the_downgrade_that_died_on_sqlite() {
    on_sqlite(async |database| end_the_downgrade(database).await).await;
}

#[tokio::test]
async fn an_upgrade_first_ends_the_downgrade_that_died_on_postgresql() {
    on_postgres(async |database| end_the_downgrade(database).await).await;
}

#[tokio::test]
async fn an_address_is_taken_in_any_case_from_phase_vi_on() {
    on_sqlite(async |database| refuse_another_case(database, "UNIQUE constraint failed").await).await;
    on_postgres(async |database| refuse_another_case(database, "users_email_lower_key").await).await;
}

#[tokio::test]
async fn psql_and_sqlite3_execute_the_script_of_all_phases_up_and_down() {
    on_sqlite(async |database| {
        let file = database.address().trim_start_matches("sqlite://");
        follow_the_script(database, "sqlite3", &[file]).await;
    })
    .await;
    on_postgres(async |database| {
        follow_the_script(database, "psql", &[database.address()]).await;
    })
    .await;
}

async fn name_duplicates(database: &TestDatabase) {
    let program = Program::migration(database);
    program.run("upgrade a3c1f0d27b64").await.with_code(0);
    database.execute(DUPLICATES).await;
    for _ in 0..2 {
        let refused = program.run("upgrade head").await.with_code(1).saying(&[
            "error: upgrade of 5e9b84d0c2f7 failed",
            "these e-mail addresses differ only in case: ",
            "Ada@example.org of user ada",
            "ada@EXAMPLE.org of user lovelace",
            "Change all but one of each, then upgrade again",
        ]);
        assert!(!refused.stderr.contains("bob"), "{refused:#?}");
        assert!(!database.has("users_email_lower_key").await);
    }
    database
        .execute("UPDATE users SET email = 'lovelace@example.org' WHERE id = 'lovelace'")
        .await;
    program.run("upgrade head").await.with_code(0);
    assert_head(database).await;
}

/// A run that dies after it has dropped an index and before it has noted so.
async fn end_the_downgrade(database: &TestDatabase) {
    let program = Program::migration(database);
    program.run("upgrade e05c7b1d48a2").await.with_code(0);
    program.run("downgrade -1").await.with_code(0);
    // What the history and the applied set say at that moment.
    database
        .execute("UPDATE seaworthy_history SET outcome = 'progressed' WHERE direction = 'down' AND outcome = 'done'")
        .await;
    database
        .execute("INSERT INTO seaql_migrations VALUES ('m20241230_100000_index_search', 1735553000)")
        .await;
    program.run("upgrade head").await.with_code(0).saying(&[
        "Running downgrade e05c7b1d48a2 -> 4f6ae8c3190d",
        "Running upgrade 4f6ae8c3190d -> e05c7b1d48a2",
    ]);
    assert_head(database).await;
}

async fn refuse_another_case(database: &TestDatabase, named: &str) {
    Program::migration(database)
        .run("upgrade head")
        .await
        .with_code(0);
    let connection = database.connect().await;
    let error = connection.execute_unprepared(DUPLICATES).await.unwrap_err();
    connection.close().await.unwrap();
    assert!(error.to_string().contains(named), "{error}");
}

async fn follow_the_script(database: &TestDatabase, shell: &str, arguments: &[&str]) {
    let program = Program::migration(database);
    let script = program.run("upgrade base:head --sql").await.with_code(0);
    feed(shell, arguments, &script.stdout);
    assert_head(database).await;
    let current = program.run("current").await.with_code(0);
    assert!(
        current.stdout.starts_with(ids().last().unwrap().as_str()),
        "{current:#?}"
    );
    let script = program.run("downgrade head:base --sql").await.with_code(0);
    feed(shell, arguments, &script.stdout);
    assert!(!database.has("tasks").await);
    program.run("upgrade head").await.with_code(0);
    assert_head(database).await;
}

pub(crate) fn feed(shell: &str, arguments: &[&str], script: &str) {
    let mut child = Command::new(shell)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{script}");
}
