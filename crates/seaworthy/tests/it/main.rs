//! The toolkit against real databases. `scripts/test` provides the PostgreSQL server.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod announcements;
mod asking;
mod backfills;
mod branches;
mod calls;
mod cases;
mod clients;
mod databases;
mod dependents;
mod destruction;
mod differences;
mod foreign_keys;
mod fresh;
mod gate;
mod generated;
mod gradual;
mod graph_cases;
mod graph_properties;
mod hazards;
mod hidden_losses;
mod history;
mod living;
mod objects;
mod offline;
mod offline_statements;
mod online;
mod order;
mod pictures;
mod poolers;
mod promises;
mod reader;
mod recordings;
mod refusals;
mod removals;
mod rooms;
mod runs;
mod schema_properties;
mod schemas;
mod secrets;
mod server_facts;
mod session_state;
mod several_migrators;
mod several_schemas;
mod side_effects;
mod sources;
mod spellings;
mod sql_files;
mod sqlite_objects;
mod sqlite_tables;
mod stamps;
mod steps;
mod strangers;
mod tables_on_postgres;
mod transactions;
mod undeclared;
mod waits;

use std::fs;
use std::path::Path;

/// A file that is no module here is a test that nobody runs.
#[test]
fn every_file_in_the_folder_is_a_module() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let main = fs::read_to_string(folder.join("main.rs")).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_some_and(|extension| extension == "rs") && name != "main" {
            assert!(
                main.contains(&format!("mod {name};")),
                "{name}.rs is not a module of main.rs"
            );
        }
    }
}
