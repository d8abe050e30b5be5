//! Words are the same in either case: tags that are called alike, and texts that are searched in every script.

use reqwest::Method;
use serde_json::{Value, json};

use crate::site::{Site, migrate, on_each};

const BEFORE_FOLDED_TEXTS: &str = "db105f452dd6";

async fn found(site: &Site, words: &str) -> Vec<i64> {
    let encoded: String = form_urlencoded::byte_serialize(words.as_bytes()).collect();
    let page = site
        .get("usr_ada", &format!("/api/v1/tasks?sort=id&q={encoded}"))
        .await;
    let page = page.expect(200).json();
    let tasks = page["data"].as_array().unwrap().iter();
    tasks.map(|task| task["id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn letters_of_every_script_are_found_in_either_case() {
    on_each("head", async |site| {
        for (title, description) in [
            ("\u{dc}ber den Kai", None),
            (
                "sails",
                Some("\u{447}\u{435}\u{440}\u{432}\u{43e}\u{43d}\u{438}\u{439}\n\u{c4}R"),
            ),
            ("Stra\u{df}e", Some("a\u{df}")),
            ("plain ASCII", Some("Caf\u{c9} au lait")),
            ("uber", None),
        ] {
            let task = json!({"title": title, "description": description});
            site.task("usr_ada", task).await;
        }
        for (words, ids) in [
            ("\u{fc}ber", &[1][..]),
            ("\u{dc}BER", &[1]),
            ("U\u{308}BER", &[1]),
            ("\u{427}\u{415}\u{420}\u{412}", &[2]),
            ("\u{e4}r", &[2]),
            ("strasse", &[3]),
            ("STRA\u{df}E", &[3]),
            ("caf\u{e9}", &[4]),
            ("cafe", &[]),
            ("PLAIN", &[4]),
            ("uber", &[5]),
            ("\u{dc}b*", &[1]),
            ("\u{c4}*", &[2]),
            ("-\u{fc}ber", &[2, 3, 4, 5]),
            ("\"\u{fc}ber DEN\"", &[1]),
            ("\u{fc}ber OR \u{e4}r", &[1, 2]),
        ] {
            assert_eq!(found(site, words).await, ids, "{words}");
        }
        // Only the case changes, and what is searched does not.
        for title in ["\u{fc}BER", "\u{dc}ber", "\u{fc}ber"] {
            site.patch("usr_ada", "/api/v1/tasks/1", json!({"title": title}))
                .await
                .expect(200);
            assert_eq!(found(site, "\u{dc}BER").await, [1], "{title}");
        }
        let patch = json!({"title": "quay", "description": "\u{d6}l"});
        site.patch("usr_ada", "/api/v1/tasks/1", patch).await.expect(200);
        assert_eq!(found(site, "\u{fc}ber").await, [0; 0]);
        assert_eq!(found(site, "\u{f6}L").await, [1]);
        site.patch("usr_ada", "/api/v1/tasks/1", json!({"description": null}))
            .await
            .expect(200);
        assert_eq!(found(site, "\u{f6}l").await, [0; 0]);
    })
    .await;
}

/// Releases of before write on while the schema has the column, and somebody may write by hand.
#[tokio::test]
async fn what_others_write_is_found_as_it_is_until_it_is_folded() {
    on_each(BEFORE_FOLDED_TEXTS, async |site| {
        site.task("usr_ada", json!({"title": "\u{dc}ber Bord"})).await;
        let descriptions = json!({"title": "t", "description": "\u{dc}bel"});
        site.task("usr_ada", descriptions).await;
        migrate(&site.database, "head").await;
        site.get("usr_ada", "/api/v1/schema").await.expect(200);
        assert_eq!(found(site, "\u{dc}ber").await, [1]);
        site.server.sweep().await.unwrap();
        assert_eq!(found(site, "\u{fc}BE").await, [1, 2]);

        site.sql("UPDATE tasks SET title = '\u{d6}l' WHERE id = 1").await;
        site.sql("UPDATE tasks SET description = '\u{c4}pfel', completed = true WHERE id = 2")
            .await;
        let folded =
            "SELECT coalesce(title_folded, '-') || coalesce(description_folded, '-') FROM tasks ORDER BY id";
        assert_eq!(site.texts(folded).await, "--, --");
        assert_eq!(found(site, "\u{fc}ber").await, [0; 0]);
        assert_eq!(found(site, "\u{d6}l").await, [1]);
        site.server.sweep().await.unwrap();
        assert_eq!(found(site, "\u{f6}L").await, [1]);
        assert_eq!(found(site, "\u{e4}PFEL").await, [2]);
        // What changes besides leaves them alone.
        site.sql("UPDATE tasks SET title = '\u{d6}l', completed = false")
            .await;
        assert_eq!(site.texts(folded).await, "\u{f6}l-, -\u{e4}pfel");
        site.server.sweep().await.unwrap();

        migrate(&site.database, BEFORE_FOLDED_TEXTS).await;
        site.get("usr_ada", "/api/v1/schema").await.expect(200);
        assert_eq!(found(site, "\u{d6}l").await, [1, 2]);
    })
    .await;
}

async fn names(site: &Site) -> Vec<String> {
    let page = site.get("usr_ada", "/api/v1/tags").await.expect(200).json();
    let tags = page["data"].as_array().unwrap().iter();
    tags.map(|tag| format!("{} {}", tag["name"].as_str().unwrap(), tag["task_count"]))
        .collect()
}

#[tokio::test]
async fn a_name_that_is_written_anew_is_spelled_as_it_is_now() {
    for revision in ["003", "a80f4e6b2d93", "head"] {
        on_each(revision, async |site| {
            let task = site
                .task("usr_ada", json!({"title": "t", "tags": ["work"]}))
                .await;
            let set = async |tags: Value| {
                let patch = site.patch("usr_ada", &task, json!({"tags": tags})).await;
                patch.expect(200).json()["tags"].clone()
            };
            assert_eq!(set(json!(["WORK", "sea"])).await, json!(["sea", "work"]));
            assert_eq!(set(json!([])).await, json!([]));
            // Nobody carries it any more.
            assert_eq!(set(json!(["Work"])).await, json!(["Work"]));
            assert_eq!(names(site).await, ["Work 1"]);
            let page = site.get("usr_ada", "/api/v1/tags").await.json();
            let tag = format!("/api/v1/tags/{}", page["data"][0]["id"]);
            let renamed = site
                .patch("usr_ada", &tag, json!({"name": "wORK"}))
                .await
                .expect(200);
            let tag = renamed.header("location").to_owned();
            assert_eq!(names(site).await, ["wORK 1"]);
            site.patch("usr_ada", &tag, json!({"name": "SEA"}))
                .await
                .expect(200);
            assert_eq!(names(site).await, ["SEA 1"]);
        })
        .await;
    }
}

#[tokio::test]
async fn tags_of_one_name_become_one_and_whoever_has_a_copy_is_told() {
    on_each("9c2e7a41f0b3", async |site| {
        for tags in [json!(["work", "sea"]), json!(["work"]), json!(["sea"])] {
            site.task("usr_ada", json!({"title": "t", "tags": tags})).await;
        }
        site.task("usr_bob", json!({"title": "t", "tags": ["WORK"]})).await;
        for sql in [
            "INSERT INTO tags (name, user_id) VALUES ('WORK', 'usr_ada'), ('Work', 'usr_ada'), ('Sea', 'usr_ada')",
            // One that carries two spellings, and one that carries a later one alone.
            "INSERT INTO task_tags (task_id, tag_id) SELECT 1, id FROM tags WHERE user_id = 'usr_ada' AND name IN ('WORK', 'Work')",
            "INSERT INTO task_tags (task_id, tag_id) SELECT 3, id FROM tags WHERE user_id = 'usr_ada' AND name = 'Work'",
        ] {
            site.sql(sql).await;
        }
        let begin = site.get("usr_ada", "/api/v1/changes").await.expect(200).json();
        let next = format!("/api/v1/changes?cursor={}", begin["next_cursor"].as_str().unwrap());
        migrate(&site.database, "db105f452dd6").await;
        site.get("usr_ada", "/api/v1/schema").await.expect(200);
        assert_eq!(names(site).await, ["sea 2", "work 3"]);
        let all = site.texts("SELECT name FROM tags ORDER BY user_id, name").await;
        assert_eq!(all, "sea, work, WORK");
        let changes = site.get("usr_ada", &next).await.expect(200).json();
        let mut told: Vec<i64> = changes["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|change| change["id"].as_i64().unwrap())
            .collect();
        told.sort_unstable();
        assert_eq!(told, [1, 3]);
        let twice = "INSERT INTO tags (name, user_id) VALUES ('WORK', 'usr_ada') ON CONFLICT DO NOTHING";
        site.sql(twice).await;
        assert_eq!(names(site).await.len(), 2);
        let refused = site
            .send("usr_ada", Method::POST, "/api/v1/tags", Some(json!({"name": "SEA", "task_ids": [2]})))
            .await;
        assert_eq!(refused.status.as_u16(), 409, "{}", refused.text);
    })
    .await;
}
