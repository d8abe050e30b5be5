//! The original's routes: its paths, lists, moments and errors over the same tasks.

use reqwest::Method;
use serde_json::{Value, json};

use crate::site::{Answer, Site, on_each};

const PREFIXES: [&str; 4] = ["/api/v1/usr_ada", "/api/usr_ada", "/api/v1/me", "/api/me"];

/// Returns the code of an error in the original's envelope, which must agree with the problem beside it.
fn code(answer: &Answer) -> String {
    assert_eq!(answer.header("content-type"), "application/json", "{answer:?}");
    let body = answer.json();
    let error = &body["error"];
    assert_eq!(error["code"], body["code"]);
    assert_eq!(error["message"], body["detail"]);
    assert_eq!(error["details"]["request_id"], answer.header("x-request-id"));
    assert_eq!(error["timestamp"], "2026-03-01T12:00:00Z");
    assert_eq!(body["status"], answer.status.as_u16());
    error["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_original_s_journey_works_below_every_prefix_at_every_revision() {
    for revision in ["001", "002", "003", "head"] {
        on_each(revision, async |site| {
            for prefix in PREFIXES {
                journey(site, prefix).await;
            }
        })
        .await;
    }
}

async fn journey(site: &Site, prefix: &str) {
    let tasks = format!("{prefix}/tasks");
    let made = site
        .post(
            "usr_ada",
            &tasks,
            json!({"title": " Caulk ", "description": "the hull"}),
        )
        .await
        .expect(201);
    let task = made.json();
    assert_eq!(task["title"], "Caulk");
    assert_eq!(task["created_at"], "2026-03-01T12:00:00Z");
    let path = format!("{tasks}/{}", task["id"]);
    site.get("usr_ada", made.header("location")).await.expect(200);
    assert_eq!(site.get("usr_ada", &path).await.expect(200).json(), task);

    let put = |body: Value| site.send("usr_ada", Method::PUT, &path, Some(body));
    let changed = put(json!({"description": "the keel"})).await.expect(200).json();
    assert_eq!(
        (&changed["title"], &changed["description"]),
        (&json!("Caulk"), &json!("the keel"))
    );
    assert_eq!(code(&put(json!({})).await.expect(422)), "VALIDATION_ERROR");
    assert_eq!(
        code(&put(json!({"title": "  "})).await.expect(422)),
        "TASK_TITLE_INVALID"
    );

    let complete = format!("{path}/complete");
    for (body, completed) in [
        (None, true),
        (None, false),
        (Some(json!({"completed": true})), true),
        (Some(json!({"completed": true})), true),
    ] {
        let answer = site
            .send("usr_ada", Method::PATCH, &complete, body)
            .await
            .expect(200);
        assert_eq!(answer.json()["completed"], completed);
    }
    let page = site
        .get("usr_ada", &format!("{tasks}?status=completed"))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&page["total"], &page["limit"], &page["offset"]),
        (&json!(1), &json!(100), &json!(0))
    );
    assert_eq!(page["tasks"][0]["id"], task["id"]);
    site.send("usr_ada", Method::DELETE, &path, None)
        .await
        .expect(204);
    for method in [Method::GET, Method::DELETE] {
        let gone = site.send("usr_ada", method, &path, None).await.expect(404);
        assert_eq!(code(&gone), "TASK_NOT_FOUND");
    }
}

