//! Running a plan on a scratch database, where nothing has to be asked and nobody else is.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::command::upgrade::Compared;
use crate::command::{CommandError, Conduct, Living, OutOfOrder, Outcome, Project};
use crate::environment::Environment;
use crate::graph::{Plan, Step};
use crate::revision::{Direction, Stage};
use crate::runner::Observer;

/// Runs a plan on a scratch database, where nothing has to be asked and nobody else is.
pub(in crate::command) async fn rehearse(
    environment: &Environment,
    plan: &Plan,
    stop: &CancellationToken,
) -> Result<Outcome, CommandError> {
    let project = Project::of(environment)?;
    let conduct = Conduct {
        wait: Duration::from_secs(10),
        retries: 0,
        stop: stop.clone(),
        observer: &Silent,
        waiting: &|_, _| {},
        through: Stage::Contract,
        living: Living::Ignore,
        consent: &|_| true,
    };
    match plan.direction {
        Direction::Up => {
            project
                .apply("rehearse", OutOfOrder::Allow, Compared::Nothing, &conduct, |_| {
                    Ok(plan.clone())
                })
                .await
        }
        Direction::Down => project.undo("rehearse", &conduct, |_| Ok(plan.clone())).await,
    }
}

struct Silent;

impl Observer for Silent {}

pub(in crate::command) fn plan(steps: Vec<Step>, direction: Direction) -> Plan {
    Plan {
        direction,
        steps,
        notes: Vec::new(),
    }
}
