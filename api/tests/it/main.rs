//! The service as its clients see it: real servers on loopback ports, on SQLite and PostgreSQL.
#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the report, also in what the tests share"
)]

use std::fs;
use std::path::Path;

mod accounts;
mod api_tokens;
mod bad_input;
mod browser;
mod bulk;
mod changes;
mod chaos;
mod compat;
mod compose;
mod conditional;
mod connections;
mod document;
mod documentation;
mod due_days;
mod events;
mod forge;
mod isolation;
mod issuer;
mod journey;
mod limits;
mod lists;
mod operations;
mod pages;
mod passwords;
mod process;
mod pulse;
mod renames;
mod repeats;
mod revisions;
mod rooms;
mod sessions;
mod site;
mod spelling;
mod starting;
mod statements;
mod telemetry;
mod tokens;
mod zones;

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
