//! How revisions are listed: the chain they form, and that `sea-orm-cli migrate generate` can add to it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use migration::Migrator;
use sea_orm_migration::MigratorTrait;
use tempfile::TempDir;

use crate::databases::variable;

#[test]
fn the_inherited_revisions_are_one_chain() {
    let chain: Vec<_> = Migrator::revisions()
        .iter()
        .filter_map(|revision| revision.header())
        .take(3)
        .map(|header| {
            let parents: Vec<_> = header.revises.iter().map(ToString::to_string).collect();
            let created = header.created.unwrap();
            let phase = header.phase.unwrap();
            format!(
                "{} <- {} | {phase} | {created} | {}",
                parents.join(" "),
                header.id,
                header.message
            )
        })
        .collect();
    assert_eq!(
        chain,
        [
            " <- 001 | II | 2024-12-25 10:00:00 | create initial tables",
            "001 <- 002 | III | 2024-12-26 10:00:00 | add conversations and messages tables",
            "002 <- 003 | V | 2024-12-27 10:00:00 | add priority, tags, due dates, and recurrence",
        ]
    );
}

#[test]
fn every_revision_file_is_listed_under_its_own_name_in_order() {
    let listed: Vec<_> = Migrator::migrations()
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect();
    let files: Vec<_> = revision_files()
        .iter()
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(listed, files);
}

#[test]
fn sea_orm_cli_can_generate_the_next_revision() {
    let program = variable("TEST_SEA_ORM_CLI")
        .expect("TEST_SEA_ORM_CLI must name the program sea-orm-cli: run scripts/test, which installs it");
    let copy = TempDir::new().unwrap();
    let source = copy.path().join("src");
    fs::create_dir(&source).unwrap();
    let before = fs::read_to_string(source_folder().join("lib.rs")).unwrap();
    fs::write(source.join("lib.rs"), &before).unwrap();

    let output = Command::new(program)
        .args([
            "migrate",
            "-d",
            copy.path().to_str().unwrap(),
            "generate",
            "phase six",
        ])
        .output()
        .unwrap();

    assert!(output.status.success(), "{output:?}");
    let after = fs::read_to_string(source.join("lib.rs")).unwrap();
    let added: Vec<_> = after.lines().filter(|line| !before.contains(line)).collect();
    let [module, entry] = added[..] else {
        panic!("two new lines, not {added:#?}")
    };
    let name = module.strip_prefix("mod ").unwrap().strip_suffix(';').unwrap();
    assert!(source.join(name).with_extension("rs").is_file());
    assert_eq!(entry, format!("            Box::new({name}::Migration),"));
    let kept: Vec<_> = after.lines().filter(|line| before.contains(line)).collect();
    assert_eq!(kept, before.lines().collect::<Vec<_>>());
}

/// The revision files, oldest first.
pub(crate) fn revision_files() -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(source_folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| is_revision(path.file_name().unwrap().to_str().unwrap()))
        .collect();
    files.sort();
    files
}

fn source_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Tells `m20241225_100000_create_initial_tables.rs` from `main.rs`.
fn is_revision(file: &str) -> bool {
    let second = file.chars().nth(1);
    file.starts_with('m') && second.is_some_and(|second| second.is_ascii_digit()) && file.ends_with(".rs")
}
