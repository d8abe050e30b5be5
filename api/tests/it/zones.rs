//! Whose days are meant: bare dates, views and counts by the zone that a client names.

use reqwest::Method;
use serde_json::{Value, json};

use crate::site::{Answer, Site, on_each};

/// Noon of the first of March in UTC is one o'clock on the second there.
const AUCKLAND: &str = "timezone=Pacific/Auckland";

async fn send(site: &Site, method: Method, path: &str, body: Option<Value>, prefer: &str) -> Answer {
    site.send_with("usr_ada", method, path, body, &[("prefer", prefer)])
        .await
}

#[tokio::test]
async fn a_bare_date_is_a_day_of_the_zone_that_is_named() {
    on_each("003", async |site| {
        let body =
            || Some(json!({"title": "t", "due_date": "2026-12-24", "remind_at": "2026-12-23T09:00:00Z"}));
        let made = send(site, Method::POST, "/api/v1/tasks", body(), AUCKLAND).await;
        let made = made.expect(201);
        assert_eq!(made.header("preference-applied"), AUCKLAND);
        assert_eq!(made.json()["due_date"], "2026-12-24T10:59:59Z");
        assert_eq!(made.json()["remind_at"], "2026-12-23T09:00:00Z");
        let path = made.header("location").to_owned();
        let day = |day: &str| Some(json!({"due_date": day}));
        for (prefer, applied, due) in [
            (
                "return=minimal, TimeZone=\"america/new_york\"; strict, timezone=UTC",
                "timezone=America/New_York",
                "2026-03-09T03:59:59Z",
            ),
            ("timezone=Middle/Earth", "", "2026-03-08T23:59:59Z"),
            ("timezone=../etc/passwd", "", "2026-03-08T23:59:59Z"),
            ("respond-async", "", "2026-03-08T23:59:59Z"),
        ] {
            let changed = send(site, Method::PATCH, &path, day("2026-03-08"), prefer).await;
            let changed = changed.expect(200);
            assert_eq!(changed.json()["due_date"], due, "{prefer}");
            assert_eq!(changed.header("preference-applied"), applied, "{prefer}");
        }
        let put = send(site, Method::PUT, &path, body(), AUCKLAND).await.expect(200);
        assert_eq!(put.json()["due_date"], "2026-12-24T10:59:59Z");
        let original = path.replace("/api/v1/tasks", "/api/me/tasks");
        let put = send(site, Method::PUT, &original, day("2026-12-25"), AUCKLAND).await;
        assert_eq!(put.expect(200).json()["due_date"], "2026-12-25T10:59:59Z");
        let operations = json!({"operations": [
            {"op": "create", "data": {"title": "b", "due_date": "2026-12-24"}},
        ]});
        let keyed = [("prefer", AUCKLAND), ("idempotency-key", "zoned")];
        let done = site
            .send_with(
                "usr_ada",
                Method::POST,
                "/api/v1/tasks/bulk",
                Some(operations),
                &keyed,
            )
            .await
            .expect(200);
        assert_eq!(done.header("preference-applied"), AUCKLAND);
        let made = done.json()["results"][0]["id"].clone();
        let made = site.get("usr_ada", &format!("/api/v1/tasks/{made}")).await;
        assert_eq!(made.json()["due_date"], "2026-12-24T10:59:59Z");
        assert_eq!(made.header("preference-applied"), "");
        let refused = send(site, Method::PATCH, &path, day("tomorrow"), AUCKLAND).await;
        assert_eq!(refused.expect(422).header("preference-applied"), "");
    })
    .await;
}

