//! Changes of tasks: whoever asks again and again has in the end what the service has, whatever happens in between.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use api::{Clock, Server};
use reqwest::Method;
use serde_json::{Value, json};

use crate::site::{Answer, NOW, Site, migrate, on_each};

const CHANGES: &str = "/api/v1/changes";
const DAY: i64 = 24 * 60 * 60;

/// A client that keeps a copy of somebody's tasks.
struct Copy<'a> {
    site: &'a Site,
    user: &'a str,
    cursor: String,
    tasks: BTreeMap<i64, Value>,
}

impl<'a> Copy<'a> {
    async fn begin(site: &'a Site, user: &'a str) -> Self {
        let answer = site.get(user, CHANGES).await.expect(200).json();
        assert_eq!(
            (&answer["data"], &answer["has_more"]),
            (&json!([]), &json!(false))
        );
        let mut copy = Self {
            site,
            user,
            cursor: answer["next_cursor"].as_str().unwrap().to_owned(),
            tasks: BTreeMap::new(),
        };
        copy.tasks = copy.listed().await;
        copy
    }

    async fn listed(&self) -> BTreeMap<i64, Value> {
        let page = self.site.get(self.user, "/api/v1/tasks?limit=200").await;
        let page = page.expect(200).json();
        let tasks = page["data"].as_array().unwrap().iter();
        tasks
            .map(|task| (task["id"].as_i64().unwrap(), task.clone()))
            .collect()
    }

    async fn ask(&self, limit: usize) -> Answer {
        let path = format!("{CHANGES}?cursor={}&limit={limit}", self.cursor);
        self.site.get(self.user, &path).await
    }

    /// Takes over one page; returns what it told, as `change id`, and whether there is more.
    async fn page(&mut self, limit: usize) -> (Vec<String>, bool) {
        let answer = self.ask(limit).await.expect(200).json();
        let mut told = Vec::new();
        for change in answer["data"].as_array().unwrap() {
            let id = change["id"].as_i64().unwrap();
            let word = change["change"].as_str().unwrap();
            match word {
                "deleted" => {
                    assert_eq!(change["task"], Value::Null);
                    self.tasks.remove(&id);
                }
                _ => {
                    assert_eq!(change["task"]["id"], id);
                    self.tasks.insert(id, change["task"].clone());
                }
            }
            told.push(format!("{word} {id}"));
        }
        answer["next_cursor"]
            .as_str()
            .unwrap()
            .clone_into(&mut self.cursor);
        (told, answer["has_more"] == true)
    }

    /// Takes over everything that there is.
    async fn catch_up(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            let (told, has_more) = self.page(200).await;
            all.extend(told);
            if !has_more {
                return all;
            }
        }
    }

    async fn assert_is_complete(&self) {
        assert_eq!(self.tasks, self.listed().await);
    }
}

#[tokio::test]
async fn every_way_to_change_a_task_is_told() {
    on_each("head", async |site| {
        let before = site.task("usr_ada", json!({"title": "before"})).await;
        let mut copy = Copy::begin(site, "usr_ada").await;
        let task = site.task("usr_ada", json!({"title": "t", "tags": ["a"]})).await;
        assert_eq!(copy.catch_up().await, ["created 2"]);
        let tag = site.get("usr_ada", "/api/v1/tags").await.expect(200).json()["data"][0]["id"].clone();
        let complete = format!("{task}/complete");
        let bulk = json!({"operations": [
            {"op": "update", "id": 2, "data": {"title": "v"}},
            {"op": "create", "data": {"title": "w"}},
        ]});
        for (method, path, body, told) in [
            (
                Method::PATCH,
                task.as_str(),
                Some(json!({"title": "u"})),
                &["changed 2"][..],
            ),
            (
                Method::PUT,
                &task,
                Some(json!({"title": "u", "tags": ["a"]})),
                &["changed 2"],
            ),
            (Method::PUT, &complete, None, &["changed 2"]),
            (Method::DELETE, &complete, None, &["changed 2"]),
            (Method::PUT, &format!("{task}/tags/b"), None, &["changed 2"]),
            (Method::DELETE, &format!("{task}/tags/b"), None, &["changed 2"]),
            (
                Method::PATCH,
                &format!("/api/v1/tags/{tag}"),
                Some(json!({"name": "c"})),
                &["changed 2"],
            ),
            (
                Method::POST,
                "/api/v1/tasks/bulk",
                Some(bulk),
                &["changed 2", "created 3"],
            ),
            (Method::GET, &task, None, &[]),
            (Method::DELETE, &task, None, &["deleted 2"]),
            (Method::DELETE, &before, None, &["deleted 1"]),
        ] {
            let headers = [("idempotency-key", "k")];
            let answer = site
                .send_with("usr_ada", method.clone(), path, body, &headers)
                .await;
            assert!(answer.status.is_success(), "{method} {path}: {}", answer.text);
            let mut heard = copy.catch_up().await;
            heard.sort();
            assert_eq!(heard, told, "{method} {path}");
            copy.assert_is_complete().await;
        }
        // Each once, with its last state, in the order of what happened last.
        let path = site.task("usr_ada", json!({"title": "x"})).await;
        site.task("usr_ada", json!({"title": "y"})).await;
        site.patch("usr_ada", &path, json!({"title": "z"}))
            .await
            .expect(200);
        assert_eq!(copy.catch_up().await, ["created 5", "created 4"]);
        assert_eq!(copy.tasks[&4]["title"], "z");
        // By hand, or by code of before.
        site.sql("UPDATE tasks SET title = 'by hand', updated_at = CURRENT_TIMESTAMP WHERE id = 5")
            .await;
        assert_eq!(copy.catch_up().await, ["changed 5"]);
    })
    .await;
}

