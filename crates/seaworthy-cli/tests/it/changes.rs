//! `lint --git-base`: only what a branch adds or changes.

use std::fs;
use std::process::Command;

use crate::terminal::{Answer, FORK, Terminal};

/// A repository whose main branch has two scripts and the files of two revisions, and a branch that adds one of each.
struct Repository {
    terminal: Terminal,
}

impl Repository {
    fn new() -> Self {
        let repository = Self {
            terminal: Terminal::with(FORK),
        };
        repository.git("init --quiet --initial-branch=main");
        repository.write("sql/one.sql", "CREATE INDEX i ON boats (a);");
        repository.write("sql/two.sql", "CREATE INDEX j ON boats (b);");
        repository.write("migration/src/lib.rs", "");
        repository.write("migration/src/base01.rs", "");
        repository.write("migration/src/root02.rs", "");
        repository.commit("begin");
        repository.git("checkout --quiet -b work");
        repository
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.terminal.folder().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn git(&self, line: &str) {
        let status = Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@example.org"])
            .args(line.split_whitespace())
            .current_dir(self.terminal.folder())
            .status()
            .unwrap();
        assert!(status.success(), "git {line}");
    }

    fn commit(&self, message: &str) {
        self.git("add --all");
        self.git(&format!("commit --quiet --message {message}"));
    }

    fn lint(&self, line: &str) -> Answer {
        self.terminal.run_with_path(".", &format!("lint {line}"))
    }

    /// Returns the scripts that are looked at.
    fn scripts(&self, base: &str) -> Vec<String> {
        let line = format!("--git-base {base} --output json --sql sql/one.sql sql/two.sql sql/three.sql");
        let answer: serde_json::Value = serde_json::from_str(&self.lint(&line).out).unwrap();
        let files = answer["files"].as_array().unwrap().iter();
        files
            .map(|file| file["file"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Returns the revisions that are looked at.
    fn revisions(&self, line: &str) -> Vec<String> {
        let answer = self.lint(&format!("{line} --output json"));
        let answer: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
        let steps = answer["revisions"].as_array().unwrap().iter();
        let up = steps.filter(|step| step["direction"] == "up");
        up.map(|step| step["revision"].as_str().unwrap().to_owned())
            .collect()
    }
}

#[test]
fn a_script_is_looked_at_when_the_branch_changes_it_committed_or_not() {
    let repository = Repository::new();
    repository.write("sql/three.sql", "SELECT 1;");
    repository.git("add --all");
    assert_eq!(repository.scripts("main"), ["sql/three.sql"]);
    repository.commit("three");
    assert_eq!(repository.scripts("main"), ["sql/three.sql"]);
    repository.write("sql/two.sql", "CREATE INDEX k ON boats (b);");
    assert_eq!(repository.scripts("main"), ["sql/two.sql", "sql/three.sql"]);
    // What main has done since is nothing of the branch.
    repository.commit("two");
    repository.git("checkout --quiet main");
    repository.write("sql/one.sql", "CREATE INDEX l ON boats (a);");
    repository.commit("one");
    repository.git("checkout --quiet work");
    assert_eq!(repository.scripts("main"), ["sql/two.sql", "sql/three.sql"]);
    assert_eq!(repository.scripts("HEAD"), Vec::<String>::new());
    assert_eq!(
        repository
            .lint("--git-base HEAD --sql sql/one.sql sql/two.sql")
            .out,
        "No hazards\n"
    );
}

#[test]
fn a_revision_is_looked_at_when_its_file_or_one_in_its_folder_changes() {
    let repository = Repository::new();
    assert_eq!(repository.revisions("--git-base main"), Vec::<String>::new());
    repository.write("migration/src/shop03.rs", "// new");
    repository.write("elsewhere/base01.rs", "// another of this name");
    repository.write("migration/src/README.md", "");
    assert_eq!(repository.revisions("--git-base main"), ["shop03"]);
    let answer = repository.lint("--git-base main");
    assert_eq!(
        (answer.code, answer.out.as_str(), answer.err.as_str()),
        (0, "No hazards\n", "added or changed: shop03\n")
    );
    repository.write("migration/src/root02/up.sql", "SELECT 1");
    repository.commit("more");
    assert_eq!(repository.revisions("--git-base main"), ["root02", "shop03"]);
    assert_eq!(
        repository.revisions("--git-base main --dir elsewhere"),
        ["base01"]
    );
}

#[test]
fn git_that_cannot_tell_says_why() {
    let repository = Repository::new();
    let answer = repository.lint("--git-base origin/main");
    assert_eq!(answer.code, 2);
    assert_eq!(
        answer.err,
        "error: git knows no commit origin/main\nhint: fetch it first: git fetch origin main\n"
    );
    assert_eq!(repository.lint("--git-base=--all").code, 2);
    assert_eq!(repository.lint("--all --git-base main").code, 2);
    repository.git("checkout --quiet --orphan other");
    repository.commit("unrelated");
    let answer = repository.lint("--git-base main");
    assert_eq!(answer.code, 1);
    assert!(
        answer
            .err
            .starts_with("error: main and HEAD have no commit in common\nhint: "),
        "{answer:?}"
    );
    let outside = Terminal::with(FORK);
    let answer = outside.run_with_path(".", "lint --git-base main");
    assert_eq!(answer.code, 1);
    assert!(
        answer
            .err
            .starts_with("error: the working folder is in no git repository\nhint: "),
        "{answer:?}"
    );
    let answer = outside.run_without_git("lint --git-base main");
    assert_eq!(answer.code, 1);
    assert!(answer.err.starts_with("error: git cannot be run\n"), "{answer:?}");
}
