//! The revisions of the schema: what this build knows of them, and bringing a database to head.

use std::time::Duration;

use migration::Migrator;
use seaworthy::command::{self, CommandError, Conduct, Living, OutOfOrder};
use seaworthy::environment::Environment;
use seaworthy::graph::Target;
use seaworthy::revision::Stage;
use seaworthy::runner::{Observer, StepReport};
use seaworthy::session::DatabaseUrl;
use tokio_util::sync::CancellationToken;

use crate::service::KnownRevision;

/// Longest wait for another process that migrates.
const WAIT: Duration = Duration::from_secs(60);

/// Returns the revisions that this build knows, oldest first.
pub(crate) fn known_revisions() -> Vec<KnownRevision> {
    Environment::new(Migrator::revisions())
        .headers()
        .iter()
        .map(|header| KnownRevision {
            id: header.id.to_string(),
            name: header.name.clone(),
            revises: header.revises.iter().map(ToString::to_string).collect(),
            message: header.message.clone(),
            phase: header.phase.clone(),
            stage: header.stage.word().to_owned(),
        })
        .collect()
}

/// Brings a database to head.
pub(crate) async fn upgrade(database: DatabaseUrl) -> Result<(), CommandError> {
    let environment = Environment::new(Migrator::revisions()).database(database);
    let conduct = Conduct {
        wait: WAIT,
        retries: 3,
        stop: CancellationToken::new(),
        observer: &Log,
        waiting: &|_, _| tracing::info!("waiting for another process that migrates"),
        through: Stage::Contract,
        living: Living::Heed,
        consent: &|_| false,
    };
    command::upgrade(&environment, &Target::heads(), OutOfOrder::Refuse, &conduct).await?;
    Ok(())
}

struct Log;

impl Observer for Log {
    fn step_finished(&self, step: &StepReport) {
        tracing::info!(revision = %step.revision, "{}", step.message);
    }
}
