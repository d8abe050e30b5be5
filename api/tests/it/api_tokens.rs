//! Tokens for programs: what they may do, how long, and whose they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use api::{Clock, document};
use reqwest::Method;
use serde_json::{Value, json};

use crate::site::{Answer, NOW, Site, databases, on_each};

const SCOPES: [&str; 5] = ["tasks:read", "tasks:write", "chat", "account", "schema:read"];
const HOUR: i64 = 60 * 60;

async fn create(site: &Site, token: &str, body: Value) -> Answer {
    site.with_token(token, Method::POST, "/api/v1/me/tokens", Some(body))
        .await
}

async fn program(site: &Site, token: &str, scopes: &[&str]) -> String {
    let made = create(site, token, json!({"name": "n", "scopes": scopes}))
        .await
        .expect(201);
    made.json()["token"].as_str().unwrap().to_owned()
}

async fn list(site: &Site, token: &str) -> Vec<Value> {
    let page = site
        .with_token(token, Method::GET, "/api/v1/me/tokens", None)
        .await
        .expect(200);
    page.json()["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_token_is_shown_once_and_works() {
    on_each("head", async |site| {
        let owner = site.register("ada@example.org").await;
        let body =
            json!({"name": " backup ", "scopes": ["tasks:write", "tasks:read"], "expires_in_days": 365});
        let made = create(site, &owner, body).await.expect(201);
        assert_eq!(made.header("cache-control"), "no-store");
        let made = made.json();
        let token = made["token"].as_str().unwrap();
        let digits = token.strip_prefix("todo_").unwrap();
        assert!(digits.len() == 72 && digits.bytes().all(|byte| b"0123456789abcdef".contains(&byte)));
        assert_eq!(made["name"], "backup");
        assert_eq!(made["scopes"], json!(["tasks:read", "tasks:write"]));
        assert_eq!(made["expires_at"], "2027-03-01T12:00:00Z");
        assert!(token.ends_with(made["last_four"].as_str().unwrap()));
        let listed = site
            .with_token(&owner, Method::GET, "/api/v1/me/tokens", None)
            .await
            .expect(200);
        assert!(!listed.text.contains(token) && !listed.text.contains("hash"));
        let task = site
            .with_token(token, Method::POST, "/api/v1/tasks", Some(json!({"title": "t"})))
            .await
            .expect(201);
        let me = site
            .with_token(&owner, Method::GET, "/api/v1/me", None)
            .await
            .json();
        assert_eq!(task.json()["user_id"], me["id"]);
    })
    .await;
}

#[tokio::test]
async fn what_a_token_cannot_be_is_named() {
    on_each("head", async |site| {
        let owner = site.register("ada@example.org").await;
        for (body, pointer) in [
            (json!({"scopes": ["chat"]}), "/name"),
            (json!({"name": "", "scopes": ["chat"]}), "/name"),
            (json!({"name": "a\nb", "scopes": ["chat"]}), "/name"),
            (json!({"name": "x".repeat(101), "scopes": ["chat"]}), "/name"),
            (json!({"name": "n"}), "/scopes"),
            (json!({"name": "n", "scopes": []}), "/scopes"),
            (json!({"name": "n", "scopes": ["admin"]}), "/scopes"),
            (json!({"name": "n", "scopes": "chat"}), "/scopes"),
            (
                json!({"name": "n", "scopes": ["chat"], "expires_in_days": 0}),
                "/expires_in_days",
            ),
            (
                json!({"name": "n", "scopes": ["chat"], "expires_in_days": 366}),
                "/expires_in_days",
            ),
            (
                json!({"name": "n", "scopes": ["chat"], "user_id": "usr_eve"}),
                "/user_id",
            ),
            (
                json!({"name": "n", "scopes": ["chat"], "token": "todo_mine"}),
                "/token",
            ),
        ] {
            let refused = create(site, &owner, body.clone()).await.expect(422);
            assert_eq!(refused.json()["errors"][0]["pointer"], pointer, "{body}");
        }
        assert!(list(site, &owner).await.is_empty());
    })
    .await;
}

/// What each operation needs, worked out from its tag and method and not from the table of the service.
fn wanted(operation: &Value, method: &str) -> Option<&'static str> {
    let tag = operation["tags"][0].as_str().unwrap();
    let method = if method == "head" { "get" } else { method };
    match (tag, method, operation["operationId"].as_str().unwrap()) {
        ("tasks" | "tags", "get", _) => Some("tasks:read"),
        ("tasks" | "tags", ..) => Some("tasks:write"),
        ("conversations", ..) => Some("chat"),
        ("schema", "get", _) => Some("schema:read"),
        ("me", _, "changePassword" | "createApiToken" | "deleteMe") | ("auth", ..) => None,
        ("me", ..) => Some("account"),
        _ => panic!("nobody has said which scope {tag} needs"),
    }
}

