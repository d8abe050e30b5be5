//! What the service and the migrator tell each other: signs of life, announcements, revisions that the build does not know.

use std::time::{Duration, Instant};

use migration::Migrator;
use sea_orm_migration::prelude::*;
use seaworthy::command::{self, CommandError, Living, OutOfOrder};
use seaworthy::environment::Environment;
use seaworthy::heartbeat::{self, Alive};
use seaworthy::revision::{Header, Revision, Stage};
use seaworthy::session::{Access, Session};
use seaworthy::verify::ScratchDatabase;
use serde_json::json;

use crate::process::Process;
use crate::site::{Site, conduct, databases, migrate, on_each};

/// A revision of a newer build.
#[derive(Clone, Copy)]
struct Newer {
    name: &'static str,
    stage: Stage,
    up: &'static str,
}

impl MigrationName for Newer {
    fn name(&self) -> &str {
        self.name
    }
}

impl Revision for Newer {
    fn header(&self) -> Option<Header> {
        Some(Header::new(self.name).revises("003").stage(self.stage))
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Newer {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .get_connection()
            .execute_unprepared(self.up)
            .await
            .map(drop)
    }
}

const ADDS: Newer = Newer {
    name: "newer_adds",
    stage: Stage::Expand,
    up: "ALTER TABLE tasks ADD COLUMN effort integer",
};
const DROPS_WHAT_IS_USED: Newer = Newer {
    name: "newer_drops_used",
    stage: Stage::Contract,
    up: "ALTER TABLE tasks DROP COLUMN recurrence_pattern",
};
const DROPS_WHAT_IS_NEEDED: Newer = Newer {
    name: "newer_drops_needed",
    stage: Stage::Contract,
    up: "ALTER TABLE tasks DROP COLUMN description",
};

/// The migrator of a newer build: the phases up to 003, and one revision of its own.
fn newer(database: &ScratchDatabase, revision: Newer) -> Environment {
    let mut revisions: Vec<Box<dyn Revision>> = Migrator::revisions()
        .into_iter()
        .filter(|known| matches!(known.header(), Some(header) if ["001", "002", "003"].contains(&header.id.as_str())))
        .collect();
    revisions.push(Box::new(revision));
    Environment::new(revisions).database(database.url().clone())
}

async fn upgrade(environment: &Environment, living: Living) -> Result<(), CommandError> {
    let target = "heads".parse().unwrap();
    command::upgrade(environment, &target, OutOfOrder::Refuse, &conduct(living))
        .await
        .map(drop)
}

async fn alive(database: &ScratchDatabase) -> Vec<Alive> {
    let session = Session::open(database.url(), &Default::default(), Access::Write)
        .await
        .unwrap();
    let alive = heartbeat::alive(&session).await.unwrap();
    session.close().await;
    alive.unwrap_or_default()
}

/// Waits for something that happens by itself, and fails when it does not.
async fn until(what: &str, mut happened: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !happened().await {
        assert!(begun.elapsed() < Duration::from_secs(20), "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn ready(site: &Site) -> (u16, serde_json::Value) {
    let answer = site.get("usr_ada", "/readyz").await;
    (answer.status.as_u16(), answer.json())
}

async fn knows_of(site: &Site, revision: Newer) {
    until("the service notices the revision", async || {
        ready(site).await.1["note"]
            .as_str()
            .is_some_and(|note| note.contains(revision.name))
    })
    .await;
}

#[tokio::test]
async fn an_unknown_expand_is_served_with_a_note() {
    on_each("003", async |site| {
        let path = site
            .task("usr_ada", json!({"title": "t", "priority": "high"}))
            .await;
        upgrade(&newer(&site.database, ADDS), Living::Heed).await.unwrap();
        knows_of(site, ADDS).await;
        let note = "the database has revisions that this build does not know: newer_adds (expand)";
        assert_eq!(
            ready(site).await,
            (200, json!({"status": "ready", "revision": "003", "note": note}))
        );
        let schema = site.get("usr_ada", "/api/v1/schema").await.expect(200).json();
        assert_eq!(
            schema["unknown"],
            json!([{"name": "newer_adds", "stage": "expand"}])
        );
        assert_eq!(schema["missing"], json!([]));
        assert_eq!(schema["in_sync"], false);
        assert_eq!(
            site.get("usr_ada", &path).await.expect(200).json()["priority"],
            "high"
        );
        site.patch("usr_ada", &path, json!({"title": "u"}))
            .await
            .expect(200);
    })
    .await;
}

#[tokio::test]
async fn an_unknown_contract_that_leaves_what_is_needed_is_served() {
    on_each("003", async |site| {
        let path = site
            .task("usr_ada", json!({"title": "t", "recurrence_pattern": "daily"}))
            .await;
        until("the service gives a sign of life", async || {
            alive(&site.database).await.len() == 1
        })
        .await;
        let environment = newer(&site.database, DROPS_WHAT_IS_USED);
        let refused = upgrade(&environment, Living::Heed).await.unwrap_err();
        assert_eq!(refused.kind(), "still_in_use");
        assert!(
            refused
                .to_string()
                .contains("still uses tasks.recurrence_pattern"),
            "{refused}"
        );
        upgrade(&environment, Living::Ignore).await.unwrap();
        knows_of(site, DROPS_WHAT_IS_USED).await;
        let (status, body) = ready(site).await;
        assert_eq!((status, &body["status"]), (200, &json!("ready")), "{body}");
        let task = site.get("usr_ada", &path).await.expect(200).json();
        assert_eq!(task["recurrence_pattern"], json!(null));
        let refused = site
            .patch("usr_ada", &path, json!({"recurrence_pattern": "weekly"}))
            .await;
        assert_eq!(refused.expect(503).code(), "SCHEMA_FEATURE_UNAVAILABLE");
    })
    .await;
}

#[tokio::test]
async fn an_unknown_contract_that_takes_what_is_needed_makes_the_service_unready_and_says_why() {
    on_each("003", async |site| {
        let path = site.task("usr_ada", json!({"title": "t"})).await;
        upgrade(&newer(&site.database, DROPS_WHAT_IS_NEEDED), Living::Ignore)
            .await
            .unwrap();
        knows_of(site, DROPS_WHAT_IS_NEEDED).await;
        let note = "the schema has no tasks.description any more; the database has revisions that this build does not \
                    know: newer_drops_needed (contract)";
        assert_eq!(
            ready(site).await,
            (503, json!({"status": "schema", "revision": "003", "note": note}))
        );
        let refused = site.get("usr_ada", &path).await.expect(503);
        assert_eq!(refused.code(), "SCHEMA_FEATURE_UNAVAILABLE");
        let schema = site.get("usr_ada", "/api/v1/schema").await.expect(200).json();
        assert_eq!(schema["missing"], json!(["tasks.description"]));
        assert_eq!(schema["unknown"][0]["stage"], "contract");
    })
    .await;
}

/// No step waits for the timer that looks once in a second: the database says that it has happened.
#[tokio::test]
async fn a_step_is_told_of_and_seen() {
    on_each("001", async |site| {
        for revision in ["002", "003", "002", "001"] {
            let heard = site.server.hints();
            migrate(&site.database, revision).await;
            until("the database tells of the step", async || {
                site.server.hints() > heard
            })
            .await;
            until("the service sees the step", async || {
                let seen = site.get("usr_ada", "/livez").await;
                seen.header("schema-revision") == revision
            })
            .await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_service_that_lost_its_ear_hears_again() {
    on_each("001", async |site| {
        if !site.is_postgres() {
            return;
        }
        let listeners = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() \
                         AND application_name = 'todo-api listening' AND query LIKE 'LISTEN%'";
        let session = Session::open(site.database.url(), &Default::default(), Access::Read)
            .await
            .unwrap();
        let pid = async || {
            let rows = session.rows(listeners).await.unwrap();
            rows.first().map(|row| row.try_get::<i32>("", "pid").unwrap())
        };
        until("the service listens", async || pid().await.is_some()).await;
        let before = pid().await;
        let end = format!("SELECT pg_terminate_backend(pid) FROM ({listeners}) AS listeners");
        session.rows(&end).await.unwrap();
        until("the service listens again", async || {
            pid().await.is_some_and(|now| Some(now) != before)
        })
        .await;
        session.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_process_that_stops_is_gone_at_once_and_one_that_was_killed_after_a_while() {
    for database in databases().await {
        migrate(&database, "003").await;
        let [stopped, killed] = [Process::start(&database, &[]), Process::start(&database, &[])];
        until("both give a sign of life", async || {
            alive(&database).await.len() == 2
        })
        .await;
        let environment = newer(&database, DROPS_WHAT_IS_NEEDED);
        let status = command::status(&environment).await.unwrap();
        let names: Vec<&str> = status.alive.iter().map(|one| one.build.name.as_str()).collect();
        assert_eq!(names, ["todo-api", "todo-api"]);

        stopped.stop();
        let left = alive(&database).await;
        assert_eq!(left.len(), 1);
        killed.kill();
        assert_eq!(alive(&database).await.len(), 1);
        let refused = upgrade(&environment, Living::Heed).await.unwrap_err();
        assert!(refused.to_string().contains(&left[0].instance), "{refused}");
        assert!(
            refused.to_string().contains("still needs tasks.description"),
            "{refused}"
        );

        let session = Session::open(database.url(), &Default::default(), Access::Write)
            .await
            .unwrap();
        let passes = match database.address().starts_with("postgres") {
            true => "UPDATE seaworthy_heartbeats SET seen_at = seen_at - interval '31 s'",
            false => {
                "UPDATE seaworthy_heartbeats SET seen_at = strftime('%Y-%m-%dT%H:%M:%fZ', julianday(seen_at) - 31.0 / 86400)"
            }
        };
        session.send(passes).await.unwrap();
        session.close().await;
        upgrade(&environment, Living::Heed).await.unwrap();
        database.remove().await.unwrap();
    }
}
