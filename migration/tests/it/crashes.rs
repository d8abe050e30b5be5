//! `kill -9` in the middle of a step, on purpose: what the next run says, and that it goes on.

use std::time::Duration;

use sea_orm_migration::sea_orm::ConnectionTrait;
use sea_orm_migration::sea_orm::sqlx::postgres::PgListener;
use seaworthy::ledger::{Announcement, CHANNEL};

use crate::databases::{TestDatabase, on_postgres, on_sqlite, value};
use crate::program::{Program, until};

/// Long enough that a step which was not cancelled would be noticed.
const LONG: &str = "600";

#[tokio::test]
async fn a_step_in_a_transaction_leaves_nothing_behind_on_sqlite() {
    on_sqlite(async |database| crash_in_transaction(database).await).await;
}

/// The server would go on with the statement of a client that is gone, and hold its locks, if nobody told it to look; one
/// before PostgreSQL 14 does, until the next run ends it.
#[tokio::test]
async fn a_step_in_a_transaction_leaves_nothing_behind_on_postgresql() {
    on_postgres(async |database| crash_in_transaction(database).await).await;
}

#[tokio::test]
async fn a_step_without_a_transaction_is_named_and_gone_on_with_on_sqlite() {
    on_sqlite(async |database| crash_between_statements(database).await).await;
}

#[tokio::test]
async fn a_step_without_a_transaction_is_named_and_gone_on_with_on_postgresql() {
    on_postgres(async |database| crash_between_statements(database).await).await;
}

#[tokio::test]
async fn a_step_that_cannot_be_resumed_says_what_to_do_on_sqlite() {
    on_sqlite(async |database| crash_in_the_unknown(database).await).await;
}

#[tokio::test]
async fn a_step_that_cannot_be_resumed_says_what_to_do_on_postgresql() {
    on_postgres(async |database| crash_in_the_unknown(database).await).await;
}

#[tokio::test]
async fn an_invalid_index_left_by_a_crash_is_built_anew() {
    on_postgres(async |database| {
        let program = Program::troubles(database);
        program.run("upgrade calm").await.with_code(0);
        let old = database
            .hold("BEGIN; INSERT INTO boats (id, name) VALUES (3, 'Mary Rose')")
            .await;
        let mut running = program.start("upgrade index");
        an_index_is_invalid(database).await;
        running.kill();
        assert!(running.end().await.was_killed());
        until_index_build_ended(database).await;
        old.close().await.unwrap();

        program
            .run("status")
            .await
            .with_code(0)
            .saying(&["Halfway:  upgrade of index began"]);
        program.run("upgrade index").await.with_code(0);
        assert_eq!(indexes(database).await, "valid");
    })
    .await;
}

/// The first build has not ended on the server yet, and the transaction that it waits for neither.
#[tokio::test]
async fn an_index_is_valid_after_a_run_that_began_before_the_crashed_one_was_gone() {
    on_postgres(async |database| {
        let program = Program::troubles(database);
        program.run("upgrade calm").await.with_code(0);
        let old = database
            .hold("BEGIN; INSERT INTO boats (id, name) VALUES (3, 'Mary Rose')")
            .await;
        let mut running = program.start("upgrade index");
        an_index_is_invalid(database).await;
        running.kill();
        assert!(running.end().await.was_killed());

        let second = program.start("upgrade index");
        second.says("blocked by process").await;
        old.close().await.unwrap();
        second.end().await.with_code(0);
        assert_eq!(indexes(database).await, "valid");
    })
    .await;
}

#[tokio::test]
async fn an_invalid_index_left_by_a_signal_is_built_anew() {
    on_postgres(async |database| {
        let program = Program::troubles(database);
        program.run("upgrade calm").await.with_code(0);
        let old = database
            .hold("BEGIN; INSERT INTO boats (id, name) VALUES (3, 'Mary Rose')")
            .await;
        let running = program.start("upgrade index");
        an_index_is_invalid(database).await;
        running.signal("TERM");
        let ended = running.end().await.with_code(143);
        assert!(ended.took < Duration::from_secs(5), "{ended:#?}");
        assert_eq!(database.last_entry().await, "upgrade up index cancelled");
        assert_eq!(indexes(database).await, "INVALID");

        let second = program.start("upgrade index");
        second.says("blocked by process").await;
        old.close().await.unwrap();
        second.end().await.with_code(0);
        assert_eq!(indexes(database).await, "valid");
    })
    .await;
}

