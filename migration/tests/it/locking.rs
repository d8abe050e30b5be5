//! Waiting: for another migration, and for the table locks of other sessions; never inside the server, never for ever.

use std::time::{Duration, Instant};

use sea_orm_migration::sea_orm::ConnectionTrait;

use crate::databases::{TestDatabase, on_postgres, on_sqlite, value};
use crate::program::{Program, until};
use crate::schema::assert_head;

#[tokio::test]
async fn a_run_that_may_not_wait_names_the_one_that_it_would_wait_for_on_sqlite() {
    on_sqlite(async |database| refuse_to_wait(database).await).await;
}

#[tokio::test]
async fn a_run_that_may_not_wait_names_the_one_that_it_would_wait_for_on_postgresql() {
    on_postgres(async |database| refuse_to_wait(database).await).await;
}

#[tokio::test]
async fn a_run_that_waited_finds_the_work_done_on_sqlite() {
    on_sqlite(async |database| wait_and_find_it_done(database).await).await;
}

#[tokio::test]
async fn a_run_that_waited_finds_the_work_done_on_postgresql() {
    on_postgres(async |database| wait_and_find_it_done(database).await).await;
}

/// A session that waits inside the server holds a snapshot, which an index build in the holder would wait for.
#[tokio::test]
async fn a_run_that_waits_does_not_wait_inside_the_server() {
    on_postgres(async |database| {
        let program = Program::troubles(database);
        program.run("upgrade calm").await.with_code(0);
        let old = database
            .hold("BEGIN; INSERT INTO boats (id, name) VALUES (3, 'Mary Rose')")
            .await;
        let holder = program.start("upgrade index");
        holder.says("blocked by process").await;
        let waiter = program.start("upgrade index");
        waiter.says("waiting: ").await;

        let connection = database.connect().await;
        let waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
        let snapshots = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                         AND pid <> pg_backend_pid() AND application_name LIKE 'seaworthy%' \
                         AND backend_xmin IS NOT NULL AND query NOT LIKE 'CREATE INDEX CONCURRENTLY%' \
                         AND now() - state_change > interval '1 second'";
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(1) {
            assert_eq!(value::<i64>(&connection, waits).await, 0);
            assert_eq!(value::<i64>(&connection, snapshots).await, 0);
        }
        connection.close().await.unwrap();

        old.close().await.unwrap();
        holder.end().await.with_code(0);
        waiter.end().await.with_code(0).saying(&["another run did it"]);
        let valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('boats_name')";
        assert!(database.value::<bool>(valid).await);
    })
    .await;
}

#[tokio::test]
async fn a_reader_in_the_way_is_named_and_others_read_on() {
    on_postgres(async |database| {
        let program = Program::migration(database);
        program.run("upgrade 002").await.with_code(0);
        let in_the_way = database.hold("BEGIN; SELECT count(*) FROM tasks").await;
        let process: i32 = value(&in_the_way, "SELECT pg_backend_pid()").await;

        let running = program.start("upgrade head --lock-timeout 200ms --lock-retries 2");
        let ended = tokio::spawn(running.end());
        let reader = database.connect().await;
        let mut slowest = Duration::ZERO;
        while !ended.is_finished() {
            let start = Instant::now();
            value::<i64>(&reader, "SELECT count(*) FROM tasks").await;
            slowest = slowest.max(start.elapsed());
        }
        reader.close().await.unwrap();
        ended.await.unwrap().with_code(1).saying(&[
            "error: upgrade of 003 failed",
            "a lock was not granted in 3 tries",
            &format!("blocked by process {process} (postgres, "),
            "idle in transaction for ",
            "SELECT pg_backend_pid()",
            "hint: end the sessions named above",
        ]);
        // The timeout, and what a busy machine adds to it.
        assert!(slowest < Duration::from_millis(200 + 400), "{slowest:?}");

        let retried = program.start("upgrade head --lock-timeout 200ms --lock-retries 20");
        retried.says("003: try 1 did not get its lock").await;
        in_the_way.close().await.unwrap();
        retried.end().await.with_code(0);
        assert_head(database).await;
    })
    .await;
}

