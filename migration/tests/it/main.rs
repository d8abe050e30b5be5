//! What the phases do to real databases, on SQLite and PostgreSQL.
#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the report, also in what the tests share"
)]

use std::fs;
use std::path::Path;

mod adopt;
mod crashes;
mod databases;
#[cfg(unix)]
mod documentation;
mod drift;
mod failures;
mod input;
mod journey;
mod kills;
mod ledger;
mod locking;
mod ours;
mod outside;
mod phases;
mod pictures;
mod program;
mod promises;
mod questions;
mod races;
mod registration;
mod rooms;
mod schema;
mod secrets;
mod sides;
mod signals;

/// A file that nobody declares as a module would never be compiled, and its tests would pass by not existing.
#[test]
fn every_file_of_the_folder_is_a_module() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let main = fs::read_to_string(folder.join("main.rs")).unwrap();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        if stem != "main" && path.extension().is_some_and(|extension| extension == "rs") {
            assert!(
                main.lines().any(|line| line == format!("mod {stem};")),
                "tests/it/{stem}.rs is no module of main.rs"
            );
        }
    }
}
