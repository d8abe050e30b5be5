//! The command line as a process: what it prints, in which form, and how it ends.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod branches;
mod cases;
mod changes;
mod configuration;
mod dropin;
mod fleet;
mod hazards;
mod listings;
mod pictures;
mod printing;
mod rooms;
mod shapes;
mod stages;
mod terminal;
mod texts;

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
