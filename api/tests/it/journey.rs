//! A person's day: tasks, tags and conversations from the first request to the last, on the newest schema.

use reqwest::Method;
use serde_json::{Value, json};

use crate::site::on_each;

#[tokio::test]
async fn a_task_is_made_changed_completed_and_deleted() {
    on_each("003", async |site| {
        let made = site
            .post(
                "usr_ada",
                "/api/v1/tasks",
                json!({"title": "  Caulk the hull ", "description": "Both sides\nand the keel", "priority": "high",
                       "due_date": "2026-12-01T17:00:00+02:00", "remind_at": "2026-12-01",
                       "recurrence_pattern": "FREQ=YEARLY", "tags": ["boat", "Urgent"]}),
            )
            .await
            .expect(201);
        let path = made.header("location").to_owned();
        assert!(made.header("etag").starts_with('"'));
        assert_eq!(
            made.json(),
            json!({"id": 1, "user_id": "usr_ada", "title": "Caulk the hull", "description": "Both sides\nand the keel",
                   "completed": false, "priority": "high", "due_date": "2026-12-01T15:00:00Z",
                   "due_on": null, "due_zone": null,
                   "remind_at": "2026-12-01T23:59:59Z", "recurrence_pattern": "FREQ=YEARLY", "is_recurring": true,
                   "tags": ["Urgent", "boat"], "created_at": "2026-03-01T12:00:00Z", "updated_at": "2026-03-01T12:00:00Z"})
        );
        let shown = site.get("usr_ada", &path).await.expect(200);
        assert_eq!(shown.json(), made.json());
        assert_eq!(shown.header("etag"), made.header("etag"));

        let patched = site
            .patch("usr_ada", &path, json!({"description": null, "due_date": null, "tags": ["BOAT"]}))
            .await
            .expect(200)
            .json();
        assert_eq!(patched["description"], Value::Null);
        assert_eq!(patched["due_date"], Value::Null);
        assert_eq!(patched["tags"], json!(["boat"]), "a tag keeps its user's spelling");
        assert_eq!(patched["priority"], "high");

        for (method, completed) in [
            (Method::PUT, true),
            (Method::PUT, true),
            (Method::PATCH, false),
            (Method::PATCH, true),
            (Method::DELETE, false),
        ] {
            let answer = site
                .send("usr_ada", method, &format!("{path}/complete"), None)
                .await
                .expect(200);
            assert_eq!(answer.json()["completed"], completed);
        }
        let explicit = site
            .patch("usr_ada", &format!("{path}/complete"), json!({"completed": true}))
            .await
            .expect(200);
        assert_eq!(explicit.json()["completed"], true);

        let replaced = site
            .send("usr_ada", Method::PUT, &path, Some(json!({"title": "Paint the hull"})))
            .await
            .expect(200)
            .json();
        assert_eq!(replaced["completed"], false);
        assert_eq!(replaced["priority"], "medium");
        assert_eq!(replaced["tags"], json!([]));
        assert_eq!(replaced["is_recurring"], false);

        assert!(site.send("usr_ada", Method::HEAD, &path, None).await.expect(200).text.is_empty());
        site.send("usr_ada", Method::DELETE, &path, None).await.expect(204);
        let again = site.send("usr_ada", Method::DELETE, &path, None).await.expect(404);
        assert_eq!(again.code(), "TASK_NOT_FOUND");
    })
    .await;
}

