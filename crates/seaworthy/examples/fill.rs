//! Measures a backfill beside a loop written by hand and fed to `psql`: `fill postgres://... [ROWS]`.
//!
//! Each way fills a fresh table of its own, in turns, so that what else the machine does hits all alike.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "the table is what it is for, and whoever measures wants to see what went wrong"
)]

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sea_orm::sea_query::Expr;
use sea_orm_migration::SchemaManager;
use seaworthy::backfill::Backfill;
use seaworthy::session::{Access, DatabaseUrl, Session, Settings};
use seaworthy::verify::ScratchDatabase;

/// Rows of a batch, where the size is fixed.
const BATCH: u64 = 1_000;

const PASSES: usize = 3;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let server = arguments.next().expect("the address of a server");
    let rows: u64 = arguments.next().map_or(200_000, |rows| rows.parse().unwrap());
    let scratch = ScratchDatabase::postgres(&server).await.unwrap();
    let fixed = |name: &str| fill(name).batch_rows(BATCH);
    println!(
        "| pass | psql, {BATCH} rows | ours, {BATCH} rows | ours, adaptive | ours, adaptive, with its rest |"
    );
    println!("|---|--:|--:|--:|--:|");
    for pass in 1..=PASSES {
        let by_hand = in_psql(&scratch, rows).await;
        let same = ours(scratch.url(), rows, fixed("fixed").rest(0.0)).await;
        let adaptive = ours(scratch.url(), rows, fill("adaptive").rest(0.0)).await;
        let rested = ours(scratch.url(), rows, fill("rested")).await;
        let rate = |took: Duration| {
            #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
            let rate = rows as f64 / took.as_secs_f64();
            format!("{rate:.0} ({:.2})", by_hand.as_secs_f64() / took.as_secs_f64())
        };
        println!(
            "| {pass} | {} | {} | {} | {} |",
            rate(by_hand),
            rate(same),
            rate(adaptive),
            rate(rested)
        );
    }
    scratch.remove().await.unwrap();
}

fn fill(name: &str) -> Backfill {
    Backfill::new(name, "crates").set("rank", Expr::cust("n * 2"))
}

/// Makes the table anew.
async fn prepare(url: &DatabaseUrl, rows: u64) -> Session {
    let session = Session::open(url, &Settings::default(), Access::Write)
        .await
        .unwrap();
    let make = format!(
        "DROP TABLE IF EXISTS crates; DROP TABLE IF EXISTS seaworthy_backfills; \
         CREATE TABLE crates (id bigint PRIMARY KEY, n bigint NOT NULL, note text NOT NULL, rank bigint); \
         INSERT INTO crates (id, n, note) SELECT n, n, repeat('x', 100) FROM generate_series(1, {rows}) AS n"
    );
    session.send(&make).await.unwrap();
    session.send("VACUUM ANALYZE crates").await.unwrap();
    session.send("CHECKPOINT").await.unwrap();
    session
}

async fn ours(url: &DatabaseUrl, rows: u64, backfill: Backfill) -> Duration {
    let session = prepare(url, rows).await;
    let watch = Instant::now();
    backfill
        .run(&SchemaManager::new(session.connection()))
        .await
        .unwrap();
    let took = watch.elapsed();
    session.close().await;
    took
}

async fn in_psql(scratch: &ScratchDatabase, rows: u64) -> Duration {
    prepare(scratch.url(), rows).await.close().await;
    let script: String = (0..rows)
        .step_by(usize::try_from(BATCH).unwrap())
        .map(|after| {
            let until = after + BATCH;
            format!("UPDATE crates SET rank = n * 2 WHERE id > {after} AND id <= {until} AND rank IS NULL;\n")
        })
        .collect();
    let watch = Instant::now();
    let mut psql = Command::new("psql")
        .args([scratch.address(), "-qX", "-v", "ON_ERROR_STOP=1"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    psql.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(psql.wait().unwrap().success());
    watch.elapsed()
}
