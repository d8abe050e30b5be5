//! SIGTERM and Ctrl-C: a long step is cancelled and rolled back, a wait is given up, and the next run goes on.

use std::time::{Duration, Instant};

use crate::databases::{TestDatabase, on_postgres, on_sqlite};
use crate::program::Program;

/// What "at once" means to a supervisor that would send SIGKILL after ten seconds, on a busy machine.
const SOON: Duration = Duration::from_secs(9);

#[tokio::test]
async fn sigterm_cancels_a_long_step_on_sqlite() {
    on_sqlite(async |database| cancel(database, "TERM", 143).await).await;
}

#[tokio::test]
async fn sigterm_cancels_a_long_step_on_postgresql() {
    on_postgres(async |database| cancel(database, "TERM", 143).await).await;
}

#[tokio::test]
async fn ctrl_c_cancels_a_long_step_on_sqlite() {
    on_sqlite(async |database| cancel(database, "INT", 130).await).await;
}

#[tokio::test]
async fn ctrl_c_cancels_a_long_step_on_postgresql() {
    on_postgres(async |database| cancel(database, "INT", 130).await).await;
}

#[tokio::test]
async fn sigterm_ends_the_wait_for_another_migration_on_sqlite() {
    on_sqlite(async |database| give_up_waiting(database).await).await;
}

#[tokio::test]
async fn sigterm_ends_the_wait_for_another_migration_on_postgresql() {
    on_postgres(async |database| give_up_waiting(database).await).await;
}

#[tokio::test]
async fn sigterm_ends_the_wait_for_a_table_lock() {
    on_postgres(async |database| {
        let program = Program::migration(database);
        program.run("upgrade 002").await.with_code(0);
        let reader = database.hold("BEGIN; SELECT count(*) FROM tasks").await;
        let running = program.start("upgrade head --lock-timeout 0s");
        running.says("blocked by process").await;
        let sent = Instant::now();
        running.signal("TERM");
        running.end().await.with_code(143);
        assert!(sent.elapsed() < SOON, "{:?}", sent.elapsed());
        assert_eq!(database.last_entry().await, "upgrade up 003 cancelled");
        reader.close().await.unwrap();
        program.run("upgrade head").await.with_code(0);
    })
    .await;
}

async fn cancel(database: &TestDatabase, signal: &str, code: i32) {
    let program = Program::troubles(database);
    program.run("upgrade calm").await.with_code(0);
    let running = program
        .clone()
        .with("TROUBLES_SECONDS", "600")
        .start("upgrade slow");
    database.is_kept_busy().await;
    let sent = Instant::now();
    running.signal(signal);
    running.end().await.with_code(code).saying(&[
        "error: stopped by a signal",
        "upgrade of slow",
        "hint: run the same command again to go on",
    ]);
    assert!(sent.elapsed() < SOON, "{:?}", sent.elapsed());

    database.is_deserted().await;
    assert!(!database.has("slow").await);
    assert_eq!(database.last_entry().await, "upgrade up slow cancelled");
    program.run("upgrade slow").await.with_code(0);
    assert!(database.has("slow").await);
}

async fn give_up_waiting(database: &TestDatabase) {
    let slow = Program::troubles(database).with("TROUBLES_SECONDS", "600");
    Program::troubles(database).run("upgrade calm").await.with_code(0);
    let holder = slow.start("upgrade slow");
    database.is_kept_busy().await;
    let waiter = slow.start("upgrade slow");
    waiter.says("waiting: ").await;
    let sent = Instant::now();
    waiter.signal("TERM");
    waiter
        .end()
        .await
        .with_code(143)
        .saying(&["error: stopped by a signal"]);
    assert!(sent.elapsed() < SOON, "{:?}", sent.elapsed());
    holder.signal("TERM");
    holder.end().await.with_code(143);
}
