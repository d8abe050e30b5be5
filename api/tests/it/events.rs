//! Following what happens to tasks: in order, from anywhere, with nothing left out when a client comes again.

use std::collections::HashMap;
use std::time::Duration;

use api::{Clock, Server};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use crate::site::{NOW, Site, on_each};

/// How long something may take that happens at once.
const SOON: Duration = Duration::from_secs(5);

/// A stream of events that somebody reads.
pub(crate) struct Stream {
    response: Response,
    text: String,
}

/// One event; a comment has no name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Event {
    name: String,
    pub(crate) id: String,
    pub(crate) data: Value,
}

impl Stream {
    /// Opens a stream and reads its first event.
    pub(crate) async fn open(site: &Site, user: &str, last: Option<&str>) -> (Self, Event) {
        let token = site.token(user);
        let response = follow(site, &token, last).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        let mut stream = Self {
            response,
            text: String::new(),
        };
        let ready = stream.next().await.unwrap();
        assert_eq!(ready.name, "ready");
        (stream, ready)
    }

    /// Returns the next event; nothing at the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((text, rest)) = self.text.split_once("\n\n") {
                let (text, rest) = (text.to_owned(), rest.to_owned());
                self.text = rest;
                let mut event = Event::default();
                for line in text.lines() {
                    match line.split_once(':').unwrap() {
                        ("event", name) => name.trim().clone_into(&mut event.name),
                        ("id", id) => id.trim().clone_into(&mut event.id),
                        ("data", data) => event.data = serde_json::from_str(data).unwrap(),
                        ("retry" | "", _) => {}
                        other => panic!("{other:?}"),
                    }
                }
                return Some(event);
            }
            let chunk = tokio::time::timeout(Duration::from_secs(20), self.response.chunk());
            match chunk.await.expect("something comes within 20 seconds") {
                Ok(Some(bytes)) => self.text += std::str::from_utf8(&bytes).unwrap(),
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// Returns the next event, which has to come at once.
    pub(crate) async fn soon(&mut self) -> Event {
        let event = tokio::time::timeout(SOON, self.next()).await;
        event.expect("an event comes soon").expect("the stream goes on")
    }
}

/// Asks for a stream.
pub(crate) async fn follow(site: &Site, token: &str, last: Option<&str>) -> Response {
    let mut request = Client::new()
        .get(site.url("/api/v1/events"))
        .bearer_auth(token)
        .header("accept", "text/event-stream");
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    request.send().await.unwrap()
}

#[tokio::test]
async fn what_happens_is_told_in_order_whoever_does_it() {
    on_each("head", async |site| {
        let (mut stream, _) = Stream::open(site, "usr_ada", None).await;
        let (mut foreign, _) = Stream::open(site, "usr_eve", None).await;
        let other = Server::start(&site.settings, Clock::fixed(NOW)).await.unwrap();
        let other = site.beside(other);
        let path = site.task("usr_ada", json!({"title": "t"})).await;
        let complete = format!("{path}/complete");
        for (method, path, body) in [
            (Method::PATCH, path.as_str(), Some(json!({"title": "u"}))),
            (Method::PUT, &complete, None),
            (Method::DELETE, &complete, None),
            (Method::DELETE, &path, None),
        ] {
            let answer = other.send("usr_ada", method, path, body).await;
            assert!(answer.status.is_success(), "{answer:?}");
        }
        let mut ids = Vec::new();
        for name in ["created", "changed", "completed", "reopened", "deleted"] {
            let event = stream.soon().await;
            assert_eq!(event.name, format!("task.{name}"));
            assert_eq!(event.data["task_id"], 1);
            ids.push(event.id);
        }
        // By hand as well; and the other person hears of theirs alone.
        site.task("usr_eve", json!({"title": "e"})).await;
        let event = foreign.soon().await;
        assert_eq!(
            (event.name.as_str(), &event.data["task_id"]),
            ("task.created", &json!(2))
        );
        site.task("usr_ada", json!({"title": "v"})).await;
        stream.soon().await;
        site.sql("UPDATE tasks SET updated_at = CURRENT_TIMESTAMP WHERE id = 3")
            .await;
        assert_eq!(stream.soon().await.name, "task.changed");

        // The id is a cursor of the list of changes, too.
        let path = format!("/api/v1/changes?cursor={}", ids[0]);
        let changes = site.get("usr_ada", &path).await.expect(200).json();
        assert_eq!(changes["data"][0]["change"], "deleted");
        other.stop().await;
    })
    .await;
}

