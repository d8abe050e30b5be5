//! The terminal of seaworthy: grammar, output and exit codes; no database logic.
//!
//! The one function to know is [`run`]. It takes the place of SeaORM's `cli::run_cli(Migrator)`:
//!
//! ```no_run
//! use sea_orm_migration::{MigrationTrait, MigratorTrait};
//!
//! struct Migrator;
//!
//! impl MigratorTrait for Migrator {
//!     fn migrations() -> Vec<Box<dyn MigrationTrait>> {
//!         vec![]
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() {
//!     seaworthy_cli::run(Migrator).await;
//! }
//! ```
//!
//! The rooms, in reading order:
//!
//! * `args`: what may be written on the command line
//! * `settings`: from arguments and variables to an environment
//! * `configuration`: from `seaworthy.toml` to the settings of the linter
//! * `git`: what a branch changes
//! * `commands`: one function per verb: ask the library, show the answer
//! * `signals`: what Ctrl-C and SIGTERM do
//! * `output`: how answers look, as text and as JSON
//! * `exit`: messages, hints and exit codes of what went wrong

use std::ffi::OsString;

use clap::Parser;
use seaworthy::environment::Environment;

use args::Arguments;

mod args;
mod commands;
mod configuration;
mod exit;
mod git;
mod output;
mod settings;
mod signals;

/// Runs the command line of a migration binary.
///
/// Takes the place of SeaORM's `cli::run_cli(Migrator)`: a plain migrator becomes a linear chain of revisions. A list of
/// revisions with headers comes as `Environment::new(Migrator::revisions())`.
///
/// Returns when the command did what was asked, and ends the process with an exit code otherwise.
pub async fn run(environment: impl Into<Environment>) {
    run_with(environment, std::env::args_os()).await;
}

/// Runs the command line with other arguments than the process was started with; the first is the program's name.
///
/// Returns and ends as [`run`] does.
pub async fn run_with(
    environment: impl Into<Environment>,
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) {
    // As SeaORM's own command line does; a missing file is no error.
    drop(dotenvy::dotenv());
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return exit::usage(&error),
    };
    hide_panics_of_recordings();
    let screen = output::Screen::new(&arguments.general);
    settings::set_up_logging(&arguments.general);
    let result = match settings::apply(environment.into(), &arguments.general) {
        Ok(environment) => {
            let command = arguments.command.as_ref();
            match settings::configured(environment, &arguments.general, command) {
                Ok(environment) => commands::run(&environment, arguments, &screen).await,
                Err(error) => Err(error),
            }
        }
        Err(error) => Err(error),
    };
    exit::finish(result, &screen);
}

/// A revision that panics while its SQL is only recorded has not failed, so nobody should read of it.
fn hide_panics_of_recordings() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !seaworthy::script::is_recording() {
            usual(panic);
        }
    }));
}
