//! Requests that mean the same at every revision, and what those answer that need a later one.

use reqwest::Method;
use serde_json::{Value, json};

use crate::forge::shared;
use crate::site::{Answer, NOW, PASSWORD, SECRET, Site, applied};

/// What a task shows at every revision.
const MEMBERS: [&str; 15] = [
    "id",
    "user_id",
    "title",
    "description",
    "completed",
    "priority",
    "due_date",
    "due_on",
    "due_zone",
    "remind_at",
    "recurrence_pattern",
    "is_recurring",
    "tags",
    "created_at",
    "updated_at",
];

/// What every revision must do the same way. Returns the path of a task that stays.
async fn what_always_works(site: &Site, user: &str) -> String {
    let path = site
        .task(
            user,
            json!({"title": "Caulk", "description": "d", "priority": "medium", "tags": [], "due_date": null}),
        )
        .await;
    let task = site.get(user, &path).await.expect(200).json();
    let members = task.as_object().unwrap();
    assert!(MEMBERS.iter().all(|name| members.contains_key(*name)));
    assert_eq!(members.len(), MEMBERS.len());
    assert_eq!(task["priority"], "medium");
    assert_eq!(task["tags"], json!([]));
    assert_eq!(task["due_date"], Value::Null);

    site.patch(
        user,
        &path,
        json!({"title": "Caulk it", "priority": "medium", "remind_at": null}),
    )
    .await
    .expect(200);
    site.send(user, Method::PUT, &path, Some(json!({"title": "Caulk well"})))
        .await
        .expect(200);
    site.send(user, Method::PUT, &format!("{path}/complete"), None)
        .await
        .expect(200);
    for query in [
        "sort=-priority,due_date",
        "priority=medium",
        "has_due=false",
        "overdue=false",
        "recurring=false",
        "q=caulk&include=total",
        "status=completed&fields=id,title",
    ] {
        let page = site
            .get(user, &format!("/api/v1/tasks?{query}"))
            .await
            .expect(200);
        assert!(
            !page.json()["data"].as_array().unwrap().is_empty(),
            "{query}: {}",
            page.text
        );
    }
    for query in [
        "priority=high",
        "due_after=2020-01-01",
        "tags=boat",
        "recurring=true",
        "overdue=true",
    ] {
        let page = site
            .get(user, &format!("/api/v1/tasks?{query}"))
            .await
            .expect(200);
        assert_eq!(page.json()["data"], json!([]), "{query}");
    }
    site.get(user, "/api/v1/tasks/summary").await.expect(200);
    for alias in [format!("/api/{user}/tasks"), "/api/v1/me/tasks".to_owned()] {
        let query = "status=completed&priority=medium&sort=priority&order=desc";
        let page = site
            .get(user, &format!("{alias}?{query}"))
            .await
            .expect(200)
            .json();
        assert_eq!(page["total"], 1);
        assert_eq!(page["tasks"][0].as_object().unwrap().len(), MEMBERS.len());
    }
    site.get(user, "/api/v1/tags").await.expect(200);
    site.get(user, "/api/v1/me").await.expect(200);
    path
}

/// Asks for something of a later revision: it works from then on, and is refused by name before.
async fn what_needs(
    site: &Site,
    required: &str,
    current: &str,
    method: Method,
    path: &str,
    body: Option<Value>,
) {
    let answer = site.send("usr_ada", method.clone(), path, body).await;
    if is_reached(current, required) {
        assert!(
            answer.status.is_success(),
            "{method} {path} at {current}: {}",
            answer.text
        );
        return;
    }
    assert_eq!(
        answer.status.as_u16(),
        503,
        "{method} {path} at {current}: {}",
        answer.text
    );
    assert_eq!(answer.code(), "SCHEMA_FEATURE_UNAVAILABLE");
    assert_eq!(answer.json()["required_revision"], required);
    assert_eq!(answer.json()["current_revision"], current);
    assert_eq!(answer.header("retry-after"), "5");
}

fn is_reached(current: &str, required: &str) -> bool {
    applied(required).is_subset(&applied(current))
}

/// Two people use one name; what one does with their tag is none of the other's business.
async fn tags_apart(site: &Site, current: &str) {
    if !is_reached(current, "003") {
        return;
    }
    let body = || json!({"title": "Sail", "tags": ["harbour"]});
    let ada = site.task("usr_ada", body()).await;
    let bob = site.task("usr_bob", body()).await;
    let tag_of = async |user: &str| {
        let page = site.get(user, "/api/v1/tags").await.expect(200).json();
        let tags = page["data"].as_array().unwrap().clone();
        tags.into_iter().find(|tag| tag["name"] == "harbour").unwrap()
    };
    let (adas, bobs) = (tag_of("usr_ada").await, tag_of("usr_bob").await);
    assert_eq!((&adas["task_count"], &bobs["task_count"]), (&json!(1), &json!(1)));
    assert_eq!(
        adas["id"] != bobs["id"],
        is_reached(current, "a80f4e6b2d93"),
        "{current}"
    );
    let path = format!("/api/v1/tags/{}", adas["id"]);
    site.patch("usr_ada", &path, json!({"name": "quay"}))
        .await
        .expect(200);
    let tags = async |user: &str, path: &str| site.get(user, path).await.expect(200).json()["tags"].clone();
    assert_eq!(tags("usr_ada", &ada).await, json!(["quay"]));
    assert_eq!(tags("usr_bob", &bob).await, json!(["harbour"]));
    for (user, path) in [("usr_ada", &ada), ("usr_bob", &bob)] {
        site.send(user, Method::DELETE, path, None).await.expect(204);
    }
}

