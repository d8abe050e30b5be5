//! `downgrade` and SeaORM's `down`: undo what is applied, after saying what would be lost.

use std::collections::{HashMap, HashSet};

use super::state::State;
use super::upgrade::close;
use super::{CommandError, Conduct, Outcome, Project, Stakes};
use crate::environment::Environment;
use crate::graph::{Note, Plan, Step, Target};
use crate::ledger::Kind;
use crate::revision::{Direction, RevisionId};
use crate::session::{Session, dialect_of};
use crate::sql::Dialect;

/// Undoes everything above a target.
///
/// Revisions that were applied out of order are undone in the true reverse order.
///
/// # Errors
///
/// Fails when the target makes no sense, a living process cannot do without what goes, what would be lost is not given up, the
/// lock is not obtained, or a step fails; steps
/// that were undone before stay undone.
pub async fn downgrade(
    environment: &Environment,
    target: &Target,
    conduct: &Conduct<'_>,
) -> Result<Outcome, CommandError> {
    let project = Project::of(environment)?;
    let doing = format!("downgrade {target}");
    project
        .undo(&doing, conduct, |state| project.plan_down(state, target))
        .await
}

/// Undoes the last `steps` applied revisions, or all of them; fewer are no error, as with SeaORM's `down -n`.
///
/// # Errors
///
/// As for [`downgrade`].
pub async fn down(
    environment: &Environment,
    steps: Option<usize>,
    conduct: &Conduct<'_>,
) -> Result<Outcome, CommandError> {
    let project = Project::of(environment)?;
    let plan = |state: &State| {
        let mut plan = project.plan_down(state, &Target::base())?;
        plan.steps.truncate(steps.unwrap_or(usize::MAX));
        Ok(plan)
    };
    project.undo("down", conduct, plan).await
}

impl Project<'_> {
    /// Plans without the lock, asks about what would be lost, and runs the same plan under the lock.
    pub(super) async fn undo(
        &self,
        doing: &str,
        conduct: &Conduct<'_>,
        plan: impl Fn(&State) -> Result<Plan, CommandError>,
    ) -> Result<Outcome, CommandError> {
        let reader = conduct.unless_stopped(self.reader()).await?;
        let state = self.state(reader.as_ref()).await?;
        state.refuse_unknown()?;
        let intended = plan(&state)?;
        let (Some(session), false) = (&reader, intended.is_empty()) else {
            close(reader).await;
            return Ok(self.nothing(&intended, &state, Vec::new(), false));
        };
        let dialect = dialect_of(session.backend());
        self.record_plan(&intended, dialect, &self.known_live(dialect)?)
            .await;
        self.refuse_irreversible(&intended, dialect_of(session.backend()))
            .await?;
        self.heed_the_living(session, &intended, &state, conduct).await?;
        self.refuse_vain_acceptances(&intended)?;
        self.heed_hazards(session, &intended, &state).await?;
        let losses = self.losses(&intended, dialect_of(session.backend())).await;
        let mut stakes = Stakes::count(session, losses).await?;
        stakes.other_branches = taken_along(&intended);
        if !stakes.is_nothing() && !(conduct.consent)(&stakes) {
            return Err(CommandError::Refused {
                stakes: Box::new(stakes),
            });
        }
        let locked = self.lock(session, doing, conduct).await?;
        let result = async {
            let state = self.state(Some(session)).await?;
            let now = plan(&state)?;
            if now.steps != intended.steps {
                if now.is_empty() {
                    return Ok(self.nothing(&now, &state, Vec::new(), true));
                }
                // Consent was given for something else; where there was nothing to ask, there is nothing to break.
                if !stakes.is_nothing() || !self.is_part(&now, &intended) {
                    return Err(CommandError::ChangedMeanwhile);
                }
            }
            self.refuse_more_at_stake(session, &now, &stakes).await?;
            self.run(
                &locked,
                Kind::Downgrade,
                &now,
                &state,
                (&stakes, Vec::new()),
                conduct,
            )
            .await
        };
        let result = result.await;
        locked.release().await;
        close(reader).await;
        result
    }

    /// Refuses a plan that would destroy by now what nobody was asked about, while the lock was waited for.
    async fn refuse_more_at_stake(
        &self,
        session: &Session,
        plan: &Plan,
        agreed: &Stakes,
    ) -> Result<(), CommandError> {
        let dialect = dialect_of(session.backend());
        let mut is_answered = false;
        for step in &plan.steps {
            is_answered |= self.script_of(step, dialect).await.depends_on_database;
        }
        if is_answered {
            self.forget_recordings(&plan.steps, dialect).await;
            self.record_plan(plan, dialect, &self.known_live(dialect)?).await;
        }
        let losses = self.losses(plan, dialect).await;
        Stakes::count(session, losses).await?.refuse_more_than(agreed)
    }

    /// Refuses a plan with a revision that has no way back, before anything of it is undone.
    async fn refuse_irreversible(&self, plan: &Plan, dialect: Dialect) -> Result<(), CommandError> {
        for step in &plan.steps {
            if let Some(reason) = self.script_of(step, dialect).await.irreversible.clone() {
                return Err(CommandError::CannotBeUndone {
                    revision: step.revision.clone(),
                    reason,
                });
            }
        }
        Ok(())
    }

    /// Returns what a target means for a database, in the true reverse order of application.
    pub(super) fn plan_down(&self, state: &State, target: &Target) -> Result<Plan, CommandError> {
        let mut plan = self.graph.downgrade(&state.applied, target)?;
        if !self.is_out_of_order(state) {
            return Ok(plan);
        }
        let places: HashMap<&RevisionId, usize> = state
            .order
            .iter()
            .enumerate()
            .map(|(place, revision)| (revision, place))
            .collect();
        match steps_back(target) {
            Some(steps) => {
                let newest = state.order.iter().rev().take(steps);
                plan.steps = newest
                    .map(|revision| Step {
                        revision: revision.clone(),
                        direction: Direction::Down,
                    })
                    .collect();
            }
            None => plan
                .steps
                .sort_by_key(|step| std::cmp::Reverse(places.get(&step.revision).copied())),
        }
        Ok(plan)
    }

    /// Returns whether a revision was applied after one that builds on it.
    fn is_out_of_order(&self, state: &State) -> bool {
        let mut seen = HashSet::new();
        for id in &state.order {
            let header = self
                .graph
                .header(id)
                .expect("the state holds revisions of its graph");
            let late = header
                .revises
                .iter()
                .any(|parent| !seen.contains(parent) && state.applied.contains(&self.graph, parent));
            if late {
                return true;
            }
            seen.insert(id);
        }
        false
    }

    fn is_part(&self, plan: &Plan, of: &Plan) -> bool {
        plan.steps.iter().all(|step| of.steps.contains(step))
    }
}

/// Returns the revisions of other branches that a plan undoes.
fn taken_along(plan: &Plan) -> Vec<RevisionId> {
    let taken = plan.notes.iter().filter_map(|note| match note {
        Note::TakesAlong { revisions, .. } => Some(revisions.clone()),
        _ => None,
    });
    taken.flatten().collect()
}

/// Returns N for the target `-N`, which counts applied revisions whatever the graph says.
fn steps_back(target: &Target) -> Option<usize> {
    target.as_str().strip_prefix('-')?.parse().ok()
}
