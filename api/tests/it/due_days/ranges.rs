//! What is overdue, due today, to come, before and after: asked for around the world at one moment.

use reqwest::Method;
use serde_json::{Value, json};

use super::send;
use crate::site::{NOW, Site, databases, on_each};

/// Tasks that are due on days around the first of March, chosen all over the world, and at moments.
#[rustfmt::skip]
const TASKS: [(&str, &str, &str); 10] = [
    ("feb-28", "2026-02-28", "Pacific/Pago_Pago"),
    ("mar-1-west", "2026-03-01", "Pacific/Pago_Pago"),
    ("mar-1-east", "2026-03-01", "Pacific/Kiritimati"),
    ("mar-2", "2026-03-02", "Pacific/Kiritimati"),
    ("mar-9", "2026-03-09", "UTC"),
    ("now-1s", "2026-03-01T11:59:59Z", ""),
    ("now", "2026-03-01T12:00:00Z", ""),
    ("midnight", "2026-03-02T00:00:00Z", ""),
    ("never", "", ""),
    ("done", "2026-02-01", "UTC"),
];

/// It is noon of the 1st in UTC, the 2nd in Kiritimati and one in the morning of the 1st in Pago Pago.
#[rustfmt::skip]
const LISTS: [(&str, &str, &str); 21] = [
    ("overdue=true", "UTC", "feb-28 now-1s"),
    ("overdue=true", "Pacific/Kiritimati", "feb-28 mar-1-east mar-1-west now-1s"),
    ("overdue=true", "Pacific/Pago_Pago", "feb-28 now-1s"),
    ("view=overdue", "Pacific/Kiritimati", "feb-28 mar-1-east mar-1-west now-1s"),
    ("view=today", "UTC", "mar-1-east mar-1-west now now-1s"),
    ("view=today", "Pacific/Kiritimati", "mar-2 midnight now now-1s"),
    ("view=today", "Pacific/Pago_Pago", "mar-1-east mar-1-west midnight now now-1s"),
    ("view=upcoming", "UTC", "mar-2 midnight"),
    ("view=upcoming", "Pacific/Kiritimati", "mar-9"),
    ("due_before=2026-03-01", "UTC", "done feb-28 mar-1-east mar-1-west now now-1s"),
    ("due_before=2026-03-01", "Pacific/Kiritimati", "done feb-28 mar-1-east mar-1-west"),
    ("due_after=2026-03-02", "UTC", "mar-2 mar-9 midnight"),
    ("due_after=2026-03-02", "Pacific/Kiritimati", "mar-2 mar-9 midnight now now-1s"),
    ("due_after=2026-03-02&due_before=2026-03-02", "UTC", "mar-2 midnight"),
    ("due_before=2026-03-01T12:00:00Z", "UTC", "done feb-28 now-1s"),
    ("due_before=2026-03-01T12:00:00Z", "Pacific/Kiritimati", "done feb-28 mar-1-east mar-1-west now-1s"),
    ("due_after=2026-03-01T12:00:00Z", "Pacific/Kiritimati", "mar-2 mar-9 midnight now"),
    ("due_before=1970-01-01", "Pacific/Pago_Pago", ""),
    ("due_after=9999-12-31", "Pacific/Kiritimati", ""),
    (
        "due_after=1970-01-01&due_before=9999-12-31", "Pacific/Kiritimati",
        "done feb-28 mar-1-east mar-1-west mar-2 mar-9 midnight now now-1s",
    ),
    ("has_due=false", "UTC", "never"),
];

async fn fill(site: &Site) {
    for (title, due, zone) in TASKS {
        let mut task = json!({"title": title, "completed": title == "done"});
        if !due.is_empty() {
            task["due_date"] = json!(due);
        }
        if !zone.is_empty() {
            task["due_zone"] = json!(zone);
        }
        site.task("usr_ada", task).await;
    }
}

async fn titles(site: &Site, path: &str, zone: &str) -> Vec<String> {
    let found = send(site, Method::GET, path, Value::Null, zone)
        .await
        .expect(200)
        .json();
    let tasks = found.get("data").unwrap_or(&found["tasks"]).as_array().unwrap();
    let mut titles: Vec<String> = tasks
        .iter()
        .map(|task| task["title"].as_str().unwrap().to_owned())
        .collect();
    titles.sort_unstable();
    titles
}

#[tokio::test]
async fn lists_take_a_day_for_one_of_whoever_asks() {
    on_each("head", async |site| {
        fill(site).await;
        for (query, zone, expected) in LISTS {
            let found = titles(site, &format!("/api/v1/tasks?{query}"), zone).await;
            assert_eq!(found.join(" "), expected, "{query} {zone}");
            if query.starts_with("due_") {
                let found = titles(site, &format!("/api/me/tasks?{query}"), zone).await;
                assert_eq!(found.join(" "), expected, "{query} {zone}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn counts_take_a_day_for_one_of_whoever_asks() {
    on_each("head", async |site| {
        fill(site).await;
        for (zone, expected) in [
            ("UTC", [2, 4, 2]),
            ("Pacific/Kiritimati", [4, 4, 1]),
            ("Pacific/Pago_Pago", [2, 5, 1]),
        ] {
            let path = "/api/v1/tasks/summary";
            let summary = send(site, Method::GET, path, Value::Null, zone).await;
            let summary = summary.expect(200).json();
            let counts = ["overdue", "due_today", "upcoming"].map(|name| summary[name].as_u64().unwrap());
            assert_eq!(counts, expected, "{zone}");
            // What is overdue and what is not are all there is.
            let mut all = titles(site, "/api/v1/tasks?overdue=true", zone).await;
            all.extend(titles(site, "/api/v1/tasks?overdue=false", zone).await);
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), TASKS.len(), "{zone}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_day_is_over_when_it_is_over_for_whoever_asks() {
    for database in databases().await {
        let site = Site::open(database, "head", &[]).await;
        let new = json!({"title": "t", "due_on": "2026-03-01", "due_zone": "Europe/Berlin"});
        site.task("usr_ada", new).await;
        // 2026-03-01T12:00:00Z, and the offset at which it becomes the 2nd.
        assert_eq!(NOW % (24 * 60 * 60), 12 * 60 * 60);
        for (zone, is_over) in [
            ("Etc/GMT-11", false),
            ("Etc/GMT-12", true),
            ("Etc/GMT-14", true),
            ("Etc/GMT+12", false),
        ] {
            let path = "/api/v1/tasks?overdue=true&include=total";
            let found = send(&site, Method::GET, path, Value::Null, zone)
                .await
                .expect(200);
            assert_eq!(found.json()["total"], u8::from(is_over), "{zone}");
        }
        site.close().await;
    }
}
