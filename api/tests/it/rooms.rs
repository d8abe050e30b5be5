//! The rooms of the service and which of them may use which: the table of the design, executed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room with the rooms that it may use. A room that is missing here is a failure.
const MAY_USE: [(&str, &[&str]); 16] = [
    ("domain", &[]),
    ("settings", &[]),
    ("events", &["domain"]),
    ("store", &["domain", "events"]),
    ("service", &["store", "events", "auth", "domain"]),
    ("auth", &["domain"]),
    ("phases", &["service"]),
    ("probe", &["settings"]),
    ("demo", &["service", "domain"]),
    ("limits", &["domain", "settings"]),
    ("metrics", &[]),
    ("trace", &[]),
    (
        "state",
        &["auth", "limits", "metrics", "service", "settings", "trace"],
    ),
    (
        "http",
        &["state", "auth", "limits", "metrics", "service", "domain", "trace"],
    ),
    (
        "server",
        &[
            "auth", "demo", "domain", "http", "limits", "phases", "service", "settings", "state", "store",
            "trace",
        ],
    ),
    ("main", &[]),
];

/// Words that a room must not contain, because something else is the one place for them.
const MAY_NOT_NAME: [(&str, &[&str]); 15] = [
    (
        "domain",
        &["axum", "sea_orm", "entity::", "tokio", "std::fs", "std::io"],
    ),
    ("events", &["axum", "sea_orm", "entity::"]),
    ("store", &["axum", "utoipa"]),
    ("service", &["axum", "sea_orm", "entity::", "utoipa"]),
    ("http", &["sea_orm", "entity::", "env::var"]),
    ("auth", &["axum", "sea_orm", "entity::"]),
    ("limits", &["axum", "sea_orm", "entity::"]),
    ("phases", &["axum", "sea_orm", "entity::"]),
    ("probe", &["axum", "sea_orm", "entity::"]),
    ("demo", &["axum", "sea_orm", "entity::"]),
    ("metrics", &["axum", "sea_orm", "entity::", "tokio"]),
    ("trace", &["axum", "sea_orm", "entity::"]),
    ("state", &["axum", "sea_orm", "entity::"]),
    ("server", &["sea_orm", "entity::"]),
    ("main", &["sea_orm", "entity::", "axum"]),
];

#[test]
fn a_room_uses_only_the_rooms_below_it() {
    for (room, file) in files() {
        let allowed = MAY_USE
            .iter()
            .find(|(name, _)| *name == room)
            .map(|(_, allowed)| *allowed)
            .unwrap_or_else(|| panic!("the room {room} is not in the table"));
        for used in rooms_used(&fs::read_to_string(&file).unwrap()) {
            assert!(
                used == room || allowed.contains(&used.as_str()),
                "{} uses the room {used}",
                file.display()
            );
        }
    }
}

#[test]
fn a_room_does_not_name_what_belongs_elsewhere() {
    for (room, file) in files() {
        let text = fs::read_to_string(&file).unwrap();
        let code: String = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect();
        let words = MAY_NOT_NAME.iter().filter(|(name, _)| *name == room);
        for word in words.flat_map(|(_, words)| *words) {
            assert!(!code.contains(word), "{} names {word}", file.display());
        }
        assert!(
            room == "domain" || !code.contains("Utc::now"),
            "{} reads the time",
            file.display()
        );
        assert!(
            file.ends_with("main.rs") || !code.contains("println!"),
            "{} prints",
            file.display()
        );
        assert!(
            text.starts_with("//!"),
            "{} does not say what lives there",
            file.display()
        );
    }
}

#[test]
fn only_one_function_ends_a_transaction() {
    let ending: Vec<PathBuf> = files()
        .into_iter()
        .map(|(_, file)| file)
        .filter(|file| {
            let text = fs::read_to_string(file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            [".commit()", ".rollback()"].iter().any(|end| code.contains(end))
        })
        .collect();
    assert_eq!(ending.len(), 1, "{ending:?}");
    assert!(ending[0].ends_with("store/unit.rs"), "{ending:?}");
}

fn rooms_used(text: &str) -> BTreeSet<String> {
    text.split("crate::")
        .skip(1)
        .map(|rest| {
            rest.chars()
                .take_while(|letter| letter.is_ascii_lowercase() || *letter == '_')
                .collect()
        })
        .filter(|word: &String| MAY_USE.iter().any(|(room, _)| room == word))
        .collect()
}

/// Every source file with the room it belongs to.
fn files() -> Vec<(String, PathBuf)> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    collect(&source, &source, &mut found);
    assert!(found.len() > 40, "the sources were not found");
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<(String, PathBuf)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, found);
            continue;
        }
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let room = path.strip_prefix(root).unwrap().with_extension("");
        let room = room.iter().next().unwrap().to_str().unwrap().to_owned();
        if room != "lib" {
            found.push((room, path));
        }
    }
}
