//! What revisions print is no part of an answer.
#![cfg(unix)]

use std::process::{Command, Output};

use crate::terminal::example;

/// Runs the example in a folder and returns what came to stdout and to stderr.
fn run(folder: &std::path::Path, line: &str) -> (String, String) {
    let output: Output = command(folder, line).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
}

fn command(folder: &std::path::Path, line: &str) -> Command {
    let mut command = Command::new(example("printing"));
    command
        .args(line.split_whitespace())
        .current_dir(folder)
        .env_clear()
        .env("DATABASE_URL", "sqlite://notes.db");
    command
}

/// What the program prints when the command is over is its own affair again.
const AFTER: &str = "printed after the command\n";

#[test]
fn what_revisions_print_reaches_neither_a_script_nor_a_document() {
    let folder = tempfile::tempdir().unwrap();
    let (out, err) = run(folder.path(), "upgrade base:m20260101 --sql");
    let script = out.strip_suffix(AFTER).unwrap();
    assert!(script.contains("CREATE TABLE \"notes\""), "{script}");
    assert!(
        !script.contains("hello") && !script.contains("no line's end"),
        "{script}"
    );
    // Nothing has happened, so there is nothing to tell but to those who want to see it all.
    assert_eq!(err, "");
    let (_, err) = run(folder.path(), "upgrade base:m20260101 --sql --verbose");
    assert!(
        err.contains("hello from up") && err.contains("no line's end"),
        "{err}"
    );
    for (line, printed) in [
        ("plan head", ""),
        ("upgrade head", "hello from up"),
        ("plan base", ""),
        ("downgrade base --yes", "hello from down"),
    ] {
        let (out, err) = run(folder.path(), &format!("{line} --output json"));
        let document = out.strip_suffix(AFTER).unwrap();
        let document: Result<serde_json::Value, _> = serde_json::from_str(document);
        assert!(document.is_ok(), "{line}: {out}");
        let times = usize::from(!printed.is_empty());
        assert_eq!(err.matches("hello from").count(), times, "{line}: {err}");
        assert!(err.contains(printed), "{line}: {err}");
    }
}

#[test]
fn a_plan_says_that_a_run_is_refused_by_what_nobody_knows() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), "upgrade m20260101");
    let output = Command::new("sqlite3")
        .args([
            "notes.db",
            "INSERT INTO seaql_migrations VALUES ('m20990101_000000_gone', 5)",
        ])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let output = command(folder.path(), "plan").output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let out = String::from_utf8(output.stdout).unwrap();
    for line in [
        "Unknown:  m20990101_000000_gone (applied 1970-01-01T00:00:05Z by a tool that keeps no history)\n",
        "Refused:  the database is at revisions that this program does not know, and nothing runs until it does\n",
    ] {
        assert!(out.contains(line), "{out}");
    }
}

#[test]
fn a_plan_knows_what_a_table_without_rows_answers() {
    let folder = tempfile::tempdir().unwrap();
    let (out, _) = run(folder.path(), "plan");
    let later = out.split_once("count notes").unwrap().1;
    assert!(!later.contains("not known beforehand"), "{out}");
    let asked = "     -- asks the database: SELECT COUNT(\"id\") AS \"notes\" FROM \"notes\"\n";
    assert!(later.contains(asked), "{out}");
    run(folder.path(), "upgrade m20260101");
    let (out, err) = run(folder.path(), "plan --verbose");
    assert!(!out.contains("not known beforehand"), "{out}");
    assert!(err.contains("there are 0 notes"), "{err}");
}
