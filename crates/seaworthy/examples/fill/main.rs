//! Measures a backfill beside a loop written by hand and fed to `psql`, under clients that read and write the same table:
//! `fill postgres://... [ROWS]`.
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

use clients::{Clients, Longest};

#[path = "../locks/clients.rs"]
mod clients;

/// Rows of a batch, where the size is fixed.
const BATCH: u64 = 1_000;

const PASSES: usize = 3;

/// How long a way took, and the longest request of a client meanwhile.
struct Outcome {
    took: Duration,
    longest: Longest,
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let server = arguments.next().expect("the address of a server");
    let rows: u64 = arguments.next().map_or(200_000, |rows| rows.parse().unwrap());
    let scratch = ScratchDatabase::postgres(&server).await.unwrap();
    let fixed = |name: &str| fill(name).batch_rows(BATCH);
    println!("{rows} rows; rows in a second (times the psql loop), longest read / write of a client in ms");
    println!(
        "| pass | psql, {BATCH} rows | ours, {BATCH} rows | ours, adaptive | ours, adaptive, with its rest |"
    );
    println!("|---|--:|--:|--:|--:|");
    for pass in 1..=PASSES {
        let by_hand = in_psql(&scratch, rows).await;
        let same = ours(scratch.url(), rows, fixed("fixed").rest(0.0)).await;
        let adaptive = ours(scratch.url(), rows, fill("adaptive").rest(0.0)).await;
        let rested = ours(scratch.url(), rows, fill("rested")).await;
        let rate = |outcome: &Outcome| {
            #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
            let rate = rows as f64 / outcome.took.as_secs_f64();
            let times = by_hand.took.as_secs_f64() / outcome.took.as_secs_f64();
            let Longest { read, write } = outcome.longest;
            format!(
                "{rate:.0} ({times:.2}), {} / {}",
                read.as_millis(),
                write.as_millis()
            )
        };
        println!(
            "| {pass} | {} | {} | {} | {} |",
            rate(&by_hand),
            rate(&same),
            rate(&adaptive),
            rate(&rested)
        );
    }
    scratch.remove().await.unwrap();
}

fn fill(name: &str) -> Backfill {
    Backfill::new(name, "tasks").set("rank", Expr::cust("n * 2"))
}

/// Makes the table anew.
async fn prepare(url: &DatabaseUrl, rows: u64) -> Session {
    let session = Session::open(url, &Settings::default(), Access::Write)
        .await
        .unwrap();
    let make = format!(
        "DROP TABLE IF EXISTS tasks; DROP TABLE IF EXISTS seaworthy_backfills; \
         CREATE TABLE tasks (id bigint PRIMARY KEY, n bigint NOT NULL, title text NOT NULL, done boolean NOT NULL DEFAULT false, rank bigint); \
         INSERT INTO tasks (id, n, title) SELECT n, n, repeat('x', 100) FROM generate_series(1, {rows}) AS n"
    );
    session.send(&make).await.unwrap();
    session.send("VACUUM ANALYZE tasks").await.unwrap();
    session.send("CHECKPOINT").await.unwrap();
    session
}

async fn ours(url: &DatabaseUrl, rows: u64, backfill: Backfill) -> Outcome {
    let session = prepare(url, rows).await;
    let clients = Clients::start(url, rows).await;
    clients.warm_up().await;
    let watch = Instant::now();
    backfill
        .run(&SchemaManager::new(session.connection()))
        .await
        .unwrap();
    let took = watch.elapsed();
    let longest = clients.stop().await;
    session.close().await;
    Outcome { took, longest }
}

async fn in_psql(scratch: &ScratchDatabase, rows: u64) -> Outcome {
    prepare(scratch.url(), rows).await.close().await;
    let clients = Clients::start(scratch.url(), rows).await;
    clients.warm_up().await;
    let script: String = (0..rows)
        .step_by(usize::try_from(BATCH).unwrap())
        .map(|after| {
            let until = after + BATCH;
            format!("UPDATE tasks SET rank = n * 2 WHERE id > {after} AND id <= {until} AND rank IS NULL;\n")
        })
        .collect();
    let watch = Instant::now();
    let address = scratch.address().to_owned();
    // On a thread of its own, so that the clients go on.
    let psql = tokio::task::spawn_blocking(move || {
        let mut psql = Command::new("psql")
            .args([&address, "-qX", "-v", "ON_ERROR_STOP=1"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        psql.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        assert!(psql.wait().unwrap().success());
    });
    psql.await.unwrap();
    let took = watch.elapsed();
    Outcome {
        took,
        longest: clients.stop().await,
    }
}
