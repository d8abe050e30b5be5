//! What only the live database knows about a plan: how large the tables are, who would be waited for, what is left of builds that
//! failed. Nothing is changed.

use std::collections::BTreeSet;

use sea_orm::DbBackend;
use serde::Serialize;

use super::gate::{JudgedHazard, server_of};
use super::state::State;
use super::{CommandError, Project};
use crate::graph::Plan;
use crate::lint::{Context, Effect, Hazard, Surrounding, Work, effects};
use crate::revision::Direction;
use crate::session::{Involved, Session, TableWeight};

/// How many old transactions are worth naming.
const OLDEST: u32 = 5;

/// What the live database says about a plan.
#[derive(Clone, Debug, Serialize)]
pub struct Survey {
    /// The tables that the plan touches and that are there, with their sizes.
    pub tables: Vec<TableWeight>,
    /// The oldest transactions, oldest first: a lock on what they have used is waited for, and every concurrent build waits
    /// for all of them.
    pub oldest_transactions: Vec<Involved>,
    /// Whether a pooler in between shares server connections among sessions; a run would refuse.
    pub is_pooled: bool,
    /// Indexes that are INVALID: left from builds that failed, maintained but never used.
    pub invalid_indexes: Vec<String>,
    /// What each step does, in the order of the plan.
    pub steps: Vec<StepSurvey>,
}

/// What a step would do on the live database.
#[derive(Clone, Debug, Serialize)]
pub struct StepSurvey {
    /// What its statements lock, scan, build and copy.
    pub effects: Vec<EffectSurvey>,
    /// About how long readers or writers of one table would be held up at most, in milliseconds.
    pub hold_ms: i64,
    /// Its hazards, and what they come to.
    pub hazards: Vec<JudgedHazard>,
}

/// What a statement would do on the live database.
#[derive(Clone, Debug, Serialize)]
pub struct EffectSurvey {
    /// The statement with its locks and its work.
    #[serde(flatten)]
    pub effect: Effect,
    /// About how long its work takes, in milliseconds.
    pub work_ms: i64,
}

impl Project<'_> {
    /// Looks at what a plan meets in the live database.
    pub(super) async fn survey(
        &self,
        session: &Session,
        plan: &Plan,
        state: &State,
    ) -> Result<Option<Survey>, CommandError> {
        if session.backend() != DbBackend::Postgres || plan.is_empty() {
            return Ok(None);
        }
        let failed = |source: sea_orm::DbErr| CommandError::Query {
            action: "look at what the plan would meet",
            source: source.into(),
        };
        let weights = session.weights().await.map_err(failed)?;
        let server = server_of(session).await?;
        let judged = self.judged(plan, state, &weights, server).await;
        let mut steps = Vec::with_capacity(plan.steps.len());
        // What the plan itself makes is nobody's yet: it must not be counted as a table with traffic.
        let mut made = Context::default().on(server);
        for (step, hazards) in plan.steps.iter().zip(judged) {
            let script = self.script_of(step, server.dialect()).await;
            let surrounding = match script.transaction {
                true => Surrounding::Transaction,
                false => Surrounding::Nothing,
            };
            let context = made.clone().surrounded_by(surrounding);
            let found: Vec<Hazard> = hazards.iter().map(|judged| judged.hazard.clone()).collect();
            let effects = effects(&script.statements, &context, &found);
            steps.push(step_survey(effects, hazards, &weights));
            if step.direction == Direction::Up {
                made = made.after(&script.statements);
            }
        }
        let touched: BTreeSet<&str> = steps
            .iter()
            .flat_map(|step| &step.effects)
            .flat_map(|survey| &survey.effect.locks)
            .map(|lock| lock.table.as_str())
            .collect();
        let tables: Vec<TableWeight> = weights
            .iter()
            .filter(|weight| touched.contains(weight.table.as_str()))
            .cloned()
            .collect();
        Ok(Some(Survey {
            oldest_transactions: session.oldest_transactions(OLDEST).await.map_err(failed)?,
            is_pooled: session.is_pooled().await?,
            invalid_indexes: session.invalid_indexes().await.map_err(failed)?,
            tables,
            steps,
        }))
    }
}

fn step_survey(effects: Vec<Effect>, hazards: Vec<JudgedHazard>, weights: &[TableWeight]) -> StepSurvey {
    let is_there = |table: &str| weights.iter().any(|weight| weight.table == table);
    let effects: Vec<EffectSurvey> = effects
        .into_iter()
        .map(|mut effect| {
            // A table that an earlier step of the plan makes is not there yet.
            effect.locks.retain(|lock| is_there(&lock.table));
            let largest = effect
                .locks
                .iter()
                .filter_map(|lock| weights.iter().find(|weight| weight.table == lock.table))
                .max_by_key(|weight| weight.rows);
            let work_ms = effect
                .work
                .zip(largest)
                .map_or(0, |(work, weight)| estimate(work, weight));
            EffectSurvey { effect, work_ms }
        })
        .filter(|survey| !survey.effect.locks.is_empty())
        .collect();
    StepSurvey {
        hold_ms: hold(&effects),
        effects,
        hazards,
    }
}

/// Returns about how long work on a table takes, in milliseconds.
///
/// From measurements on two shared cores with a million rows that fit into memory; good for an order of magnitude. Larger
/// tables than memory take longer.
fn estimate(work: Work, weight: &TableWeight) -> i64 {
    let microseconds_a_thousand_rows = match work {
        Work::Scan => 400,
        Work::Build => 2_000,
        Work::Rewrite => 5_000,
        Work::Rows => 22_000,
    };
    weight.rows.saturating_mul(microseconds_a_thousand_rows) / 1_000_000
}

/// Returns how long a lock that somebody waits for would be held: from the statement that takes it to the end of its
/// transaction.
fn hold(effects: &[EffectSurvey]) -> i64 {
    let blocks = |survey: &EffectSurvey| survey.effect.locks.iter().any(|lock| lock.blocks);
    let in_transaction = effects.iter().filter(|survey| survey.effect.in_transaction);
    let together: i64 = in_transaction
        .skip_while(|survey| !blocks(survey))
        .map(|survey| survey.work_ms)
        .sum();
    let alone = effects
        .iter()
        .filter(|survey| !survey.effect.in_transaction && blocks(survey))
        .map(|survey| survey.work_ms);
    alone.max().unwrap_or_default().max(together)
}