#[tokio::test]
async fn tags_belong_to_the_tasks_of_their_user() {
    on_each("003", async |site| {
        let path = site
            .task("usr_ada", json!({"title": "a", "tags": ["home"]}))
            .await;
        site.task("usr_bob", json!({"title": "b", "tags": ["home"]}))
            .await;

        site.send("usr_ada", Method::PUT, &format!("{path}/tags/g%C3%A4rten"), None)
            .await
            .expect(204);
        site.send("usr_ada", Method::PUT, &format!("{path}/tags/Home"), None)
            .await
            .expect(204);
        let tags = site.get("usr_ada", "/api/v1/tags").await.expect(200).json();
        assert_eq!(tags["data"][0]["name"], "gärten");
        assert_eq!(tags["data"][1]["name"], "home");
        assert_eq!(tags["data"][1]["task_count"], 1);

        let id = tags["data"][1]["id"].clone();
        let renamed = site
            .patch("usr_ada", &format!("/api/v1/tags/{id}"), json!({"name": "house"}))
            .await
            .expect(200);
        assert_eq!(renamed.json()["name"], "house");
        assert_eq!(
            site.get("usr_ada", renamed.header("location"))
                .await
                .expect(200)
                .json()["name"],
            "house"
        );
        let others = site.get("usr_bob", "/api/v1/tags").await.expect(200).json();
        assert_eq!(others["data"][0]["name"], "home", "nobody else's tag was renamed");

        let taken = site
            .post(
                "usr_ada",
                "/api/v1/tags",
                json!({"name": "HOUSE", "task_ids": [1]}),
            )
            .await
            .expect(409);
        assert_eq!(taken.code(), "TAG_EXISTS");
        let made = site
            .post(
                "usr_ada",
                "/api/v1/tags",
                json!({"name": "soon", "task_ids": [1]}),
            )
            .await
            .expect(201);
        site.send("usr_ada", Method::DELETE, made.header("location"), None)
            .await
            .expect(204);
        site.send("usr_ada", Method::DELETE, &format!("{path}/tags/house"), None)
            .await
            .expect(204);
        assert_eq!(
            site.get("usr_ada", &path).await.expect(200).json()["tags"],
            json!(["gärten"])
        );
    })
    .await;
}

/// It cannot be made any more, but may have been made before.
#[tokio::test]
async fn a_tag_that_is_a_step_to_another_path_is_read_renamed_and_deleted_by_its_id() {
    for revision in ["003", "head"] {
        on_each(revision, async |site| {
            for (from, to) in [("x", ".."), ("y", "a/../b")] {
                let task = site.task("usr_ada", json!({"title": "t", "tags": [from]})).await;
                site.sql(&format!("UPDATE tags SET name = '{to}' WHERE name = '{from}'"))
                    .await;
                assert_eq!(site.get("usr_ada", &task).await.json()["tags"], json!([to]));
            }
            let tags = site.get("usr_ada", "/api/v1/tags").await.expect(200).json();
            let path = |index: usize| format!("/api/v1/tags/{}", tags["data"][index]["id"]);
            for (index, name) in ["..", "a/../b"].into_iter().enumerate() {
                let tag = site.get("usr_ada", &path(index)).await.expect(200).json();
                assert_eq!(tag["name"], name);
            }
            let renamed = site.patch("usr_ada", &path(0), json!({"name": "up"})).await;
            assert_eq!(renamed.expect(200).json()["name"], "up");
            site.send("usr_ada", Method::DELETE, &path(1), None)
                .await
                .expect(204);
            let tags = site.get("usr_ada", "/api/v1/tags").await.expect(200).json();
            assert_eq!(tags["data"].as_array().unwrap().len(), 1);
            assert_eq!(tags["data"][0]["name"], "up");
        })
        .await;
    }
}

#[tokio::test]
async fn a_tag_on_more_tasks_than_a_statement_takes_values_is_renamed_and_deleted() {
    on_each("003", async |site| {
        const TASKS: i64 = 70_000;
        site.task("usr_ada", json!({"title": "t", "tags": ["home"]})).await;
        site.sql(&format!(
            "INSERT INTO tasks (user_id, title) WITH RECURSIVE s(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM s \
             WHERE n < {TASKS}) SELECT 'usr_ada', 't' FROM s; \
             INSERT INTO task_tags (task_id, tag_id) SELECT t.id, g.id FROM tasks t, tags g WHERE t.id > 1"
        ))
        .await;
        let renamed = site
            .patch("usr_ada", "/api/v1/tags/1", json!({"name": "house"}))
            .await
            .expect(200);
        assert_eq!(renamed.json()["task_count"], TASKS);
        site.send("usr_ada", Method::DELETE, renamed.header("location"), None)
            .await
            .expect(204);
        let last = site.get("usr_ada", &format!("/api/v1/tasks/{TASKS}")).await.expect(200);
        assert_eq!(last.json()["tags"], json!([]));
        assert_eq!(last.json()["updated_at"], "2026-03-01T12:00:00Z");
    })
    .await;
}

