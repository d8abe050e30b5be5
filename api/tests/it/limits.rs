//! How many requests are taken, and what the answers say about it.

use reqwest::Method;
use serde_json::json;

use crate::site::{Answer, Site, databases};

async fn limited(arguments: &[&str], test: impl AsyncFn(&Site)) {
    for database in databases().await {
        let site = Site::open(database, "head", arguments).await;
        test(&site).await;
        site.close().await;
    }
}

fn standing(answer: &Answer) -> (&str, &str) {
    (answer.header("ratelimit-policy"), answer.header("ratelimit"))
}

#[tokio::test]
async fn a_user_has_a_limit_for_changes_and_another_for_the_rest() {
    limited(&["--rate-write", "2:2", "--rate-read", "3"], async |site| {
        for (remaining, full_in) in [(1, 30), (0, 60)] {
            let made = site
                .post("usr_ada", "/api/v1/tasks", json!({"title": "t"}))
                .await
                .expect(201);
            let limit = format!("\"write\";r={remaining};t={full_in}");
            assert_eq!(standing(&made), ("\"write\";q=2;w=60", limit.as_str()));
        }
        let refused = site
            .post("usr_ada", "/api/v1/tasks", json!({"title": "t"}))
            .await
            .expect(429);
        assert_eq!(refused.code(), "RATE_LIMIT_EXCEEDED");
        let seconds: u32 = refused.header("retry-after").parse().unwrap();
        assert!((1..=30).contains(&seconds), "{seconds}");
        assert_eq!(refused.json()["retry_after"], seconds);
        assert_eq!(refused.header("ratelimit"), "\"write\";r=0;t=60");

        let read = site
            .get("usr_ada", "/api/v1/tasks?include=total")
            .await
            .expect(200);
        assert_eq!(read.json()["total"], 2, "what was refused was not done");
        assert_eq!(standing(&read), ("\"read\";q=3;w=60", "\"read\";r=2;t=20"));
        // A problem counts, and shows how its reader stands.
        let missing = site.get("usr_ada", "/api/v1/tasks/999").await.expect(404);
        assert_eq!(missing.header("ratelimit"), "\"read\";r=1;t=40");
        site.post("usr_eve", "/api/v1/tasks", json!({"title": "t"}))
            .await
            .expect(201);
    })
    .await;
}

#[tokio::test]
async fn strangers_are_counted_by_address() {
    limited(
        &["--rate-anonymous", "2", "--trusted-proxies", "127.0.0.1"],
        async |site| {
            let ask = |token: Option<&'static str>, from: &'static str| {
                let headers = [("x-forwarded-for", from)];
                async move {
                    site.send_raw(token, Method::GET, "/api/v1/me", None, &headers)
                        .await
                }
            };
            ask(None, "203.0.113.1").await.expect(401);
            let tried = ask(Some("guess"), "203.0.113.1").await.expect(401);
            assert_eq!(
                standing(&tried),
                ("\"anonymous\";q=2;w=60", "\"anonymous\";r=0;t=60")
            );
            ask(Some("another"), "203.0.113.1").await.expect(429);
            // What the client made up stands behind what the proxy saw.
            ask(None, "198.51.100.7, 203.0.113.1").await.expect(429);
            ask(None, "203.0.113.2").await.expect(401);
            // A valid token is no stranger's.
            let headers = [("x-forwarded-for", "203.0.113.1")];
            site.send_with("usr_ada", Method::GET, "/api/v1/me", None, &headers)
                .await
                .expect(200);
        },
    )
    .await;
}

#[tokio::test]
async fn without_a_trusted_proxy_nobody_chooses_an_address() {
    limited(&["--rate-anonymous", "1"], async |site| {
        for (from, status) in [("203.0.113.1", 401), ("203.0.113.2", 429)] {
            let headers = [("x-forwarded-for", from)];
            site.send_raw(None, Method::GET, "/api/v1/me", None, &headers)
                .await
                .expect(status);
        }
    })
    .await;
}

#[tokio::test]
async fn accounts_are_asked_for_slowly_and_health_and_words_freely() {
    limited(
        &["--rate-auth", "2", "--rate-anonymous", "1", "--rate-read", "1"],
        async |site| {
            let mut statuses = Vec::new();
            for _ in 0..3 {
                let answer = site
                    .send_raw(
                        None,
                        Method::POST,
                        "/api/v1/auth/login",
                        Some(("{}".to_owned(), "application/json")),
                        &[],
                    )
                    .await;
                statuses.push(answer.status.as_u16());
                assert_eq!(answer.header("ratelimit-policy"), "\"auth\";q=2;w=60");
            }
            assert_eq!(
                statuses.iter().filter(|status| **status == 429).count(),
                1,
                "{statuses:?}"
            );
            assert_eq!(statuses[2], 429);
            for _ in 0..3 {
                for path in [
                    "/livez",
                    "/readyz",
                    "/health",
                    "/api/health",
                    "/version",
                    "/openapi.json",
                    "/openapi-compat.json",
                    "/errors",
                    "/metrics",
                    "/",
                    "/docs",
                    "/.well-known/api-catalog",
                ] {
                    let answer = site
                        .send_raw(None, Method::GET, path, None, &[])
                        .await
                        .expect(200);
                    assert_eq!(answer.header("ratelimit"), "", "{path}");
                }
            }
        },
    )
    .await;
}

#[tokio::test]
async fn pages_are_counted_by_address_and_the_version_among_them() {
    limited(&["--rate-page", "3"], async |site| {
        let ask = async |path: &str| site.send_raw(None, Method::GET, path, None, &[]).await;
        for path in ["/version", "/openapi.json", "/errors"] {
            let answer = ask(path).await.expect(200);
            assert_eq!(answer.header("ratelimit-policy"), "\"page\";q=3;w=60");
        }
        assert_eq!(ask("/version").await.expect(429).code(), "RATE_LIMIT_EXCEEDED");
        // Whoever watches the service must hear of it whatever else comes from their address.
        for path in ["/livez", "/readyz", "/health"] {
            ask(path).await.expect(200);
        }
    })
    .await;
}

#[tokio::test]
async fn a_limit_can_be_switched_off() {
    limited(&[], async |site| {
        for _ in 0..3 {
            let made = site
                .post("usr_ada", "/api/v1/tasks", json!({"title": "t"}))
                .await
                .expect(201);
            assert_eq!(standing(&made), ("", ""));
        }
    })
    .await;
}
