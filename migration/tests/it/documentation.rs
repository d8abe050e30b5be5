//! The documentation is executed: what its `console` blocks say is run, in order, and must print what they show.
//!
//! `$ ` begins a command, the lines after it are its output. `...` stands for any text in a line and, alone, for any
//! lines; times, durations, users and the like may differ. A command that fails is followed by `$ echo $?`. A block in an
//! HTML comment prepares something that the reader does not need to see. `UPDATE_DOCUMENTATION=1` writes what was printed
//! into the pages instead of failing; read the difference before you commit it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;

use self::page::Page;
use self::shell::Shell;

mod page;
mod shell;
mod transcript;

#[tokio::test]
async fn the_readme_tells_the_truth() {
    execute("README.md").await;
}

#[tokio::test]
async fn the_migration_guide_tells_the_truth() {
    execute("docs/migrations.md").await;
}

#[tokio::test]
async fn the_command_line_reference_tells_the_truth() {
    execute("docs/cli.md").await;
}

#[tokio::test]
async fn the_page_for_alembic_users_tells_the_truth() {
    execute("docs/alembic.md").await;
}

#[tokio::test]
async fn the_page_for_operators_tells_the_truth() {
    execute("docs/operations.md").await;
}

/// A page that no test executes could say anything.
#[test]
fn every_page_with_commands_is_executed() {
    let this_file = fs::read_to_string(root().join("migration/tests/it/documentation.rs")).unwrap();
    let of_the_service = fs::read_to_string(root().join("api/tests/it/documentation.rs")).unwrap();
    for path in pages() {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        let has_commands = !Page::read(&path).steps.is_empty();
        assert!(
            !has_commands
                || this_file.contains(&format!("execute(\"{name}\")"))
                || of_the_service.contains(&format!("/{name}\")")),
            "no test executes {name}"
        );
    }
}

#[test]
fn every_verb_flag_and_variable_is_in_the_command_line_reference() {
    let reference = fs::read_to_string(root().join("docs/cli.md")).unwrap();
    let top = help(&[]);
    let verbs: Vec<&str> = top
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next())
        .filter(|verb| *verb != "help")
        .collect();
    assert!(verbs.len() > 15, "the verbs are not found in the help: {verbs:?}");

    let mut expected: BTreeSet<String> = words_of(&top).collect();
    for verb in &verbs {
        expected.insert(format!("`{verb}"));
        expected.extend(words_of(&help(&[verb])));
    }
    let missing: Vec<&String> = expected
        .iter()
        .filter(|word| !is_mentioned(&reference, word))
        .collect();
    assert!(missing.is_empty(), "docs/cli.md does not mention {missing:?}");
}

#[test]
fn links_between_pages_lead_somewhere() {
    let link = Regex::new(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)").unwrap();
    for path in pages() {
        let text = fs::read_to_string(&path).unwrap();
        for found in link.captures_iter(&text) {
            let target = path.parent().unwrap().join(&found[1]);
            assert!(target.exists(), "{} links to {}", path.display(), &found[1]);
        }
    }
}

async fn execute(name: &str) {
    let mut page = Page::read(&root().join(name));
    let mut shell = Shell::new();
    let mut problems = Vec::new();
    for index in 0..page.steps.len() {
        let step = &page.steps[index];
        let Some(ended) = shell.run(&step.command).await else {
            continue;
        };
        let is_explained = page
            .steps
            .get(index + 1)
            .is_some_and(|next| next.command == "echo $?");
        if ended.code != 0 && !is_explained {
            problems.push(format!(
                "{name}:{}: `{}` ended with {} and no `echo $?` follows\n{}",
                step.line, step.command, ended.code, ended.output
            ));
        }
        if !transcript::matches(&step.expected, &ended.output) {
            problems.push(format!(
                "{name}:{}: `{}`\n--- the page says\n{}\n--- it printed\n{}",
                step.line,
                step.command,
                step.expected.join("\n"),
                ended.output
            ));
            page.replace(index, &ended.output);
        }
    }
    shell.close().await;
    if page.is_to_be_updated() {
        page.write();
    } else {
        assert!(problems.is_empty(), "\n{}", problems.join("\n\n"));
    }
}

/// The pages that a reader may come to.
fn pages() -> Vec<PathBuf> {
    let folder = fs::read_dir(root().join("docs")).unwrap();
    let mut pages: Vec<PathBuf> = folder
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    for name in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "SECURITY.md",
    ] {
        pages.push(root().join(name));
    }
    pages
}

fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap().to_path_buf()
}

fn help(verb: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_migration"))
        .args(verb)
        .arg("--help")
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The long flags and the variables that a help text names.
fn words_of(help: &str) -> impl Iterator<Item = String> {
    let flag = Regex::new(r"--[a-z][a-z-]+|\[env: ([A-Z_]+)").unwrap();
    let words: Vec<String> = flag
        .captures_iter(help)
        .map(|found| found.get(1).map_or(&found[0], |name| name.as_str()).to_owned())
        .collect();
    words.into_iter()
}

fn is_mentioned(reference: &str, word: &str) -> bool {
    reference.match_indices(word).any(|(at, _)| {
        let after = reference[at + word.len()..].chars().next();
        !after.is_some_and(|letter| letter.is_ascii_lowercase() || letter == '-')
    })
}
