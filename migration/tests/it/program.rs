//! Programs that a test starts as processes: the `migration` binary, and the example `troubles`.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::databases::TestDatabase;

/// Longer than anything here may take on a busy machine; a test that gets here has found a hang.
const BOUND: Duration = Duration::from_secs(180);

/// A program and the database it is given.
#[derive(Clone)]
pub(crate) struct Program {
    path: PathBuf,
    variables: Vec<(String, String)>,
}

/// A program that was started; it is killed when the test leaves it behind.
pub(crate) struct Running {
    child: Child,
    command: String,
    folder: TempDir,
    started: Instant,
}

/// What a program left.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) command: String,
    status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl Program {
    /// The binary of this package.
    pub(crate) fn migration(database: &TestDatabase) -> Self {
        Self::migration_at(database.address())
    }

    /// The binary of this package on any database.
    pub(crate) fn migration_at(address: &str) -> Self {
        Self::at(Path::new(env!("CARGO_BIN_EXE_migration")), address)
    }

    /// The example with the revisions that go wrong.
    pub(crate) fn troubles(database: &TestDatabase) -> Self {
        // `target/debug/deps/it-0123456789abcdef` runs, `target/debug/examples/troubles` lies beside its folder.
        let own = std::env::current_exe().unwrap();
        let path = own.ancestors().nth(2).unwrap().join("examples/troubles");
        assert!(
            is_fresh(&path),
            "{} is missing or older than its sources: cargo builds it for all tests of the package, but not with --test it",
            path.display()
        );
        Self::at(&path, database.address())
    }

    fn at(path: &Path, address: &str) -> Self {
        Self {
            path: path.to_owned(),
            variables: Vec::new(),
        }
        .with("DATABASE_URL", address)
    }

    /// Sets a variable.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts the program with arguments that are separated by spaces.
    pub(crate) fn start(&self, arguments: &str) -> Running {
        let mut command = Command::new(&self.path);
        self.start_as(command.args(arguments.split_whitespace()).stdin(Stdio::null()))
    }

    /// Starts the program after shell commands that set limits, `ulimit` for instance.
    pub(crate) fn start_limited(&self, limits: &str, arguments: &str) -> Running {
        let script = format!("{limits}; exec {} {arguments}", self.path.display());
        self.start_as(Command::new("sh").args(["-c", &script]).stdin(Stdio::null()))
    }

    /// Starts the program on a terminal of its own, for [`Running::types`].
    pub(crate) fn start_on_terminal(&self, arguments: &str) -> Running {
        let command = format!("{} {arguments}", self.path.display());
        let mut running = Command::new("script");
        running.args(["--quiet", "--return", "--command", &command, "/dev/null"]);
        self.start_as(running.stdin(Stdio::piped()))
    }

    fn start_as(&self, command: &mut Command) -> Running {
        let folder = TempDir::new().unwrap();
        let file = |name| File::create(folder.path().join(name)).unwrap();
        let description = format!("{command:?}");
        // Neither the variables of whoever runs the tests nor a `.env` of theirs may matter.
        for inherited in ["RUST_LOG", "DATABASE_SCHEMA", "SEAWORTHY_YES", "MIGRATION_DIR"] {
            command.env_remove(inherited);
        }
        let child = command
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(folder.path())
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn()
            .unwrap();
        Running {
            child,
            command: description,
            folder,
            started: Instant::now(),
        }
    }

    /// Runs the program to its end.
    pub(crate) async fn run(&self, arguments: &str) -> Ended {
        self.start(arguments).end().await
    }
}

impl Running {
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the program has said something.
    pub(crate) async fn says(&self, text: &str) {
        let said = async || self.has_said(text);
        until(&format!("{} says {text:?}", self.command), said).await;
    }

    /// Returns whether the program has said something so far.
    pub(crate) fn has_said(&self, text: &str) -> bool {
        self.read("stdout").contains(text) || self.read("stderr").contains(text)
    }

    /// Types on the program's terminal; Ctrl-C is `\x03`.
    pub(crate) fn types(&mut self, text: &str) {
        let keyboard = self.child.stdin.as_mut().expect("it was started on a terminal");
        keyboard.write_all(text.as_bytes()).unwrap();
    }

    /// Sends a signal by its name: `TERM`, `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let script = format!("kill -{name} {}", self.process());
        assert!(
            Command::new("sh")
                .args(["-c", &script])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Ends the program as a crash would: `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
    }

    /// Waits for the end.
    pub(crate) async fn end(mut self) -> Ended {
        let mut pause = Duration::from_millis(1);
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(
                self.started.elapsed() < BOUND,
                "{} does not end; so far:\n{}{}",
                self.command,
                self.read("stdout"),
                self.read("stderr")
            );
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(10));
        };
        Ended {
            command: self.command.clone(),
            status,
            stdout: self.read("stdout"),
            stderr: self.read("stderr"),
            took: self.started.elapsed(),
        }
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail when it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Ended {
    /// Asserts how it ended.
    #[track_caller]
    pub(crate) fn with_code(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{self:#?}");
        self
    }

    /// Asserts that it says all of this, in any order, on either stream.
    #[track_caller]
    pub(crate) fn saying(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(
                self.stdout.contains(text) || self.stderr.contains(text),
                "no {text:?} in {self:#?}"
            );
        }
        self
    }

    /// Returns whether it died of `kill -9`.
    pub(crate) fn was_killed(&self) -> bool {
        self.status.signal() == Some(9)
    }
}

/// Returns whether a program is there and newer than everything that cargo says it is made of.
fn is_fresh(program: &Path) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
    let (Some(built), Ok(rule)) = (modified(program), fs::read_to_string(program.with_extension("d"))) else {
        return false;
    };
    let sources = rule.split_once(": ").unwrap_or_default().1;
    // A space inside of a path is escaped.
    sources.replace("\\ ", "\0").split_whitespace().all(|source| {
        let source = source.replace('\0', " ");
        modified(Path::new(&source)).is_some_and(|changed| changed <= built)
    })
}

/// Waits until a condition holds.
pub(crate) async fn until(condition: &str, holds: impl AsyncFn() -> bool) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < BOUND, "waited in vain until {condition}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
