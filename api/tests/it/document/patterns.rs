//! Patterns: read by every kind of reader, and true.

use regex::Regex;
use serde_json::{Value, json};

use super::{documents, resolved};
use crate::site::on_each;

/// Every pattern of a document, with where it stands.
fn patterns(value: &Value, place: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let place = format!("{place}/{name}");
                match member.as_str() {
                    Some(pattern) if name == "pattern" => found.push((place, pattern.to_owned())),
                    _ => patterns(member, &place, found),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                patterns(item, &format!("{place}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// The crate reads the syntax of RE2: nothing that looks around, and no references backwards.
#[test]
fn every_pattern_is_read_by_re2() {
    for (file, document, _) in documents() {
        let mut found = Vec::new();
        patterns(&serde_json::to_value(document).unwrap(), file, &mut found);
        assert!(found.len() >= 20, "{file}: {} patterns", found.len());
        for (place, pattern) in found {
            assert!(
                pattern.starts_with('^') && pattern.ends_with('$'),
                "{place}: {pattern}"
            );
            Regex::new(&pattern).unwrap_or_else(|error| panic!("{place}: {error}"));
        }
    }
}

/// Returns what is said of a member that is read.
fn pattern(schema: &str, member: &str) -> Regex {
    let [(_, document, _), _] = documents();
    let document = serde_json::to_value(document).unwrap();
    let property = &document["components"]["schemas"][schema]["properties"][member];
    let items = resolved(&document, &property["items"]);
    let said = property["pattern"].as_str().or(items["pattern"].as_str());
    Regex::new(said.unwrap()).unwrap()
}

#[tokio::test]
async fn a_date_matches_its_pattern_when_it_is_taken() {
    let texts = [
        "1970-01-01",
        "2026-12-31",
        "2028-02-29",
        "9999-12-31",
        "1970-01-01T00:00:00Z",
        "2026-03-01T12:00:00.123456+02:00",
        "2000-02-29T23:59:59-11:30",
        "1969-12-31",
        "10000-01-01",
        "2026-02-29",
        "1900-02-29",
        "2100-02-29",
        "2026-2-3",
        "2026-04-31",
        "2026-13-01",
        "2026-03-01T24:00:00Z",
        "2026-03-01T12:00:60Z",
        "2026-03-01T12:00:00",
        "2026-03-01T12:00Z",
        "tomorrow",
        "",
    ];
    on_each("head", async |site| {
        for member in ["due_date", "remind_at"] {
            let patterns = ["TaskCreate", "TaskPatch"].map(|schema| pattern(schema, member));
            for text in texts {
                let body = json!({"title": "t", member: text});
                let is_taken = site.post("usr_ada", "/api/v1/tasks", body).await.status == 201;
                for pattern in &patterns {
                    assert_eq!(pattern.is_match(text), is_taken, "{member}: {text:?}");
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_tag_matches_its_pattern_when_it_is_taken() {
    let texts = [
        "boat", "a b", "a/b", "/", ".a", "a..b", "a/.../b", "a\\b", "v1.0/rc", "ß", "", " ", ".", "..",
        "...", "a/../b", "../a", "a\\..", "./a", "a/.", "a,b", "a\nb", "a\u{85}b",
    ];
    on_each("head", async |site| {
        let pattern = pattern("TaskCreate", "tags");
        for text in texts {
            let body = json!({"title": "t", "tags": [text]});
            let is_taken = site.post("usr_ada", "/api/v1/tasks", body).await.status == 201;
            assert_eq!(pattern.is_match(text), is_taken, "{text:?}");
        }
    })
    .await;
}

/// A list of words is one value with commas, as it is read.
#[test]
fn lists_of_words_are_arrays_with_commas() {
    let [(_, document, _), (_, original, _)] = documents();
    for (document, path, names) in [
        (
            document,
            "/api/v1/tasks",
            &["priority", "tags", "ids", "sort", "fields", "include"][..],
        ),
        (original, "/{user_id}/tasks", &["priority", "tags"]),
    ] {
        let document = serde_json::to_value(document).unwrap();
        let parameters = document["paths"][path]["get"]["parameters"].as_array().unwrap();
        for name in names {
            let mut known = parameters.iter().map(|it| resolved(&document, it));
            let parameter = known.find(|it| it["name"] == *name).unwrap();
            assert_eq!(parameter["schema"]["type"], "array", "{name}");
            assert_eq!(
                (&parameter["style"], &parameter["explode"]),
                (&json!("form"), &json!(false)),
                "{name}"
            );
            let items = resolved(&document, &parameter["schema"]["items"]);
            let is_said = ["enum", "pattern", "maximum"]
                .iter()
                .any(|word| items.get(*word).is_some());
            assert!(is_said, "{name}: {items}");
        }
    }
}
