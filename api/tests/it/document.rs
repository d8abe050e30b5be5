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
        }
        assert_eq!(
            path.contains('{'),
            statuses.iter().any(|status| *status == "404") && path.contains('{'),
            "{method} {path}"
        );
    }
    assert!(names.len() >= 28, "{} operations", names.len());
}

/// Follows a reference into the components.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("{reference} leads nowhere")),
        None => value,
    }
}

#[test]
fn every_body_of_a_request_or_a_success_has_an_example_with_the_required_members() {
    let document = serde_json::to_value(document()).unwrap();
    let mut bodies = 0;
    for (method, path, operation) in operations(&document) {
        let successes = operation["responses"].as_object().unwrap().iter();
        let successes = successes
            .filter(|(status, _)| status.starts_with('2'))
            .map(|(_, response)| resolved(&document, response));
        let request = operation.get("requestBody").into_iter();
        for (kind, content) in request
            .chain(successes)
            .filter_map(|body| body["content"].as_object())
            .flatten()
        {
            let example = &content["example"];
            assert!(!example.is_null(), "{method} {path} shows no {kind}");
            let schema = resolved(&document, &content["schema"]);
            for required in schema["required"].as_array().into_iter().flatten() {
                let member = required.as_str().unwrap();
                assert!(example.get(member).is_some(), "{method} {path}: no {member}");
            }
            bodies += 1;
        }
    }
    assert!(bodies > 30, "{bodies} bodies");
}

/// Generators make a member with a default a required one, and cannot send one that is wrapped in a composition of one.
#[test]
fn what_is_read_has_neither_defaults_nor_compositions_of_one() {
    let document = serde_json::to_value(document()).unwrap();
    for schema in [
        "TaskCreate",
        "TaskPatch",
        "MessageCreate",
        "TagCreate",
        "TagPatch",
    ] {
        let properties = &document["components"]["schemas"][schema]["properties"];
        for (name, property) in properties.as_object().unwrap() {
            assert!(property.get("default").is_none(), "{schema}.{name}");
            for several in ["allOf", "oneOf", "anyOf"] {
                let count = property[several].as_array().map(Vec::len);
                assert_ne!(count, Some(1), "{schema}.{name}");
            }
        }
    }
}

#[test]
fn every_answer_names_its_headers() {
    let document = serde_json::to_value(document()).unwrap();
    for (method, path, operation) in operations(&document) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let response = resolved(&document, response);
            let mut wanted = vec!["X-Request-Id", "Schema-Revision", "traceparent"];
            match status.as_str() {
                "201" => wanted.push("Location"),
                "304" => wanted.push("ETag"),
                "401" => wanted.push("WWW-Authenticate"),
                "503" if !path.ends_with('z') && path != "/health" => wanted.push("Retry-After"),
                _ => {}
            }
            for name in wanted {
                let header = &response["headers"][name];
                assert!(
                    resolved(&document, header)["schema"].is_object(),
                    "{method} {path} {status}: {name}"
                );
            }
        }
    }
}

#[test]
fn links_lead_from_what_was_made_to_operations_with_these_parameters() {
    let document = serde_json::to_value(document()).unwrap();
    let operations = operations(&document);
    let mut links = 0;
    for (_, path, operation) in &operations {
        let Some(found) = operation["responses"]["201"]["links"].as_object() else {
            continue;
        };
        for link in found.values() {
            let target = operations
                .iter()
                .find(|(_, _, it)| it["operationId"] == link["operationId"])
                .unwrap();
            let parameters = target.2["parameters"].as_array().unwrap();
            for name in link["parameters"].as_object().unwrap().keys() {
                assert!(
                    parameters
                        .iter()
                        .any(|it| it["name"] == *name && it["in"] == "path"),
                    "{path}: {name}"
                );
            }
            links += 1;
        }
    }
    assert!(links >= 16, "{links} links");
}

#[test]
fn a_get_has_its_head_and_nothing_comes_without_a_group() {
    let document = serde_json::to_value(document()).unwrap();
    let groups: Vec<&Value> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| &tag["name"])
        .collect();
    for (path, methods) in document["paths"].as_object().unwrap() {
        assert_eq!(
            methods.get("get").is_some(),
            methods.get("head").is_some(),
            "{path}"
        );
        for operation in methods.as_object().unwrap().values() {
            assert!(
                groups.contains(&&operation["tags"][0]),
                "{path} {}",
                operation["tags"]
            );
        }
    }
}

#[tokio::test]
async fn what_comes_with_a_later_revision_says_so_and_is_refused_before_it() {
    let document = serde_json::to_value(document()).unwrap();
    let since = |pointer: &str| document.pointer(pointer).map(|it| it["x-since-revision"].clone());
    for (pointer, revision) in [
        ("/components/schemas/Task/properties/priority", "003"),
        ("/components/schemas/TaskCreate/properties/due_date", "003"),
        ("/components/schemas/TaskPatch/properties/tags", "003"),
        ("/paths/~1api~1v1~1tags/post", "003"),
        ("/paths/~1api~1v1~1conversations/post", "002"),
    ] {
        assert_eq!(since(pointer), Some(json!(revision)), "{pointer}");
    }
    assert_eq!(since("/paths/~1api~1v1~1tasks/post"), Some(Value::Null));
    on_each("001", async |site| {
        let refused = site
            .post("usr_ada", "/api/v1/conversations", json!({}))
            .await
            .expect(503);
        assert_eq!(refused.json()["required_revision"], "002");
    })
    .await;
}

#[tokio::test]
async fn a_head_answers_like_its_get_without_a_body() {
    on_each("head", async |site| {
        let path = site.task("usr_ada", json!({"title": "t"})).await;
        for path in [
            path.as_str(),
            "/api/v1/tasks",
            "/errors",
            "/openapi.json",
            "/readyz",
        ] {
            let get = site.get("usr_ada", path).await.expect(200);
            let head = site.send("usr_ada", Method::HEAD, path, None).await.expect(200);
            assert_eq!(head.text, "");
            assert_eq!(head.header("etag"), get.header("etag"));
            assert_eq!(head.header("content-type"), get.header("content-type"));
        }
    })
    .await;
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
            let filled = filled.replace("{code}", "NOT_FOUND");
            let method: Method = method.parse().unwrap();
            let answer = site.send("usr_ada", method.clone(), &filled, None).await;
            assert_ne!(answer.status.as_u16(), 405, "{method} {path}");
            if answer.status.as_u16() == 404 && method != Method::HEAD {
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
