//! The same requests at every revision, and while the schema moves underneath warm connections.

mod suite;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::site::{PASSWORD, Site, databases, ids, migrate, on_each};
use suite::{unavailable, whole_suite};

#[tokio::test]
async fn the_suite_holds_at_every_revision() {
    for revision in ids() {
        on_each(&revision, async |site| whole_suite(site, &revision).await).await;
    }
}

#[tokio::test]
async fn the_suite_holds_with_accounts_before_and_after_addresses_are_unique_in_any_case() {
    on_each("a3c1f0d27b64", async |site| {
        whole_suite(site, "a3c1f0d27b64").await;
        migrate(&site.database, "5e9b84d0c2f7").await;
        wait_for(site, "5e9b84d0c2f7").await;
        whole_suite(site, "5e9b84d0c2f7").await;
    })
    .await;
}

#[tokio::test]
async fn a_token_of_a_sign_in_outlives_no_schema_without_sign_ins_and_an_issuers_does() {
    on_each("head", async |site| {
        let local = site.register("ada@example.org").await;
        let ask = async || site.with_token(&local, Method::GET, "/api/v1/me", None).await;
        ask().await.expect(200);
        migrate(&site.database, "003").await;
        wait_for(site, "003").await;
        // Also from what was looked up a moment ago.
        unavailable(ask().await, "003").await;
        site.get("usr_bob", "/api/v1/me").await.expect(200);
        migrate(&site.database, "5e9b84d0c2f7").await;
        wait_for(site, "5e9b84d0c2f7").await;
        let body = json!({"email": "ada@example.org", "password": PASSWORD});
        let gone = site.post_unsigned("/api/v1/auth/login", body).await.expect(401);
        assert_eq!(gone.code(), "AUTH_INVALID_CREDENTIALS");
    })
    .await;
}

