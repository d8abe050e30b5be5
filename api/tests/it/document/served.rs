//! The document beside a running service: what it says is what is answered.

use reqwest::Method;
use serde_json::{Value, json};

use super::{document, documents, operations};
use crate::site::{Answer, Site, on_each};

/// Every operation is asked for with the example of its body on each of the revisions that bring something.
#[tokio::test]
async fn what_is_said_to_come_with_a_later_revision_and_nothing_else_is_refused_before_it() {
    const STEPS: [&str; 6] = [
        "001",
        "002",
        "003",
        "a3c1f0d27b64",
        "d8e3a05c64f1",
        "9c2e7a41f0b3",
    ];
    for (place, revision) in STEPS.into_iter().enumerate() {
        on_each(revision, async |site| {
            for (_, document, prefixes) in documents() {
                let document = serde_json::to_value(document).unwrap();
                for (method, path, operation) in operations(&document) {
                    // Whoever deletes themselves cannot ask for more, and a stream does not end.
                    let is_apart = ["deleteMe", "followEvents"]
                        .map(Value::from)
                        .contains(&operation["operationId"]);
                    if is_apart || method == "HEAD" {
                        continue;
                    }
                    let prefix = prefixes[0];
                    let answer = example(site, &method, &format!("{prefix}{path}"), operation).await;
                    let since = operation["x-since-revision"].as_str().unwrap_or("001");
                    let is_there = STEPS.iter().position(|it| *it == since).unwrap() <= place;
                    let required = match answer.status.as_u16() {
                        503 => answer.json()["required_revision"].clone(),
                        // What no token like this may do is said first.
                        403 => continue,
                        // Nothing is shown, and there is nothing to take away.
                        200 if !is_there && method == "GET" => continue,
                        404 if !is_there && path.contains("{id}") => continue,
                        _ => Value::Null,
                    };
                    let wanted = if is_there { Value::Null } else { json!(since) };
                    assert_eq!(required, wanted, "{method} {path} on {revision}: {}", answer.text);
                }
            }
        })
        .await;
    }
}

/// Sends what the document shows, without the members that come later.
async fn example(site: &Site, method: &str, path: &str, operation: &Value) -> Answer {
    let contents = operation["requestBody"]["content"].as_object();
    let body = contents
        .and_then(|contents| contents.values().next())
        .map(|content| content["example"].clone());
    let body = body.map(|body| match body.get("title") {
        Some(title) => json!({"title": title}),
        None => body,
    });
    let places = operation["parameters"].as_array().into_iter().flatten();
    let places = places.filter(|parameter| parameter["in"] == "path");
    let path = places.fold(path.to_owned(), |path, place| {
        let shown = place["example"].to_string();
        path.replace(
            &format!("{{{}}}", place["name"].as_str().unwrap()),
            shown.trim_matches('"'),
        )
    });
    let key = format!("{method}-{path}");
    let headers = [("Idempotency-Key", key.as_str())];
    let headers = if method == "POST" { &headers[..] } else { &[] };
    let method = method.parse().unwrap();
    site.send_with("usr_ada", method, &path, body, headers).await
}

/// Returns a path with something in every place.
fn filled(path: &str) -> String {
    path.replace("{user_id}", "usr_ada")
        .replace("{id}", "1")
        .replace("{message_id}", "1")
        .replace("{name}", "x")
        .replace("{code}", "NOT_FOUND")
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
        for (name, document, prefixes) in documents() {
            let served = site.get("usr_ada", &format!("/{name}")).await.expect(200).json();
            assert_eq!(served, serde_json::to_value(document).unwrap());
            for (method, path, _) in operations(&served) {
                for prefix in prefixes {
                    has_a_route(site, &method, &format!("{prefix}{path}")).await;
                }
            }
        }
    })
    .await;
}

async fn has_a_route(site: &Site, method: &str, path: &str) {
    let filled = filled(path);
    let method: Method = method.parse().unwrap();
    let answer = site.send("usr_ada", method.clone(), &filled, None).await;
    assert_ne!(answer.status.as_u16(), 405, "{method} {path}");
    if answer.status.as_u16() == 404 && method != Method::HEAD {
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
                "ConversationPatch",
                Method::PATCH,
                "/api/v1/conversations/1".to_owned(),
            ),
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