#[tokio::test]
async fn each_operation_takes_the_tokens_with_its_scope_and_no_others() {
    on_each("head", async |site| {
        let owner = site.register("ada@example.org").await;
        let mut programs = Vec::new();
        for scope in SCOPES {
            programs.push((scope, program(site, &owner, &[scope]).await));
        }
        let document = serde_json::to_value(document()).unwrap();
        let mut asked = 0;
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (name, operation) in operations.as_object().unwrap() {
                if !operation["security"].is_null() {
                    assert_eq!(operation["security"], json!([{}]));
                    continue;
                }
                let wanted = wanted(operation, name);
                let id = operation["operationId"].as_str().unwrap();
                assert_eq!(operation["x-required-scope"], wanted.unwrap_or("none"), "{id}");
                let method: Method = name.to_uppercase().parse().unwrap();
                let is_head = method == Method::HEAD;
                let path = path
                    .replace("{id}", "999")
                    .replace("{message_id}", "1")
                    .replace("{name}", "x");
                for (scope, token) in &programs {
                    let answer = site.with_token(token, method.clone(), &path, None).await;
                    match wanted {
                        Some(wanted) if wanted == *scope => {
                            assert!(
                                !matches!(answer.status.as_u16(), 401 | 403),
                                "{id} with {scope}: {}",
                                answer.text
                            );
                        }
                        _ if is_head => drop(answer.expect(403)),
                        Some(wanted) => {
                            let refused = answer.expect(403);
                            assert_eq!(refused.code(), "SCOPE_INSUFFICIENT", "{id} with {scope}");
                            assert_eq!(refused.json()["required_scope"], wanted);
                            assert!(refused.header("www-authenticate").contains("insufficient_scope"));
                        }
                        None => assert_eq!(answer.expect(403).code(), "FORBIDDEN", "{id} with {scope}"),
                    }
                    asked += 1;
                }
            }
        }
        assert!(asked >= 5 * 30, "only {asked} requests");
    })
    .await;
}

#[tokio::test]
async fn a_person_has_twenty_tokens_at_most_also_when_asked_for_at_once() {
    on_each("head", async |site| {
        let owner = site.register("ada@example.org").await;
        let body = json!({"name": "n", "scopes": ["chat"]});
        let made = futures_util::future::join_all((0..25).map(|_| create(site, &owner, body.clone()))).await;
        let refused: Vec<&Answer> = made
            .iter()
            .filter(|answer| answer.status.as_u16() != 201)
            .collect();
        assert_eq!(refused.len(), 5);
        assert!(
            refused
                .iter()
                .all(|answer| answer.code() == "API_TOKENS_TOO_MANY")
        );
        let tokens = list(site, &owner).await;
        assert_eq!(tokens.len(), 20);
        let path = format!("/api/v1/me/tokens/{}", tokens[0]["id"].as_str().unwrap());
        site.with_token(&owner, Method::DELETE, &path, None)
            .await
            .expect(204);
        create(site, &owner, body).await.expect(201);
    })
    .await;
}

