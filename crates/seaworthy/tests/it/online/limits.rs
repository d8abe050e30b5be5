//! Who waits for an operation that waits itself.

use std::time::{Duration, Instant};

use super::*;

#[tokio::test]
async fn behind_a_long_transaction_nobody_waits_for_more_than_the_lock_timeout() {
    let Some(database) = postgres().await else { return };
    let (migrator, holder, client) = (
        session(&database).await,
        session(&database).await,
        session(&database).await,
    );
    prepare(&migrator, &CASES[0]).await;
    holder.send("BEGIN; SELECT * FROM tasks").await.unwrap();
    let operation = async {
        call(&migrator, &CASES[8]).await.unwrap();
        Instant::now()
    };
    let clients = async {
        let mut longest = Duration::ZERO;
        let since = Instant::now();
        // Long enough for three tries of the operation.
        while since.elapsed() < Duration::from_millis(2_500) {
            let asked = Instant::now();
            client
                .send("UPDATE tasks SET title = title WHERE id = 1")
                .await
                .unwrap();
            longest = longest.max(asked.elapsed());
        }
        holder.send("COMMIT").await.unwrap();
        (longest, Instant::now())
    };
    let (done, (longest, released)) = tokio::join!(operation, clients);
    assert!(done > released, "it did not wait for the transaction");
    assert!(
        longest > Duration::from_millis(100),
        "nobody waited at all: {longest:?}"
    );
    // A try waits for 200 ms, and a machine that is busy takes its time.
    assert!(
        longest < Duration::from_millis(200 + 300),
        "a client waited for {longest:?}"
    );
    for session in [migrator, holder, client] {
        session.close().await;
    }
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_session_that_waits_for_less_is_heeded_and_gets_its_limits_back() {
    let Some(database) = postgres().await else { return };
    let (migrator, holder, watcher) = (
        session(&database).await,
        session(&database).await,
        session(&database).await,
    );
    prepare(&migrator, &CASES[0]).await;
    let limits = "SET lock_timeout = '20ms'; SET statement_timeout = '1min'";
    migrator.send(limits).await.unwrap();
    holder
        .send("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM users")
        .await
        .unwrap();
    // A build waits for the transaction although it takes longer than any lock may, and leaves nothing INVALID.
    let build = call(&migrator, &CASES[0]);
    let release = async {
        let waits = "SELECT 1 FROM pg_stat_progress_create_index";
        while watcher.rows(waits).await.unwrap().is_empty() {}
        holder.send("COMMIT").await.unwrap();
    };
    let (built, ()) = tokio::join!(build, release);
    built.unwrap();
    let rows = migrator
        .rows(
            "SELECT current_setting('lock_timeout') || ' ' || current_setting('statement_timeout') AS limits",
        )
        .await
        .unwrap();
    assert_eq!(rows[0].try_get::<String>("", "limits").unwrap(), "20ms 1min");
    for session in [migrator, holder, watcher] {
        session.close().await;
    }
    database.remove().await.unwrap();
}