#[tokio::test]
async fn who_comes_again_misses_nothing_and_is_told_nothing_twice() {
    on_each("head", async |site| {
        let (mut stream, ready) = Stream::open(site, "usr_ada", None).await;
        for _ in 0..3 {
            site.task("usr_ada", json!({"title": "t"})).await;
        }
        let first = stream.soon().await;
        drop(stream);
        site.task("usr_ada", json!({"title": "meanwhile"})).await;
        for (last, tasks) in [(&first.id, &[2, 3, 4][..]), (&ready.id, &[1, 2, 3, 4])] {
            let (mut again, ready) = Stream::open(site, "usr_ada", Some(last)).await;
            assert!(!ready.id.is_empty());
            for task in tasks {
                assert_eq!(again.soon().await.data["task_id"], *task);
            }
        }
        let refused = follow(site, &site.token("usr_eve"), Some(&first.id)).await;
        assert_eq!(refused.status(), 400);
        // What is too long ago is not passed over in silence.
        let later = Server::start(&site.settings, Clock::fixed(NOW + 40 * 24 * 60 * 60)).await;
        let later = site.beside(later.unwrap());
        let (mut stream, _) = Stream::open(&later, "usr_ada", Some(&first.id)).await;
        assert_eq!(stream.soon().await.name, "resync");
        later.task("usr_ada", json!({"title": "after"})).await;
        assert_eq!(stream.soon().await.data["task_id"], 5);
        drop(stream);
        later.stop().await;
    })
    .await;
}

#[tokio::test]
async fn before_its_revision_nothing_can_be_followed() {
    on_each("4b7f1c92e6d0", async |site| {
        let refused = follow(site, &site.token("usr_ada"), None).await;
        assert_eq!(refused.status(), 503);
        let problem: Value = serde_json::from_str(&refused.text().await.unwrap()).unwrap();
        assert_eq!(problem["required_revision"], "9c2e7a41f0b3");
    })
    .await;
}

#[tokio::test]
async fn a_stream_is_for_those_who_ask_for_one_and_five_for_each() {
    on_each("head", async |site| {
        for accept in ["*/*", "application/json", "text/event-stream;q=0"] {
            let headers = [("accept", accept)];
            let refused = site
                .send_with("usr_ada", Method::GET, "/api/v1/events", None, &headers)
                .await
                .expect(406);
            assert_eq!(refused.code(), "NOT_ACCEPTABLE");
        }
        let mut open = Vec::new();
        for _ in 0..5 {
            open.push(Stream::open(site, "usr_ada", None).await.0);
        }
        let refused = follow(site, &site.token("usr_ada"), None).await;
        assert_eq!(refused.status(), 429);
        assert_eq!(refused.headers()["retry-after"], "5");
        Stream::open(site, "usr_eve", None).await;
        site.task("usr_ada", json!({"title": "t"})).await;
        for stream in &mut open {
            assert_eq!(stream.soon().await.name, "task.created");
        }
        // Who is gone makes room, at the latest when they are told something.
        drop(open);
        site.task("usr_ada", json!({"title": "t"})).await;
        for round in 0.. {
            if follow(site, &site.token("usr_ada"), None).await.status() == 200 {
                break;
            }
            assert!(round < 100, "nobody made room");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_stream_lives_while_nothing_happens_and_ends_with_its_token_and_its_server() {
    on_each("head", async |site| {
        let token = site.register("ada@example.org").await;
        let mut stream = Stream {
            response: follow(site, &token, None).await,
            text: String::new(),
        };
        assert_eq!(stream.next().await.unwrap().name, "ready");
        let beat = stream.next().await.unwrap();
        assert_eq!(beat, Event::default());
        site.with_token(&token, Method::POST, "/api/v1/auth/logout", None)
            .await
            .expect(204);
        assert_eq!(tokio::time::timeout(SOON, stream.next()).await.unwrap(), None);

        let (mut stream, _) = Stream::open(site, "usr_ada", None).await;
        let server = Server::start(&site.settings, Clock::fixed(NOW)).await.unwrap();
        let other = site.beside(server);
        let (mut elsewhere, _) = Stream::open(&other, "usr_ada", None).await;
        tokio::time::timeout(SOON, other.stop()).await.unwrap();
        assert_eq!(elsewhere.next().await, None);
        site.task("usr_ada", json!({"title": "t"})).await;
        assert_eq!(stream.soon().await.name, "task.created");
    })
    .await;
}

#[tokio::test]
async fn hundreds_follow_and_everybody_hears_of_their_own() {
    on_each("head", async |site| {
        const PEOPLE: usize = 60;
        let people: Vec<String> = (0..PEOPLE).map(|number| format!("usr_{number}")).collect();
        let mut streams = HashMap::new();
        for person in &people {
            let mut own = Vec::new();
            for _ in 0..4 {
                own.push(Stream::open(site, person, None).await.0);
            }
            streams.insert(person, own);
        }
        for person in &people {
            site.task(person, json!({"title": person})).await;
        }
        for (place, person) in people.iter().enumerate() {
            for stream in streams.get_mut(person).unwrap() {
                let event = stream.soon().await;
                assert_eq!(event.name, "task.created");
                assert_eq!(event.data["task_id"], place + 1);
            }
        }
        // Streams hold no place among the requests that are worked on.
        site.get("usr_0", "/api/v1/tasks").await.expect(200);
    })
    .await;
}
