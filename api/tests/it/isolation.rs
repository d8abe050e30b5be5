//! Two users: whatever path of the document is asked for, somebody else's things are not there.

use api::{compat_document, document};
use reqwest::Method;
use serde_json::{Value, json};

use crate::events::{Stream, follow};
use crate::site::{Site, on_each};

const ID: &str = "the-same-for-both";

/// A path, its method, and the name of the operation.
type Operation = (String, Method, String);

/// Runs a test where the inherited schema ends, and where ours does.
async fn on_revisions(test: impl AsyncFn(&Site)) {
    for revision in ["003", "head"] {
        on_each(revision, &test).await;
    }
}

/// Asks for something with the request's id held still, so that two answers can be compared byte by byte.
async fn ask(site: &Site, user: &str, method: &Method, path: &str, body: Option<Value>) -> (u16, String) {
    let headers = [("x-request-id", ID)];
    let answer = site.send_with(user, method.clone(), path, body, &headers).await;
    (answer.status.as_u16(), answer.text)
}

/// Returns a body that the operation would take from the owner.
fn body(operation: &str) -> Option<Value> {
    match operation {
        "replaceTask" | "createTask" | "createOwnTask" | "updateOwnTask" => {
            Some(json!({"title": "mine now"}))
        }
        "patchTask" => Some(json!({"title": "mine now"})),
        "renameTag" => Some(json!({"name": "mine"})),
        "renameConversation" => Some(json!({"title": ""})),
        "createMessage" => Some(json!({"content": "hello"})),
        _ => None,
    }
}

#[tokio::test]
async fn what_is_somebody_elses_is_like_what_never_was() {
    on_revisions(async |site| {
        fill(site).await;
        let before = snapshot(site).await;

        let (own, original) = all_paths();
        let mut asked = 0;
        for (path, method, id) in own.iter().chain(&original) {
            if !path.contains("{id}") {
                continue;
            }
            let filled = |number: &str| {
                path.replace("{user_id}", "me")
                    .replace("{id}", number)
                    .replace("{message_id}", number)
                    .replace("{name}", "private")
            };
            let foreign = ask(site, "usr_eve", method, &filled("1"), body(id)).await;
            let missing = ask(site, "usr_eve", method, &filled("999"), body(id)).await;
            assert_eq!(foreign.0, 404, "{id}: {}", foreign.1);
            assert_eq!(foreign, missing, "{id}");
            asked += 1;
        }
        assert!(asked >= 29, "only {asked} operations have ids in their path");
        for (path, method, id) in &original {
            let path = path.replace("{user_id}", "usr_ada").replace("{id}", "1");
            if path.contains("usr_ada") {
                let foreign = ask(site, "usr_eve", method, &path, body(id)).await;
                assert_eq!(foreign.0, 403, "{id}: {}", foreign.1);
            }
        }
        assert_eq!(snapshot(site).await, before, "nothing was changed");
    })
    .await;
}

/// Gives somebody one of each thing.
async fn fill(site: &Site) {
    site.task("usr_ada", json!({"title": "secret", "tags": ["private"]}))
        .await;
    site.send("usr_ada", Method::POST, "/api/v1/conversations", None)
        .await
        .expect(201);
    let said = json!({"content": "secret"});
    site.post("usr_ada", "/api/v1/conversations/1/messages", said)
        .await
        .expect(201);
}

/// Returns the operations of the service, and those of the original below both of its prefixes.
fn all_paths() -> (Vec<Operation>, Vec<Operation>) {
    let own = paths(&serde_json::to_value(document()).unwrap(), &[""]);
    let original = serde_json::to_value(compat_document()).unwrap();
    (own, paths(&original, &["/api/v1", "/api"]))
}

/// Returns the paths of a document below each prefix, with methods and names of operations.
fn paths(document: &Value, prefixes: &[&str]) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let Some(id) = operation["operationId"].as_str() else {
                continue;
            };
            for prefix in prefixes {
                let method = method.to_uppercase().parse().unwrap();
                found.push((format!("{prefix}{path}"), method, id.to_owned()));
            }
        }
    }
    found
}

