//! Requests under a key: carried out once however often they come, whatever happens in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use api::{Clock, Server, document};
use reqwest::Method;
use seaworthy::session::{Access, Session};
use serde_json::{Value, json};

use crate::process::Process;
use crate::site::{Answer, NOW, Site, databases, migrate, on_each};

const TASKS: &str = "/api/v1/tasks";

async fn post(site: &Site, path: &str, body: Value, key: &str) -> Answer {
    let headers = [("idempotency-key", key)];
    site.send_with("usr_ada", Method::POST, path, Some(body), &headers)
        .await
}

/// Asks again while the answer has this status, for ten seconds at most.
async fn until<F: Future<Output = Answer>>(status: u16, ask: impl Fn() -> F) -> Answer {
    for _ in 0..1000 {
        let answer = ask().await;
        if answer.status.as_u16() != status {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("still {status} after ten seconds");
}

/// Returns how many tasks of this title there are.
async fn count(site: &Site, title: &str) -> u64 {
    let path = format!("{TASKS}?include=total&q={title}");
    site.get("usr_ada", &path).await.expect(200).json()["total"]
        .as_u64()
        .unwrap()
}

fn assert_repeats(first: &Answer, again: &Answer) {
    assert_eq!(again.header("idempotency-replayed"), "true", "{again:?}");
    assert_eq!(first.header("idempotency-replayed"), "");
    assert_eq!((again.status, &again.text), (first.status, &first.text));
    for name in ["location", "etag", "schema-revision", "content-type"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
}

/// Returns a body that an operation takes.
fn body(operation: &str) -> Option<Value> {
    match operation {
        "createTask" => Some(json!({"title": "new", "tags": ["a"]})),
        "createTag" => Some(json!({"name": "fresh", "task_ids": [1]})),
        "createMessage" => Some(json!({"content": "hello"})),
        "createConversation" => None,
        "bulkTasks" => Some(json!({"operations": [{"op": "create", "data": {"title": "several"}}]})),
        other => panic!("{other} takes a key: give it a body here"),
    }
}

#[tokio::test]
async fn every_request_that_makes_something_is_carried_out_once() {
    for revision in ["003", "head"] {
        on_each(revision, async |site| {
            site.task("usr_ada", json!({"title": "t"})).await;
            site.send("usr_ada", Method::POST, "/api/v1/conversations", None)
                .await
                .expect(201);
            let document = serde_json::to_value(document()).unwrap();
            let mut asked = 0;
            for (path, operations) in document["paths"].as_object().unwrap() {
                let operation = &operations["post"];
                let parameters = operation["parameters"].as_array();
                let takes_key = parameters
                    .into_iter()
                    .flatten()
                    .any(|parameter| parameter["name"] == "Idempotency-Key");
                if !takes_key {
                    continue;
                }
                let body = body(operation["operationId"].as_str().unwrap());
                let path = path.replace("{id}", "1");
                let headers = [("idempotency-key", "\"one and the same\"")];
                let send = || site.send_with("usr_ada", Method::POST, &path, body.clone(), &headers);
                let first = send().await;
                assert!(first.status.is_success(), "{path}: {}", first.text);
                assert_repeats(&first, &send().await);
                let scope = if revision == "003" { "process" } else { "" };
                assert_eq!(first.header("idempotency-scope"), scope, "{path}");
                asked += 1;
            }
            assert!(asked >= 4, "only {asked} operations take a key");
            assert_eq!(count(site, "new").await, 1);
        })
        .await;
    }
}

#[tokio::test]
async fn a_key_stands_for_one_request_of_one_person() {
    on_each("head", async |site| {
        let first = post(site, TASKS, json!({"title": "t", "description": "d"}), "k")
            .await
            .expect(201);
        // The same, said differently.
        let body = Some((
            "{ \"description\":\"d\", \"title\":\"t\" }".to_owned(),
            "application/json",
        ));
        let token = site.token("usr_ada");
        let headers = [("idempotency-key", "\"k\"")];
        let again = site
            .send_raw(Some(&token), Method::POST, TASKS, body, &headers)
            .await;
        assert_repeats(&first, &again);
        // Another server knows it from the database.
        let other = Server::start(&site.settings, Clock::fixed(NOW)).await.unwrap();
        let other = site.beside(other);
        let again = post(&other, TASKS, json!({"title": "t", "description": "d"}), "k").await;
        assert_repeats(&first, &again);
        // One after the other, without a moment in between for what the one before left behind.
        for _ in 0..20 {
            for site in [site, &*other] {
                let reused = post(site, TASKS, json!({"title": "u"}), "k").await.expect(422);
                assert_eq!(reused.code(), "IDEMPOTENCY_KEY_REUSED");
            }
            let body = json!({"title": "t", "description": "d"});
            assert_repeats(&first, &post(&other, TASKS, body, "k").await);
            let tag = json!({"name": "n", "task_ids": [999]});
            post(&other, "/api/v1/tags", tag, "missing").await.expect(404);
        }
        other.stop().await;

        for _ in 0..2 {
            site.send("usr_ada", Method::POST, "/api/v1/conversations", None)
                .await
                .expect(201);
        }
        let hello = json!({"content": "hello"});
        post(site, "/api/v1/conversations/1/messages", hello.clone(), "k")
            .await
            .expect(201);
        let elsewhere = post(site, "/api/v1/conversations/2/messages", hello, "k").await;
        assert_eq!(elsewhere.expect(422).code(), "IDEMPOTENCY_KEY_REUSED");
        let hers = site
            .send_with(
                "usr_eve",
                Method::POST,
                TASKS,
                Some(json!({"title": "hers"})),
                &headers,
            )
            .await
            .expect(201);
        assert_eq!(hers.json()["user_id"], "usr_eve");
    })
    .await;
}

#[tokio::test]
async fn a_key_that_is_none_is_refused() {
    on_each("head", async |site| {
        for key in ["", "two words", "\"open", "a, b", &"k".repeat(256)] {
            let refused = post(site, TASKS, json!({"title": "t"}), key).await.expect(400);
            assert_eq!(refused.code(), "IDEMPOTENCY_KEY_INVALID", "{key}");
        }
        let twice = [("idempotency-key", "a"), ("idempotency-key", "b")];
        let refused = site
            .send_with(
                "usr_ada",
                Method::POST,
                TASKS,
                Some(json!({"title": "t"})),
                &twice,
            )
            .await
            .expect(400);
        assert_eq!(refused.code(), "IDEMPOTENCY_KEY_INVALID");
    })
    .await;
}

#[tokio::test]
async fn what_changed_nothing_is_not_kept() {
    on_each("001", async |site| {
        let high = json!({"title": "high", "priority": "high"});
        post(site, TASKS, json!({"title": ""}), "k").await.expect(422);
        post(site, TASKS, high.clone(), "k").await.expect(503);
        migrate(&site.database, "head").await;
        // The look at the schema that the refusal rests on is taken over for a moment.
        let made = until(503, || post(site, TASKS, high.clone(), "k"))
            .await
            .expect(201);
        assert_repeats(&made, &post(site, TASKS, high, "k").await);

        let tag = json!({"name": "n", "task_ids": [2]});
        post(site, "/api/v1/tags", tag.clone(), "k").await.expect(404);
        site.task("usr_ada", json!({"title": "t"})).await;
        post(site, "/api/v1/tags", tag, "k").await.expect(201);
    })
    .await;
}

#[tokio::test]
async fn a_request_that_is_under_way_is_not_carried_out_beside_itself() {
    on_each("head", async |site| {
        site.task("usr_ada", json!({"title": "known"})).await;
        let other = Server::start(&site.settings, Clock::fixed(NOW)).await.unwrap();
        let other = site.beside(other);
        post(&other, TASKS, json!({"title": "known"}), "other")
            .await
            .expect(201);
        // Whoever works on the request waits for this lock.
        let blocker = Session::open(site.database.url(), &Default::default(), Access::Write)
            .await
            .unwrap();
        for (number, second) in [site, &*other].into_iter().enumerate() {
            if number == 1 && !site.is_postgres() {
                // SQLite has one writer: another process waits for its turn and then finds the answer.
                continue;
            }
            match site.is_postgres() {
                true => blocker
                    .send("BEGIN; LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE")
                    .await
                    .unwrap(),
                false => blocker.send("BEGIN IMMEDIATE").await.unwrap(),
            };
            let title = format!("blocked{number}");
            let key = format!("k{number}");
            let mut one = Box::pin(post(site, TASKS, json!({"title": title}), &key));
            let mut two = Box::pin(post(second, TASKS, json!({"title": title}), &key));
            let (refused, waiting) = tokio::select! {
                refused = &mut one => (refused, two),
                refused = &mut two => (refused, one),
            };
            assert_eq!(refused.expect(409).code(), "IDEMPOTENCY_IN_PROGRESS");
            blocker.send("COMMIT").await.unwrap();
            waiting.await.expect(201);
            assert_eq!(count(site, &title).await, 1);
        }
        blocker.close().await;
        other.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_key_outlives_steps_of_the_schema() {
    on_each("head", async |site| {
        let kept = post(site, TASKS, json!({"title": "kept"}), "kept")
            .await
            .expect(201);
        migrate(&site.database, "003").await;
        let again = post(site, TASKS, json!({"title": "kept"}), "kept").await;
        assert_repeats(&kept, &again);
        let made = post(site, TASKS, json!({"title": "made"}), "made")
            .await
            .expect(201);
        assert_eq!(made.header("idempotency-scope"), "process");
        migrate(&site.database, "head").await;
        let again = post(site, TASKS, json!({"title": "made"}), "made").await;
        assert_repeats(&made, &again);
        assert_eq!((count(site, "kept").await, count(site, "made").await), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn a_unit_of_work_that_is_done_once_more_is_done_once() {
    on_each("head", async |site| {
        for number in 0..8 {
            post(site, TASKS, json!({"title": "warm"}), &format!("warm{number}"))
                .await
                .expect(201);
        }
        let moves = match site.is_postgres() {
            true => [
                "ALTER COLUMN priority TYPE text",
                "ALTER COLUMN priority TYPE varchar(20)",
            ],
            false => [
                "RENAME COLUMN priority TO urgency",
                "RENAME COLUMN urgency TO priority",
            ],
        };
        for (number, step) in moves.iter().cycle().take(10).enumerate() {
            // The statement that makes the task fails now, after that of its key went through; unless the service happens to
            // look at the schema in between.
            site.sql(&format!("ALTER TABLE tasks {step}")).await;
            let title = format!("healed{number}");
            let first = post(site, TASKS, json!({"title": title}), &title)
                .await
                .expect(201);
            let again = post(site, TASKS, json!({"title": title}), &title).await;
            assert_repeats(&first, &again);
            assert_eq!(count(site, &title).await, 1);
            if site.server.retries() >= 1 {
                return;
            }
        }
        panic!("nothing was done once more");
    })
    .await;
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day_and_swept() {
    on_each("head", async |site| {
        post(site, TASKS, json!({"title": "t"}), "k").await.expect(201);
        let tomorrow = Server::start(&site.settings, Clock::fixed(NOW + 24 * 60 * 60))
            .await
            .unwrap();
        let tomorrow = site.beside(tomorrow);
        let anew = post(&tomorrow, TASKS, json!({"title": "another"}), "k").await;
        assert_eq!(anew.expect(201).header("idempotency-replayed"), "");

        let numbers = match site.is_postgres() {
            true => "generate_series(1, 1200) AS s(n)",
            false => "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 1200) SELECT n FROM s)",
        };
        let old = format!(
            "INSERT INTO idempotency_keys (user_id, route, key, fingerprint, created_at, expires_at) \
             SELECT 'usr_ada', 'old', 'k' || n, 'f', '2026-01-01 00:00:00+00:00', '2026-01-02 00:00:00+00:00' FROM {numbers}"
        );
        site.sql(&old).await;
        site.server.sweep().await.unwrap();
        // Fails if one of them is still there.
        site.sql(&old).await;
        let again = post(&tomorrow, TASKS, json!({"title": "another"}), "k").await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        tomorrow.stop().await;
    })
    .await;
}

/// Sends each request twice under its key while the schema moves; returns how many were carried out.
async fn insist(site: Arc<Site>, number: u32, rounds: u32) {
    for round in 0..rounds {
        let title = format!("c{number}r{round}x");
        let key = format!("{number}-{round}");
        for _ in 0..2 {
            let answer = post(&site, TASKS, json!({"title": title}), &key).await;
            assert_eq!(answer.status.as_u16(), 201, "{}", answer.text);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_happens_twice_while_the_table_comes_and_goes() {
    for database in databases().await {
        let site = Arc::new(Site::open(database, "003", &[]).await);
        let clients: Vec<_> = (0..4)
            .map(|number| tokio::spawn(insist(Arc::clone(&site), number, 40)))
            .collect();
        while !clients.iter().all(tokio::task::JoinHandle::is_finished) {
            for revision in ["head", "003"] {
                migrate(&site.database, revision).await;
            }
        }
        for client in clients {
            client.await.unwrap();
        }
        let page = site.get("usr_ada", &format!("{TASKS}?include=total")).await;
        assert_eq!(page.json()["total"], 160);
        Arc::try_unwrap(site).ok().unwrap().close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_whose_answer_was_lost_with_its_server_is_repeated_safely() {
    use tokio::io::AsyncWriteExt;
    for database in databases().await {
        let site = Site::open(database, "head", &[]).await;
        for round in 0..6 {
            let process = Process::start(&site.database, &[]);
            let body = json!({"title": format!("round{round}x")}).to_string();
            let mut stream = tokio::net::TcpStream::connect(&process.address).await.unwrap();
            let request = format!(
                "POST {TASKS} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nidempotency-key: round-{round}\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                site.token("usr_ada"),
                body.len()
            );
            stream.write_all(request.as_bytes()).await.unwrap();
            if round < 3 {
                // The effect is there, and nobody has read the answer.
                while count(&site, &format!("round{round}x")).await == 0 {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            } else {
                // Somewhere on the way.
                tokio::time::sleep(Duration::from_millis(3 * (round - 2))).await;
            }
            process.kill();
            let body: Value = serde_json::from_str(&body).unwrap();
            let key = format!("round-{round}");
            // PostgreSQL may be a moment behind with noticing that nobody is there any more.
            let again = until(409, || post(&site, TASKS, body.clone(), &key))
                .await
                .expect(201);
            if round < 3 {
                assert_eq!(again.header("idempotency-replayed"), "true");
            }
            assert_eq!(count(&site, &format!("round{round}x")).await, 1);
        }
        site.close().await;
    }
}

/// Deleted here or by another server, and come back with a token of an issuer.
#[tokio::test]
async fn what_was_deleted_is_not_answered_again() {
    for database in databases().await {
        let now = Arc::new(AtomicI64::new(NOW));
        let site = Site::open_by(database, "head", &[], Clock::set_by(Arc::clone(&now))).await;
        let clock = Clock::set_by(Arc::clone(&now));
        let other = site.beside(Server::start(&site.settings, clock).await.unwrap());
        let keyed = async |token: &str| {
            let body = Some((json!({"title": "very private"}).to_string(), "application/json"));
            let headers = [("idempotency-key", "mem")];
            let answer = site
                .send_raw(Some(token), Method::POST, TASKS, body, &headers)
                .await;
            answer.expect(201)
        };
        for (name, leaves_by) in [("ada", &site), ("eve", &*other)] {
            let session = site.register(&format!("{name}@example.org")).await;
            let me = site.with_token(&session, Method::GET, "/api/v1/me", None).await;
            let id = me.expect(200).json()["id"].as_str().unwrap().to_owned();
            let first = keyed(&session).await;
            assert_repeats(&first, &keyed(&session).await);
            leaves_by
                .with_token(&session, Method::DELETE, "/api/v1/me", None)
                .await
                .expect(204);
            now.fetch_add(1, Ordering::Relaxed);
            let again = keyed(&site.token(&id)).await;
            assert_eq!(again.header("idempotency-replayed"), "", "{name}");
            site.get(&id, again.header("location")).await.expect(200);
        }
        other.stop().await;
        site.close().await;
    }
}
