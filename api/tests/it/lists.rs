//! The grammar of lists: filters, order, cursors, sparse members.

use reqwest::Method;
use serde_json::json;

use crate::site::{Site, on_each};

async fn titles(site: &Site, query: &str) -> Vec<String> {
    let page = site
        .get("usr_ada", &format!("/api/v1/tasks?{query}"))
        .await
        .expect(200)
        .json();
    page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| task["title"].as_str().unwrap().to_owned())
        .collect()
}

/// Six tasks, and one of somebody else that no list may show.
async fn fill(site: &Site) {
    for task in [
        json!({"title": "a low", "priority": "low", "due_date": "2026-05-01T00:00:00Z", "tags": ["work"]}),
        json!({"title": "b high", "priority": "high", "tags": ["Work", "home"]}),
        json!({"title": "c medium", "due_date": "2026-02-01T08:00:00Z", "description": "50% of A_B"}),
        json!({"title": "d high", "priority": "high", "due_date": "2026-04-01T00:00:00Z", "completed": true}),
        json!({"title": "e medium", "recurrence_pattern": "daily", "tags": ["home"]}),
        json!({"title": "f low", "priority": "low", "due_date": "2026-05-01T00:00:00Z", "description": "Ärger",
               "tags": ["Ärger"]}),
    ] {
        site.task("usr_ada", task).await;
    }
    site.task(
        "usr_bob",
        json!({"title": "z", "priority": "high", "tags": ["work"]}),
    )
    .await;
}

#[tokio::test]
async fn every_filter_finds_what_it_names() {
    on_each("003", async |site| {
        fill(site).await;
        for (query, found) in [
            ("status=completed", "d"),
            ("status=pending", "abcef"),
            ("status=all", "abcdef"),
            ("priority=high", "bd"),
            ("priority=high,low", "abdf"),
            ("priority=medium", "ce"),
            ("tags=work", "ab"),
            ("tags=WORK,home", "b"),
            ("tags=work,home&tags_match=any", "abe"),
            ("due_after=2026-04-01", "adf"),
            ("due_before=2026-04-01", "cd"),
            ("due_before=2026-04-01T00:00:00Z", "c"),
            ("overdue=true", "c"),
            ("overdue=false", "abdef"),
            ("has_due=true", "acdf"),
            ("has_due=false", "be"),
            ("recurring=true", "e"),
            ("updated_since=2026-03-01T12:00:00Z", "abcdef"),
            ("updated_since=2026-03-01T12:00:01Z", ""),
            ("q=MEDIUM", "ce"),
            ("q=50%25", "c"),
            ("q=a_b", "c"),
            ("q=high%20b", "b"),
            ("q=%C3%84rger", "f"),
            // Too short for any index.
            ("q=IU", "ce"),
            ("q=0%25", "c"),
            ("q=_B", "c"),
            ("q=%C3%84R", "f"),
            ("q=GH%20B", "b"),
            ("q=zq", ""),
            ("tags=%C3%84rger", "f"),
            ("priority=high&status=pending", "b"),
            ("search=high", "bd"),
            ("q=-medium", "abdf"),
            ("q=-medium%20-high", "af"),
            ("q=low%20OR%20medium", "acef"),
            ("q=%22gh%22%20OR%20low%20-a", "bdf"),
            ("q=%22h%20b%22", ""),
            ("q=%22b%20high%22%20OR%20%22f%20low%22", "bf"),
            ("q=hi*", "bd"),
            ("q=gh*", ""),
            ("q=OF*", "c"),
            ("q=50%25*", "c"),
            ("q=A_*", "c"),
            ("q=-hi*%20-low", "ce"),
            ("q=%C3%84r*", "f"),
            ("q=%22", ""),
            ("view=overdue", "c"),
            ("view=completed", "d"),
            ("view=completed&status=pending", ""),
            ("view=overdue&priority=high", ""),
            ("view=completed&sort=-priority,title&include=tags,total", "d"),
        ] {
            let letters: String = titles(site, query)
                .await
                .iter()
                .map(|title| &title[..1])
                .collect();
            assert_eq!(letters, found, "{query}");
        }
    })
    .await;
}

