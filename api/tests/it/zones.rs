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