#[tokio::test]
async fn a_step_that_died_is_not_announced() {
    on_postgres(async |database| {
        let mut listener = PgListener::connect(database.address()).await.unwrap();
        listener.listen(CHANNEL).await.unwrap();
        let program = Program::troubles(database);
        program.run("upgrade calm").await.with_code(0);
        let mut running = program
            .clone()
            .with("TROUBLES_SECONDS", LONG)
            .start("upgrade slow");
        database.is_kept_busy().await;
        running.kill();
        assert!(running.end().await.was_killed());
        // It makes the same table, so it waits until nothing can come of the first run any more.
        program.run("upgrade slow").await.with_code(0);
        database.execute("NOTIFY seaworthy, 'the end'").await;
        let mut heard = Vec::new();
        loop {
            let notice = listener.recv().await.unwrap();
            match Announcement::parse(notice.payload()) {
                Some(announcement) => heard.push(announcement.revision),
                None => break,
            }
        }
        assert_eq!(heard, ["calm", "slow"]);
    })
    .await;
}

#[tokio::test]
async fn a_backfill_that_is_killed_again_and_again_touches_each_row_once_on_sqlite() {
    on_sqlite(async |database| crashes_in_a_backfill(database).await).await;
}

#[tokio::test]
async fn a_backfill_that_is_killed_again_and_again_touches_each_row_once_on_postgresql() {
    on_postgres(async |database| crashes_in_a_backfill(database).await).await;
}

async fn crashes_in_a_backfill(database: &TestDatabase) {
    let program = Program::troubles(database);
    program.run("upgrade calm").await.with_code(0);
    database
        .execute("ALTER TABLE boats ADD COLUMN touched integer NOT NULL DEFAULT 0")
        .await;
    database
        .execute(
            "WITH RECURSIVE numbers (n) AS (SELECT 3 UNION ALL SELECT n + 1 FROM numbers WHERE n < 10000) \
             INSERT INTO boats (id, name) SELECT n, 'Boat' FROM numbers",
        )
        .await;
    let mut seen = 0;
    for _ in 0..5 {
        let mut running = program.start("upgrade fill");
        let goes_on = async || {
            database.has("seaworthy_backfills").await && {
                let passed = "SELECT coalesce(max(rows_seen), 0) FROM seaworthy_backfills";
                database.value::<i64>(passed).await > seen
            }
        };
        until("a batch is through", goes_on).await;
        running.kill();
        assert!(running.end().await.was_killed());
        let passed = "SELECT rows_seen FROM seaworthy_backfills WHERE state = 'running'";
        seen = database.value::<i64>(passed).await;
        let touched = "SELECT count(*) FROM boats WHERE touched = 1";
        assert_eq!(database.value::<i64>(touched).await, seen);
    }
    program
        .run("backfill status")
        .await
        .with_code(0)
        .saying(&["fill_boats on boats: running, ", " of about 10000 rows passed"]);
    program
        .run("backfill throttle fill_boats --rest 0")
        .await
        .with_code(0)
        .saying(&["rests 0 of a batch's time"]);
    program.run("upgrade fill").await.with_code(0);
    let touched = "SELECT count(*) FROM boats WHERE touched = 1";
    assert_eq!(database.value::<i64>(touched).await, 10_000);
    program
        .run("backfill status")
        .await
        .saying(&["fill_boats on boats: verified, 10000 of about 10000 rows passed, 10000 changed"]);
    program
        .run("backfill pause fil_boats")
        .await
        .with_code(1)
        .saying(&[
            "there is no backfill fil_boats; there are fill_boats",
            "hint: look at `backfill status`",
        ]);
}