#[tokio::test]
async fn the_suite_holds_after_every_step_up_and_down_under_a_warm_pool() {
    on_each("001", async |site| {
        let up = ids();
        let down: Vec<String> = up.iter().rev().skip(1).cloned().collect();
        let leaps = ["003", "001"].map(str::to_owned);
        for revision in up.into_iter().chain(down).chain(leaps) {
            let heads = migrate(&site.database, &revision).await;
            wait_for(site, &heads).await;
            whole_suite(site, &heads).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_tag_that_two_people_share_becomes_one_for_each_and_one_again() {
    on_each("e05c7b1d48a2", async |site| {
        let mut paths = Vec::new();
        for user in ["usr_ada", "usr_bob"] {
            let body = json!({"title": "Sail", "tags": ["harbour", user]});
            paths.push((user, site.task(user, body).await));
        }
        for revision in [
            "7c25d9e0b41f",
            "a80f4e6b2d93",
            "2e9d71c8f05a",
            "head",
            "e05c7b1d48a2",
            "head",
        ] {
            let heads = migrate(&site.database, revision).await;
            wait_for(site, &heads).await;
            for (user, path) in &paths {
                let task = site.get(user, path).await.expect(200).json();
                assert_eq!(task["tags"], json!(["harbour", user]), "{revision}");
                let found = site
                    .get(user, "/api/v1/tasks?tags=harbour")
                    .await
                    .expect(200)
                    .json();
                assert_eq!(found["data"].as_array().unwrap().len(), 1, "{revision}");
                // What it carries already is put on it once more, whoever's it is by now.
                site.patch(user, path, json!({"tags": ["HARBOUR", user]}))
                    .await
                    .expect(200);
            }
        }
    })
    .await;
}

/// Waits until the service has looked at the schema again, which it does every second.
async fn wait_for(site: &Site, revision: &str) {
    for _ in 0..400 {
        if site
            .get("usr_ada", "/api/v1/schema")
            .await
            .header("schema-revision")
            == revision
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the service did not notice revision {revision}");
}

#[tokio::test]
async fn a_warm_connection_survives_a_change_of_a_column_type() {
    on_each("003", async |site| {
        if !site.is_postgres() {
            return;
        }
        let path = site.task("usr_ada", json!({"title": "t"})).await;
        for _ in 0..3 {
            site.get("usr_ada", &path).await.expect(200);
        }
        site.sql("ALTER TABLE tasks ALTER COLUMN title TYPE text").await;
        for _ in 0..3 {
            site.get("usr_ada", &path).await.expect(200);
            site.patch("usr_ada", &path, json!({"title": "u"}))
                .await
                .expect(200);
        }
        assert!(site.server.retries() >= 1);
    })
    .await;
}

#[tokio::test]
async fn a_default_is_written_to_a_column_that_has_just_come() {
    on_each("001", async |site| {
        let path = site.task("usr_ada", json!({"title": "t"})).await;
        // The snapshot of the schema is fresh now, and a second will pass before the next one.
        migrate(&site.database, "003").await;
        site.sql("UPDATE tasks SET priority = 'high', due_date = '2026-12-01 00:00:00'")
            .await;
        let body = json!({"title": "t", "priority": "medium", "due_date": null});
        let answer = site.patch("usr_ada", &path, body).await.expect(200);
        assert_eq!(answer.header("schema-revision"), "003");
        wait_for(site, "003").await;
        let task = site.get("usr_ada", &path).await.expect(200).json();
        assert_eq!(task["priority"], "medium");
        assert_eq!(task["due_date"], Value::Null);
        migrate(&site.database, "001").await;
        site.patch("usr_ada", "/api/v1/tasks/999", json!({"priority": "medium"}))
            .await
            .expect(404);
    })
    .await;
}

#[tokio::test]
async fn an_empty_database_answers_by_name_and_recovers_without_a_restart() {
    for database in databases().await {
        let site = Site::open(database, "001", &[]).await;
        site.task("usr_ada", json!({"title": "t"})).await;
        migrate(&site.database, "base").await;
        let refused = site.get("usr_ada", "/api/v1/tasks").await.expect(503);
        assert_eq!(refused.json()["required_revision"], "001");
        assert_eq!(refused.json()["current_revision"], "base");
        site.get("usr_ada", "/readyz").await.expect(503);
        migrate(&site.database, "003").await;
        wait_for(&site, "003").await;
        site.task("usr_ada", json!({"title": "t", "priority": "high"}))
            .await;
        site.get("usr_ada", "/readyz").await.expect(200);
        site.close().await;
    }
}

#[tokio::test]
async fn a_user_whose_row_is_gone_is_made_known_again() {
    on_each("003", async |site| {
        let path = site.task("usr_ada", json!({"title": "t"})).await;
        site.send("usr_ada", Method::DELETE, &path, None)
            .await
            .expect(204);
        site.sql("DELETE FROM users").await;
        site.task("usr_ada", json!({"title": "t"})).await;
    })
    .await;
}

/// What clients saw while the schema moved.
#[derive(Default)]
struct Seen {
    made: Vec<String>,
    refused: u32,
    wrong: Vec<String>,
}

async fn keep_asking(site: Arc<Site>, user: String, stop: Arc<AtomicBool>) -> Seen {
    let mut seen = Seen::default();
    let mut round = 0_u32;
    while !stop.load(Ordering::Relaxed) {
        round += 1;
        let title = format!("{user} {round}");
        let plain = site.post(&user, "/api/v1/tasks", json!({"title": title})).await;
        match plain.status.as_u16() {
            201 => seen.made.push(title),
            _ => seen.wrong.push(plain.text),
        }
        let rich = json!({"title": format!("{user} {round} high"), "priority": "high", "tags": ["t"]});
        let rich = site.post(&user, "/api/v1/tasks", rich).await;
        match rich.status.as_u16() {
            201 => seen.made.push(format!("{user} {round} high")),
            503 if rich.code() == "SCHEMA_FEATURE_UNAVAILABLE" => seen.refused += 1,
            _ => seen.wrong.push(rich.text),
        }
        let list = match round % 2 {
            0 => "/api/v1/tasks?sort=-priority,due_date&limit=5",
            _ => "/api/me/tasks?sort=priority&order=desc&limit=5",
        };
        let list = site.get(&user, list).await;
        if list.status.as_u16() != 200 {
            seen.wrong.push(list.text);
        }
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_doubled_or_refused_otherwise_while_the_schema_moves() {
    for database in databases().await {
        let site = Arc::new(Site::open(database, "001", &[]).await);
        let stop = Arc::new(AtomicBool::new(false));
        let clients: Vec<_> = (0..4)
            .map(|number| {
                tokio::spawn(keep_asking(
                    Arc::clone(&site),
                    format!("usr_{number}"),
                    Arc::clone(&stop),
                ))
            })
            .collect();
        // One of two branches, both, and the other one.
        let branches = [
            "2e9d71c8f05a",
            "a80f4e6b2d93",
            "91e6c04b7da3",
            "head",
            "91e6c04b7da3",
        ];
        let revisions = [
            "002",
            "003",
            "002",
            "001",
            "head",
            "001",
            "head",
            "003",
            "head",
            "e05c7b1d48a2",
        ];
        for revision in revisions
            .into_iter()
            .chain(branches)
            .chain(["e05c7b1d48a2", "head"])
        {
            tokio::time::sleep(Duration::from_millis(150)).await;
            migrate(&site.database, revision).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        stop.store(true, Ordering::Relaxed);
        for (number, client) in clients.into_iter().enumerate() {
            let mut seen = client.await.unwrap();
            assert_eq!(seen.wrong, [""; 0]);
            assert!(seen.made.len() > 5, "only {} tasks were made", seen.made.len());
            let mut kept = all_titles(&site, &format!("usr_{number}")).await;
            kept.sort();
            seen.made.sort();
            assert_eq!(kept, seen.made, "{} refused", seen.refused);
        }
        Arc::try_unwrap(site).ok().unwrap().close().await;
    }
}

pub(crate) async fn all_titles(site: &Site, user: &str) -> Vec<String> {
    let mut titles = Vec::new();
    let mut path = "/api/v1/tasks?limit=200".to_owned();
    loop {
        let page = site.get(user, &path).await.expect(200).json();
        for task in page["data"].as_array().unwrap() {
            titles.push(task["title"].as_str().unwrap().to_owned());
        }
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/api/v1/tasks?limit=200&cursor={cursor}"),
            None => return titles,
        }
    }
}