#[tokio::test]
async fn a_list_knows_the_original_s_words() {
    on_each("head", async |site| {
        for (title, priority, due, tags) in [
            ("Buy milk", "high", "2026-03-05", json!(["home", "shop"])),
            ("Buy paint", "low", "2026-03-03", json!(["boat", "shop"])),
            ("Call the yard", "medium", "2026-03-04", json!(["boat"])),
        ] {
            site.task(
                "usr_ada",
                json!({"title": title, "priority": priority, "due_date": due, "tags": tags}),
            )
            .await;
        }
        for (query, titles) in [
            ("", vec!["Buy milk", "Buy paint", "Call the yard"]),
            (
                "search=buy&status=all&priority=&tags=",
                vec!["Buy milk", "Buy paint"],
            ),
            ("tags=boat,shop", vec!["Buy paint"]),
            (
                "sort=due_date&order=asc",
                vec!["Buy paint", "Call the yard", "Buy milk"],
            ),
            (
                "sort=due_date&order=desc&limit=2",
                vec!["Buy milk", "Call the yard"],
            ),
            ("sort=priority&order=desc&limit=1&offset=1", vec!["Call the yard"]),
            ("order=desc", vec!["Call the yard", "Buy paint", "Buy milk"]),
            (
                "sort=completed,title&order=desc",
                vec!["Call the yard", "Buy paint", "Buy milk"],
            ),
            (
                "due_after=2026-03-04&due_before=2026-03-04",
                vec!["Call the yard"],
            ),
            ("priority=high", vec!["Buy milk"]),
            ("offset=3", vec![]),
        ] {
            let page = site
                .get("usr_ada", &format!("/api/usr_ada/tasks?{query}"))
                .await
                .expect(200)
                .json();
            let found: Vec<&str> = page["tasks"]
                .as_array()
                .unwrap()
                .iter()
                .map(|task| task["title"].as_str().unwrap())
                .collect();
            assert_eq!(found, titles, "{query}");
            if query.contains("offset") {
                assert_eq!(page["total"], 3, "{query}");
            }
        }
        site.get("usr_ada", "/api/me/tasks?limit=1000&offset=100000")
            .await
            .expect(200);
        let tags = site.get("usr_ada", "/api/usr_ada/tags").await.expect(200).json();
        assert_eq!(tags["tags"][0], json!({"id": 3, "name": "boat", "task_count": 2}));
    })
    .await;
}

