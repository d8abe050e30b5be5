//! The lock stand: what clients feel while a schema changes, `locks postgres://... [ROWS]`.
//!
//! Each change is made three times on the same table under steady reads and writes: as one would write it without a thought,
//! as the safe sequence written by hand, and as the online operation. What counts is the longest request of a client.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "the table is what it is for, and whoever measures wants to see what went wrong"
)]

use std::time::{Duration, Instant};

use sea_orm_migration::SchemaManager;
use seaworthy::session::{Access, DatabaseUrl, Session, Settings};
use seaworthy::verify::ScratchDatabase;

use changes::{CHANGES, Change, Hand};
use clients::{Clients, Longest};

mod changes;
mod clients;

/// One way to make a change, and what it cost.
struct Outcome {
    took: Duration,
    longest: Longest,
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let server = arguments.next().expect("the address of a server");
    let rows: u64 = arguments.next().map_or(1_000_000, |rows| rows.parse().unwrap());
    let scratch = ScratchDatabase::postgres(&server).await.unwrap();
    let session = open(scratch.url()).await;
    prepare(&session, rows).await;
    println!(
        "{rows} rows; the longest read / write of a client while the change was made, in ms, and how long it took"
    );
    println!("| change | naive | by hand | online | within the bounds |");
    println!("|---|--:|--:|--:|---|");
    let mut is_good = true;
    for change in CHANGES {
        let naive = naively(scratch.url(), &session, change, rows).await;
        let by_hand = by_hand(scratch.url(), &session, change, rows).await;
        let online = online(scratch.url(), &session, change, rows).await;
        let verdict = verdict(&naive, &by_hand, &online);
        is_good &= verdict == "yes";
        println!(
            "| {} | {} | {} | {} | {verdict} |",
            change.name,
            shown(&naive),
            shown(&by_hand),
            shown(&online)
        );
    }
    session.close().await;
    scratch.remove().await.unwrap();
    assert!(is_good, "an online operation is out of its bounds");
}

/// At most twice the safe form or 300 ms, and under a tenth of the naive form where that is above 2 s.
fn verdict(naive: &Outcome, by_hand: &Outcome, online: &Outcome) -> &'static str {
    let longest = |outcome: &Outcome| outcome.longest.read.max(outcome.longest.write);
    let (naive, by_hand, online) = (longest(naive), longest(by_hand), longest(online));
    let is_safe = online <= (by_hand * 2).max(Duration::from_millis(300));
    let is_better = naive <= Duration::from_secs(2) || online < naive / 10;
    match is_safe && is_better {
        true => "yes",
        false => "NO",
    }
}

fn shown(outcome: &Outcome) -> String {
    format!(
        "{} / {}, {:.1} s",
        outcome.longest.read.as_millis(),
        outcome.longest.write.as_millis(),
        outcome.took.as_secs_f64()
    )
}

async fn naively(url: &DatabaseUrl, session: &Session, change: &Change, rows: u64) -> Outcome {
    session
        .send("SET lock_timeout = 0; SET statement_timeout = 0")
        .await
        .unwrap();
    let work = async {
        for statement in change.naive {
            session.send(statement).await.unwrap();
        }
    };
    let outcome = measured(url, change, rows, work).await;
    undo(session, change).await;
    outcome
}

async fn by_hand(url: &DatabaseUrl, session: &Session, change: &Change, rows: u64) -> Outcome {
    let work = async {
        for step in change.by_hand {
            match step {
                Hand::Brief(statement) => {
                    session.send("SET lock_timeout = '200ms'").await.unwrap();
                    while session.send(statement).await.is_err() {
                        tokio::time::sleep(Duration::from_millis(500)).await;
                    }
                    session.send("SET lock_timeout = 0").await.unwrap();
                }
                Hand::Long(statement) => session.send(statement).await.unwrap(),
            }
        }
    };
    let outcome = measured(url, change, rows, work).await;
    undo(session, change).await;
    outcome
}

async fn online(url: &DatabaseUrl, session: &Session, change: &Change, rows: u64) -> Outcome {
    let manager = SchemaManager::new(session.connection());
    let work = async { (change.online)(&manager).await.unwrap() };
    let outcome = measured(url, change, rows, work).await;
    undo(session, change).await;
    outcome
}

/// Makes a change under load; behind a transaction of five seconds where the change is about that.
async fn measured(url: &DatabaseUrl, change: &Change, rows: u64, work: impl Future<Output = ()>) -> Outcome {
    let clients = Clients::start(url, rows).await;
    clients.warm_up().await;
    let holder = open(url).await;
    if change.is_behind_a_transaction {
        holder
            .send("BEGIN; SELECT count(*) FROM users; SELECT id FROM tasks LIMIT 1")
            .await
            .unwrap();
    }
    let hold = async {
        if change.is_behind_a_transaction {
            tokio::time::sleep(Duration::from_secs(5)).await;
            holder.send("COMMIT").await.unwrap();
        }
    };
    let since = Instant::now();
    let ((), ()) = tokio::join!(work, hold);
    let took = since.elapsed();
    holder.close().await;
    let longest = clients.stop().await;
    Outcome { took, longest }
}

async fn undo(session: &Session, change: &Change) {
    for statement in change.undo {
        session.send(statement).await.unwrap();
    }
}

async fn open(url: &DatabaseUrl) -> Session {
    Session::open(url, &Settings::default(), Access::Write)
        .await
        .unwrap()
}

async fn prepare(session: &Session, rows: u64) {
    for statement in [
        "CREATE TABLE users (id integer PRIMARY KEY)".to_owned(),
        "INSERT INTO users SELECT generate_series(1, 1000)".to_owned(),
        "CREATE TABLE tasks (id bigint PRIMARY KEY, user_id integer, title varchar(200) NOT NULL, number bigint, \
         done boolean NOT NULL DEFAULT false, spare text)"
            .to_owned(),
        format!(
            "INSERT INTO tasks (id, user_id, title, number, spare) \
             SELECT n, n % 1000 + 1, 'Task number ' || n, n, 'x' FROM generate_series(1, {rows}) AS n"
        ),
        "VACUUM ANALYZE tasks".to_owned(),
        "CHECKPOINT".to_owned(),
    ] {
        session.send(&statement).await.unwrap();
    }
}
