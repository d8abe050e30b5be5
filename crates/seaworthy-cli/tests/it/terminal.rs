//! Runs the example `graph` in a folder of its own and keeps what it said.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A folder with a graph and a database that is made when it is first written.
pub(crate) struct Terminal {
    folder: TempDir,
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The graph that most tests use: a line, then two branches with a label each.
pub(crate) const FORK: &str = r#"{"revisions": [
    {"id": "base01", "message": "begin"},
    {"id": "root02", "down": ["base01"], "message": "go on"},
    {"id": "shop03", "down": ["root02"], "labels": ["shop"], "message": "sell"},
    {"id": "nets03", "down": ["root02"], "labels": ["net"], "message": "connect"}
]}"#;

impl Terminal {
    pub(crate) fn with(graph: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("graph.json"), graph).unwrap();
        Self { folder }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a command line, split at spaces.
    pub(crate) fn run(&self, line: &str) -> Answer {
        self.run_words(&line.split_whitespace().collect::<Vec<_>>())
    }

    pub(crate) fn run_words(&self, words: &[&str]) -> Answer {
        let mut command = self.command(words);
        let output = command.env("DATABASE_URL", "sqlite://graph.db").output().unwrap();
        Answer::of(&output)
    }

    /// Runs a command line, split at spaces, with no database named.
    pub(crate) fn run_without_database(&self, line: &str) -> Answer {
        let words: Vec<&str> = line.split_whitespace().collect();
        Answer::of(&self.command(&words).output().unwrap())
    }

    /// Runs a command line in a folder below, split at spaces, with no database named.
    pub(crate) fn run_within(&self, folder: &str, line: &str) -> Answer {
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut command = self.command(&words);
        let command = command.current_dir(self.folder().join(folder));
        Answer::of(&command.env("DATABASE_URL", "sqlite://graph.db").output().unwrap())
    }

    /// Runs a command line in a folder below with the programs that the tests themselves find.
    pub(crate) fn run_with_path(&self, folder: &str, line: &str) -> Answer {
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut command = self.command(&words);
        let command = command.current_dir(self.folder().join(folder));
        let path = std::env::var_os("PATH").unwrap_or_default();
        Answer::of(&command.env("PATH", path).output().unwrap())
    }

    /// Runs a command line where no program is found.
    pub(crate) fn run_without_git(&self, line: &str) -> Answer {
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut command = self.command(&words);
        Answer::of(&command.env("PATH", self.folder()).output().unwrap())
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(example("graph"));
        command
            .arg("graph.json")
            .args(words)
            .current_dir(self.folder())
            .env_clear();
        command
    }

    /// Runs a command line that must succeed, and returns its answer as JSON.
    pub(crate) fn json(&self, line: &str) -> serde_json::Value {
        let answer = self.run(&format!("{line} --output json"));
        assert_eq!(answer.code, 0, "{answer:?}");
        serde_json::from_str(&answer.out).unwrap()
    }
}

impl Answer {
    pub(crate) fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout.clone()).unwrap(),
            err: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }
}

/// Returns the path of an example of this package, which `cargo test` builds before the tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples")
        .join(name);
    assert!(
        path.exists(),
        "{} is not built: run cargo test without --test, or cargo build --examples",
        path.display()
    );
    path
}