#[tokio::test]
async fn what_the_original_s_list_does_not_know_is_refused_by_name() {
    on_each("head", async |site| {
        for (query, parameter) in [
            ("limit=0", "limit"),
            ("limit=1001", "limit"),
            ("offset=100001", "offset"),
            ("order=up", "order"),
            ("sort=color", "sort"),
            ("q=milk", "q"),
            ("cursor=x", "cursor"),
            ("search=a+b+c+d+e+f+g+h+i+j+k", "search"),
        ] {
            let refused = site
                .get("usr_ada", &format!("/api/me/tasks?{query}"))
                .await
                .expect(422);
            assert_eq!(code(&refused), "FILTER_INVALID");
            assert_eq!(
                refused.json()["error"]["details"]["errors"][0]["parameter"],
                parameter,
                "{query}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn conversations_are_there_from_their_revision_on() {
    on_each("001", async |site| {
        let early = site.get("usr_ada", "/api/me/conversations").await.expect(503);
        assert_eq!(code(&early), "SCHEMA_FEATURE_UNAVAILABLE");
        assert_eq!(early.header("retry-after"), "5");
    })
    .await;
    on_each("002", async |site| {
        site.send("usr_ada", Method::POST, "/api/v1/conversations", None)
            .await
            .expect(201);
        let hello = json!({"content": "hello"});
        site.post("usr_ada", "/api/v1/conversations/1/messages", hello)
            .await
            .expect(201);
        let list = site
            .get("usr_ada", "/api/usr_ada/conversations")
            .await
            .expect(200)
            .json();
        assert_eq!(list["conversations"][0]["message_count"], 1);
        let one = site
            .get("usr_ada", "/api/v1/usr_ada/conversations/1")
            .await
            .expect(200)
            .json();
        assert_eq!(one["created_at"], "2026-03-01T12:00:00Z");
        let messages = site
            .get("usr_ada", "/api/me/conversations/1/messages")
            .await
            .expect(200)
            .json();
        assert_eq!(messages["messages"][0]["content"], "hello");
        site.send("usr_ada", Method::DELETE, "/api/me/conversations/1", None)
            .await
            .expect(204);
        let gone = site.get("usr_ada", "/api/me/conversations/1").await.expect(404);
        assert_eq!(code(&gone), "CONVERSATION_NOT_FOUND");
    })
    .await;
}

#[tokio::test]
async fn moments_have_no_fractions() {
    on_each("head", async |site| {
        let body = json!({"title": "t", "due_date": "2026-12-01T10:00:00.75Z"});
        let made = site
            .post("usr_ada", "/api/me/tasks", body)
            .await
            .expect(201)
            .json();
        assert_eq!(made["due_date"], "2026-12-01T10:00:00Z");
        let canonical = site.get("usr_ada", "/api/v1/tasks/1").await.json();
        assert_eq!(canonical["due_date"], "2026-12-01T10:00:00.750Z");
    })
    .await;
}

#[tokio::test]
async fn errors_are_in_the_original_s_envelope_and_elsewhere_not() {
    on_each("head", async |site| {
        let token = site.token("usr_ada");
        let raw = |token: Option<&str>, body: &str, kind: &'static str| {
            let (token, body) = (token.map(str::to_owned), body.to_owned());
            async move {
                let body = Some((body, kind));
                site.send_raw(token.as_deref(), Method::POST, "/api/me/tasks", body, &[])
                    .await
            }
        };
        let json = "application/json";
        assert_eq!(
            code(&raw(None, "{}", json).await.expect(401)),
            "AUTH_TOKEN_MISSING"
        );
        assert_eq!(
            code(&raw(Some("x"), "{}", json).await.expect(401)),
            "AUTH_TOKEN_INVALID"
        );
        assert_eq!(
            code(&raw(Some(&token), "{", json).await.expect(400)),
            "MALFORMED_JSON"
        );
        assert_eq!(
            code(&raw(Some(&token), "{}", "text/plain").await.expect(415)),
            "UNSUPPORTED_MEDIA_TYPE"
        );
        assert_eq!(
            code(&raw(Some(&token), "{}", json).await.expect(422)),
            "TASK_TITLE_INVALID"
        );
        let foreign = site.get("usr_ada", "/api/usr_eve/tasks").await.expect(403);
        assert_eq!(code(&foreign), "FORBIDDEN");
        let method = site
            .send("usr_ada", Method::PATCH, "/api/me/tasks", None)
            .await
            .expect(405);
        assert_eq!(code(&method), "METHOD_NOT_ALLOWED");
        // The service's own routes and words of paths are nobody's ids.
        let own = site.get("usr_ada", "/api/v1/tasks/999").await.expect(404);
        assert_eq!(own.code(), "TASK_NOT_FOUND");
        assert!(own.json().get("error").is_none());
        site.get("usr_ada", "/api/v1/tasks").await.expect(200);
        assert_eq!(
            site.get("usr_ada", "/api/me/nothing").await.expect(404).code(),
            "NOT_FOUND"
        );
    })
    .await;
}

#[tokio::test]
async fn a_key_and_an_entity_tag_work_here_too() {
    on_each("head", async |site| {
        let headers = [("idempotency-key", "k")];
        let body = Some(json!({"title": "t"}));
        let send = |path: &'static str| site.send_with("usr_ada", Method::POST, path, body.clone(), &headers);
        let first = send("/api/me/tasks").await.expect(201);
        let again = send("/api/me/tasks").await.expect(201);
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(first.text, again.text);
        let stale = [("if-match", "\"stale\"")];
        let body = Some(json!({"title": "u"}));
        let refused = site
            .send_with("usr_ada", Method::PUT, "/api/me/tasks/1", body, &stale)
            .await
            .expect(412);
        assert_eq!(code(&refused), "PRECONDITION_FAILED");
        assert_eq!(refused.json()["current_etag"], first.header("etag"));
    })
    .await;
}