pub(super) async fn unavailable(answer: Answer, current: &str) {
    let answer = answer.expect(503);
    assert_eq!(answer.code(), "SCHEMA_FEATURE_UNAVAILABLE");
    assert_eq!(answer.json()["required_revision"], "a3c1f0d27b64");
    assert_eq!(answer.json()["current_revision"], current);
    assert_eq!(answer.header("retry-after"), "5");
}

/// Accounts and API tokens: from their revision on a whole life, before it the answer that says so.
async fn accounts(site: &Site, current: &str) {
    let credentials = |path, email: &str| {
        let body = json!({"email": email, "password": PASSWORD});
        (path, body)
    };
    let (path, body) = credentials("/api/v1/auth/register", "Ada@Accounts.example");
    let made = site.post_unsigned(path, body).await;
    let scopes = json!({"name": "n", "scopes": ["tasks:read"]});
    if !is_reached(current, "a3c1f0d27b64") {
        unavailable(made, current).await;
        let (path, body) = credentials("/api/v1/auth/login", "ada@accounts.example");
        unavailable(site.post_unsigned(path, body).await, current).await;
        unavailable(site.get("usr_ada", "/api/v1/me/sessions").await, current).await;
        unavailable(site.get("usr_ada", "/api/v1/me/tokens").await, current).await;
        unavailable(site.post("usr_ada", "/api/v1/me/tokens", scopes).await, current).await;
        let change = json!({"current_password": PASSWORD, "new_password": "Sturdier8hull"});
        unavailable(site.post("usr_ada", "/api/v1/me/password", change).await, current).await;
        // A token that was made before the schema went back, and one that looks like it.
        let claims =
            json!({"sub": "usr_x", "email": "x@y", "exp": NOW + 60, "sid": "ses_00000000000000000000000000"});
        let local = shared(SECRET, &claims);
        unavailable(
            site.with_token(&local, Method::GET, "/api/v1/me", None).await,
            current,
        )
        .await;
        return;
    }
    let token = made.expect(201).json()["token"].as_str().unwrap().to_owned();
    let (path, body) = credentials("/api/v1/auth/register", "ADA@accounts.example");
    let taken = site.post_unsigned(path, body).await.expect(409);
    assert_eq!(taken.code(), "AUTH_EMAIL_EXISTS");
    let task = Some(json!({"title": "Caulk"}));
    site.with_token(&token, Method::POST, "/api/v1/tasks", task)
        .await
        .expect(201);
    site.with_token(&token, Method::POST, "/api/v1/conversations", None)
        .await
        .expect(201);
    let tag = Some(json!({"title": "t", "tags": ["boat"]}));
    site.with_token(&token, Method::POST, "/api/v1/tasks", tag)
        .await
        .expect(201);
    let program = site
        .with_token(&token, Method::POST, "/api/v1/me/tokens", Some(scopes))
        .await
        .expect(201);
    let program = program.json()["token"].as_str().unwrap().to_owned();
    site.with_token(&program, Method::GET, "/api/v1/tasks", None)
        .await
        .expect(200);
    let again = site.login("ada@ACCOUNTS.example").await;
    site.with_token(&again, Method::POST, "/api/v1/auth/refresh", None)
        .await
        .expect(200);
    site.with_token(&again, Method::POST, "/api/v1/auth/logout", None)
        .await
        .expect(204);
    site.with_token(&again, Method::GET, "/api/v1/me", None)
        .await
        .expect(401);
    site.with_token(&token, Method::DELETE, "/api/v1/me", None)
        .await
        .expect(204);
    site.with_token(&token, Method::GET, "/api/v1/me", None)
        .await
        .expect(401);
    site.with_token(&program, Method::GET, "/api/v1/tasks", None)
        .await
        .expect(401);
}

/// Somebody of an issuer leaves with everything: what there is of it depends on the revision.
async fn leaving(site: &Site, current: &str) {
    let claims = json!({"sub": "usr_leaving", "email": "leaving@example.org", "exp": NOW + 600, "iat": NOW});
    let token = shared(SECRET, &claims);
    let send = async |method, path: &str, body| site.with_token(&token, method, path, body).await;
    send(Method::POST, "/api/v1/tasks", Some(json!({"title": "t"})))
        .await
        .expect(201);
    if is_reached(current, "002") {
        let path = send(Method::POST, "/api/v1/conversations", None)
            .await
            .expect(201);
        let path = format!("{}/messages", path.header("location"));
        send(Method::POST, &path, Some(json!({"content": "c"})))
            .await
            .expect(201);
    }
    if is_reached(current, "003") {
        send(
            Method::POST,
            "/api/v1/tasks",
            Some(json!({"title": "t", "tags": ["x"]})),
        )
        .await
        .expect(201);
    }
    send(Method::DELETE, "/api/v1/me", None).await.expect(204);
    // A token of an issuer makes its owner known anew, with nothing of before.
    let page = send(Method::GET, "/api/v1/tasks", None).await.expect(200);
    assert_eq!(page.json()["data"], json!([]));
    send(Method::DELETE, "/api/v1/me", None).await.expect(204);
}