#[tokio::test]
async fn views_are_what_the_summary_counts() {
    on_each("003", async |site| {
        // It is noon on the first of March.
        for (title, due) in [
            ("past", "2026-03-01T11:59:59Z"),
            ("later today", "2026-03-01T12:00:00Z"),
            ("tonight", "2026-03-01T23:59:59Z"),
            ("tomorrow", "2026-03-02T00:00:00Z"),
            ("a week", "2026-03-08T23:59:59Z"),
            ("more", "2026-03-09T00:00:00Z"),
        ] {
            site.task("usr_ada", json!({"title": title, "due_date": due}))
                .await;
        }
        let done = json!({"title": "done", "due_date": "2026-03-01", "completed": true});
        site.task("usr_ada", done).await;
        let summary = site.get("usr_ada", "/api/v1/tasks/summary").await.expect(200);
        for (view, count, found) in [
            ("today", "due_today", vec!["past", "later today", "tonight"]),
            ("overdue", "overdue", vec!["past"]),
            ("upcoming", "upcoming", vec!["tomorrow", "a week"]),
            ("completed", "completed", vec!["done"]),
        ] {
            assert_eq!(
                titles(site, &format!("view={view}&sort=due_date")).await,
                found,
                "{view}"
            );
            assert_eq!(summary.json()[count], found.len(), "{view}");
        }
    })
    .await;
}

#[tokio::test]
async fn tasks_are_found_by_their_numbers() {
    on_each("003", async |site| {
        fill(site).await;
        let all = site.get("usr_ada", "/api/v1/tasks?fields=id").await.json();
        let ids = all["data"].as_array().unwrap();
        let other = site.get("usr_bob", "/api/v1/tasks?fields=id").await.json();
        let query = format!(
            "ids={},{},{},2147483647&sort=title",
            ids[4]["id"], ids[0]["id"], other["data"][0]["id"]
        );
        assert_eq!(titles(site, &query).await, ["a low", "e medium"]);
        let many = vec!["7"; 101].join(",");
        site.get("usr_ada", &format!("/api/v1/tasks?ids={many}"))
            .await
            .expect(422);
    })
    .await;
}