#[tokio::test]
async fn lists_and_counts_go_by_the_days_of_the_zone() {
    on_each("003", async |site| {
        for (title, due) in [
            ("late", "2026-03-01T11:30:00Z"),
            ("today", "2026-03-01T23:30:00Z"),
            ("both", "2026-03-02T10:30:00Z"),
            ("next", "2026-03-02T11:00:00Z"),
        ] {
            site.task("usr_ada", json!({"title": title, "due_date": due}))
                .await;
        }
        let list = async |query: &str, prefer: &str| {
            let path = format!("/api/v1/tasks?{query}&sort=due_date");
            let page = send(site, Method::GET, &path, None, prefer).await.expect(200);
            assert!(page.varies_by("prefer"), "{query}");
            let titles = page.json()["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(title)
                .collect::<Vec<_>>();
            titles.join(" ")
        };
        for (query, in_utc, in_auckland) in [
            ("view=today", "late today", "late today both"),
            ("view=upcoming", "both next", "next"),
            ("view=overdue", "late", "late"),
            ("due_before=2026-03-01", "late today", ""),
            ("due_after=2026-03-02", "both next", "late today both next"),
            (
                "due_after=2026-03-02&due_before=2026-03-02",
                "both next",
                "late today both",
            ),
        ] {
            assert_eq!(list(query, "timezone=UTC").await, in_utc, "{query}");
            assert_eq!(list(query, AUCKLAND).await, in_auckland, "{query}");
        }
        for (prefer, today, upcoming) in [("timezone=UTC", 2, 2), (AUCKLAND, 3, 1)] {
            let path = "/api/v1/tasks/summary";
            let summary = send(site, Method::GET, path, None, prefer).await.expect(200);
            assert!(summary.varies_by("prefer"));
            assert_eq!(summary.header("preference-applied"), prefer);
            let summary = summary.json();
            assert_eq!(
                (&summary["due_today"], &summary["upcoming"]),
                (&json!(today), &json!(upcoming)),
                "{prefer}"
            );
        }
        let path = "/api/me/tasks?due_before=2026-03-01";
        let page = send(site, Method::GET, path, None, AUCKLAND).await.expect(200);
        assert_eq!(page.json()["total"], 0);
        assert_eq!(page.header("preference-applied"), AUCKLAND);
    })
    .await;
}

fn title(task: &Value) -> String {
    task["title"].as_str().unwrap().to_owned()
}

/// Asks for the day that a date means for whoever has a token.
async fn zone_of(site: &Site, token: &str, prefer: &str) -> String {
    let body = json!({"title": "t", "due_date": "2026-12-24"}).to_string();
    let body = Some((body, "application/json"));
    let headers = [("prefer", prefer)];
    let made = site
        .send_raw(Some(token), Method::POST, "/api/v1/tasks", body, &headers)
        .await
        .expect(201);
    made.json()["due_zone"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_days_of_somebody_are_those_of_their_settings_unless_a_request_names_others() {
    on_each("head", async |site| {
        let local = site.register("grace@example.org").await;
        let body = json!({"name": "backup", "scopes": ["tasks:write"]});
        let program = site
            .with_token(&local, Method::POST, "/api/v1/me/tokens", Some(body))
            .await;
        let program = program.expect(201).json()["token"].as_str().unwrap().to_owned();
        let issued = site.token("usr_ada");
        for (who, tokens) in [(&local, vec![&local, &program]), (&issued, vec![&issued])] {
            let me = async |zone: Value| {
                let body = Some(json!({"time_zone": zone}));
                let changed = site.with_token(who, Method::PATCH, "/api/v1/me", body).await;
                let changed = changed.expect(200);
                let shown = site.with_token(who, Method::GET, "/api/v1/me", None).await;
                assert_eq!(shown.header("etag"), changed.header("etag"));
                assert_eq!(shown.json(), changed.json());
                shown.json()["time_zone"].clone()
            };
            for token in &tokens {
                assert_eq!(zone_of(site, token, "respond-async").await, "UTC");
            }
            assert_eq!(me(json!("pacific/auckland")).await, "Pacific/Auckland");
            for token in &tokens {
                for (prefer, expected) in [
                    ("respond-async", "Pacific/Auckland"),
                    ("timezone=Europe/Berlin", "Europe/Berlin"),
                    ("timezone=UTC", "UTC"),
                    ("timezone=Middle/Earth", "Pacific/Auckland"),
                    ("handling=strict, timezone=Europe/Berlin", "Europe/Berlin"),
                    ("handling=strict", "Pacific/Auckland"),
                ] {
                    assert_eq!(zone_of(site, token, prefer).await, expected, "{prefer}");
                }
            }
            assert_eq!(me(Value::Null).await, Value::Null);
            for token in &tokens {
                assert_eq!(zone_of(site, token, "respond-async").await, "UTC");
            }
        }
        let refused = site
            .patch("usr_ada", "/api/v1/me", json!({"time_zone": "Middle/Earth"}))
            .await
            .expect(422);
        assert_eq!(refused.json()["errors"][0]["pointer"], "/time_zone");
        assert!(refused.text.contains("such as Europe/Berlin"), "{}", refused.text);
    })
    .await;
}

#[tokio::test]
async fn lists_go_by_the_settings_and_cost_no_statement_more() {
    on_each("head", async |site| {
        let due = json!({"title": "late", "due_date": "2026-03-02T10:30:00Z"});
        site.task("usr_ada", due).await;
        let count = async || {
            let summary = site.get("usr_ada", "/api/v1/tasks/summary").await.expect(200);
            // Only what was preferred is applied.
            assert_eq!(summary.header("preference-applied"), "");
            summary.json()["due_today"].clone()
        };
        assert_eq!(count().await, 0);
        let zone = json!({"time_zone": "Pacific/Auckland"});
        let me = site.patch("usr_ada", "/api/v1/me", zone).await.expect(200).json();
        assert_eq!(me["name"], Value::Null, "what is not named stays");
        assert_eq!(count().await, 1);
        let cost = site
            .least_statements(async |_| drop(site.get("usr_ada", "/api/v1/tasks/summary").await.expect(200)))
            .await;
        assert_eq!(cost, 1);
        // The first request of somebody finds their row and their zone with one statement.
        let first = async |path: &str, who: &str| {
            site.least_statements(async |attempt| {
                drop(site.get(&format!("usr_{who}_{attempt}"), path).await.expect(200));
            })
            .await
        };
        let zoned = first("/api/v1/tasks/summary", "zoned").await;
        assert_eq!(zoned, first("/api/v1/tags", "plain").await);
        site.get("usr_eve", "/api/v1/me").await.expect(200);
        // A zone that a later build wrote.
        site.sql("UPDATE users SET time_zone = 'Mars/Olympus' WHERE id = 'usr_eve'")
            .await;
        site.patch("usr_eve", "/api/v1/me", json!({"name": "Eve"}))
            .await
            .expect(200);
        let me = site.get("usr_eve", "/api/v1/me").await.expect(200).json();
        assert_eq!(me["time_zone"], "Mars/Olympus");
        assert_eq!(
            zone_of(site, &site.token("usr_eve"), "respond-async").await,
            "UTC"
        );
    })
    .await;
}

#[tokio::test]
async fn a_zone_that_there_is_not_is_refused_where_a_client_is_strict() {
    on_each("003", async |site| {
        for prefer in [
            "timezone=Middle/Earth, handling=strict",
            "handling=STRICT, timezone=\"+02:00\"",
        ] {
            for path in ["/api/v1/tasks", "/api/me/tasks"] {
                let refused = send(site, Method::GET, path, None, prefer).await.expect(400);
                assert!(refused.text.contains("HEADER_INVALID"), "{}", refused.text);
                assert!(refused.text.contains("names no time zone"), "{}", refused.text);
                assert_eq!(refused.header("preference-applied"), "");
            }
        }
        for prefer in ["handling=lenient, timezone=Middle/Earth", "handling=strict"] {
            send(site, Method::GET, "/api/v1/tasks", None, prefer)
                .await
                .expect(200);
        }
    })
    .await;
}
