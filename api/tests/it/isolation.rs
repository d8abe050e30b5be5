//! Two users: whatever path of the document is asked for, somebody else's things are not there.

use api::{compat_document, document};
use reqwest::Method;
use serde_json::{Value, json};

use crate::site::{Site, on_each};

const ID: &str = "the-same-for-both";

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
    on_each("003", async |site| {
        site.task("usr_ada", json!({"title": "secret", "tags": ["private"]}))
            .await;
        site.send("usr_ada", Method::POST, "/api/v1/conversations", None)
            .await
            .expect(201);
        site.post(
            "usr_ada",
            "/api/v1/conversations/1/messages",
            json!({"content": "secret"}),
        )
        .await
        .expect(201);
        let before = snapshot(site).await;

        let own = paths(&serde_json::to_value(document()).unwrap(), &[""]);
        let original = paths(
            &serde_json::to_value(compat_document()).unwrap(),
            &["/api/v1", "/api"],
        );
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

/// Returns the paths of a document below each prefix, with methods and names of operations.
fn paths(document: &Value, prefixes: &[&str]) -> Vec<(String, Method, String)> {
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

#[tokio::test]
async fn lists_and_counts_show_nothing_of_others() {
    on_each("003", async |site| {
        site.task("usr_ada", json!({"title": "secret", "tags": ["private"]}))
            .await;
        site.send("usr_ada", Method::POST, "/api/v1/conversations", None)
            .await
            .expect(201);
        for path in [
            "/api/v1/tasks?include=total",
            "/api/v1/tags",
            "/api/v1/conversations",
        ] {
            let page = site.get("usr_eve", path).await.expect(200).json();
            assert_eq!(page["data"], json!([]), "{path}");
        }
        let summary = site
            .get("usr_eve", "/api/v1/tasks/summary")
            .await
            .expect(200)
            .json();
        assert_eq!(summary["total"], 0);
        assert_eq!(summary["by_tag"], json!({}));
        let refused = site
            .post("usr_eve", "/api/v1/tags", json!({"name": "x", "task_ids": [1]}))
            .await
            .expect(404);
        assert_eq!(refused.code(), "TASK_NOT_FOUND");
    })
    .await;
}
