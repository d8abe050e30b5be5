//! What it costs to read a PostgreSQL schema, beside `pg_dump --schema-only`, while the number of tables grows.
//!
//! ```text
//! cargo run --release --package seaworthy --example read -- postgres://localhost/postgres 5000
//! ```
//!
//! Makes scratch databases with 100 tables and more, up to the number that is named, and reads each three times in turns; the shortest
//! time counts. `pg_dump` has to be on the path.
#![expect(
    clippy::print_stdout,
    reason = "an example shows its results; the library itself prints nothing"
)]

use std::error::Error;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sea_orm::ConnectionTrait;
use seaworthy::catalog::{Scope, inspect};
use seaworthy::session::{Access, Session, Settings};
use seaworthy::verify::ScratchDatabase;

const COUNTS: [u32; 5] = [100, 200, 800, 2000, 5000];

/// So many tables are made in one transaction: each takes several locks.
const AT_ONCE: u32 = 200;

const TURNS: u32 = 3;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let server = arguments.next().ok_or("which server?")?;
    let most: u32 = arguments.next().ok_or("how many tables at most?")?.parse()?;
    println!("| Tables | ours, s | pg_dump -s, s | times pg_dump | snapshot, MiB |");
    println!("|--:|--:|--:|--:|--:|");
    for count in COUNTS.into_iter().filter(|count| *count <= most) {
        let database = ScratchDatabase::postgres(&server).await?;
        let session = Session::open(database.url(), &Settings::default(), Access::Write).await?;
        make(session.connection(), count).await?;
        let (mut ours, mut theirs, mut size) = (Duration::MAX, Duration::MAX, 0);
        for _ in 0..TURNS {
            let started = Instant::now();
            let catalog = inspect(session.connection(), &Scope::default()).await?;
            ours = ours.min(started.elapsed());
            assert_eq!(catalog.tables.len(), usize::try_from(count)?);
            size = catalog.to_json().len();
            theirs = theirs.min(dump(database.address())?);
        }
        println!(
            "| {count} | {:.2} | {:.2} | {:.2} | {:.1} |",
            ours.as_secs_f64(),
            theirs.as_secs_f64(),
            ours.as_secs_f64() / theirs.as_secs_f64(),
            f64::from(u32::try_from(size)?) / f64::from(1 << 20)
        );
        session.close().await;
        database.remove().await?;
    }
    Ok(())
}

/// Tables of ten columns with a key, a unique constraint, a check, an index, a comment and a reference to the table before.
async fn make<C: ConnectionTrait>(connection: &C, count: u32) -> Result<(), Box<dyn Error>> {
    for first in (1..=count).step_by(AT_ONCE as usize) {
        let last = count.min(first + AT_ONCE - 1);
        let before = "CASE WHEN number > 1 THEN format('REFERENCES table_%s', number - 1) END";
        connection
            .execute_unprepared(&format!(
                "DO $$ BEGIN FOR number IN {first}..{last} LOOP EXECUTE format(
                    'CREATE TABLE table_%1$s (id serial PRIMARY KEY, parent integer %2$s, code varchar(20) NOT NULL UNIQUE,
                        title text DEFAULT ''none'', amount numeric(12,2) CHECK (amount >= 0), made timestamptz NOT NULL DEFAULT now(),
                        done boolean NOT NULL DEFAULT false, size bigint, share double precision, extra jsonb);
                     CREATE INDEX index_%1$s ON table_%1$s (made, done) WHERE NOT done;
                     COMMENT ON COLUMN table_%1$s.extra IS ''what is left''', number, {before}
                ); END LOOP; END $$"
            ))
            .await?;
    }
    connection.execute_unprepared("ANALYZE").await?;
    Ok(())
}

fn dump(address: &str) -> Result<Duration, Box<dyn Error>> {
    let started = Instant::now();
    let status = Command::new("pg_dump")
        .args(["--schema-only", "--dbname", address])
        .stdout(Stdio::null())
        .status()?;
    if !status.success() {
        return Err("pg_dump failed".into());
    }
    Ok(started.elapsed())
}
