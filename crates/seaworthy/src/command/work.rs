//! From a plan to the work of the runner: what each step sends, and how it is run.

use sea_orm::DbBackend;

use super::lint::text;
use super::state::{State, UnfinishedStep};
use super::{Changed, CommandError, Project};
use crate::graph::{Plan, Step};
use crate::ledger::Outcome;
use crate::lint::holds_blocking_lock;
use crate::revision::{Direction, Header, Revision};
use crate::runner::{Manner, Part, Parts, Work};
use crate::script::{Losses, Script, builds_concurrently, record};
use crate::session::Patience;
use facts::PartText;

mod facts;
mod statement;

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
        backend: DbBackend,
    ) -> Result<Vec<Work<'_>>, CommandError> {
        let mut work = Vec::with_capacity(plan.steps.len());
        for step in &plan.steps {
            let (header, revision) = self.resolve(step);
            let script = record(revision, step.direction, backend).await;
            if script.transaction
                && let Some(statement) = facts::transaction_control(&script, backend)
            {
                return Err(CommandError::TransactionControl {
                    revision: header.id.clone(),
                    statement,
                });
            }
            let manner = manner(&script, revision, header, step.direction, state, backend)?;
            let checksum = stable_checksum(revision, step.direction, backend, &script).await;
            work.push(Work {
                revision,
                header,
                direction: step.direction,
                checksum,
                holds_up: backend == DbBackend::Postgres
                    && script.transaction
                    && holds_blocking_lock(&text(&script)),
                accepted: self.accepted(header, step.direction, &script),
                is_known: facts::is_known(&script),
                changes_connection: facts::changes_connection(&script, backend),
                manner,
            });
        }
        Ok(work)
    }

    /// Returns what the steps of a plan would destroy.
    pub(super) async fn losses(&self, plan: &Plan, backend: DbBackend) -> Losses {
        let mut losses = Losses::default();
        for step in &plan.steps {
            let (_, revision) = self.resolve(step);
            losses.add(&record(revision, step.direction, backend).await, backend);
        }
        losses
    }

    /// Returns the applied revisions whose SQL is not what it was when they were applied.
    pub(super) async fn changed(&self, state: &State, backend: DbBackend) -> Vec<Changed> {
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
            let now = record(revision, Direction::Up, backend).await.checksum();
            if now.as_ref() != Some(then) {
                changed.push(Changed::new(header, entry));
            }
        }
        changed
    }
}

/// Returns the checksum to keep, or nothing when two recordings differ: the revision makes up ids or times as it runs.
async fn stable_checksum(
    revision: &dyn Revision,
    direction: Direction,
    backend: DbBackend,
    script: &Script,
) -> Option<String> {
    let first = script.checksum()?;
    let second = record(revision, direction, backend).await.checksum()?;
    (first == second).then_some(first)
}

fn manner(
    script: &Script,
    revision: &dyn Revision,
    header: &Header,
    direction: Direction,
    state: &State,
    backend: DbBackend,
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
        return Ok(Manner::Transaction(facts::foreign_keys(script, backend)));
    }
    if !facts::is_known(script) {
        return Ok(Manner::Opaque {
            is_begun: begun.is_some(),
            keys: facts::foreign_keys_of_opaque(script, backend),
        });
    }
    let parts: Vec<Part> = facts::parts(script, backend)
        .into_iter()
        .map(|PartText { sql, checksum }| Part {
            patience: patience(&sql),
            builds_index: builds_concurrently(&sql),
            sets_session: facts::sets_session(&sql, backend),
            keys: facts::foreign_keys_of_part(&sql, backend),
            fits_transaction: facts::fits_transaction(&sql, backend),
            sql,
            checksum,
        })
        .collect();
    // Nothing of a stale step counts as done; what is there all the same is recognised when it is done again.
    let done = match begun.filter(|step| step.parts_done > 0 && !step.is_stale) {
        None => 0,
        Some(step) => done_parts(&parts, step).ok_or_else(|| CommandError::ChangedWhileUnfinished {
            step: Box::new(step.clone()),
        })?,
    };
    Ok(Manner::Parts(Parts {
        all: parts,
        done,
        begun: begun.map(|step| step.parts_done),
    }))
}

/// Returns how many parts an earlier run has got through, or nothing where they are not these.
///
/// Older versions counted a string of several statements as one part; what they got through is found by its checksum.
fn done_parts(parts: &[Part], step: &UnfinishedStep) -> Option<usize> {
    let checksum = step.checksum.as_ref()?;
    let has_checksum = |part: &Part| part.checksum == *checksum;
    if parts.get(step.parts_done - 1).is_some_and(has_checksum) {
        return Some(step.parts_done);
    }
    parts.iter().position(has_checksum).map(|last| last + 1)
}

/// Returns how long a statement outside of a transaction may take.
fn patience(sql: &str) -> Patience {
    let words = sql.to_ascii_uppercase();
    if words.contains(" CONCURRENTLY ") {
        return Patience::Unlimited;
    }
    if holds_blocking_lock(sql) {
        return Patience::LimitedHold;
    }
    if words.contains(" VALIDATE CONSTRAINT ") {
        return Patience::LimitedWait;
    }
    Patience::Limited
}