/// Everything that the owner sees.
async fn snapshot(site: &Site) -> Vec<String> {
    let mut texts = Vec::new();
    for path in [
        "/api/v1/tasks/1",
        "/api/v1/tags",
        "/api/v1/conversations",
        "/api/v1/conversations/1/messages",
    ] {
        texts.push(site.get("usr_ada", path).await.expect(200).text);
    }
    texts
}

/// What shows something of whoever asks, and needs no number to find it.
fn lists() -> Vec<String> {
    let (own, original) = all_paths();
    let operations = own.into_iter().chain(original);
    operations
        .filter(|(path, method, id)| {
            *method == Method::GET
                && path.starts_with("/api/")
                && !path.contains("{id}")
                // The first two are nobody's; the last has no end, and is followed below.
                && !["getSchema", "getHealth", "followEvents"].contains(&id.as_str())
        })
        .map(|(path, ..)| path.replace("{user_id}", "me"))
        .collect()
}

#[tokio::test]
async fn lists_and_counts_show_nothing_of_others() {
    on_revisions(async |site| {
        let shown = async || {
            let mut answers = Vec::new();
            for path in lists() {
                let (status, text) = ask(site, "usr_eve", &Method::GET, &path, None).await;
                answers.push(format!("{path}: {status} {text}"));
            }
            answers
        };
        let before = shown().await;
        assert!(before.len() >= 14, "only {before:?}");
        fill(site).await;
        let after = shown().await;
        for (before, after) in before.iter().zip(&after) {
            // Where somebody's changes begin is where those of all end at the moment.
            match after.starts_with("/api/v1/changes: 200 ") {
                true => assert!(after.contains("{\"data\":[],\"next_cursor\":"), "{after}"),
                false => assert_eq!(before, after),
            }
            assert!(!after.contains("secret") && !after.contains("private"), "{after}");
        }
        let tag = json!({"name": "x", "task_ids": [1]});
        let refused = site.post("usr_eve", "/api/v1/tags", tag).await.expect(404);
        assert_eq!(refused.code(), "TASK_NOT_FOUND");
    })
    .await;
}

#[tokio::test]
async fn a_cursor_is_good_for_its_owner_alone() {
    on_revisions(async |site| {
        for tag in ["a", "b"] {
            fill(site).await;
            site.task("usr_ada", json!({"title": "secret", "tags": [tag]}))
                .await;
        }
        let mut tried = 0;
        for path in lists() {
            let page = site.get("usr_ada", &format!("{path}?limit=1")).await;
            // Not every list has one, and some do not take a limit.
            let Some(cursor) = page.json()["next_cursor"].as_str().map(str::to_owned) else {
                continue;
            };
            let next = format!("{path}?limit=1&cursor={cursor}");
            site.get("usr_ada", &next).await.expect(200);
            let refused = site.get("usr_eve", &next).await.expect(400);
            assert!(
                refused.text.contains("CURSOR_INVALID"),
                "{path}: {}",
                refused.text
            );
            tried += 1;
        }
        assert!(tried >= 7, "only {tried} lists with cursors");
    })
    .await;
}

#[tokio::test]
async fn who_follows_hears_nothing_of_others() {
    on_each("head", async |site| {
        let (mut own, ready) = Stream::open(site, "usr_ada", None).await;
        let (mut foreign, _) = Stream::open(site, "usr_eve", None).await;
        fill(site).await;
        let event = own.soon().await;
        for id in [&ready.id, &event.id] {
            let refused = follow(site, &site.token("usr_eve"), Some(id)).await;
            assert_eq!(refused.status(), 400);
            let path = format!("/api/v1/events?cursor={id}");
            let headers = [("accept", "text/event-stream")];
            let refused = site
                .send_with("usr_eve", Method::GET, &path, None, &headers)
                .await;
            assert_eq!(refused.expect(400).code(), "CURSOR_INVALID");
        }
        // Had anything been told of somebody else's, it would have come before this.
        let path = site.task("usr_eve", json!({"title": "e"})).await;
        let event = foreign.soon().await;
        assert_eq!(path, format!("/api/v1/tasks/{}", event.data["task_id"]));
    })
    .await;
}
