//! What revisions print is no part of an answer.
#![cfg(unix)]

use std::process::{Command, Output};

use crate::terminal::example;

/// Runs the example in a folder and returns what came to stdout and to stderr.
fn run(folder: &std::path::Path, line: &str) -> (String, String) {
    let output: Output = Command::new(example("printing"))
        .args(line.split_whitespace())
        .current_dir(folder)
        .env_clear()
        .env("DATABASE_URL", "sqlite://notes.db")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
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
    assert!(
        err.contains("hello from up") && err.contains("no line's end"),
        "{err}"
    );
    for line in ["plan head", "upgrade head", "plan base", "downgrade base --yes"] {
        let (out, err) = run(folder.path(), &format!("{line} --output json"));
        let document = out.strip_suffix(AFTER).unwrap();
        let document: Result<serde_json::Value, _> = serde_json::from_str(document);
        assert!(document.is_ok(), "{line}: {out}");
        assert!(err.contains("hello from"), "{line}: {err}");
    }
}

#[test]
fn a_plan_says_what_only_the_steps_before_make_known() {
    let folder = tempfile::tempdir().unwrap();
    let (out, _) = run(folder.path(), "plan");
    let later = out.split_once("count notes").unwrap().1;
    for line in [
        "     -- not known beforehand from here on: ",
        "     -- upgrade looks again when the steps before it are done, and asks then\n",
        "     -- asks the database: SELECT COUNT(\"id\") AS \"notes\" FROM \"notes\"\n",
    ] {
        assert!(later.contains(line), "{out}");
    }
    run(folder.path(), "upgrade m20260101");
    let (out, err) = run(folder.path(), "plan");
    assert!(!out.contains("not known beforehand"), "{out}");
    assert!(err.contains("there are 0 notes"), "{err}");
}
