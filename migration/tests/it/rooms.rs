//! What a revision file may import: it is closed, so that it means the same in five years. What several revisions of a phase
//! share is in a file of the phase, which is as closed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::registration::revision_files;

#[test]
fn a_revision_names_neither_entities_nor_other_revisions() {
    let files = revision_files();
    assert!(files.len() >= 3, "the inherited revisions are missing");
    for path in files.iter().chain(&phase_files()) {
        let source = fs::read_to_string(path).unwrap();
        let own_name = path.file_stem().unwrap().to_str().unwrap();
        let offences = offences(&source, own_name);
        assert!(offences.is_empty(), "{own_name}.rs names {}", offences.join(", "));
    }
}

#[test]
fn an_open_revision_is_noticed() {
    let source = "use crate::m20241225_100000_create_initial_tables::Migration;\nuse entity::task;\n\
                  // identity m20241226_100000_add_conversations";
    assert_eq!(
        offences(source, "m20241226_100000_add_conversations"),
        ["crate::", "m20241225_100000_create_initial_tables", "entity"]
    );
}

/// Returns the paths of the files that hold what revisions of one phase share.
fn phase_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_of_phase = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("phase_")
    };
    paths.filter(is_of_phase).collect()
}

/// Returns what in the source reaches outside of the file.
fn offences<'source>(source: &'source str, own_name: &str) -> Vec<&'source str> {
    let beyond_the_phase = source.replace("crate::phase_", "");
    let paths = ["crate::", "super::"]
        .into_iter()
        .filter(move |path| beyond_the_phase.contains(path));
    let words = source
        .split(|character: char| !(character.is_alphanumeric() || character == '_'))
        .filter(|word| *word == "entity" || (is_revision_name(word) && *word != own_name));
    paths.chain(words).collect()
}

fn is_revision_name(word: &str) -> bool {
    word.strip_prefix('m').is_some_and(|rest| {
        let mut parts = rest.splitn(3, '_');
        let mut is_number = |length| {
            parts
                .next()
                .is_some_and(|part| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit()))
        };
        is_number(8) && is_number(6)
    })
}
