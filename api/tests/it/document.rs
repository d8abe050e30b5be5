//! The document: committed, served, and true.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use api::{compat_document, document};
use reqwest::Method;
use serde_json::{Value, json};
use utoipa::openapi::OpenApi;

use crate::site::{Site, on_each};

/// The documents with the path that each is served at, the file that it is kept in, and the prefixes of its paths.
fn documents() -> [(&'static str, OpenApi, &'static [&'static str]); 2] {
    [
        ("openapi.json", document(), &[""]),
        ("openapi-compat.json", compat_document(), &["/api/v1", "/api"]),
    ]
}

/// With `UPDATE_OPENAPI=1` the files are written anew.
#[test]
#[expect(clippy::disallowed_methods, reason = "whoever updates the files says so")]
fn the_committed_documents_are_the_ones_that_are_served() {
    for (name, document, _) in documents() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let text = format!("{}\n", document.to_pretty_json().unwrap());
        if std::env::var("UPDATE_OPENAPI").is_ok() {
            fs::write(&path, &text).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == text,
            "api/{name} is not what is served: run UPDATE_OPENAPI=1 cargo test -p api document and read the diff"
        );
    }
}

/// Methods, paths and operations; what is said about a path as a whole is none.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if method == "servers" {
                continue;
            }
            found.push((method.to_uppercase(), path.clone(), operation));
        }
    }
    found
}

#[test]
fn every_operation_has_a_name_words_and_statuses() {
    let mut names = BTreeSet::new();
    for (file, document, _) in documents() {
        let document = serde_json::to_value(document).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        for (method, path, operation) in operations(&document) {
            let text = |member: &str| operation[member].as_str().unwrap_or_default().to_owned();
            assert!(
                names.insert((file, text("operationId"))),
                "{method} {path} has the name of another"
            );
            assert!(text("summary").len() > 3, "{method} {path} has no summary");
            assert!(
                text("description").len() > 3,
                "{method} {path} has no description"
            );
            let responses = operation["responses"].as_object().unwrap();
            let has = |status: &str| responses.keys().any(|known| known.starts_with(status));
            assert!(has("2"), "{method} {path}");
            if path.starts_with("/api/") || path.starts_with("/{user_id}") {
                let is_open = !operation["security"].is_null();
                assert!(is_open || has("401"), "{method} {path}");
                assert!(has("429"), "{method} {path}");
                for response in responses.values() {
                    assert!(response["headers"]["RateLimit"].is_object(), "{method} {path}");
                }
            }
            if path.starts_with("/{user_id}") {
                assert!(has("403"), "{method} {path}");
            }
            assert_eq!(
                path.contains("{id}") || path.contains("{name}"),
                has("404") && path.contains('{'),
                "{method} {path}"
            );
        }
    }
    assert!(names.len() >= 39, "{} operations", names.len());
}

#[tokio::test]
async fn every_documented_operation_has_a_route() {
    on_each("003", async |site| {
        for (name, document, prefixes) in documents() {
            let served = site.get("usr_ada", &format!("/{name}")).await.expect(200).json();
            assert_eq!(served, serde_json::to_value(document).unwrap());
            for (method, path, _) in operations(&served) {
                let prefixes = if path == "/health" { &[""] } else { prefixes };
                for prefix in prefixes {
                    has_a_route(site, &method, &format!("{prefix}{path}")).await;
                }
            }
        }
    })
    .await;
}

async fn has_a_route(site: &Site, method: &str, path: &str) {
    let filled = path
        .replace("{user_id}", "usr_ada")
        .replace("{id}", "1")
        .replace("{message_id}", "1")
        .replace("{name}", "x");
    let method: Method = method.parse().unwrap();
    let answer = site.send("usr_ada", method.clone(), &filled, None).await;
    assert_ne!(answer.status.as_u16(), 405, "{method} {path}");
    if answer.status.as_u16() == 404 {
        assert_ne!(answer.json()["code"], "NOT_FOUND", "{method} {path}");
    }
}

#[tokio::test]
async fn the_members_that_the_document_names_are_the_ones_that_are_read() {
    on_each("003", async |site| {
        let document = serde_json::to_value(document()).unwrap();
        let path = site.task("usr_ada", json!({"title": "t"})).await;
        for (schema, method, path) in [
            ("TaskCreate", Method::POST, "/api/v1/tasks".to_owned()),
            ("TaskPatch", Method::PATCH, path.clone()),
            ("Registration", Method::POST, "/api/v1/auth/register".to_owned()),
            ("Login", Method::POST, "/api/v1/auth/login".to_owned()),
            ("UserPatch", Method::PATCH, "/api/v1/me".to_owned()),
            ("PasswordChange", Method::POST, "/api/v1/me/password".to_owned()),
            ("ApiTokenCreate", Method::POST, "/api/v1/me/tokens".to_owned()),
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
