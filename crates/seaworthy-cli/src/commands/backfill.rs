//! `backfill`: looks at backfills and changes how they go; runs none.

use seaworthy::backfill::Throttle;
use seaworthy::command::{self, BackfillChange};
use seaworthy::environment::Environment;

use crate::args::BackfillAct;
use crate::exit::{Ending, Failure};
use crate::output::{Screen, backfills};

pub(super) async fn run(
    environment: &Environment,
    act: &BackfillAct,
    screen: &Screen,
) -> Result<Ending, Failure> {
    let (name, change) = match act {
        BackfillAct::Status => {
            backfills::all(screen, &command::backfills(environment).await?);
            return Ok(Ending::Done);
        }
        BackfillAct::Pause { name } => (name, BackfillChange::Pause),
        BackfillAct::Resume { name } => (name, BackfillChange::Resume),
        BackfillAct::Throttle { name, rest, max_lag } => {
            let (rest, max_lag) = (*rest, *max_lag);
            (name, BackfillChange::Throttle(Throttle { rest, max_lag }))
        }
    };
    backfills::one(
        screen,
        &command::change_backfill(environment, name, change).await?,
    );
    Ok(Ending::Done)
}
