//! Clients that ask all along while the schema goes to head, down to phase II and up again, and everything goes wrong that
//! can: transactions that stay open, a second migrator, migrators that are killed in the middle. No request may fail, none
//! may wait for long, nothing may be lost or doubled. What the migrator takes care of is left out in the controls, and each of
//! them must be noticed.

use std::time::Duration;

use crate::chaos::load::{Load, STALL, Verdict};
use crate::chaos::migrator::Migrator;
use crate::chaos::trouble::Trouble;
use crate::site::{Site, databases};

mod load;
mod migrator;
mod trouble;

/// So many tasks are there from the beginning: enough for a kill in the middle of something.
const ROWS: u32 = 20_000;

/// Where the journey goes.
const WAYS: [&str; 3] = ["upgrade head", "downgrade 002 --yes", "upgrade head"];

/// No limit but those of the service itself.
const UNLIMITED: [&str; 8] = [
    "--rate-write",
    "off",
    "--rate-read",
    "off",
    "--rate-auth",
    "off",
    "--rate-anonymous",
    "off",
];

async fn fill(site: &Site) {
    let numbers = match site.is_postgres() {
        true => format!("SELECT n FROM generate_series(1, {ROWS}) n"),
        false => format!(
            "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {ROWS}) SELECT n FROM s"
        ),
    };
    site.sql("INSERT INTO users (id, email) VALUES ('usr_old', 'old@example.org')")
        .await;
    site.sql(&format!(
        "INSERT INTO tasks (user_id, title, completed) SELECT 'usr_old', 'Task ' || n, false FROM ({numbers}) numbers"
    ))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_waits_or_is_lost_whatever_happens_to_the_migrators() {
    for database in databases().await {
        let site = Site::open(database, "002", &[]).await;
        fill(&site).await;
        let load = Load::start(&site).await;
        load.has_begun().await;
        let trouble = Trouble::start(&site, Duration::from_millis(900)).await;
        let migrator = Migrator::of(&site);
        let mut met = Vec::new();
        for way in WAYS {
            met.push(migrator.is_killed_on_the_way(way).await);
            migrator.run_two(way).await;
        }
        assert!(
            !site.is_postgres() || met.iter().any(|[index, _]| *index),
            "{met:?}"
        );
        trouble.end().await;
        assert_eq!(load.end(&site).await, Verdict::default());
        site.close().await;
    }
}

/// What is left out in a control, and the SQL of somebody who does.
const CONTROLS: [(&str, &[&str]); 4] = [
    (
        "a column is renamed in one step",
        &[
            "ALTER TABLE tasks RENAME COLUMN title TO heading",
            "SELECT pg_sleep(1)",
            "ALTER TABLE tasks RENAME COLUMN heading TO title",
        ],
    ),
    (
        "an index is built plainly, on a table that takes a while",
        &[
            "BEGIN",
            "CREATE INDEX slow ON tasks (title)",
            "SELECT pg_sleep(9)",
            "COMMIT",
        ],
    ),
    (
        "a column is filled in one transaction",
        &[
            "BEGIN",
            "UPDATE tasks SET completed = completed",
            "SELECT pg_sleep(9)",
            "COMMIT",
        ],
    ),
    (
        "a lock is waited for without a limit, behind a transaction that stays open",
        &["ALTER TABLE tasks ADD COLUMN colour text"],
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_migrator_takes_care_of_is_missed_when_it_is_left_out() {
    // What is left out is what PostgreSQL needs.
    let postgres = databases()
        .await
        .into_iter()
        .filter(|database| database.address().starts_with("postgres"));
    for database in postgres {
        let site = Site::open(database, "head", &[]).await;
        fill(&site).await;
        for (what, statements) in CONTROLS {
            let load = Load::start(&site).await;
            let trouble = Trouble::start(&site, STALL + Duration::from_secs(2)).await;
            trouble.is_open().await;
            load.has_begun().await;
            trouble::send(&site, statements).await;
            trouble.end().await;
            let verdict = load.end(&site).await;
            assert_ne!(verdict, Verdict::default(), "nobody noticed that {what}");
        }
        site.close().await;
    }
}
