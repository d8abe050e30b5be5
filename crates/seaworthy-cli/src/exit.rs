//! Messages, hints and exit codes of what went wrong.

use std::error::Error;
use std::path::PathBuf;
use std::process;

use seaworthy::command::{Category, CommandError};
use seaworthy::graph::GraphError;
use seaworthy::runner::StepError;
use seaworthy::session::AddressError;
use serde_json::{Value, json};
use thiserror::Error as ThisError;

use crate::git::GitError;
use crate::output::Screen;

/// How a command that did not fail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It did what was asked, or there was nothing to do.
    Done,
    /// It was a check, and the answer is no.
    CheckSaysNo,
    /// A revision does not keep what revisions promise.
    PromiseBroken,
}

/// Why a command failed, the terminal's own reasons included.
#[derive(Debug, ThisError)]
pub(crate) enum Failure {
    /// The library says so.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The database address makes no sense.
    #[error("the database address cannot be read")]
    Address {
        /// Why not.
        source: AddressError,
    },
    /// Arguments that clap cannot check.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
    },
    /// A file that cannot be read.
    #[error("{} cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// What `seaworthy.toml` says makes no sense.
    #[error("{place}: {message}")]
    Configuration {
        /// The file, and the line where it is known.
        place: String,
        /// What is wrong.
        message: String,
        /// The way out.
        hint: String,
    },
    /// Git does not say what a branch changes.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A signal ended the run.
    #[error("stopped by a signal")]
    Stopped {
        /// The exit code that tells which.
        code: i32,
        /// What the run had done.
        source: CommandError,
    },
}

impl From<GraphError> for Failure {
    fn from(error: GraphError) -> Self {
        Self::Command(error.into())
    }
}

/// Reports how the command ended, and ends the process unless it ended well.
pub(crate) fn finish(result: Result<Ending, Failure>, screen: &Screen) {
    match result {
        Ok(Ending::Done) => {}
        Ok(Ending::CheckSaysNo) => exit(3),
        Ok(Ending::PromiseBroken) => exit(6),
        Err(failure) => {
            if screen.is_json() {
                screen.error(&format!("{:#}", as_json(&failure)));
            } else {
                show(&failure, screen);
            }
            exit(code(&failure));
        }
    }
}

/// Prints clap's message; help and version are no errors.
pub(crate) fn usage(error: &clap::Error) {
    drop(error.print());
    if error.exit_code() != 0 {
        exit(error.exit_code());
    }
}

fn code(failure: &Failure) -> i32 {
    match failure {
        Failure::Address { .. } | Failure::Usage { .. } | Failure::Configuration { .. } => 2,
        Failure::Git(GitError::NoCommit { .. }) => 2,
        Failure::File { .. } | Failure::Git(_) => 1,
        Failure::Stopped { code, .. } => *code,
        Failure::Command(error) => match error.category() {
            Category::Usage => 2,
            Category::LockNotObtained => 4,
            Category::Refused => 5,
            Category::Stopped => 130,
            _ => 1,
        },
    }
}

fn show(failure: &Failure, screen: &Screen) {
    screen.error(&format!("{}: {failure}", screen.red("error")));
    for cause in causes(failure) {
        screen.error(&format!("  because: {cause}"));
    }
    for blocker in blockers(failure) {
        screen.error(&format!("  {blocker}"));
    }
    if let Some(hint) = hint(failure) {
        screen.error(&format!("{}: {hint}", screen.bold("hint")));
    }
}

fn as_json(failure: &Failure) -> Value {
    let (kind, report) = match failure {
        Failure::Command(error) | Failure::Stopped { source: error, .. } => {
            let report = match error {
                CommandError::Run(run) => serde_json::to_value(&run.report).unwrap_or_default(),
                _ => Value::Null,
            };
            (error.kind(), report)
        }
        Failure::Address { .. } => ("database_address", Value::Null),
        Failure::File { .. } => ("file", Value::Null),
        Failure::Usage { .. } => ("usage", Value::Null),
        Failure::Configuration { .. } => ("configuration", Value::Null),
        Failure::Git(_) => ("git", Value::Null),
    };
    json!({
        "error": {
            "kind": kind,
            "message": failure.to_string(),
            "causes": causes(failure),
            "hint": hint(failure),
            "exit_code": code(failure),
            "report": report,
        }
    })
}

/// Returns what lies behind a failure, without repeating what was said already.
fn causes(failure: &Failure) -> Vec<String> {
    let mut said = failure.to_string();
    let mut causes = Vec::new();
    let mut cause = failure.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !said.contains(&text) {
            causes.push(text.clone());
            said = text;
        }
        cause = error.source();
    }
    causes
}

fn blockers(failure: &Failure) -> Vec<String> {
    match failure {
        Failure::Command(CommandError::Run(run)) => match &run.source {
            StepError::LockNotGranted { blockers, .. } => {
                blockers.iter().map(crate::output::blocker).collect()
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn hint(failure: &Failure) -> Option<String> {
    match failure {
        Failure::Command(error) | Failure::Stopped { source: error, .. } => error.hint(),
        Failure::Address { source } => Some(source.hint().to_owned()),
        Failure::File { .. } => None,
        Failure::Usage { .. } => Some("see --help".to_owned()),
        Failure::Configuration { hint, .. } => Some(hint.clone()),
        Failure::Git(error) => error.hint(),
    }
}

/// Ends the process because a signal asks for it and nothing is to be waited for.
pub(crate) fn at_once(code: i32) {
    exit(code);
}

#[expect(
    clippy::exit,
    reason = "the one place that ends the process, after everything is said and closed"
)]
fn exit(code: i32) {
    process::exit(code);
}