/// Before conversations have titles, the one that they all have is the empty one.
async fn titles(site: &Site, current: &str) {
    let brings = "d8e3a05c64f1";
    if !is_reached(current, "002") {
        let title = Some(json!({"title": ""}));
        what_needs(
            site,
            "002",
            current,
            Method::PATCH,
            "/api/v1/conversations/1",
            title,
        )
        .await;
        return;
    }
    let made = site
        .send("usr_ada", Method::POST, "/api/v1/conversations", None)
        .await;
    let path = made.expect(201).header("location").to_owned();
    let title = async || site.get("usr_ada", &path).await.expect(200).json()["title"].clone();
    what_needs(
        site,
        brings,
        current,
        Method::PATCH,
        &path,
        Some(json!({"title": "The hull"})),
    )
    .await;
    let is_there = is_reached(current, brings);
    assert_eq!(title().await, if is_there { "The hull" } else { "" });
    let emptied = site
        .patch("usr_ada", &path, json!({"title": " "}))
        .await
        .expect(200);
    assert_eq!(emptied.json()["title"], "");
    let words = json!({"content": "Caulk\nthe hull"});
    site.post("usr_ada", &format!("{path}/messages"), words)
        .await
        .expect(201);
    assert_eq!(title().await, if is_there { "Caulk the hull" } else { "" });
    let list = site
        .get("usr_ada", "/api/v1/conversations")
        .await
        .expect(200)
        .json();
    assert_eq!(list["data"][0]["title"], title().await);
    site.send("usr_ada", Method::DELETE, &path, None)
        .await
        .expect(204);
}

/// What phase XVIII brings, and what says nothing and is taken before it.
async fn days_and_zones(site: &Site, current: &str, path: &str) {
    for (revision, path, body) in [
        ("c7e1d4a9b035", path, json!({"due_on": "2026-12-24"})),
        (
            "1f8b60d5e2c7",
            "/api/v1/me",
            json!({"time_zone": "Europe/Berlin"}),
        ),
    ] {
        what_needs(site, revision, current, Method::PATCH, path, Some(body)).await;
    }
    let nothing = json!({"time_zone": null});
    let me = site.patch("usr_ada", "/api/v1/me", nothing).await.expect(200);
    assert_eq!(me.json()["time_zone"], Value::Null);
}

pub(super) async fn whole_suite(site: &Site, current: &str) {
    let path = what_always_works(site, "usr_ada").await;
    for body in [
        json!({"title": "t", "priority": "high"}),
        json!({"title": "t", "due_date": "2026-12-01"}),
        json!({"title": "t", "remind_at": "2026-12-01"}),
        json!({"title": "t", "recurrence_pattern": "daily"}),
        json!({"title": "t", "tags": ["boat"]}),
    ] {
        what_needs(
            site,
            "003",
            current,
            Method::POST,
            "/api/v1/tasks",
            Some(body.clone()),
        )
        .await;
        what_needs(site, "003", current, Method::PUT, &path, Some(body.clone())).await;
        what_needs(site, "003", current, Method::PATCH, &path, Some(body)).await;
    }
    days_and_zones(site, current, &path).await;
    what_needs(
        site,
        "003",
        current,
        Method::PUT,
        &format!("{path}/tags/boat2"),
        None,
    )
    .await;
    what_needs(site, "002", current, Method::POST, "/api/v1/conversations", None).await;
    what_needs(site, "002", current, Method::GET, "/api/v1/conversations", None).await;

    let schema = site.get("usr_ada", "/api/v1/schema").await.expect(200);
    assert_eq!(schema.header("schema-revision"), current);
    assert_eq!(
        schema.json()["current"],
        json!(current.split('+').collect::<Vec<_>>())
    );
    assert_eq!(schema.json()["in_sync"], is_reached(current, "head"));
    let tag = schema.header("etag").to_owned();
    site.send_with(
        "usr_ada",
        Method::GET,
        "/api/v1/schema",
        None,
        &[("if-none-match", &tag)],
    )
    .await
    .expect(304);
    what_needs(
        site,
        "9c2e7a41f0b3",
        current,
        Method::GET,
        "/api/v1/changes",
        None,
    )
    .await;
    tags_apart(site, current).await;
    accounts(site, current).await;
    leaving(site, current).await;
    titles(site, current).await;
    // For the next round: the filters find nothing of this one.
    for task in site.get("usr_ada", "/api/v1/tasks?limit=200").await.json()["data"]
        .as_array()
        .unwrap()
    {
        let path = format!("/api/v1/tasks/{}", task["id"]);
        site.send("usr_ada", Method::DELETE, &path, None)
            .await
            .expect(204);
    }
}
