//! The service as a process of its own, which can be killed.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use seaworthy::verify::ScratchDatabase;

use crate::site::SECRET;

pub(crate) struct Process {
    child: Child,
    /// Host and port.
    pub(crate) address: String,
    log: Option<JoinHandle<String>>,
}

impl Process {
    /// Returns when the service listens.
    pub(crate) fn start(database: &ScratchDatabase, more: &[&str]) -> Self {
        let database = ["--database-url", database.address()];
        Self::run(Command::new(env!("CARGO_BIN_EXE_api")).args(database).args(more))
    }

    /// The same with a program, a user and a database of one's own.
    pub(crate) fn run(command: &mut Command) -> Self {
        let mut child = command
            .args(["--port", "0", "--drain-seconds", "0"])
            .args(["--better-auth-secret", SECRET])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = child.stderr.take().unwrap();
        // Read all along: a full pipe would stop the service.
        let log = std::thread::spawn(move || {
            let mut text = String::new();
            log.read_to_string(&mut text).unwrap();
            text
        });
        let address = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                let after = line.split_once("http://")?.1;
                Some(after.split_whitespace().next()?.to_owned())
            })
            .unwrap();
        Self {
            child,
            address,
            log: Some(log),
        }
    }

    /// SIGTERM, and waits for the end.
    pub(crate) fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        self.child.wait().unwrap();
    }

    /// SIGKILL; returns what was logged.
    pub(crate) fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.log.take().unwrap().join().unwrap()
    }
}

/// A test that fails leaves none behind.
impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