#[tokio::test]
async fn a_token_ends_by_itself_and_its_use_is_noted_once_an_hour() {
    for database in databases().await {
        let now = Arc::new(AtomicI64::new(NOW));
        let site = Site::open_by(database, "head", &[], Clock::set_by(Arc::clone(&now))).await;
        let owner = site.register("ada@example.org").await;
        let body = json!({"name": "n", "scopes": ["tasks:read"], "expires_in_days": 1});
        let token = create(&site, &owner, body).await.expect(201).json()["token"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(list(&site, &owner).await[0]["last_used_at"], Value::Null);
        let ask = async || site.with_token(&token, Method::GET, "/api/v1/tasks", None).await;
        for (seconds, shown) in [
            (10, "2026-03-01T12:00:00Z"),
            (HOUR - 1, "2026-03-01T12:00:00Z"),
            (HOUR + 90, "2026-03-01T13:00:00Z"),
        ] {
            now.store(NOW + seconds, Ordering::Relaxed);
            ask().await.expect(200);
            assert_eq!(list(&site, &owner).await[0]["last_used_at"], shown);
        }
        // Looked up and noted a moment ago: the request costs its own statement and no more.
        let least = site
            .least_statements(async |_| {
                ask().await.expect(200);
            })
            .await;
        assert_eq!(least, 1);
        now.store(NOW + 24 * HOUR - 1, Ordering::Relaxed);
        ask().await.expect(200);
        now.store(NOW + 24 * HOUR, Ordering::Relaxed);
        assert_eq!(ask().await.expect(401).code(), "AUTH_TOKEN_EXPIRED");
        site.close().await;
    }
}

#[tokio::test]
async fn somebody_elses_token_is_like_one_that_never_was() {
    on_each("head", async |site| {
        let owner = site.register("ada@example.org").await;
        let stranger = site.register("eve@example.org").await;
        let token = program(site, &owner, &["tasks:read"]).await;
        let id = list(site, &owner).await[0]["id"].as_str().unwrap().to_owned();
        assert!(list(site, &stranger).await.is_empty());
        let headers = [("x-request-id", "same")];
        let delete = async |who: &str, id: &str| {
            let path = format!("/api/v1/me/tokens/{id}");
            site.send_raw(Some(who), Method::DELETE, &path, None, &headers)
                .await
        };
        let foreign = delete(&stranger, &id).await.expect(404);
        let missing = delete(&stranger, "tok_00000000000000000000000000")
            .await
            .expect(404);
        assert_eq!(foreign.text, missing.text);
        let ask = async || site.with_token(&token, Method::GET, "/api/v1/tasks", None).await;
        ask().await.expect(200);
        delete(&owner, &id).await.expect(204);
        assert_eq!(ask().await.expect(401).code(), "AUTH_TOKEN_INVALID");
        delete(&owner, &id).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn what_only_looks_like_a_token_is_refused_without_asking_the_database() {
    on_each("head", async |site| {
        let owner = site.register("ada@example.org").await;
        let token = program(site, &owner, &["tasks:read"]).await;
        let mut turned = token.clone();
        turned.replace_range(10..11, if turned[10..11] == *"0" { "1" } else { "0" });
        let forged = [
            turned,
            token[..76].to_owned(),
            format!("{token}0"),
            token.to_uppercase(),
            "todo_".to_owned(),
            format!("todo_{}", "0".repeat(72)),
        ];
        for forged in &forged {
            let least = site
                .least_statements(async |_| {
                    let refused = site
                        .with_token(forged, Method::GET, "/api/v1/tasks", None)
                        .await
                        .expect(401);
                    assert_eq!(refused.code(), "AUTH_TOKEN_INVALID");
                    assert!(!refused.text.contains(forged.as_str()) || forged == "todo_");
                })
                .await;
            assert_eq!(least, 0);
        }
        let path = format!("/api/v1/tasks?access_token={token}");
        site.send_raw(None, Method::GET, &path, None, &[])
            .await
            .expect(401);
        // What is kept is no token.
        site.sql("UPDATE api_tokens SET scopes = 'tasks:read unheard:of'")
            .await;
        site.with_token(&token, Method::GET, "/api/v1/tasks", None)
            .await
            .expect(200);
    })
    .await;
}
