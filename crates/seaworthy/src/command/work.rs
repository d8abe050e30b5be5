//! From a plan to the work of the runner: what each step sends, and how it is run.

use super::state::{State, UnfinishedStep};
use super::{Changed, CommandError, Project, Stakes};
use crate::graph::{Plan, Step};
use crate::ledger::Outcome;
use crate::lint::{accepts_loss, accepts_unknown, holds_blocking_lock, validates};
use crate::revision::{Direction, Header, Revision, Stage};
use crate::runner::{Foreseen, Manner, Part, Parts, Work};
use crate::script::{Losses, Script, record};
use crate::session::{Patience, backend_of};
use crate::sql::{Dialect, Statement};
use facts::PartText;
use watch::Watch;

mod facts;
mod watch;

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
        agreed: &Stakes,
        dialect: Dialect,
    ) -> Result<Vec<Work<'_>>, CommandError> {
        let mut work = Vec::with_capacity(plan.steps.len());
        let mut watch = Watch::new(agreed, dialect);
        for step in &plan.steps {
            let (header, revision) = self.resolve(step);
            let script = self.script_of(step, dialect).await;
            if script.transaction
                && let Some(statement) = facts::transaction_control(&script)
            {
                return Err(CommandError::TransactionControl {
                    revision: header.id.clone(),
                    statement,
                });
            }
            let declared = self.declared_for(header, step.direction);
            let begun = state.begun(&header.id, step.direction);
            let was_asked = begun.is_some_and(|step| !step.was_refused);
            let is_accepted = |statement: &Statement| was_asked || accepts_loss(statement, &declared);
            let is_given_up = self.is_given_up(step, &script);
            let mut foresee = |statements: &[Statement]| {
                // What the run has put in is nobody else's.
                if state.owns_rows {
                    return None;
                }
                let foreseen = watch.next(statements, facts::is_known(&script), is_accepted);
                foreseen.filter(|_| !is_given_up)
            };
            let foreseen = match script.transaction {
                true => foresee(&script.statements),
                false => None,
            };
            let manner = manner(
                &script,
                revision,
                (header, step.direction),
                dialect,
                begun,
                foresee,
            )?;
            work.push(Work {
                revision,
                header,
                direction: step.direction,
                checksum: script.checksum(),
                holds_up: dialect == Dialect::Postgresql
                    && script.transaction
                    && holds_blocking_lock(&script.statements),
                accepted: self.accepted(header, step.direction, &script),
                is_known: facts::is_known(&script),
                foreseen,
                changes_connection: facts::changes_connection(&script, dialect),
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

    /// Returns what the steps of an upgrade would destroy that nobody has taken knowingly: what a contract removes was decided when
    /// it was called one, other revisions accept it statement by statement, and a step that died on its way was asked about when it
    /// began, unless it ended because somebody did not agree.
    pub(super) async fn losses_upwards(&self, plan: &Plan, state: &State, dialect: Dialect) -> Losses {
        let mut losses = Losses::default();
        for (index, step) in plan.steps.iter().enumerate() {
            let (header, revision) = self.resolve(step);
            let declared = self.declared_for(header, step.direction);
            let is_contract = header.stage == Stage::Contract;
            let script = self.script_of(step, dialect).await;
            let begun = state.begun(&step.revision, step.direction);
            let has_backfills = !revision.backfills().is_empty();
            if begun.is_some_and(|step| !step.was_refused) {
                continue;
            }
            let done = begun.map_or(0, |step| facts::statements_done(&script, step, dialect));
            losses.add_rest(&script, done, |statement| {
                is_contract || accepts_loss(statement, &declared)
            });
            // In a transaction the database is asked what is lost before the commit; otherwise nobody asks later.
            let is_asked_now = !script.transaction && !is_known_later(&script, index);
            if is_asked_now && !has_backfills && !self.is_given_up(step, &script) {
                losses.add_hidden(&script);
            }
        }
        losses
    }

    /// Returns whether somebody has taken knowingly what a step destroys that is not known beforehand: what a contract removes was
    /// decided when it was called one.
    fn is_given_up(&self, step: &Step, script: &Script) -> bool {
        let (header, _) = self.resolve(step);
        let declared = self.declared_for(header, step.direction);
        let is_accepted = |reason: &str| accepts_unknown(reason, &declared);
        let is_contract = header.stage == Stage::Contract && step.direction == Direction::Up;
        is_contract || script.may_hide().is_some_and(is_accepted)
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
            let script = self.recorded(revision, Direction::Up, dialect).await;
            let now = script.checksum();
            // What a revision asks is answered otherwise now that it is applied.
            if now.as_ref() == Some(then) || !script.reads.is_empty() {
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

/// Returns whether a step of a plan is recorded again when those before it have run, since what it asks cannot be answered earlier.
pub(super) fn is_known_later(script: &Script, index: usize) -> bool {
    index > 0 && script.incomplete.is_some() && !script.reads.is_empty()
}

fn manner(
    script: &Script,
    revision: &dyn Revision,
    (header, direction): (&Header, Direction),
    dialect: Dialect,
    begun: Option<&UnfinishedStep>,
    mut foresee: impl FnMut(&[Statement]) -> Option<Foreseen>,
) -> Result<Manner, CommandError> {
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
        return Ok(Manner::Transaction(facts::foreign_keys(script, dialect)));
    }
    if !facts::is_known(script) {
        return Ok(Manner::Opaque {
            is_begun: begun.is_some(),
            keys: facts::foreign_keys_of_opaque(script, dialect),
        });
    }
    let parts: Vec<Part> = facts::parts(script, dialect)
        .into_iter()
        .map(|part| {
            let PartText {
                sql,
                statements,
                checksum,
            } = part;
            let foreseen = foresee(&statements);
            let fits_transaction = facts::fits_transaction(&statements, dialect);
            let mut facts = statements.iter().map(Statement::facts);
            Part {
                patience: patience(&statements),
                builds_index: facts.find_map(|facts| facts.builds_concurrently),
                sets_session: facts::sets_session(&statements),
                keys: facts::foreign_keys_of_part(&statements, dialect),
                fits_transaction,
                // What is not in a transaction cannot be put back.
                foreseen: foreseen.filter(|_| fits_transaction),
                sql,
                checksum,
            }
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
