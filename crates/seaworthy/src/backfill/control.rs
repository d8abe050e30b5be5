//! What people may ask of a backfill, running or not: where it stands, to pause, to go on, to go slower.

use std::time::Duration;

use sea_orm::sea_query::Expr;
use sea_orm::{ConnectionTrait, DbErr};

use super::{BackfillError, Standing, State, sql};
use crate::session::Fault;

/// How fast a backfill goes; what is absent stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Throttle {
    /// How long it rests after a batch, as a part of the time that the batch took.
    pub rest: Option<f64>,
    /// How far a replica may be behind before it waits.
    pub max_lag: Option<Duration>,
}

/// Returns where each backfill stands, oldest first; creates nothing.
///
/// # Errors
///
/// Fails when the table exists and cannot be read.
pub async fn known(connection: &impl ConnectionTrait) -> Result<Vec<Standing>, DbErr> {
    match Standing::read(connection, None).await {
        Err(error) if Fault::of(&error) == Fault::UndefinedTable => Ok(Vec::new()),
        other => other,
    }
}

/// Lets a backfill rest from its next batch on.
///
/// # Errors
///
/// Fails when there is no such backfill.
pub async fn pause(connection: &impl ConnectionTrait, name: &str) -> Result<Standing, BackfillError> {
    change(connection, name, &[("is_paused", Expr::val(1))]).await
}

/// Lets a backfill go on.
///
/// # Errors
///
/// Fails when there is no such backfill.
pub async fn resume(connection: &impl ConnectionTrait, name: &str) -> Result<Standing, BackfillError> {
    change(connection, name, &[("is_paused", Expr::val(0))]).await
}

/// Makes a backfill go slower or faster, from its next batch on.
///
/// # Errors
///
/// Fails when there is no such backfill.
pub async fn throttle(
    connection: &impl ConnectionTrait,
    name: &str,
    throttle: Throttle,
) -> Result<Standing, BackfillError> {
    let rest = throttle
        .rest
        .map(|rest| ("rest", Expr::val(rest.clamp(0.0, 100.0))));
    let lag = throttle.max_lag.map(|lag| {
        let lag = i64::try_from(lag.as_millis()).unwrap_or(i64::MAX);
        ("max_lag_ms", Expr::val(lag))
    });
    let values: Vec<(&'static str, Expr)> = rest.into_iter().chain(lag).collect();
    change(connection, name, &values).await
}

/// Fails unless a backfill is finished and verified.
///
/// What removes what it replaced begins with this, under SeaORM's own runner; under this tool's the header says
/// `requires_backfill`.
///
/// # Errors
///
/// Fails with [`BackfillError::Unfinished`], or when the table cannot be read.
pub async fn require(connection: &impl ConnectionTrait, name: &str) -> Result<(), BackfillError> {
    let all = known(connection).await.map_err(BackfillError::of(name))?;
    let state = match all.iter().find(|standing| standing.name == name) {
        Some(standing) if standing.state == State::Verified => return Ok(()),
        Some(standing) if standing.state == State::Finished => {
            "it has been everywhere, but is not verified".to_owned()
        }
        Some(standing) => format!("it has passed {} of about {} rows", standing.seen, standing.total),
        None => "it was never begun".to_owned(),
    };
    let name = name.to_owned();
    Err(BackfillError::Unfinished { name, state })
}

async fn change(
    connection: &impl ConnectionTrait,
    name: &str,
    values: &[(&'static str, Expr)],
) -> Result<Standing, BackfillError> {
    let failed = BackfillError::of(name);
    let is_known = |all: &[Standing]| all.iter().any(|standing| standing.name == name);
    let all = known(connection).await.map_err(failed)?;
    if is_known(&all) && !values.is_empty() {
        let sql = sql::control(connection.get_database_backend(), name, values);
        connection.execute_unprepared(&sql).await.map_err(failed)?;
    }
    let mut all = known(connection).await.map_err(failed)?;
    match all.iter().position(|standing| standing.name == name) {
        Some(index) => Ok(all.swap_remove(index)),
        None => Err(BackfillError::Unknown {
            name: name.to_owned(),
            known: all.into_iter().map(|standing| standing.name).collect(),
        }),
    }
}

pub(super) fn listed(known: &[String]) -> String {
    match known {
        [] => "none was begun on this database".to_owned(),
        names => format!("there are {}", names.join(", ")),
    }
}
