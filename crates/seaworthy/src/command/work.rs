//! From a plan to the work of the runner: what each step sends, and how it is run.

use super::state::State;
use super::{Changed, CommandError, Project};
use crate::graph::{Plan, Step};
use crate::ledger::Outcome;
use crate::lint::{holds_blocking_lock, validates};
use crate::revision::{Direction, Header, Revision};
use crate::runner::{ForeignKeys, Manner, Part, Parts, Work};
use crate::script::{Losses, Script, checksum, record};
use crate::session::{Patience, backend_of};
use crate::sql::{Dialect, Statement, read};

impl Project<'_> {
    /// Returns the header and the code of a step's revision.
    pub(super) fn resolve(&self, step: &Step) -> (&Header, &dyn Revision) {
        let header = self
            .graph
            .header(&step.revision)
            .expect("a plan holds revisions of its graph");
        let revision = self
            .environment
            .revision(&header.name)
            .expect("the graph was built from the environment");
        (header, revision)
    }

    /// Decides how each step of a plan is run.
    pub(super) async fn work(
        &self,
        plan: &Plan,
        state: &State,
        dialect: Dialect,
    ) -> Result<Vec<Work<'_>>, CommandError> {
        let mut work = Vec::with_capacity(plan.steps.len());
        for step in &plan.steps {
            let (header, revision) = self.resolve(step);
            let script = self.script_of(step, dialect).await;
            let manner = manner(&script, revision, header, step.direction, dialect, state)?;
            work.push(Work {
                revision,
                header,
                direction: step.direction,
                checksum: script.checksum(),
                holds_up: dialect == Dialect::Postgresql
                    && script.transaction
                    && holds_blocking_lock(&script.statements),
                accepted: self.accepted(header, step.direction, &script),
                manner,
            });
        }
        Ok(work)
    }

    /// Returns what the steps of a plan would destroy.
    pub(super) async fn losses(&self, plan: &Plan, dialect: Dialect) -> Losses {
        let mut losses = Losses::default();
        for step in &plan.steps {
            losses.add(&*self.script_of(step, dialect).await);
        }
        losses
    }

    /// Returns the applied revisions whose SQL is not what it was when they were applied.
    pub(super) async fn changed(&self, state: &State, dialect: Dialect) -> Vec<Changed> {
        let mut changed = Vec::new();
        for id in &state.order {
            let header = self
                .graph
                .header(id)
                .expect("the state holds revisions of its graph");
            let Some(entry) = state.records.latest.get(&header.name) else {
                continue;
            };
            let Some(then) = &entry.checksum else { continue };
            if entry.outcome != Outcome::Done || entry.direction != Direction::Up {
                continue;
            }
            let Some(revision) = self.environment.revision(&header.name) else {
                continue;
            };
            let now = self.recorded(revision, Direction::Up, dialect).await.checksum();
            if now.as_ref() == Some(then) {
                continue;
            }
            // A revision that makes up values as it runs, ids or times, never sends the same twice, and was not changed.
            let again = record(revision, Direction::Up, backend_of(dialect))
                .await
                .checksum();
            if now == again {
                changed.push(Changed::new(header, entry));
            }
        }
        changed
    }
}

fn manner(
    script: &Script,
    revision: &dyn Revision,
    header: &Header,
    direction: Direction,
    dialect: Dialect,
    state: &State,
) -> Result<Manner, CommandError> {
    let begun = state
        .unfinished
        .iter()
        .find(|step| step.revision == header.id && step.direction == direction);
    let backfills = revision.backfills();
    if direction == Direction::Up && !backfills.is_empty() {
        return match &script.incomplete {
            Some(reason) => Err(CommandError::BadBackfill {
                revision: header.id.clone(),
                reason: reason.clone(),
            }),
            None => Ok(Manner::Backfills {
                all: backfills,
                is_stale: begun.is_some_and(|step| step.is_stale),
            }),
        };
    }
    if script.transaction {
        let keys = if script.switches_foreign_keys_off() {
            ForeignKeys::Checked
        } else {
            ForeignKeys::Enforced
        };
        return Ok(Manner::Transaction(keys));
    }
    if script.incomplete.is_some() || !script.reads.is_empty() || !script.portable.is_empty() {
        return Ok(Manner::Opaque {
            is_begun: begun.is_some(),
        });
    }
    let statements = script.parts();
    let parts: Vec<Part> = statements
        .iter()
        .enumerate()
        .map(|(index, sql)| {
            let read = read(sql, dialect);
            Part {
                sql: sql.clone(),
                checksum: checksum(&statements[..=index]),
                patience: patience(&read),
                builds_index: read
                    .iter()
                    .find_map(|statement| statement.facts().builds_concurrently),
            }
        })
        .collect();
    // Nothing of a stale step counts as done; what is there all the same is recognised when it is done again.
    let done = begun.map_or(0, |step| if step.is_stale { 0 } else { step.parts_done });
    if let Some(step) = begun.filter(|step| step.parts_done > 0 && !step.is_stale) {
        let ran = parts.get(step.parts_done - 1).map(|part| &part.checksum);
        if ran != step.checksum.as_ref() {
            return Err(CommandError::ChangedWhileUnfinished {
                step: Box::new(step.clone()),
            });
        }
    }
    Ok(Manner::Parts(Parts {
        all: parts,
        done,
        begun: begun.map(|step| step.parts_done),
    }))
}

/// Returns how long what is sent outside of a transaction may take.
fn patience(statements: &[Statement]) -> Patience {
    let is_concurrent = |statement: &Statement| statement.facts().needs_no_transaction;
    if !statements.is_empty() && statements.iter().all(is_concurrent) {
        return Patience::Unlimited;
    }
    if holds_blocking_lock(statements) {
        return Patience::LimitedHold;
    }
    if statements.iter().any(validates) {
        return Patience::LimitedWait;
    }
    Patience::Limited
}
