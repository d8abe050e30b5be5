//! How many statements a request costs once its user is known.

use reqwest::Method;
use serde_json::{Value, json};

use crate::site::{Site, on_each};

async fn cost(site: &Site, method: Method, path: &str, body: Option<Value>, headers: &[(&str, &str)]) -> u64 {
    site.least_statements(async |_| {
        let answer = site
            .send_with("usr_ada", method.clone(), path, body.clone(), headers)
            .await;
        assert!(answer.status.is_success(), "{method} {path}: {}", answer.text);
    })
    .await
}

#[tokio::test]
async fn a_request_is_one_statement_where_it_can_be() {
    on_each("003", async |site| {
        let path = site
            .task("usr_ada", json!({"title": "t", "tags": ["a", "b"]}))
            .await;
        let task = path.as_str();
        let complete = format!("{path}/complete");
        let one = [
            (Method::GET, task, None),
            (Method::GET, "/api/v1/tasks?tags=a&sort=-priority,due_date", None),
            (Method::GET, "/api/v1/tasks?include=total&q=t", None),
            (Method::GET, "/api/v1/tasks/summary", None),
            (Method::GET, "/api/v1/tags", None),
            (
                Method::POST,
                "/api/v1/tasks",
                Some(json!({"title": "t", "priority": "high"})),
            ),
            (
                Method::PATCH,
                task,
                Some(json!({"title": "u", "due_date": "2026-12-01"})),
            ),
            (Method::PUT, complete.as_str(), None),
            (Method::PATCH, complete.as_str(), None),
        ];
        for (method, path, body) in one {
            assert_eq!(
                cost(site, method.clone(), path, body, &[]).await,
                1,
                "{method} {path}"
            );
        }
        for (method, path) in [(Method::GET, "/livez"), (Method::GET, "/openapi.json")] {
            assert_eq!(cost(site, method, path, None, &[]).await, 0, "{path}");
        }
        // What is there, which revisions are applied, and whether that still is there: always as of now.
        assert_eq!(cost(site, Method::GET, "/api/v1/schema", None, &[]).await, 3);
        // The look for the tag, and begin, lock, read, write, commit; SQLite has locked everything with the first.
        let compared = site
            .least_statements(async |_| {
                let tag = site.get("usr_ada", task).await.header("etag").to_owned();
                let patch = Some(json!({"title": "v"}));
                let headers = [("if-match", tag.as_str())];
                site.send_with("usr_ada", Method::PATCH, task, patch, &headers)
                    .await
                    .expect(200);
            })
            .await;
        assert_eq!(compared, if site.is_postgres() { 6 } else { 5 });
        // Begin, task, own spelling, names, links, read back, commit.
        let tagged = Some(json!({"title": "t", "tags": ["a", "c"]}));
        assert_eq!(cost(site, Method::POST, "/api/v1/tasks", tagged, &[]).await, 7);
    })
    .await;
}

#[tokio::test]
async fn a_tag_goes_on_many_tasks_with_as_few_statements_as_on_one() {
    on_each("003", async |site| {
        for _ in 0..40 {
            site.task("usr_ada", json!({"title": "t"})).await;
        }
        let mut costs = Vec::new();
        for count in [1, 40] {
            let tasks: Vec<i32> = (1..=count).collect();
            let least = site
                .least_statements(async |attempt| {
                    let body = json!({"name": format!("{count}-{attempt}"), "task_ids": tasks});
                    let made = site.post("usr_ada", "/api/v1/tags", body).await.expect(201);
                    assert_eq!(made.json()["task_count"], count);
                })
                .await;
            costs.push(least);
        }
        // Begin, the tasks after their lock, whether there is one after the lock of names, own spelling, name, id, links, touch, the
        // tag, commit.
        let wanted = if site.is_postgres() { 12 } else { 10 };
        assert_eq!(costs, [wanted, wanted]);
    })
    .await;
}

#[tokio::test]
async fn a_key_costs_four_statements_and_no_key_none() {
    on_each("head", async |site| {
        let task = json!({"title": "t"});
        site.task("usr_ada", task.clone()).await;
        assert_eq!(
            cost(site, Method::POST, "/api/v1/tasks", Some(task.clone()), &[]).await,
            1
        );
        let keyed = site
            .least_statements(async |attempt| {
                let key = attempt.to_string();
                let headers = [("idempotency-key", key.as_str())];
                site.send_with(
                    "usr_ada",
                    Method::POST,
                    "/api/v1/tasks",
                    Some(task.clone()),
                    &headers,
                )
                .await
                .expect(201);
            })
            .await;
        // Begin, the key, the task, the answer, commit. PostgreSQL and SQLite alike.
        assert_eq!(keyed, 5);
    })
    .await;
}
