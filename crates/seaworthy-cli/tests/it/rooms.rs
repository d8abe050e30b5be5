//! The terminal has no database logic: it names the library's public doors and no database crate.

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn the_terminal_names_no_database_crate() {
    for file in sources() {
        let text = fs::read_to_string(&file).unwrap();
        let code: String = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect();
        for word in ["sea_orm", "sqlx::", "sea_query"] {
            assert!(!code.contains(word), "{} names {word}", file.display());
        }
    }
}

#[test]
fn the_process_is_ended_in_one_file() {
    let enders: Vec<PathBuf> = sources()
        .into_iter()
        .filter(|file| fs::read_to_string(file).unwrap().contains("process::exit"))
        .collect();
    assert_eq!(enders.len(), 1, "{enders:?}");
    assert!(enders[0].ends_with("exit.rs"));
}

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 8, "the sources were not found");
    found
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else {
            found.push(path);
        }
    }
}
