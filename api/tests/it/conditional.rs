//! Entity tags: what has been seen need not be sent again, and what has changed is not overwritten.

use reqwest::Method;
use serde_json::json;

use crate::site::on_each;

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    on_each("003", async |site| {
        let path = site.task("usr_ada", json!({"title": "t", "tags": ["x"]})).await;
        for path in [
            path.as_str(),
            "/api/v1/tasks",
            "/api/v1/tasks?fields=id",
            "/api/v1/tasks/summary",
            "/api/v1/tags",
            "/api/v1/tags/1",
            "/api/v1/me",
            "/api/v1/schema",
            "/openapi.json",
        ] {
            let first = site.get("usr_ada", path).await.expect(200);
            let tag = first.header("etag").to_owned();
            assert!(tag.starts_with('"') && tag.len() == 34, "{path}: {tag}");
            let lists = [
                tag.clone(),
                format!("W/{tag}"),
                format!("\"x\", {tag}"),
                "*".to_owned(),
            ];
            for list in &lists {
                let again = site
                    .send_with("usr_ada", Method::GET, path, None, &[("if-none-match", list)])
                    .await
                    .expect(304);
                assert_eq!(again.text, "");
                assert_eq!(again.header("etag"), tag);
            }
            let bare = tag.trim_matches('"');
            for other in ["\"x\"", bare, ""] {
                site.send_with("usr_ada", Method::GET, path, None, &[("if-none-match", other)])
                    .await
                    .expect(200);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_write_that_rests_on_an_old_state_is_refused() {
    on_each("003", async |site| {
        let path = site.task("usr_ada", json!({"title": "t"})).await;
        let old = site.get("usr_ada", &path).await.header("etag").to_owned();
        let changed = site
            .send_with(
                "usr_ada",
                Method::PATCH,
                &path,
                Some(json!({"title": "u"})),
                &[("if-match", &old)],
            )
            .await
            .expect(200);
        let current = changed.header("etag").to_owned();
        assert_ne!(old, current);

        let body = Some(json!({"title": "v"}));
        let complete = format!("{path}/complete");
        for (method, path, body) in [
            (Method::PATCH, &path, body.clone()),
            (Method::PUT, &path, body),
            (Method::PUT, &complete, None),
            (Method::DELETE, &complete, None),
            (Method::PATCH, &complete, None),
            (Method::DELETE, &path, None),
        ] {
            let refused = site
                .send_with("usr_ada", method, path, body, &[("if-match", &old)])
                .await
                .expect(412);
            assert_eq!(refused.code(), "PRECONDITION_FAILED");
            assert_eq!(refused.json()["current_etag"], current.as_str());
        }
        assert_eq!(site.get("usr_ada", &path).await.json()["title"], "u");

        let weak = format!("W/{current}");
        site.send_with("usr_ada", Method::DELETE, &path, None, &[("if-match", &weak)])
            .await
            .expect(412);
        let malformed = site
            .send_with("usr_ada", Method::DELETE, &path, None, &[("if-match", "u")])
            .await
            .expect(400);
        assert_eq!(malformed.code(), "HEADER_INVALID");
        site.send_with("usr_ada", Method::PUT, &complete, None, &[("if-match", "*")])
            .await
            .expect(200);
        let list = format!("\"x\", {}", site.get("usr_ada", &path).await.header("etag"));
        site.send_with("usr_ada", Method::DELETE, &path, None, &[("if-match", &list)])
            .await
            .expect(204);
    })
    .await;
}

#[tokio::test]
async fn whatever_shows_a_state_can_be_changed_on_it_alone() {
    on_each("head", async |site| {
        site.task("usr_ada", json!({"title": "t", "tags": ["x"]})).await;
        let made = site
            .send("usr_ada", Method::POST, "/api/v1/conversations", None)
            .await;
        let conversation = made.expect(201).header("location").to_owned();
        let said = site
            .send(
                "usr_ada",
                Method::POST,
                &format!("{conversation}/messages"),
                Some(json!({"content": "Caulk the hull"})),
            )
            .await
            .expect(201);
        let message = said.header("location").to_owned();
        assert_eq!(
            said.header("etag"),
            site.get("usr_ada", &message).await.header("etag")
        );

        let old = "\"9f86d081884c7d659a2feaa0c55ad015\"";
        let name = Some(json!({"name": "y"}));
        let title = Some(json!({"title": "y"}));
        let changes = [
            ("/api/v1/tags/1", Method::PATCH, name.clone()),
            ("/api/v1/tags/1", Method::DELETE, None),
            (&conversation, Method::PATCH, title),
            (&message, Method::DELETE, None),
            (&conversation, Method::DELETE, None),
            ("/api/v1/me", Method::PATCH, name),
            ("/api/v1/me", Method::PATCH, Some(json!({}))),
        ];
        for (path, method, body) in &changes {
            let current = site
                .get("usr_ada", path)
                .await
                .expect(200)
                .header("etag")
                .to_owned();
            let refused = site
                .send_with(
                    "usr_ada",
                    method.clone(),
                    path,
                    body.clone(),
                    &[("if-match", old)],
                )
                .await
                .expect(412);
            assert_eq!(
                refused.json()["current_etag"],
                current.as_str(),
                "{method} {path}"
            );
            assert_eq!(site.get("usr_ada", path).await.header("etag"), current);
        }
        for (path, method, body) in changes {
            let current = site
                .get("usr_ada", path)
                .await
                .expect(200)
                .header("etag")
                .to_owned();
            let done = site
                .send_with("usr_ada", method.clone(), path, body, &[("if-match", &current)])
                .await;
            assert!(done.status.is_success(), "{method} {path}: {}", done.text);
            if method == Method::PATCH {
                let location = done.headers.get("location").map(|it| it.to_str().unwrap());
                let now = site.get("usr_ada", location.unwrap_or(path)).await;
                assert_eq!(done.header("etag"), now.header("etag"), "{method} {path}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_condition_that_nothing_is_compared_with_is_refused() {
    on_each("head", async |site| {
        let task = site.task("usr_ada", json!({"title": "t"})).await;
        let tag = format!("{task}/tags/x");
        let body = Some(json!({"title": "t"}));
        for (method, path, body) in [
            (Method::POST, "/api/v1/tasks", body.clone()),
            (Method::POST, "/api/usr_ada/tasks", body),
            (Method::PUT, tag.as_str(), None),
            (Method::DELETE, &tag, None),
            (Method::POST, "/api/v1/conversations", None),
            (Method::DELETE, "/api/v1/me/sessions/x", None),
            (Method::DELETE, "/api/v1/me/tokens/x", None),
            (Method::POST, "/api/v1/me/password", Some(json!({}))),
        ] {
            for condition in ["if-match", "if-none-match"] {
                let refused = site
                    .send_with("usr_ada", method.clone(), path, body.clone(), &[(condition, "*")])
                    .await
                    .expect(400);
                assert_eq!(refused.json()["code"], "HEADER_INVALID", "{method} {path}");
                assert!(refused.json()["detail"].as_str().unwrap().contains(condition));
            }
        }
        for (method, path) in [(Method::PUT, "/api/v1/me"), (Method::POST, "/api/v1/tasks/1")] {
            let condition = [("if-match", "\"a\"")];
            site.send_with("usr_ada", method, path, None, &condition)
                .await
                .expect(405);
        }
        assert_eq!(site.get("usr_ada", &task).await.json()["tags"], json!([]));
        let same = [("if-match", "*")];
        for path in ["/api/usr_ada/tasks/1", "/api/v1/usr_ada/tasks/1"] {
            let body = Some(json!({"title": "u"}));
            site.send_with("usr_ada", Method::PUT, path, body, &same)
                .await
                .expect(200);
        }
    })
    .await;
}

#[tokio::test]
async fn of_two_writes_on_the_same_state_one_wins() {
    on_each("003", async |site| {
        let path = site.task("usr_ada", json!({"title": "t"})).await;
        let tag = site.get("usr_ada", &path).await.header("etag").to_owned();
        let headers = [("if-match", tag.as_str())];
        let write = |title: &str| {
            site.send_with(
                "usr_ada",
                Method::PATCH,
                &path,
                Some(json!({"title": title})),
                &headers,
            )
        };
        let (one, two) = tokio::join!(write("one"), write("two"));
        let mut statuses = [one.status.as_u16(), two.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412]);
    })
    .await;
}

#[tokio::test]
async fn a_name_that_is_given_twice_at_once_in_different_cases_is_one_tag() {
    for revision in ["003", "head"] {
        on_each(revision, async |site| {
            for round in 0..12 {
                let (one, other) = (format!("Same{round}"), format!("same{round}"));
                let make = async |name: &str| {
                    let body = json!({"title": name, "tags": [name]});
                    site.post("usr_ada", "/api/v1/tasks", body).await.expect(201);
                };
                tokio::join!(make(&one), make(&other));
            }
            let tags = site.get("usr_ada", "/api/v1/tags?limit=200").await.expect(200);
            let tags = tags.json()["data"].clone();
            assert_eq!(tags.as_array().unwrap().len(), 12, "{tags}");
            let rename = async |from: usize, to: &str| {
                let path = format!("/api/v1/tags/{}", tags[from]["id"]);
                let body = Some(json!({"name": to}));
                site.send("usr_ada", Method::PATCH, &path, body).await.status
            };
            let (one, other) = tokio::join!(rename(0, "Other"), rename(1, "OTHER"));
            let mut statuses = [one.as_u16(), other.as_u16()];
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 409]);
        })
        .await;
    }
}

#[tokio::test]
async fn tags_that_are_put_on_and_taken_off_at_once_lose_nothing() {
    on_each("003", async |site| {
        let path = site.task("usr_ada", json!({"title": "t"})).await;
        for round in 0..5 {
            site.send(
                "usr_ada",
                Method::PATCH,
                &path,
                Some(json!({"tags": ["a", "b", "c"]})),
            )
            .await
            .expect(200);
            let new = ["d", "e", "f"].map(|name| format!("{path}/tags/{name}{round}"));
            let old = ["a", "b", "c"].map(|name| format!("{path}/tags/{name}"));
            let puts = new.iter().map(|tag| (Method::PUT, tag));
            let changes = puts
                .chain(old.iter().map(|tag| (Method::DELETE, tag)))
                .map(|(method, tag)| site.send("usr_ada", method, tag, None));
            for answer in futures_util::future::join_all(changes).await {
                answer.expect(204);
            }
            let left = ["d", "e", "f"].map(|name| format!("{name}{round}"));
            assert_eq!(site.get("usr_ada", &path).await.json()["tags"], json!(left));
        }
    })
    .await;
}

#[tokio::test]
async fn each_encoding_has_an_entity_tag_of_its_own() {
    on_each("003", async |site| {
        site.task("usr_ada", json!({"title": "t".repeat(200)})).await;
        let plain = site
            .get("usr_ada", "/api/v1/tasks")
            .await
            .header("etag")
            .to_owned();
        let packed = site
            .send_with(
                "usr_ada",
                Method::HEAD,
                "/api/v1/tasks/1",
                None,
                &[("accept-encoding", "gzip")],
            )
            .await
            .expect(200);
        assert!(packed.varies_by("accept-encoding"));
        let marked = format!("{}-gzip\"", plain.trim_end_matches('"'));
        let known = site
            .send_with(
                "usr_ada",
                Method::GET,
                "/api/v1/tasks",
                None,
                &[("if-none-match", &marked)],
            )
            .await
            .expect(304);
        assert_eq!(known.header("etag"), marked, "a cache is to find what it has");
        assert!(known.varies_by("accept-encoding"));
    })
    .await;
}

#[tokio::test]
async fn whoever_takes_no_encoding_at_all_is_answered_in_plain() {
    on_each("003", async |site| {
        let refusing = ["identity;q=0", "*;q=0", "identity;q=0, deflate", "zstd, *;q=0"];
        for encodings in refusing {
            let headers = [("accept-encoding", encodings)];
            let body = Some(json!({"title": "t".repeat(200)}));
            let made = site
                .send_with("usr_ada", Method::POST, "/api/v1/tasks", body, &headers)
                .await
                .expect(201);
            assert_eq!(made.header("content-encoding"), "", "{encodings}");
            site.send_with("usr_ada", Method::GET, made.header("location"), None, &headers)
                .await
                .expect(200);
            let nowhere = site
                .send_with("usr_ada", Method::GET, "/nope", None, &headers)
                .await
                .expect(404);
            assert_eq!(nowhere.json()["status"], 404);
        }
        for encodings in ["gzip, identity;q=0", "x-gzip, *;q=0", "identity;q=0, *"] {
            let packed = site
                .send_with(
                    "usr_ada",
                    Method::HEAD,
                    "/api/v1/tasks",
                    None,
                    &[("accept-encoding", encodings)],
                )
                .await
                .expect(200);
            assert_ne!(packed.header("content-encoding"), "", "{encodings}");
        }
    })
    .await;
}
