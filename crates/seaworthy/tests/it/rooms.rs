//! The rooms of the library and which of them may use which: the table of ARCHITECTURE.md, executed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room with the rooms that it may use. A room that is missing here is a failure.
const MAY_USE: [(&str, &[&str]); 18] = [
    ("sql", &[]),
    ("revision", &["backfill"]),
    ("graph", &["revision"]),
    ("session", &["sql"]),
    ("backfill", &["session", "sql"]),
    ("ledger", &["revision", "session", "sql"]),
    ("script", &["revision", "backfill", "session", "sql"]),
    ("lint", &["revision", "sql"]),
    ("heartbeat", &["revision", "session", "sql"]),
    ("runner", &["revision", "session", "ledger", "backfill", "sql"]),
    ("source", &["revision", "sql"]),
    ("catalog", &["sql"]),
    ("autogenerate", &["catalog"]),
    (
        "online",
        &["session", "backfill", "lint", "catalog", "autogenerate", "sql"],
    ),
    ("picture", &["revision", "graph", "catalog", "autogenerate"]),
    ("verify", &["session", "catalog", "autogenerate", "sql"]),
    (
        "environment",
        &["revision", "session", "ledger", "lint", "catalog"],
    ),
    (
        "command",
        &[
            "sql",
            "revision",
            "graph",
            "session",
            "ledger",
            "heartbeat",
            "backfill",
            "script",
            "lint",
            "runner",
            "source",
            "catalog",
            "autogenerate",
            "picture",
            "online",
            "verify",
            "environment",
        ],
    ),
];

/// Rooms that decide and never touch a database or a file.
const PURE: [&str; 5] = ["sql", "graph", "lint", "autogenerate", "picture"];

#[test]
fn a_room_uses_only_the_rooms_below_it() {
    for (room, file) in files() {
        let allowed = MAY_USE
            .iter()
            .find(|(name, _)| *name == room)
            .map(|(_, allowed)| *allowed);
        let allowed = allowed.unwrap_or_else(|| panic!("the room {room} is not in the table"));
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
fn a_pure_room_names_neither_a_database_nor_a_file() {
    for (room, file) in files()
        .into_iter()
        .filter(|(room, _)| PURE.contains(&room.as_str()))
    {
        let text = fs::read_to_string(&file).unwrap();
        for word in ["sea_orm", "std::fs", "std::io", "tokio"] {
            assert!(
                !text.contains(word),
                "{} of the pure room {room} names {word}",
                file.display()
            );
        }
    }
}

#[test]
fn the_library_prints_nothing_reads_no_variable_and_ends_no_process() {
    for (_, file) in files() {
        let text = fs::read_to_string(&file).unwrap();
        for word in [
            "println!",
            "eprintln!",
            "print!",
            "env::var",
            "process::exit",
            "std::io::stdin",
        ] {
            assert!(!text.contains(word), "{} contains {word}", file.display());
        }
    }
}

/// Whoever adds a dialect is led by the compiler to all that depends on it; the driver's kinds of databases are met in one place.
#[test]
fn no_wildcard_stands_for_a_dialect() {
    let bridge = Path::new("session/dialect.rs");
    for (_, file) in files().into_iter().filter(|(_, file)| !file.ends_with(bridge)) {
        let text = fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let is_match = line.contains("match ") && line.ends_with('{');
            let arms = if is_match {
                arms(&lines[index..])
            } else {
                Vec::new()
            };
            let is_about = |arm: &&str| {
                let pattern = arm.split("=>").next().unwrap_or_default();
                pattern.contains("Dialect::") || pattern.contains("DbBackend::")
            };
            assert!(
                !arms.iter().any(is_about) || !arms.iter().any(|arm| arm.starts_with("_ ")),
                "{}:{}: a wildcard among dialects",
                file.display(),
                index + 1
            );
        }
    }
}

/// The beginnings of the arms of a `match` that the first line opens.
fn arms<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let inside = lines[1..]
        .iter()
        .take_while(|line| line.is_empty() || depth(line) > depth(lines[0]));
    let arms = inside.filter(|line| depth(line) == depth(lines[0]) + 4);
    let arms = arms.map(|line| line.trim_start());
    arms.filter(|line| !line.starts_with('}')).collect()
}

/// Another dependency may bring a feature along in this workspace, and none does in the project of somebody else.
#[test]
fn what_patterns_need_is_asked_for() {
    let is_blind = |(_, path): &(String, PathBuf)| fs::read_to_string(path).unwrap().contains("(?i)");
    assert!(files().iter().any(is_blind), "no pattern needs it any more");
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let workspace = fs::read_to_string(workspace).unwrap();
    let regex = workspace
        .lines()
        .find(|line| line.starts_with("regex = "))
        .unwrap();
    assert!(
        regex.contains("\"unicode-case\"") && regex.contains("\"unicode-perl\""),
        "{regex}"
    );
}

#[test]
fn only_one_room_names_a_table_of_ours() {
    for (owner, table) in [
        ("ledger", "seaworthy_history"),
        ("heartbeat", "seaworthy_heartbeats"),
        ("backfill", "seaworthy_backfills"),
    ] {
        only_one_room_names(owner, table);
    }
}

fn only_one_room_names(owner: &str, table: &str) {
    for (room, file) in files().into_iter().filter(|(room, _)| room != owner) {
        let text = fs::read_to_string(&file).unwrap();
        let code: String = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect();
        assert!(
            !code.contains(table),
            "{} of {room} names {table}",
            file.display()
        );
    }
}

/// The rooms that a source names: `crate::room`, and `use crate::{room, ...}` is not written in this house.
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
    assert!(found.len() > 30, "the sources were not found");
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<(String, PathBuf)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, found);
            continue;
        }
        let room = path.strip_prefix(root).unwrap().with_extension("");
        let room = room
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_str()
            .unwrap()
            .to_owned();
        if room != "lib" {
            found.push((room, path));
        }
    }
}
