//! How answers look: data on stdout, everything else on stderr, colour on a terminal only and never alone.

use std::io::{IsTerminal, Write};
use std::sync::Arc;

use seaworthy::session::Blocker;
use serde::Serialize;

use crate::args::{Format, General};
use stdout::KeptStdout;

pub(crate) mod backfills;
pub(crate) mod hazards;
pub(crate) mod lists;
pub(crate) mod locks;
pub(crate) mod progress;
pub(crate) mod promises;
pub(crate) mod reports;
pub(crate) mod schema;
mod stdout;
pub(crate) mod survey;

/// Where answers go, and in which form.
#[derive(Clone, Debug)]
pub(crate) struct Screen {
    format: Format,
    verbose: bool,
    stdout: Arc<KeptStdout>,
}

impl Screen {
    /// Keeps stdout for answers: what revisions print while they run goes to stderr, until the screen is dropped; so
    /// does what they print while they are only recorded, with `--verbose`.
    pub(crate) fn new(general: &General) -> Self {
        let stdout = KeptStdout::keep();
        if !general.verbose {
            stdout.mute_recordings();
        }
        Self {
            format: general.output,
            verbose: general.verbose,
            stdout: Arc::new(stdout),
        }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    pub(crate) fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Returns whether a person can be asked.
    pub(crate) fn is_interactive(&self) -> bool {
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// Writes a line of the answer.
    pub(crate) fn line(&self, text: &str) {
        // Whoever reads may have read enough: `history | head -1` is no error.
        drop(self.stdout.write(&format!("{text}\n")));
    }

    /// Writes a remark.
    pub(crate) fn note(&self, text: &str) {
        if !self.is_json() {
            self.error(text);
        }
    }

    /// Writes what went wrong.
    pub(crate) fn error(&self, text: &str) {
        drop(writeln!(anstream::stderr().lock(), "{text}"));
    }

    /// Writes an answer as one JSON document.
    pub(crate) fn json(&self, answer: &impl Serialize) {
        match serde_json::to_string_pretty(answer) {
            Ok(text) => self.line(&text),
            Err(error) => self.error(&format!("the answer cannot be written as JSON: {error}")),
        }
    }

    pub(crate) fn bold(&self, text: &str) -> String {
        styled(text, anstyle::Style::new().bold())
    }

    pub(crate) fn red(&self, text: &str) -> String {
        styled(
            text,
            anstyle::Style::new()
                .bold()
                .fg_color(Some(anstyle::AnsiColor::Red.into())),
        )
    }
}

/// Returns a session that holds a lock, in a line.
pub(crate) fn blocker(blocker: &Blocker) -> String {
    format!(
        "blocked by process {} ({}, {}), {} for {:.1} s: {}",
        blocker.pid,
        blocker.user,
        if blocker.application.is_empty() {
            "no application name"
        } else {
            &blocker.application
        },
        blocker.state,
        f64::from(i32::try_from(blocker.transaction_ms).unwrap_or(i32::MAX)) / 1000.0,
        blocker.query
    )
}

/// Returns a number of milliseconds as people say it.
pub(crate) fn duration(milliseconds: u128) -> String {
    match milliseconds {
        0..1000 => format!("{milliseconds} ms"),
        1000..60_000 => format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100),
        _ => format!("{} min {} s", milliseconds / 60_000, milliseconds % 60_000 / 1000),
    }
}

/// Returns a count with its noun: `1 revision`, `2 revisions`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

fn styled(text: &str, style: anstyle::Style) -> String {
    // `anstream` takes the codes out again where there is no terminal, or `NO_COLOR` is set.
    format!("{style}{text}{style:#}")
}