async fn crash_in_transaction(database: &TestDatabase) {
    let program = Program::troubles(database);
    program.run("upgrade calm").await.with_code(0);
    let mut running = program
        .clone()
        .with("TROUBLES_SECONDS", LONG)
        .start("upgrade slow");
    database.is_kept_busy().await;
    running.kill();
    assert!(running.end().await.was_killed());

    program.run("upgrade slow").await.with_code(0);
    assert!(database.has("slow").await);
    let entries = "SELECT count(*) FROM seaworthy_history WHERE revision = 'slow'";
    assert_eq!(database.value::<i64>(entries).await, 1);
}

async fn crash_between_statements(database: &TestDatabase) {
    let program = Program::troubles(database);
    let mut running = program
        .clone()
        .with("TROUBLES_SECONDS", LONG)
        .start("upgrade parts");
    let first_is_through = async || {
        database.has("seaworthy_history").await && {
            let parts = "SELECT coalesce(max(parts_done), 0) FROM seaworthy_history";
            database.value::<i64>(parts).await == 1
        }
    };
    until("the first statement is through", first_is_through).await;
    running.kill();
    assert!(running.end().await.was_killed());

    program.run("status").await.with_code(0).saying(&[
        "Current:  calm",
        "Halfway:  upgrade of parts began",
        "1 statement through for sure. Run it again to go on.",
    ]);
    program.run("upgrade parts").await.with_code(0);
    assert_eq!(database.value::<i64>("SELECT count(*) FROM parts").await, 1);
    let ended = program.run("status").await.with_code(0);
    assert!(!ended.stdout.contains("Halfway"), "{ended:#?}");
}

async fn crash_in_the_unknown(database: &TestDatabase) {
    let program = Program::troubles(database);
    let mut running = program
        .clone()
        .with("TROUBLES_SECONDS", LONG)
        .start("upgrade reader");
    let has_begun = async || {
        database.has("names").await && database.value::<i64>("SELECT count(*) FROM names").await == 2
    };
    until("the revision has written what it read", has_begun).await;
    running.kill();
    assert!(running.end().await.was_killed());

    program
        .run("status")
        .await
        .with_code(0)
        .saying(&["Halfway:  upgrade of reader began"]);
    // Nobody knows what was done, so it is done from the beginning, and stumbles over itself.
    program.run("upgrade reader").await.with_code(1).saying(&[
        "an earlier run of it died halfway",
        "already exists",
        "hint: undo by hand what the earlier run left",
    ]);
    database.execute("DROP TABLE names").await;
    program.run("upgrade reader").await.with_code(0);
    assert_eq!(database.value::<i64>("SELECT count(*) FROM names").await, 3);
}

async fn an_index_is_invalid(database: &TestDatabase) {
    let is_invalid = async || indexes(database).await == "INVALID";
    until("an index is being built", is_invalid).await;
}

/// Returns `valid` or `INVALID` for each index of the boats but the primary key's.
async fn indexes(database: &TestDatabase) -> String {
    database
        .value(
            "SELECT coalesce(string_agg(CASE WHEN indisvalid THEN 'valid' ELSE 'INVALID' END, ', '), '') \
             FROM pg_index WHERE indrelid = to_regclass('boats') AND NOT indisprimary",
        )
        .await
}

async fn until_index_build_ended(database: &TestDatabase) {
    let connection = database.connect().await;
    // Before PostgreSQL 14 the server looks for no client while it works, so an administrator does.
    connection
        .execute_unprepared(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() \
             AND query LIKE 'CREATE INDEX CONCURRENTLY%' AND current_setting('server_version_num')::int < 140000",
        )
        .await
        .unwrap();
    let query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                 AND state = 'active' AND query LIKE 'CREATE INDEX CONCURRENTLY%'";
    let has_ended = async || value::<i64>(&connection, query).await == 0;
    until("the server notices that the client is gone", has_ended).await;
    connection.execute_unprepared("SELECT 1").await.unwrap();
    connection.close().await.unwrap();
}
