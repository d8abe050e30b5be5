//! The one-line replacement of SeaORM's command line, on a migrator that knows nothing of seaworthy.

use std::process::Command;

use crate::terminal::example;

/// Runs the example and returns its exit code and what it said on stdout.
pub(crate) fn run(folder: &std::path::Path, line: &str) -> (i32, String) {
    let output = Command::new(example("dropin"))
        .args(line.split_whitespace())
        .current_dir(folder)
        .env_clear()
        .env("DATABASE_URL", "sqlite://notes.db")
        .output()
        .unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

#[test]
fn a_plain_migrator_speaks_alembics_words_and_seaorms() {
    let folder = tempfile::tempdir().unwrap();
    let run = |line: &str| run(folder.path(), line);
    assert_eq!(run("up -n 1").0, 0);
    assert_eq!(run("current"), (0, "m20260101_090000_create_notes\n".to_owned()));
    assert_eq!(run("upgrade head").0, 0);
    assert_eq!(
        run("current"),
        (0, "m20260102_090000_index_notes (head)\n".to_owned())
    );
    let (code, history) = run("history");
    assert_eq!(code, 0);
    assert_eq!(
        history,
        "m20260101_090000_create_notes -> m20260102_090000_index_notes (head), index notes\n\
         <base> -> m20260101_090000_create_notes, create notes\n"
    );
    assert_eq!(run("downgrade m20260101").0, 0);
    assert_eq!(run("down").0, 0);
    assert_eq!(run("current"), (0, String::new()));
    // Without a command everything is applied, as SeaORM's own command line does.
    assert_eq!(run("").0, 0);
    assert_eq!(run("current --check-heads").0, 0);
}
