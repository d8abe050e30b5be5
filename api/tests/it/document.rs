//! The document: committed, served, and true.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use api::document;
use reqwest::Method;
use serde_json::{Value, json};

use crate::site::on_each;

/// With `UPDATE_OPENAPI=1` the file is written anew.
#[test]
#[expect(clippy::disallowed_methods, reason = "whoever updates the file says so")]
fn the_committed_document_is_the_one_that_is_served() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let text = format!("{}\n", document().to_pretty_json().unwrap());
    if std::env::var("UPDATE_OPENAPI").is_ok() {
        fs::write(&path, &text).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "api/openapi.json is not what is served: run UPDATE_OPENAPI=1 cargo test -p api document and read the diff"
    );
}

fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            found.push((method.to_uppercase(), path.clone(), operation));
        }
    }
    found
}

#[test]
fn every_operation_has_a_name_words_and_statuses() {
    let document = serde_json::to_value(document()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let mut names = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let text = |member: &str| operation[member].as_str().unwrap_or_default().to_owned();
        assert!(
            names.insert(text("operationId")),
            "{method} {path} has the name of another"
        );
        assert!(text("summary").len() > 3, "{method} {path} has no summary");
        assert!(
            text("description").len() > 3,
            "{method} {path} has no description"
        );
        let statuses: Vec<&String> = operation["responses"].as_object().unwrap().keys().collect();
        assert!(
            statuses.iter().any(|status| status.starts_with('2')),
            "{method} {path}"
        );
        if path.starts_with("/api/") {
            assert!(statuses.iter().any(|status| *status == "401"), "{method} {path}");
            assert!(statuses.iter().any(|status| *status == "429"), "{method} {path}");
            for response in operation["responses"].as_object().unwrap().values() {
                assert!(response["headers"]["RateLimit"].is_object(), "{method} {path}");
            }
        }
        assert_eq!(
            path.contains('{'),
            statuses.iter().any(|status| *status == "404") && path.contains('{'),
            "{method} {path}"
        );
    }
    assert!(names.len() >= 28, "{} operations", names.len());
}

#[tokio::test]
async fn every_documented_operation_has_a_route() {
    on_each("003", async |site| {
        let served = site.get("usr_ada", "/openapi.json").await.expect(200).json();
        assert_eq!(served, serde_json::to_value(document()).unwrap());
        for (method, path, _) in operations(&served) {
            let filled = path
                .replace("{id}", "1")
                .replace("{message_id}", "1")
                .replace("{name}", "x");
            let method: Method = method.parse().unwrap();
            let answer = site.send("usr_ada", method.clone(), &filled, None).await;
            assert_ne!(answer.status.as_u16(), 405, "{method} {path}");
            if answer.status.as_u16() == 404 {
                assert_ne!(answer.code(), "NOT_FOUND", "{method} {path}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_members_that_the_document_names_are_the_ones_that_are_read() {
    on_each("003", async |site| {
        let document = serde_json::to_value(document()).unwrap();
        let path = site.task("usr_ada", json!({"title": "t"})).await;
        for (schema, method, path) in [
            ("TaskCreate", Method::POST, "/api/v1/tasks".to_owned()),
            ("TaskPatch", Method::PATCH, path.clone()),
            ("Completion", Method::PATCH, format!("{path}/complete")),
            ("TagCreate", Method::POST, "/api/v1/tags".to_owned()),
            (
                "MessageCreate",
                Method::POST,
                "/api/v1/conversations/1/messages".to_owned(),
            ),
        ] {
            let schema = &document["components"]["schemas"][schema];
            assert_eq!(schema["additionalProperties"], false);
            let names = schema["properties"].as_object().unwrap().keys();
            // A value that no member takes, and one member that nobody knows.
            let mut body: serde_json::Map<String, Value> =
                names.map(|name| (name.clone(), json!({}))).collect();
            body.insert("unheard_of".to_owned(), json!(1));
            let answer = site
                .send("usr_ada", method, &path, Some(Value::Object(body)))
                .await
                .expect(422);
            let unknown: Vec<Value> = answer.json()["errors"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|error| error["detail"].as_str().unwrap().contains("not known"))
                .map(|error| error["pointer"].clone())
                .collect();
            assert_eq!(unknown, [json!("/unheard_of")], "{path}");
        }
    })
    .await;
}
