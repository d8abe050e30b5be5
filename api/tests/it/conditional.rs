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
        assert!(packed.header("vary").contains("accept-encoding"));
        let marked = format!("{}-gzip\"", plain.trim_end_matches('"'));
        site.send_with(
            "usr_ada",
            Method::GET,
            "/api/v1/tasks",
            None,
            &[("if-none-match", &marked)],
        )
        .await
        .expect(304);
    })
    .await;
}
