//! What a revision file may import: it is closed, so that it means the same in five years.

use std::fs;

use crate::registration::revision_files;

#[test]
fn a_revision_names_neither_entities_nor_other_revisions() {
    let files = revision_files();
    assert!(files.len() >= 3, "the inherited revisions are missing");
    for path in &files {
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

/// Returns what in the source reaches outside of the file.
fn offences<'source>(source: &'source str, own_name: &str) -> Vec<&'source str> {
    let paths = ["crate::", "super::"]
        .into_iter()
        .filter(|path| source.contains(path));
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
