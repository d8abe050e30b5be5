//! Several operations in one request.

use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::Method;
use serde_json::{Value, json};

use crate::site::{Answer, Site, on_each};

const BULK: &str = "/api/v1/tasks/bulk";

async fn bulk(site: &Site, body: Value) -> Answer {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let key = format!("bulk-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let headers = [("idempotency-key", key.as_str())];
    site.send_with("usr_ada", Method::POST, BULK, Some(body), &headers)
        .await
}

/// Returns the statuses of the operations.
fn statuses(answer: &Answer) -> Vec<u64> {
    let results = answer.json();
    let results = results["results"].as_array().unwrap();
    for (index, item) in results.iter().enumerate() {
        assert_eq!(item["index"], index);
    }
    results
        .iter()
        .map(|item| item["status"].as_u64().unwrap())
        .collect()
}

async fn titles(site: &Site) -> Vec<String> {
    let page = site.get("usr_ada", "/api/v1/tasks?limit=200").await.expect(200);
    let page = page.json();
    let tasks = page["data"].as_array().unwrap();
    tasks
        .iter()
        .map(|task| task["title"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn operations_see_what_those_before_them_did() {
    on_each("head", async |site| {
        site.task("usr_ada", json!({"title": "old", "tags": ["x", "y"]}))
            .await;
        let answer = bulk(
            site,
            json!({"operations": [
                {"op": "create", "temp_id": "a", "data": {"title": "a", "tags": ["Boat", "x"]}},
                {"op": "create", "temp_id": "b", "data": {"title": "b", "priority": "high"}},
                {"op": "create", "temp_id": "c", "data": {"title": "c", "tags": ["boat"]}},
                {"op": "update", "id": "a", "data": {"title": "a2", "tags": ["y"]}},
                {"op": "complete", "id": "a"},
                {"op": "complete", "id": 1},
                {"op": "uncomplete", "id": 1},
                {"op": "delete", "id": "b"},
                {"op": "update", "id": 1, "data": {}},
            ]}),
        )
        .await
        .expect(200);
        assert_eq!(statuses(&answer), [201, 201, 201, 200, 200, 200, 200, 204, 200]);
        let mapping = answer.json()["temp_id_mapping"].clone();
        assert_eq!(mapping, json!({"a": 2, "b": 3, "c": 4}));
        let task = site.get("usr_ada", "/api/v1/tasks/2").await.expect(200);
        let results = answer.json()["results"].clone();
        assert_eq!(results[4]["etag"], task.header("etag"));
        let task = task.json();
        assert_eq!(
            (&task["title"], &task["completed"], &task["tags"]),
            (&json!("a2"), &json!(true), &json!(["y"]))
        );
        site.get("usr_ada", "/api/v1/tasks/3").await.expect(404);
        let task = site.get("usr_ada", "/api/v1/tasks/4").await.json();
        assert_eq!(
            task["tags"],
            json!(["Boat"]),
            "the spelling that is there already"
        );
        assert_eq!(
            site.get("usr_ada", "/api/v1/tasks/1").await.json()["completed"],
            false
        );
    })
    .await;
}

#[tokio::test]
async fn all_or_nothing_names_the_operation_that_failed() {
    on_each("head", async |site| {
        let path = site.task("usr_ada", json!({"title": "mine"})).await;
        let etag = site.get("usr_ada", &path).await.header("etag").to_owned();
        site.task("usr_eve", json!({"title": "hers"})).await;
        let change = json!({"op": "update", "id": 1, "if_match": etag, "data": {"title": "changed"}});
        for (operation, status, code) in [
            (json!({"op": "delete", "id": 2}), 404, "TASK_NOT_FOUND"),
            (json!({"op": "delete", "id": 999}), 404, "TASK_NOT_FOUND"),
            (
                json!({"op": "delete", "id": 99_999_999_999_i64}),
                404,
                "TASK_NOT_FOUND",
            ),
            // It is in another state by then.
            (change.clone(), 412, "PRECONDITION_FAILED"),
            (
                json!({"op": "create", "data": {"title": ""}}),
                422,
                "TASK_TITLE_INVALID",
            ),
        ] {
            let body = json!({"operations": [
                {"op": "create", "data": {"title": "new", "tags": ["t"]}}, change, operation]});
            let refused = bulk(site, body).await.expect(status);
            assert_eq!(refused.code(), code, "{operation}");
            let pointer = refused.json()["errors"][0]["pointer"]
                .as_str()
                .unwrap()
                .to_owned();
            assert!(pointer.starts_with("/operations/2"), "{pointer}");
            assert_eq!(titles(site).await, ["mine"]);
        }
        let body = json!({"operations": [change, {"op": "complete", "id": 1, "if_match": "*"}]});
        bulk(site, body).await.expect(200);
        assert_eq!(
            site.get("usr_eve", "/api/v1/tasks/2").await.json()["title"],
            "hers"
        );
    })
    .await;
}

#[tokio::test]
async fn one_by_one_each_stands_for_itself() {
    on_each("001", async |site| {
        site.task("usr_ada", json!({"title": "mine"})).await;
        let answer = bulk(
            site,
            json!({"atomic": false, "operations": [
                {"op": "create", "data": {"title": "plain"}},
                {"op": "create", "data": {"title": "high", "priority": "high"}},
                {"op": "create", "temp_id": "bad", "data": {"title": "", "unheard_of": 1}},
                {"op": "complete", "id": "bad"},
                {"op": "delete", "id": 999},
                {"op": "update", "id": 1, "if_match": "\"other\"", "data": {"title": "changed"}},
                {"op": "burn", "id": 1},
                {"op": "complete", "id": 1},
            ]}),
        )
        .await
        .expect(200);
        assert_eq!(statuses(&answer), [201, 503, 422, 404, 404, 412, 422, 200]);
        let results = answer.json()["results"].clone();
        let codes: Vec<&Value> = (1..7).map(|index| &results[index]["problem"]["code"]).collect();
        assert_eq!(
            codes,
            ["SCHEMA_FEATURE_UNAVAILABLE", "VALIDATION_ERROR", "TASK_NOT_FOUND", "TASK_NOT_FOUND", "PRECONDITION_FAILED", "VALIDATION_ERROR"]
        );
        assert_eq!(results[2]["problem"]["errors"][0]["pointer"], "/operations/2/data/title");
        assert_eq!(answer.json()["temp_id_mapping"], json!({}));
        assert_eq!(titles(site).await, ["mine", "plain"]);
        let refused = bulk(
            site,
            json!({"operations": [{"op": "create", "data": {"title": "t"}}, {"op": "update", "id": 1, "data": {"priority": "high"}}]}),
        )
        .await
        .expect(503);
        assert_eq!(refused.code(), "SCHEMA_FEATURE_UNAVAILABLE");
        assert_eq!(refused.json()["errors"][0]["pointer"], "/operations/1");
        assert_eq!(refused.json()["required_revision"], "003");
    })
    .await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    on_each("head", async |site| {
        let delete = json!({"op": "delete", "id": 1});
        for (body, pointer) in [
            (json!({}), "/operations"),
            (json!({"operations": []}), "/operations"),
            (json!({"operations": vec![delete.clone(); 101]}), "/operations"),
            (json!({"operations": [1]}), "/operations"),
            (json!({"operations": [{"id": 1}]}), "/operations/0/op"),
            (json!({"operations": [{"op": "delete"}]}), "/operations/0/id"),
            (
                json!({"operations": [{"op": "delete", "id": 1.5}]}),
                "/operations/0/id",
            ),
            (
                json!({"operations": [{"op": "delete", "id": 1, "if_match": "bare"}]}),
                "/operations/0/if_match",
            ),
            (
                json!({"operations": [{"op": "delete", "id": 1, "data": {}}]}),
                "/operations/0/data",
            ),
            (
                json!({"operations": [{"op": "update", "id": 1}]}),
                "/operations/0/data",
            ),
            (
                json!({"operations": [{"op": "create", "data": {"title": "t"}, "id": 1}]}),
                "/operations/0/id",
            ),
            (
                json!({"operations": [{"op": "create", "temp_id": "", "data": {"title": "t"}}]}),
                "/operations/0/temp_id",
            ),
            (
                json!({"operations": [
                {"op": "create", "temp_id": "a", "data": {"title": "t"}},
                {"op": "create", "temp_id": "a", "data": {"title": "t"}}]}),
                "/operations/1/temp_id",
            ),
            (
                json!({"operations": [{"op": "create", "data": {"title": "t", "user_id": "usr_eve"}}]}),
                "/operations/0/data/user_id",
            ),
        ] {
            let refused = bulk(site, body.clone()).await.expect(422);
            assert_eq!(refused.json()["errors"][0]["pointer"], pointer, "{body}");
        }
        let ghost = json!({"operations": [{"op": "delete", "id": "ghost"}]});
        let refused = bulk(site, ghost).await.expect(404);
        assert_eq!(refused.json()["errors"][0]["pointer"], "/operations/0/id");
        let body = json!({"operations": [delete]});
        let refused = site.post("usr_ada", BULK, body).await.expect(400);
        assert_eq!(refused.code(), "IDEMPOTENCY_KEY_INVALID");
        assert!(refused.json()["detail"].as_str().unwrap().contains("needs"));
    })
    .await;
}

#[tokio::test]
async fn a_hundred_operations_are_as_few_statements_as_two() {
    on_each("head", async |site| {
        site.task("usr_ada", json!({"title": "known"})).await;
        let creations = |count: usize, data: Value| {
            json!({"operations": vec![json!({"op": "create", "data": data}); count]})
        };
        let changes = |count: usize, change: Value| {
            let operations: Vec<Value> = (2..count + 2)
                .map(|id| {
                    let mut operation = change.clone();
                    operation["id"] = json!(id);
                    operation
                })
                .collect();
            json!({"operations": operations})
        };
        let tagged = json!({"title": "t", "tags": ["a", "b", "c"]});
        let (looking, tagging) = if site.is_postgres() { (3, 6) } else { (2, 5) };
        // Begin, key, the statements of its own, answer, commit.
        for (few, many, own) in [
            (creations(2, json!({"title": "t"})), creations(100, json!({"title": "t"})), 1),
            (creations(2, tagged.clone()), creations(100, tagged), tagging),
            // Besides the change the look at what is to be changed, after its lock.
            (changes(2, json!({"op": "complete"})), changes(100, json!({"op": "complete"})), looking),
            (changes(2, json!({"op": "update", "data": {"priority": "low"}})),
             changes(100, json!({"op": "update", "data": {"priority": "low"}})), looking),
        ] {
            for body in [few, many] {
                let least = site.least_statements(async |_| {
                    bulk(site, body.clone()).await.expect(200);
                }).await;
                assert_eq!(least, 4 + own, "{}", body.to_string().chars().take(120).collect::<String>());
            }
        }
        let ids = changes(100, json!({"op": "delete"}));
        bulk(site, ids.clone()).await.expect(200);
        let gone = bulk(site, ids).await.expect(404);
        assert_eq!(gone.json()["errors"][0]["pointer"], "/operations/0");
    })
    .await;
}

#[tokio::test]
async fn a_large_request_is_taken_and_its_answer_can_be_kept() {
    on_each("head", async |site| {
        let long = "x".repeat(9_000);
        let operations: Vec<Value> = (0..100)
            .map(|_| json!({"op": "create", "data": {"title": "t", long.as_str(): 1}}))
            .collect();
        let body = json!({"atomic": false, "operations": operations});
        assert!(body.to_string().len() > 900_000);
        let answer = bulk(site, body).await.expect(200);
        assert!(answer.text.len() <= 64 * 1024, "{}", answer.text.len());
        assert_eq!(statuses(&answer), [422; 100]);
        let body = json!({"operations": [{"op": "create", "data": {"title": "x".repeat(1024 * 1024)}}]});
        bulk(site, body).await.expect(413);
    })
    .await;
}
