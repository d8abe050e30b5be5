//! Tasks that are due on a day: a day stays one, wherever it was chosen, whoever looks, and on every schema that knows days.

mod ranges;

use reqwest::Method;
use serde_json::{Value, json};

use crate::site::{Answer, Site, ids, migrate, on_each};

/// The revision that brings days.
const DAYS: &str = "c7e1d4a9b035";

async fn send(site: &Site, method: Method, path: &str, body: Value, zone: &str) -> Answer {
    let prefer = format!("timezone={zone}");
    let body = (!body.is_null()).then_some(body);
    site.send_with("usr_ada", method, path, body, &[("prefer", &prefer)])
        .await
}

/// Returns when a task is due: the moment, the day, and the zone of it.
fn due(task: &Value) -> [String; 3] {
    ["due_date", "due_on", "due_zone"].map(|name| {
        let text = task[name].as_str().map(str::to_owned);
        text.unwrap_or_else(|| {
            assert_eq!(task[name], Value::Null, "{task}");
            "-".to_owned()
        })
    })
}

const CHRISTMAS: [&str; 3] = ["2026-12-24T10:59:59Z", "2026-12-24", "Pacific/Auckland"];

#[tokio::test]
async fn a_day_stays_a_day_and_moments_stay_moments() {
    on_each("head", async |site| {
        for (body, expected) in [
            (json!({"due_date": "2026-12-24"}), CHRISTMAS),
            (json!({"due_on": "2026-12-24"}), CHRISTMAS),
            (
                json!({"due_on": "2026-12-24", "due_date": null, "due_zone": null}),
                CHRISTMAS,
            ),
            (
                json!({"due_on": "2026-12-24", "due_date": "2026-12-24"}),
                CHRISTMAS,
            ),
            (
                json!({"due_on": "2026-12-24", "due_date": "2026-12-24T10:59:59Z"}),
                CHRISTMAS,
            ),
            (
                json!({"due_on": "2026-12-24", "due_zone": "america/new_york"}),
                ["2026-12-25T04:59:59Z", "2026-12-24", "America/New_York"],
            ),
            (
                json!({"due_date": "2026-12-24", "due_zone": "UTC"}),
                ["2026-12-24T23:59:59Z", "2026-12-24", "UTC"],
            ),
            // There was no such day there; it was over when the one before was.
            (
                json!({"due_on": "2011-12-30", "due_zone": "Pacific/Apia"}),
                ["2011-12-30T09:59:59Z", "2011-12-30", "Pacific/Apia"],
            ),
            (
                json!({"due_on": "9999-12-31", "due_zone": "Pacific/Kiritimati"}),
                ["9999-12-31T23:59:59Z", "9999-12-31", "Pacific/Kiritimati"],
            ),
            (
                json!({"due_on": "1970-01-01", "due_zone": "Pacific/Kiritimati"}),
                ["1970-01-02T10:39:59Z", "1970-01-01", "Pacific/Kiritimati"],
            ),
            (
                json!({"due_date": "2026-12-24T10:59:59Z"}),
                ["2026-12-24T10:59:59Z", "-", "-"],
            ),
            (
                json!({"due_date": "2026-12-24", "due_on": null}),
                ["2026-12-24T10:59:59Z", "-", "-"],
            ),
            (json!({"due_on": null, "due_zone": null}), ["-", "-", "-"]),
            (json!({}), ["-", "-", "-"]),
        ] {
            let mut new = body.clone();
            new["title"] = json!("t");
            let made = send(site, Method::POST, "/api/v1/tasks", new, "Pacific/Auckland").await;
            let made = made.expect(201);
            assert_eq!(due(&made.json()), expected, "{body}");
            let path = made.header("location");
            // Whoever looks, from wherever.
            for zone in ["UTC", "Pacific/Pago_Pago"] {
                let seen = send(site, Method::GET, path, Value::Null, zone).await.expect(200);
                assert_eq!(due(&seen.json()), expected, "{body}");
                assert_eq!(seen.header("etag"), made.header("etag"), "{body}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_day_is_changed_and_taken_away() {
    on_each("head", async |site| {
        let moment = ["2026-12-24T10:59:59Z", "-", "-"];
        let none = ["-", "-", "-"];
        for (change, expected) in [
            (json!({"title": "u"}), CHRISTMAS),
            // What a client without days has read and sends back.
            (
                json!({"title": "u", "due_date": "2026-12-24T10:59:59Z"}),
                CHRISTMAS,
            ),
            (
                json!({"title": "u", "due_date": "2026-12-24T11:59:59+01:00"}),
                CHRISTMAS,
            ),
            (
                json!({"due_date": "2026-12-24T10:59:59Z", "due_on": null}),
                moment,
            ),
            (
                json!({"due_date": "2026-12-24T11:00:00Z"}),
                ["2026-12-24T11:00:00Z", "-", "-"],
            ),
            (
                json!({"due_date": "2026-12-25"}),
                ["2026-12-25T22:59:59Z", "2026-12-25", "Europe/Berlin"],
            ),
            (
                json!({"due_on": "2026-12-24"}),
                ["2026-12-24T22:59:59Z", "2026-12-24", "Europe/Berlin"],
            ),
            (
                json!({"due_on": "2026-12-24", "due_zone": "Pacific/Auckland"}),
                CHRISTMAS,
            ),
            (json!({"due_date": null}), none),
            (json!({"due_on": null}), none),
        ] {
            for (method, prefix) in [(Method::PATCH, "/api/v1/tasks"), (Method::PUT, "/api/me/tasks")] {
                let new = json!({"title": "t", "due_on": "2026-12-24"});
                let made = send(site, Method::POST, "/api/v1/tasks", new, "Pacific/Auckland").await;
                let path = made.header("location").replace("/api/v1/tasks", prefix);
                let changed = send(site, method, &path, change.clone(), "Europe/Berlin").await;
                let changed = changed.expect(200).json();
                assert_eq!(due(&changed), expected, "{change}");
                let kept = site.get("usr_ada", &path).await.json();
                assert_eq!(due(&kept), expected, "{change}");
            }
        }
        // A moment is no day that could be taken away.
        let path = site
            .task(
                "usr_ada",
                json!({"title": "t", "due_date": "2026-12-24T10:59:59Z"}),
            )
            .await;
        let left = site
            .patch("usr_ada", &path, json!({"due_on": null}))
            .await
            .expect(200);
        assert_eq!(due(&left.json()), moment);
        // To replace a task is to say everything of it.
        let days = json!({"title": "t", "due_on": "2026-12-24", "due_zone": "Pacific/Auckland"});
        let put = site
            .send("usr_ada", Method::PUT, &path, Some(days))
            .await
            .expect(200);
        assert_eq!(due(&put.json()), CHRISTMAS);
        let put = site
            .send("usr_ada", Method::PUT, &path, Some(json!({"title": "t"})))
            .await;
        assert_eq!(due(&put.expect(200).json()), none);
    })
    .await;
}

/// What is refused, where, by which code, and what is said of it.
#[rustfmt::skip]
const REFUSED: [(&str, &str, &str, &str); 11] = [
    (r#"{"due_on": "0001-01-01"}"#, "/due_on", DATE, "1970 to 9999"),
    (r#"{"due_on": "1969-12-31"}"#, "/due_on", DATE, "1970 to 9999"),
    (r#"{"due_on": "10000-01-01"}"#, "/due_on", DATE, "1970 to 9999"),
    (r#"{"due_on": "2026-02-29"}"#, "/due_on", DATE, "a date is wanted"),
    (r#"{"due_on": "2026-12-24T00:00:00Z"}"#, "/due_on", DATE, "a date is wanted"),
    (r#"{"due_on": 20261224}"#, "/due_on", DATE, "a string"),
    (r#"{"due_on": "2026-12-24", "due_zone": "Middle/Earth"}"#, "/due_zone", "VALIDATION_ERROR", "IANA"),
    (r#"{"due_zone": "Europe/Berlin"}"#, "/due_zone", DATE, "goes with a day"),
    (r#"{"due_zone": "Europe/Berlin", "due_date": "2026-12-24T10:00:00Z"}"#, "/due_zone", DATE, "goes with a day"),
    (r#"{"due_on": "2026-12-24", "due_date": "2026-12-25"}"#, "/due_date", DATE, "not the end of the day"),
    (r#"{"due_on": "2026-12-24", "due_date": "2026-12-24T10:59:59Z"}"#, "/due_date", DATE, "due_zone with both"),
];

const DATE: &str = "TASK_INVALID_DUE_DATE";

#[tokio::test]
async fn what_makes_no_day_is_refused_with_a_reason() {
    on_each("head", async |site| {
        let path = site.task("usr_ada", json!({"title": "t"})).await;
        for (body, pointer, code, detail) in REFUSED {
            let body: Value = serde_json::from_str(body).unwrap();
            let mut new = body.clone();
            new["title"] = json!("t");
            for (method, path, body) in [
                (Method::POST, "/api/v1/tasks", new.clone()),
                (Method::PUT, path.as_str(), new),
                (Method::PATCH, path.as_str(), body),
            ] {
                let refused = site.send("usr_ada", method, path, Some(body.clone())).await;
                let refused = refused.expect(422).json();
                assert_eq!(refused["code"], code, "{refused}");
                assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
                let said = refused["errors"][0]["detail"].as_str().unwrap();
                assert!(said.contains(detail), "{refused}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_day_goes_through_every_door() {
    on_each("head", async |site| {
        let cursor = site.get("usr_ada", "/api/v1/changes").await.expect(200).json();
        let operations = json!({"operations": [
            {"op": "create", "temp_id": "a", "data": {"title": "a", "due_date": "2026-12-24"}},
            {"op": "create", "temp_id": "b", "data": {"title": "b", "due_date": "2026-12-24T10:59:59Z"}},
            {"op": "create", "temp_id": "c", "data": {"title": "c"}},
            {"op": "update", "id": "c", "data": {"due_on": "2026-12-24"}},
        ]});
        let headers = [
            ("prefer", "timezone=Pacific/Auckland"),
            ("idempotency-key", "days"),
        ];
        let path = "/api/v1/tasks/bulk";
        let done = site
            .send_with("usr_ada", Method::POST, path, Some(operations), &headers)
            .await
            .expect(200)
            .json();
        let expected = [CHRISTMAS, ["2026-12-24T10:59:59Z", "-", "-"], CHRISTMAS];
        let next = cursor["next_cursor"].as_str().unwrap();
        let changes = site
            .get("usr_ada", &format!("/api/v1/changes?cursor={next}"))
            .await;
        let changes = changes.expect(200).json();
        let list = site
            .get("usr_ada", "/api/v1/tasks?sort=id")
            .await
            .expect(200)
            .json();
        let ties = site
            .get("usr_ada", "/api/v1/tasks?sort=-due_date,id&limit=2")
            .await
            .expect(200)
            .json();
        let compat = site.get("usr_ada", "/api/me/tasks").await.expect(200).json();
        for (index, name) in ["a", "b", "c"].into_iter().enumerate() {
            let id = &done["temp_id_mapping"][name];
            let task = site
                .get("usr_ada", &format!("/api/v1/tasks/{id}"))
                .await
                .expect(200);
            assert_eq!(due(&task.json()), expected[index], "{name}");
            let place = if name == "c" { 3 } else { index };
            assert_eq!(done["results"][place]["etag"], task.header("etag"), "{name}");
            assert_eq!(due(&list["data"][index]), expected[index], "{name}");
            assert_eq!(due(&compat["tasks"][index]), expected[index], "{name}");
            let changed = changes["data"].as_array().unwrap().iter();
            let changed = changed
                .map(|change| &change["task"])
                .find(|task| task["id"] == *id);
            assert_eq!(due(changed.unwrap()), expected[index], "{name}");
        }
        assert_eq!(due(&ties["data"][0]), expected[0]);
        let sparse = site
            .get("usr_ada", "/api/v1/tasks?fields=due_on,due_zone&limit=1")
            .await;
        let sparse = sparse.expect(200).json();
        assert_eq!(
            sparse["data"],
            json!([{"due_on": "2026-12-24", "due_zone": "Pacific/Auckland"}])
        );
        let path = format!("/api/v1/tasks/{}/complete", done["temp_id_mapping"]["a"]);
        let completed = site.send("usr_ada", Method::PUT, &path, None).await.expect(200);
        assert_eq!(due(&completed.json()), CHRISTMAS);
        let other = json!({"title": "a", "due_on": "2026-12-24", "due_zone": "UTC"});
        let first = site
            .post("usr_ada", "/api/v1/tasks", other)
            .await
            .expect(201)
            .json();
        assert_eq!(due(&first)[2], "UTC");
    })
    .await;
}

#[tokio::test]
async fn a_day_is_kept_as_its_end_by_every_schema_without_days() {
    let before = ids().into_iter().take_while(|id| id != DAYS).skip(2);
    for revision in before {
        on_each(&revision, async |site| {
            let new = json!({"title": "t", "due_date": "2026-12-24"});
            let made = send(site, Method::POST, "/api/v1/tasks", new, "Pacific/Auckland").await;
            let made = made.expect(201);
            let moment = ["2026-12-24T10:59:59Z", "-", "-"];
            assert_eq!(due(&made.json()), moment, "{revision}");
            let path = made.header("location");
            for nothing in [json!({"due_on": null}), json!({"due_on": null, "due_zone": null})] {
                let left = site.patch("usr_ada", path, nothing).await.expect(200);
                assert_eq!(due(&left.json()), moment, "{revision}");
            }
            // What is asked for by its name is not silently something else.
            for (body, feature) in [
                (json!({"due_on": "2026-12-24"}), "due_days"),
                (json!({"due_date": "2026-12-24", "due_zone": "UTC"}), "due_days"),
            ] {
                let refused = site.patch("usr_ada", path, body).await.expect(503);
                assert_eq!(refused.code(), "SCHEMA_FEATURE_UNAVAILABLE");
                assert_eq!(refused.json()["required_revision"], DAYS);
                assert!(refused.text.contains(feature), "{}", refused.text);
            }
        })
        .await;
    }
}

#[tokio::test]
async fn days_come_and_go_with_the_schema_and_with_code_of_before() {
    on_each("e417a86c03bd", async |site| {
        let path = site.task("usr_ada", json!({"title": "t"})).await;
        // The snapshot of the schema is fresh now, and a second will pass before the next one.
        migrate(&site.database, DAYS).await;
        let day = json!({"due_date": "2026-12-24"});
        let changed = send(site, Method::PATCH, &path, day.clone(), "Pacific/Auckland").await;
        assert_eq!(due(&changed.expect(200).json()), CHRISTMAS);
        migrate(&site.database, "head").await;
        for (written, expected) in [
            ("title = 'u'", CHRISTMAS),
            ("completed = true", CHRISTMAS),
            (
                "due_date = '2026-12-25 09:00:00'",
                ["2026-12-25T09:00:00Z", "-", "-"],
            ),
            ("due_date = NULL", ["-", "-", "-"]),
        ] {
            send(site, Method::PATCH, &path, day.clone(), "Pacific/Auckland")
                .await
                .expect(200);
            let zone = if site.is_postgres() {
                "SET timezone = 'UTC'; "
            } else {
                ""
            };
            site.sql(&format!("{zone}UPDATE tasks SET {written}")).await;
            let task = site.get("usr_ada", &path).await.expect(200).json();
            assert_eq!(due(&task), expected, "{written}");
        }
        // The end of a day that was written by other rules of its zone stays the day's.
        send(site, Method::PATCH, &path, day.clone(), "Pacific/Auckland")
            .await
            .expect(200);
        let zone = if site.is_postgres() {
            "SET timezone = 'UTC'; "
        } else {
            ""
        };
        site.sql(&format!(
            "{zone}UPDATE tasks SET due_on = NULL; UPDATE tasks SET due_date = '2026-12-24 11:59:59', \
             due_on = '2026-12-24', due_zone = 'Pacific/Auckland'"
        ))
        .await;
        let again = send(site, Method::PATCH, &path, day, "Pacific/Auckland")
            .await
            .expect(200);
        assert_eq!(due(&again.json())[1..], CHRISTMAS[1..]);
        let kept = site.get("usr_ada", &path).await.json();
        assert_eq!(due(&kept)[1..], CHRISTMAS[1..]);
        migrate(&site.database, "e417a86c03bd").await;
        let task = site.get("usr_ada", &path).await.expect(200).json();
        assert_eq!(due(&task), ["2026-12-24T11:59:59Z", "-", "-"]);
    })
    .await;
}