#[tokio::test]
async fn a_statement_without_a_transaction_is_tried_again_too() {
    on_postgres(async |database| {
        let program = Program::troubles(database);
        program.run("upgrade calm").await.with_code(0);
        let in_the_way = database.hold("BEGIN; SELECT count(*) FROM boats").await;
        program
            .run("upgrade refit --lock-timeout 100ms --lock-retries 1")
            .await
            .with_code(1)
            .saying(&["a lock was not granted in 2 tries", "idle in transaction for "]);

        let retried = program.start("upgrade refit --lock-timeout 100ms --lock-retries 20");
        retried.says("refit: try 1 did not get its lock").await;
        in_the_way.close().await.unwrap();
        retried.end().await.with_code(0);
        let column =
            "SELECT count(*) FROM pg_attribute WHERE attrelid = 'boats'::regclass AND attname = 'length'";
        assert_eq!(database.value::<i64>(column).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_writer_of_a_sqlite_file_is_waited_for() {
    on_sqlite(async |database| {
        let program = Program::migration(database);
        program.run("upgrade 002").await.with_code(0);
        let in_the_way = database.hold("BEGIN IMMEDIATE").await;
        program
            .run("upgrade head --lock-timeout 50ms --lock-retries 2")
            .await
            .with_code(1)
            .saying(&[
                "error: upgrade of 003 failed",
                "a lock was not granted in 3 tries",
                "database is locked",
                "hint: another session holds the lock",
            ]);

        let retried = program.start("upgrade head --lock-timeout 50ms --lock-retries 20");
        retried.says("003: try 1 did not get its lock").await;
        in_the_way.close().await.unwrap();
        retried.end().await.with_code(0);
        assert_head(database).await;
    })
    .await;
}

/// What a reader feels of a migration that waits behind a long transaction: one short try at a time.
#[tokio::test]
async fn a_reader_waits_no_longer_than_a_try_and_the_step_succeeds_in_the_end() {
    on_postgres(async |database| {
        let program = Program::migration(database);
        program.run("upgrade 002").await.with_code(0);
        let long = database.hold("BEGIN; SELECT FROM tasks").await;
        let running = program.start("upgrade 003 --lock-timeout 300ms");
        let reader = database.connect().await;
        let longest = async {
            let mut longest = Duration::ZERO;
            let fourth = "003: try 4 did not get its lock";
            while !running.has_said(fourth) {
                let watch = Instant::now();
                reader
                    .execute_unprepared("SELECT count(*) FROM tasks")
                    .await
                    .unwrap();
                longest = longest.max(watch.elapsed());
            }
            longest
        };
        let longest = longest.await;
        // Four tries and three pauses are a second and a half at least: that is how long it would have waited.
        assert!(
            longest > Duration::from_millis(20),
            "nothing was waited for: {longest:?}"
        );
        // One try and the noise of a busy machine.
        assert!(longest < Duration::from_millis(1200), "{longest:?}");
        long.close().await.unwrap();
        reader.close().await.unwrap();
        running.end().await.with_code(0).saying(&["idle in transaction"]);
    })
    .await;
}

#[tokio::test]
async fn tries_end_with_their_budget_and_name_the_root_of_those_who_wait() {
    on_postgres(async |database| {
        let program = Program::migration(database);
        program.run("upgrade 002").await.with_code(0);
        let root = database.hold("BEGIN; SELECT FROM tasks").await;
        let process: i32 = value(&root, "SELECT pg_backend_pid()").await;
        // Somebody else waits for the root already, and the migration behind both.
        let other = database.connect().await;
        let queued =
            other.execute_unprepared("SET lock_timeout = '20s'; LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE");
        let refused = async {
            let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = to_regclass('tasks')";
            until("somebody waits", async || database.value::<i64>(waits).await > 0).await;
            let refused = program.run("upgrade 003 --lock-budget 1s").await.with_code(1);
            root.close().await.unwrap();
            refused
        };
        let (_, refused) = tokio::join!(queued, refused);
        refused.saying(&[&format!("  blocked by process {process} "), "idle in transaction"]);
        other.close().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_tree_is_shown_again_and_again_until_a_signal_comes() {
    on_postgres(async |database| {
        let program = Program::migration(database);
        program.run("upgrade 002").await.with_code(0);
        let shown = program.start("locks --every 100ms");
        shown.says("Nobody waits for a lock").await;
        let root = database.hold("BEGIN; SELECT FROM tasks").await;
        let process: i32 = value(&root, "SELECT pg_backend_pid()").await;
        let behind = program.start("upgrade 003 --lock-timeout 0s");
        shown.says(&format!("process {process} ")).await;
        shown.says("waits for AccessExclusiveLock on tasks").await;
        shown.signal("INT");
        shown.end().await;
        root.close().await.unwrap();
        behind.end().await.with_code(0);
    })
    .await;
}

/// The first thing that a run writes is its own tables, before any step.
#[tokio::test]
async fn a_writer_of_an_empty_sqlite_file_is_waited_for() {
    on_sqlite(async |database| {
        let program = Program::migration(database);
        let in_the_way = database.hold("BEGIN IMMEDIATE").await;
        program
            .run("upgrade head --lock-timeout 50ms --lock-retries 2")
            .await
            .with_code(1)
            .saying(&["could not create the ledger", "database is locked"]);

        let retried = program.start("upgrade head --lock-timeout 50ms --lock-retries 20");
        let path = database.address().trim_start_matches("sqlite://").to_owned() + "-migration-lock";
        until("the run has begun", async || std::path::Path::new(&path).exists()).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        in_the_way.close().await.unwrap();
        retried.end().await.with_code(0);
        assert_head(database).await;
    })
    .await;
}

async fn refuse_to_wait(database: &TestDatabase) {
    let program = Program::troubles(database);
    program.run("upgrade calm").await.with_code(0);
    let slow = program.clone().with("TROUBLES_SECONDS", "600");
    let holder = slow.start("upgrade slow");
    database.is_kept_busy().await;

    let process = match database.either("file", "server") {
        "server" => {
            let query = "SELECT pid::text FROM pg_locks WHERE locktype = 'advisory' AND granted \
                         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
            database.value(query).await
        }
        _ => holder.process().to_string(),
    };
    let refused = slow.run("upgrade slow --wait 300ms").await.with_code(4).saying(&[
        "error: another migration is running: ",
        &format!("(process {process}, upgrade slow"),
        "has held the lock for ",
        "hint: wait longer with --wait",
    ]);
    assert!(refused.took > Duration::from_millis(300), "{refused:#?}");
    assert!(refused.took < Duration::from_secs(3), "{refused:#?}");

    holder.signal("TERM");
    holder.end().await.with_code(143);
}

async fn wait_and_find_it_done(database: &TestDatabase) {
    let program = Program::troubles(database).with("TROUBLES_SECONDS", "2");
    program.run("upgrade calm").await.with_code(0);
    let holder = program.start("upgrade slow");
    database.is_kept_busy().await;
    let waiter = program.start("upgrade slow");
    waiter.says("waiting: ").await;
    holder.end().await.with_code(0).saying(&["Done: 1 step"]);
    waiter
        .end()
        .await
        .with_code(0)
        .saying(&["Nothing left to do: another run did it, the database is at slow"]);
}