#[tokio::test]
async fn what_was_undone_is_not_told() {
    on_each("head", async |site| {
        let mut copy = Copy::begin(site, "usr_ada").await;
        let bulk = json!({"operations": [
            {"op": "create", "data": {"title": "w"}},
            {"op": "delete", "id": 999},
        ]});
        let headers = [("idempotency-key", "k")];
        site.send_with(
            "usr_ada",
            Method::POST,
            "/api/v1/tasks/bulk",
            Some(bulk),
            &headers,
        )
        .await
        .expect(404);
        assert_eq!(copy.catch_up().await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn a_page_ends_where_it_says_and_the_next_one_goes_on() {
    on_each("head", async |site| {
        let mut copy = Copy::begin(site, "usr_ada").await;
        for _ in 0..7 {
            site.task("usr_ada", json!({"title": "t"})).await;
        }
        let mut pages = Vec::new();
        loop {
            let (told, has_more) = copy.page(3).await;
            pages.push(told.len());
            if !has_more {
                break;
            }
        }
        assert_eq!(pages, [3, 3, 1]);
        copy.assert_is_complete().await;
        // Whoever asks while nothing happens need not be told so twice.
        let tag = copy.ask(50).await.expect(200).header("etag").to_owned();
        let path = format!("{CHANGES}?cursor={}", copy.cursor);
        let headers = [("if-none-match", tag.as_str())];
        site.send_with("usr_ada", Method::GET, &path, None, &headers)
            .await
            .expect(304);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_left_out_while_many_write_and_somebody_reads() {
    on_each("head", async |site| {
        const WRITERS: usize = 6;
        const EACH: usize = 12;
        let mut copy = Copy::begin(site, "usr_ada").await;
        let is_done = AtomicBool::new(false);
        let write = async |writer: usize| {
            for round in 0..EACH {
                let tag = format!("t{}", (writer + round) % 3);
                let task = site
                    .task(
                        "usr_ada",
                        json!({"title": format!("{writer} {round}"), "tags": [tag]}),
                    )
                    .await;
                match round % 3 {
                    0 => drop(
                        site.patch("usr_ada", &task, json!({"title": "again"}))
                            .await
                            .expect(200),
                    ),
                    1 => drop(
                        site.send("usr_ada", Method::DELETE, &task, None)
                            .await
                            .expect(204),
                    ),
                    _ => {}
                }
            }
        };
        let writing = async {
            futures_util::future::join_all((0..WRITERS).map(write)).await;
            is_done.store(true, Ordering::Relaxed);
        };
        let reading = async {
            let mut pages = 0;
            while !is_done.load(Ordering::Relaxed) {
                copy.page(4).await;
                pages += 1;
            }
            pages
        };
        let ((), pages) = tokio::join!(writing, reading);
        assert!(pages > 3, "{pages} pages were read meanwhile");
        copy.catch_up().await;
        assert_eq!(copy.tasks.len(), WRITERS * EACH * 2 / 3);
        copy.assert_is_complete().await;
    })
    .await;
}

#[tokio::test]
async fn two_readers_are_told_the_same_in_the_same_order() {
    on_each("head", async |site| {
        let mut first = Copy::begin(site, "usr_ada").await;
        let mut second = Copy::begin(site, "usr_ada").await;
        for _ in 0..5 {
            site.task("usr_ada", json!({"title": "t"})).await;
            let (one, two) = tokio::join!(first.catch_up(), second.catch_up());
            assert_eq!(one, two);
            assert_eq!(one.len(), 1);
        }
    })
    .await;
}

#[tokio::test]
async fn changes_are_those_of_the_caller_and_go_with_them() {
    on_each("head", async |site| {
        let ada = Copy::begin(site, "usr_ada").await;
        let mut eve = Copy::begin(site, "usr_eve").await;
        site.task("usr_ada", json!({"title": "secret"})).await;
        assert_eq!(eve.catch_up().await, [""; 0]);
        eve.cursor.clone_from(&ada.cursor);
        let foreign = eve.ask(50).await.expect(400);
        assert_eq!(foreign.code(), "CURSOR_INVALID");
        let lists = site.get("usr_ada", "/api/v1/tasks?limit=1").await.expect(200);
        assert!(!lists.text.contains(&ada.cursor));

        let token = site.register("cay@example.org").await;
        let task = Some(json!({"title": "t"}));
        site.with_token(&token, Method::POST, "/api/v1/tasks", task)
            .await
            .expect(201);
        site.with_token(&token, Method::DELETE, "/api/v1/me", None)
            .await
            .expect(204);
        let left = site
            .texts("SELECT DISTINCT user_id FROM task_events ORDER BY user_id")
            .await;
        assert_eq!(left, "usr_ada, usr_eve");
    })
    .await;
}

#[tokio::test]
async fn a_cursor_is_good_for_thirty_days_and_events_are_swept_after_them() {
    on_each("head", async |site| {
        site.get("usr_ada", "/api/v1/me").await.expect(200);
        let old = "INSERT INTO task_events (user_id, kind, task_id, created_at) \
                   VALUES ('usr_ada', 'changed', 1, '2026-01-02T00:00:00+00:00')";
        for _ in 0..3 {
            site.sql(old).await;
        }
        site.task("usr_ada", json!({"title": "t"})).await;
        site.server.sweep().await.unwrap();
        let kinds = site.texts("SELECT kind FROM task_events ORDER BY id").await;
        assert_eq!(kinds, "created");
        let copy = Copy::begin(site, "usr_ada").await;
        for (days, status) in [(30, 200), (31, 410)] {
            let server = Server::start(&site.settings, Clock::fixed(NOW + days * DAY))
                .await
                .unwrap();
            let later = site.beside(server);
            let path = format!("{CHANGES}?cursor={}", copy.cursor);
            let answer = later.get("usr_ada", &path).await.expect(status);
            if status == 410 {
                assert_eq!(answer.code(), "CHANGES_EXPIRED");
            } else {
                // Whoever goes on asking is never too late.
                assert_ne!(answer.json()["next_cursor"], copy.cursor.as_str());
            }
            later.stop().await;
        }
    })
    .await;
}

#[tokio::test]
async fn whoever_goes_on_asking_is_never_too_late_however_long_nothing_happened() {
    on_each("head", async |site| {
        let first = site.task("usr_ada", json!({"title": "t"})).await;
        // PostgreSQL writes them down by its own clock.
        let happened = async |moment: &str| {
            let set = format!("UPDATE task_events SET created_at = '{moment}' WHERE created_at > '2026-03-01T12:00:00+00:00'");
            site.sql(&set).await;
        };
        happened("2026-03-01T12:00:00+00:00").await;
        let mut cursor = Copy::begin(site, "usr_ada").await.cursor;
        let on_day = async |day: i64| {
            let server = Server::start(&site.settings, Clock::fixed(NOW + day * DAY)).await;
            site.beside(server.unwrap())
        };
        let ask = async |later: &Site, cursor: &str| {
            let answer = later.get("usr_ada", &format!("{CHANGES}?cursor={cursor}")).await;
            answer.expect(200).json()
        };
        for day in [20, 39] {
            let later = on_day(day).await;
            let answer = ask(&later, &cursor).await;
            cursor = answer["next_cursor"].as_str().unwrap().to_owned();
            later.stop().await;
        }
        let later = on_day(40).await;
        later.send("usr_ada", Method::PUT, &format!("{first}/complete"), None).await.expect(200);
        later.task("usr_ada", json!({"title": "u"})).await;
        happened("2026-04-10T12:00:00+00:00").await;
        // Somebody else has read them meanwhile, and what is old goes.
        Copy::begin(&later, "usr_ada").await;
        later.server.sweep().await.unwrap();
        later.stop().await;
        let later = on_day(41).await;
        later.server.sweep().await.unwrap();
        let answer = ask(&later, &cursor).await;
        assert_eq!(answer["data"].as_array().map(Vec::len), Some(2), "{answer}");
        later.stop().await;
        // When those are old as well, all goes but the last.
        let later = on_day(80).await;
        later.server.sweep().await.unwrap();
        let kinds = later.texts("SELECT kind FROM task_events ORDER BY id").await;
        assert_eq!(kinds, "created");
        later.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_happened_while_nothing_was_written_down_is_not_passed_over_in_silence() {
    on_each("head", async |site| {
        let mut copy = Copy::begin(site, "usr_ada").await;
        site.task("usr_ada", json!({"title": "t"})).await;
        copy.catch_up().await;
        migrate(&site.database, "4b7f1c92e6d0").await;
        let refused = copy.ask(50).await.expect(503);
        assert_eq!(refused.json()["required_revision"], "9c2e7a41f0b3");
        site.task("usr_ada", json!({"title": "not written down"})).await;
        migrate(&site.database, "head").await;
        // Whoever asks for the schema lets the service look at it.
        site.get("usr_ada", "/api/v1/schema").await.expect(200);
        let refused = copy.ask(50).await.expect(410);
        assert_eq!(refused.code(), "CHANGES_EXPIRED");
        let mut copy = Copy::begin(site, "usr_ada").await;
        site.task("usr_ada", json!({"title": "u"})).await;
        assert_eq!(copy.catch_up().await, ["created 3"]);
    })
    .await;
}