#[tokio::test]
async fn a_conversation_keeps_what_was_said() {
    on_each("003", async |site| {
        let begun = site
            .send("usr_ada", Method::POST, "/api/v1/conversations", None)
            .await
            .expect(201);
        let path = begun.header("location").to_owned();
        let messages = format!("{path}/messages");
        let said = site
            .post("usr_ada", &messages, json!({"content": "What is due?"}))
            .await
            .expect(201);
        assert_eq!(said.json()["role"], "user");
        site.post(
            "usr_ada",
            &messages,
            json!({"content": "Nothing.", "role": "assistant"}),
        )
        .await
        .expect(201);

        assert_eq!(
            site.get("usr_ada", &path).await.expect(200).json()["message_count"],
            2
        );
        let page = site
            .get("usr_ada", &format!("{messages}?limit=1"))
            .await
            .expect(200)
            .json();
        let cursor = page["next_cursor"].as_str().unwrap();
        let rest = site
            .get("usr_ada", &format!("{messages}?limit=1&cursor={cursor}"))
            .await
            .expect(200)
            .json();
        assert_eq!(rest["data"][0]["content"], "Nothing.");
        assert_eq!(rest["has_more"], false);

        site.send("usr_ada", Method::DELETE, said.header("location"), None)
            .await
            .expect(204);
        site.send("usr_ada", Method::DELETE, &path, None)
            .await
            .expect(204);
        assert_eq!(
            site.get("usr_ada", &messages).await.expect(404).code(),
            "CONVERSATION_NOT_FOUND"
        );
    })
    .await;
}

#[tokio::test]
async fn a_conversation_is_called_after_what_a_person_says_first_unless_it_has_a_title() {
    on_each("head", async |site| {
        let begun = site
            .send("usr_ada", Method::POST, "/api/v1/conversations", None)
            .await;
        let begun = begun.expect(201);
        assert_eq!(begun.json()["title"], "");
        let path = begun.header("location").to_owned();
        let shown = async || site.get("usr_ada", &path).await.expect(200).json();
        for (said, title) in [
            (json!({"content": "How can I help?", "role": "assistant"}), ""),
            (json!({"content": " What\tis\r\ndue? "}), "What is  due?"),
            (json!({"content": "And tomorrow?"}), "What is  due?"),
        ] {
            site.post("usr_ada", &format!("{path}/messages"), said)
                .await
                .expect(201);
            assert_eq!(shown().await["title"], title);
        }
        let before = shown().await;
        let renamed = site
            .patch("usr_ada", &path, json!({"title": " Due "}))
            .await
            .expect(200);
        assert_eq!(renamed.json()["title"], "Due");
        assert_eq!(renamed.json()["message_count"], 3);
        assert_eq!(renamed.json()["updated_at"], before["updated_at"]);
        for wrong in [
            json!({"title": "x".repeat(201)}),
            json!({"title": "a\nb"}),
            json!({"title": 1}),
            json!({}),
        ] {
            let refused = site.patch("usr_ada", &path, wrong).await.expect(422);
            assert_eq!(refused.code(), "VALIDATION_ERROR");
        }
        let foreign = site
            .patch("usr_bob", &path, json!({"title": "Mine"}))
            .await
            .expect(404);
        assert_eq!(foreign.code(), "CONVERSATION_NOT_FOUND");
        assert_eq!(shown().await["title"], "Due");
    })
    .await;
}

#[tokio::test]
async fn the_summary_counts_by_date_priority_and_tag() {
    on_each("003", async |site| {
        for task in [
            json!({"title": "a", "due_date": "2026-02-01", "priority": "high", "tags": ["x"]}),
            json!({"title": "b", "due_date": "2026-03-01", "tags": ["x", "y"]}),
            json!({"title": "c", "due_date": "2026-03-04", "priority": "low"}),
            json!({"title": "d", "due_date": "2026-02-01", "completed": true, "tags": ["x"]}),
        ] {
            site.task("usr_ada", task).await;
        }
        site.task("usr_bob", json!({"title": "e", "tags": ["x"]})).await;
        assert_eq!(
            site.get("usr_ada", "/api/v1/tasks/summary")
                .await
                .expect(200)
                .json(),
            json!({"total": 4, "pending": 3, "completed": 1, "overdue": 1, "due_today": 1, "upcoming": 1,
                   "by_priority": {"low": 1, "medium": 1, "high": 1}, "by_tag": {"x": 2, "y": 1}})
        );
    })
    .await;
}
