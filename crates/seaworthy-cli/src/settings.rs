//! From arguments and variables to an environment; the one place that reads who and where we are.

use std::path::{Path, PathBuf};

use seaworthy::environment::Environment;
use seaworthy::revision::{Accepted, RevisionId};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::args::{Acceptance, Command, General, Place};
use crate::configuration::{self, Configuration};
use crate::exit::Failure;

/// Puts what the command line says into an environment.
pub(crate) fn apply(mut environment: Environment, general: &General) -> Result<Environment, Failure> {
    if let Some(text) = general.database_url.as_deref().filter(|text| !text.is_empty()) {
        let url = text.parse().map_err(|source| Failure::Address { source })?;
        environment = environment.database(url);
    }
    let limits = &general.limits;
    environment.settings.lock_timeout = limits.lock_timeout;
    environment.settings.lock_budget = limits.lock_budget;
    environment.settings.statement_timeout = limits.statement_timeout;
    environment.settings.hold_timeout = limits.hold_timeout;
    environment.settings.connect_timeout = limits.connect_timeout;
    environment.settings.schema.clone_from(&general.database_schema);
    environment.accepted = general.accept.iter().flat_map(accepted).collect();
    environment.actor.user = whoami::username().ok();
    environment.actor.host = whoami::hostname().ok();
    Ok(environment)
}

/// Returns what is taken knowingly, whichever way the revision is going to be run.
fn accepted(said: &Acceptance) -> [(RevisionId, Accepted); 2] {
    let (category, piece, reason) = (said.category.as_str(), said.piece.as_str(), said.reason.as_str());
    [
        Accepted::up(category, piece, reason),
        Accepted::down(category, piece, reason),
    ]
    .map(|accepted| (said.revision.as_str().into(), accepted))
}

/// Adds what `seaworthy.toml` says, for a command that lints or compares.
pub(crate) fn configured(
    mut environment: Environment,
    general: &General,
    command: Option<&Command>,
) -> Result<Environment, Failure> {
    let asks = match command {
        Some(Command::Lint(asked)) => asked.explain.is_none(),
        Some(Command::Revision { generate, .. }) => generate.autogenerate || generate.online,
        Some(Command::Heads { check, .. }) => *check,
        Some(
            Command::Check(_)
            | Command::Diff { .. }
            | Command::Snapshot
            | Command::Erd { .. }
            | Command::Verify { .. }
            | Command::Adopt { .. },
        ) => true,
        _ => false,
    };
    if asks {
        let Configuration { lint, exclude } = configuration::read_configuration(general.config.as_deref())?;
        environment.lint = lint;
        environment = exclude.into_iter().fold(environment, Environment::exclude);
    }
    Ok(environment)
}

/// Returns the folder of the migration crate.
pub(crate) fn folder(place: &Place) -> PathBuf {
    match &place.dir {
        Some(folder) => folder.clone(),
        None if Path::new("migration/src/lib.rs").is_file() => PathBuf::from("migration"),
        None => PathBuf::from("."),
    }
}

/// Shows warnings, or everything with `--verbose`, on stderr; `RUST_LOG` has the last word.
pub(crate) fn set_up_logging(general: &General) {
    let default = if general.verbose {
        "debug,sqlx=info"
    } else {
        "warn,sqlx=error"
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let lines = layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .without_time()
        .with_target(general.verbose);
    // A program that has set up its own logging keeps it.
    drop(tracing_subscriber::registry().with(filter).with(lines).try_init());
}