#[tokio::test]
async fn what_looks_the_same_is_the_same() {
    on_each("head", async |site| {
        let (apart, composed) = ("cafe\u{301}", "caf\u{e9}");
        site.task(
            "usr_ada",
            json!({"title": format!("one {apart}"), "tags": [apart]}),
        )
        .await;
        site.task("usr_ada", json!({"title": "two", "tags": [composed]}))
            .await;
        let tags = async || {
            let list = site.get("usr_ada", "/api/v1/tags").await.expect(200).json();
            list["data"].clone()
        };
        let known = tags().await;
        assert_eq!(known.as_array().unwrap().len(), 1, "{known}");
        assert_eq!(
            (&known[0]["name"], &known[0]["task_count"]),
            (&json!(composed), &json!(2))
        );
        for query in ["tags=cafe%CC%81", "tags=CAF%C3%A9"] {
            assert_eq!(titles(site, query).await, [&format!("one {composed}"), "two"]);
        }
        assert_eq!(titles(site, "q=cafe%CC%81").await, [format!("one {composed}")]);
        // What was written before texts were composed.
        site.sql(&format!(
            "UPDATE tasks SET title = '{apart} noir' WHERE title = 'two'"
        ))
        .await;
        for query in ["q=caf%C3%A9*&sort=-id", "q=cafe%CC%81%20noir%20OR%20one&sort=-id"] {
            assert_eq!(titles(site, query).await.len(), 2, "{query}");
        }
        assert_eq!(titles(site, "q=-caf%C3%A9").await.len(), 0);
        site.sql(&format!("UPDATE tags SET name = '{apart}'")).await;
        assert_eq!(titles(site, "tags=caf%C3%A9").await.len(), 2);
        let third = site.task("usr_ada", json!({"title": "three", "tags": [composed]}));
        let third = third.await;
        assert_eq!(tags().await[0]["task_count"], 3);
        let path = format!("{third}/tags/caf%C3%A9");
        site.send("usr_ada", Method::DELETE, &path, None)
            .await
            .expect(204);
        assert_eq!(tags().await[0]["task_count"], 2);
        // A capital letter of ASCII with its accent apart.
        site.sql("UPDATE tags SET name = 'E\u{301}cole'").await;
        assert_eq!(titles(site, "tags=%C3%89cole").await.len(), 2);
        site.task("usr_ada", json!({"title": "four", "tags": ["\u{c9}cole"]}))
            .await;
        assert_eq!(tags().await.as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn priority_sorts_by_rank_and_missing_dates_come_last_both_ways() {
    on_each("003", async |site| {
        fill(site).await;
        for (sort, order) in [
            ("-priority", "bdceaf"),
            ("priority", "afcebd"),
            ("due_date", "cdafbe"),
            ("-due_date", "afdcbe"),
            ("-title", "fedcba"),
            ("completed,-id", "fecbad"),
            ("-priority,due_date", "dbceaf"),
        ] {
            let letters: String = titles(site, &format!("sort={sort}"))
                .await
                .iter()
                .map(|title| &title[..1])
                .collect();
            assert_eq!(letters, order, "{sort}");

            // The same in pages of one and two.
            for limit in [1, 2] {
                let mut walked = String::new();
                let mut path = format!("/api/v1/tasks?sort={sort}&limit={limit}");
                for _ in 0..6 {
                    let page = site.get("usr_ada", &path).await.expect(200);
                    for task in page.json()["data"].as_array().unwrap() {
                        walked.push_str(&task["title"].as_str().unwrap()[..1]);
                    }
                    let link = page.header("link").to_owned();
                    if page.json()["has_more"] == false {
                        assert_eq!(link, "");
                        break;
                    }
                    path = link
                        .strip_prefix('<')
                        .and_then(|link| link.strip_suffix(">; rel=\"next\""))
                        .unwrap()
                        .to_owned();
                }
                assert_eq!(walked, order, "{sort} in pages of {limit}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_cursor_is_good_for_its_owner_and_its_filter_alone() {
    on_each("003", async |site| {
        fill(site).await;
        let page = site
            .get("usr_ada", "/api/v1/tasks?limit=1&priority=low")
            .await
            .expect(200)
            .json();
        let cursor = page["next_cursor"].as_str().unwrap().to_owned();
        let with = |filter: &str, cursor: &str| format!("/api/v1/tasks?{filter}cursor={cursor}");

        site.get("usr_ada", &with("priority=low&limit=7&", &cursor))
            .await
            .expect(200);
        let mut flipped = cursor.clone().into_bytes();
        let last = flipped.len() - 2;
        flipped[last] = if flipped[last] == b'A' { b'B' } else { b'A' };
        let flipped = String::from_utf8(flipped).unwrap();
        for (user, path) in [
            ("usr_bob", with("priority=low&", &cursor)),
            ("usr_ada", with("", &cursor)),
            ("usr_ada", with("priority=high&", &cursor)),
            ("usr_ada", with("priority=low&sort=title&", &cursor)),
            ("usr_ada", with("priority=low&", &flipped)),
            ("usr_ada", with("priority=low&", "")),
            ("usr_ada", with("priority=low&", "%00")),
            ("usr_ada", with("priority=low&", &"A".repeat(4000))),
            ("usr_ada", format!("/api/v1/tags?cursor={cursor}")),
        ] {
            let answer = site.get(user, &path).await;
            assert!(
                matches!(answer.status.as_u16(), 400 | 422),
                "{path}: {} {}",
                answer.status,
                answer.text
            );
        }
    })
    .await;
}

#[tokio::test]
async fn the_total_counts_all_pages_and_members_can_be_left_out() {
    on_each("003", async |site| {
        fill(site).await;
        let page = site
            .get(
                "usr_ada",
                "/api/v1/tasks?limit=2&include=total&fields=id,title&status=pending",
            )
            .await
            .expect(200)
            .json();
        assert_eq!(page["total"], 5);
        assert_eq!(page["data"][0], json!({"id": 1, "title": "a low"}));
        let cursor = page["next_cursor"].as_str().unwrap();
        let rest = format!("/api/v1/tasks?limit=9&include=total&status=pending&cursor={cursor}");
        assert_eq!(site.get("usr_ada", &rest).await.expect(200).json()["total"], 5);
        let none = site.get("usr_ada", "/api/v1/tasks?include=total&q=nothing").await;
        assert_eq!(none.expect(200).json()["total"], 0);
    })
    .await;
}

#[tokio::test]
async fn what_a_list_does_not_know_is_refused_by_name() {
    on_each("003", async |site| {
        for query in [
            "limit=0",
            "limit=201",
            "limit=-1",
            "limit=9223372036854775808",
            "foo=1",
            "status=done",
            "priority=urgent",
            "priority=",
            "tags=",
            "tags=a,,b",
            "tags_match=some",
            "due_after=tomorrow",
            "due_before=2026-02-30",
            "overdue=yes",
            "sort=foo",
            "sort=id,id",
            "sort=id,title,priority,completed",
            "fields=secret",
            "include=everything",
            "include=total,everything",
            "include=",
            "ids=0",
            "ids=1,,2",
            "ids=+1",
            "ids=x",
            "view=tomorrow",
            "search=",
            "q=",
            "q=%00",
            "q=a%0Ab",
            "q=a%09b",
            "limit=1&limit=2",
        ] {
            let answer = site
                .get("usr_ada", &format!("/api/v1/tasks?{query}"))
                .await
                .expect(422);
            assert_eq!(answer.code(), "FILTER_INVALID", "{query}");
            let name = query.split('=').next().unwrap();
            assert_eq!(answer.json()["errors"][0]["parameter"], name, "{query}");
        }
        let method = Method::GET;
        site.send("usr_ada", method, "/api/v1/tags?q=x", None)
            .await
            .expect(422);
    })
    .await;
}
