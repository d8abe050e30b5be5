//! Where the commands of a page run: a folder, a database and the shell between them.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use seaworthy::verify::ScratchDatabase;
use tempfile::TempDir;

use crate::databases::{server, variable};

/// Commands that pages may use as they are.
const ALLOWED: [&str; 11] = [
    "cargo migration",
    "migration",
    "sqlite3",
    "psql",
    "echo",
    "cat",
    "cp",
    "head",
    "tail",
    "grep",
    "ls",
];

/// Commands that pages show and this test does not run, and why.
const LEFT_OUT: [(&str, &str); 7] = [
    ("scripts/test", "this test is a part of it"),
    ("createdb", "the test makes a database with a name that is free"),
    ("dropdb", "the test drops the database itself"),
    ("git", "the folder is no repository"),
    ("cargo run", "the examples are built by `cargo test`"),
    ("curl", "the tests of the service send it"),
    ("export TOKEN=$(curl", "the tests of the service send it"),
];

/// A shell in a folder of its own, with the migration crate's sources beside it.
pub(super) struct Shell {
    folder: TempDir,
    database_url: Option<String>,
    /// By the address that the page gives them.
    scratches: HashMap<String, ScratchDatabase>,
    code: i32,
    /// Whether commands are passed over because they need a server that there is none of.
    is_passing_over: bool,
}

/// How a command ended.
pub(super) struct Ended {
    pub(super) code: i32,
    /// Both streams, as a terminal shows them.
    pub(super) output: String,
}

impl Shell {
    pub(super) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let programs = folder.path().join("bin");
        fs::create_dir_all(folder.path().join("work/migration/src")).unwrap();
        fs::create_dir(&programs).unwrap();
        symlink(env!("CARGO_BIN_EXE_migration"), programs.join("migration")).unwrap();
        let cargo = programs.join("cargo");
        // The alias of `.cargo/config.toml`, without another build.
        fs::write(&cargo, "#!/bin/sh\nshift\nexec migration \"$@\"\n").unwrap();
        fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        for source in fs::read_dir(sources).unwrap() {
            let source = source.unwrap();
            let copy = folder.path().join("work/migration/src").join(source.file_name());
            fs::copy(source.path(), copy).unwrap();
        }
        Self {
            folder,
            database_url: None,
            scratches: HashMap::new(),
            code: 0,
            is_passing_over: false,
        }
    }

    /// Runs a command, unless it is one that is left out.
    pub(super) async fn run(&mut self, command: &str) -> Option<Ended> {
        if let Some(url) = command.strip_prefix("export DATABASE_URL=") {
            self.name_database(url).await;
            return None;
        }
        if command == "unset DATABASE_URL" {
            self.database_url = None;
            self.is_passing_over = false;
            return None;
        }
        let is_left_out = LEFT_OUT.iter().any(|(name, _)| begins_with(command, name));
        if is_left_out || self.is_passing_over {
            return None;
        }
        for part in parts(command) {
            let is_allowed = ALLOWED.iter().any(|name| begins_with(&part, name));
            assert!(
                is_allowed,
                "`{part}` is not among the commands that pages may use"
            );
        }
        let ended = self.execute(command);
        self.code = ended.code;
        Some(ended)
    }

    pub(super) async fn close(self) {
        for scratch in self.scratches.into_values() {
            scratch.remove().await.unwrap();
        }
    }

    async fn name_database(&mut self, url: &str) {
        if url.starts_with("sqlite:") {
            self.database_url = Some(url.to_owned());
            return;
        }
        let Some(server) = server() else {
            self.is_passing_over = true;
            return;
        };
        if !self.scratches.contains_key(url) {
            let scratch = ScratchDatabase::postgres(&server).await.unwrap();
            self.scratches.insert(url.to_owned(), scratch);
        }
        self.database_url = Some(self.scratches[url].address().to_owned());
    }

    fn execute(&self, command: &str) -> Ended {
        let programs = self.folder.path().join("bin");
        let path = variable("PATH").unwrap_or_default();
        let mut shell = Command::new("sh");
        shell
            .arg("-c")
            .arg(format!("exec 2>&1\n(exit {})\n{command}", self.code))
            .current_dir(self.folder.path().join("work"))
            .stdin(Stdio::null())
            .env_clear()
            .env("PATH", format!("{}:{path}", programs.display()))
            .env("HOME", self.folder.path())
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC");
        // What is generated is laid out by rustfmt, which rustup finds through its own folder and not through HOME.
        let home = variable("HOME").unwrap_or_default();
        shell.env(
            "RUSTUP_HOME",
            variable("RUSTUP_HOME").unwrap_or_else(|| format!("{home}/.rustup")),
        );
        shell.envs(variable("RUSTUP_TOOLCHAIN").map(|toolchain| ("RUSTUP_TOOLCHAIN", toolchain)));
        if let Some(url) = &self.database_url {
            shell.env("DATABASE_URL", url);
        }
        let output = shell.output().unwrap();
        Ended {
            code: output.status.code().unwrap_or(-1),
            output: String::from_utf8(output.stdout).unwrap(),
        }
    }
}

/// Returns whether a command line begins with this command, variables before it aside.
fn begins_with(command: &str, name: &str) -> bool {
    let is_assignment = |word: &&str| {
        word.split_once('=')
            .is_some_and(|(name, _)| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'))
    };
    let words: Vec<&str> = command.split_whitespace().skip_while(is_assignment).collect();
    let name: Vec<&str> = name.split_whitespace().collect();
    words.starts_with(&name)
}

/// Returns the commands of a line that are joined by `|`, `;` and `&`.
fn parts(command: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quote = None;
    for letter in command.chars() {
        match (quote, letter) {
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            (None, '|' | ';' | '&') => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(letter);
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}
