//! The verbs that look and change nothing.

use seaworthy::command::{self, HistoryFilter};
use seaworthy::environment::Environment;
use seaworthy::revision::Stage;

use tokio_util::sync::CancellationToken;

use super::targets;
use crate::exit::{Ending, Failure};
use crate::output::lists::Marks;
use crate::output::{Screen, lists, reports, survey};
use crate::signals::Signals;

pub(super) async fn current(
    environment: &Environment,
    check_heads: bool,
    screen: &Screen,
) -> Result<Ending, Failure> {
    let answer = command::current(environment).await?;
    lists::current(screen, &answer);
    if check_heads && !answer.is_at_heads {
        screen.note("the database is not at the newest revision; see `status`");
        return Ok(Ending::CheckSaysNo);
    }
    Ok(Ending::Done)
}

pub(super) async fn history(
    environment: &Environment,
    range: Option<&str>,
    indicate_current: bool,
    screen: &Screen,
) -> Result<Ending, Failure> {
    let filter = HistoryFilter {
        range: range.map(str::parse).transpose()?,
        indicate_current,
    };
    let answer = command::history(environment, &filter).await?;
    let marks = if indicate_current {
        Marks::WithCurrent
    } else {
        Marks::Graph
    };
    lists::history(screen, &answer, marks);
    Ok(Ending::Done)
}

pub(super) async fn applied(environment: &Environment, screen: &Screen) -> Result<Ending, Failure> {
    lists::applied(screen, &command::applied_history(environment).await?);
    Ok(Ending::Done)
}

pub(super) async fn show(
    environment: &Environment,
    revisions: &[String],
    screen: &Screen,
) -> Result<Ending, Failure> {
    lists::show(screen, &command::show(environment, &targets(revisions)?).await?);
    Ok(Ending::Done)
}

pub(super) fn heads(
    environment: &Environment,
    resolve_dependencies: bool,
    screen: &Screen,
) -> Result<Ending, Failure> {
    lists::heads(screen, &command::heads(environment, resolve_dependencies)?);
    Ok(Ending::Done)
}

/// Says of each two heads whether it matters which is applied first.
pub(super) async fn check_heads(environment: &Environment, screen: &Screen) -> Result<Ending, Failure> {
    let stop = CancellationToken::new();
    let signals = Signals::listen(&stop);
    let pairs = signals.told(command::collisions(environment, &stop).await)?;
    lists::branch_pairs(screen, &pairs);
    match pairs.is_empty() {
        true => Ok(Ending::Done),
        false => Ok(Ending::CheckSaysNo),
    }
}

pub(super) fn branches(environment: &Environment, screen: &Screen) -> Result<Ending, Failure> {
    lists::branches(screen, &command::branches(environment)?);
    Ok(Ending::Done)
}

pub(super) async fn plan(
    environment: &Environment,
    target: &str,
    through: Stage,
    screen: &Screen,
) -> Result<Ending, Failure> {
    let answer = command::plan(environment, &target.parse()?, through).await?;
    reports::plan(screen, &answer);
    if answer.in_use.is_empty() && answer.unknown.is_empty() && !survey::is_refused(&answer) {
        Ok(Ending::Done)
    } else {
        Ok(Ending::CheckSaysNo)
    }
}

pub(super) async fn status(environment: &Environment, screen: &Screen) -> Result<Ending, Failure> {
    reports::status(screen, &command::status(environment).await?);
    Ok(Ending::Done)
}
