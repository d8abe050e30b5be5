//! `upgrade` and SeaORM's `up`: apply what is missing.

use super::adopt::{ALEMBIC_TABLE, alembic_rows};
use super::living::living;
use super::stakes::has_tables;
use super::state::State;
use super::work::is_known_later;
use super::{Changed, CommandError, Conduct, Outcome, Project, Stakes};
use crate::environment::Environment;
use crate::graph::{Applied, Plan, Step, Target};
use crate::ledger::Kind;
use crate::revision::Direction;
use crate::session::{Locked, Session, dialect_of};
use crate::sql::Dialect;

/// What to do with revisions that are older than applied ones and not applied themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutOfOrder {
    /// They were merged too late for this database: refuse until somebody says that they may run.
    Refuse,
    /// Run them.
    Allow,
}

/// Whether a run compares what was applied with what the revisions send now, for which all of them are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compared {
    /// It does, and says which were changed.
    Applied,
    /// It does not: the same code has applied them just before.
    Nothing,
}

/// Applies everything up to a target.
///
/// # Errors
///
/// Fails when the target makes no sense, the database is at revisions that are not known, older revisions were left out, a
/// living process still wants what a step removes, a step has hazards that nobody has accepted or destroys what nobody gives up, the
/// lock is not obtained, or a step fails; steps that were done before stay done.
pub async fn upgrade(
    environment: &Environment,
    target: &Target,
    out_of_order: OutOfOrder,
    conduct: &Conduct<'_>,
) -> Result<Outcome, CommandError> {
    let project = Project::of(environment)?;
    let doing = format!("upgrade {target}");
    project
        .apply(&doing, out_of_order, Compared::Applied, conduct, |applied| {
            let plan = project.graph.upgrade(applied, target)?;
            Ok(project.graph.through(plan, conduct.through))
        })
        .await
}

/// Applies the next `steps` pending revisions, or all of them; fewer are no error, as with SeaORM's `up -n`.
///
/// # Errors
///
/// As for [`upgrade`].
pub async fn up(
    environment: &Environment,
    steps: Option<usize>,
    out_of_order: OutOfOrder,
    conduct: &Conduct<'_>,
) -> Result<Outcome, CommandError> {
    let project = Project::of(environment)?;
    let plan = |applied: &Applied| {
        let plan = project.graph.upgrade(applied, &Target::heads())?;
        let mut plan = project.graph.through(plan, conduct.through);
        plan.steps.truncate(steps.unwrap_or(usize::MAX));
        Ok(plan)
    };
    project
        .apply("up", out_of_order, Compared::Applied, conduct, plan)
        .await
}

impl Project<'_> {
    /// Plans without the lock, and again under it when there is something to do.
    pub(super) async fn apply(
        &self,
        doing: &str,
        out_of_order: OutOfOrder,
        compared: Compared,
        conduct: &Conduct<'_>,
        plan: impl Fn(&Applied) -> Result<Plan, CommandError>,
    ) -> Result<Outcome, CommandError> {
        // A target that makes no sense must not leave an empty database file behind.
        let reader = conduct.unless_stopped(self.reader()).await?;
        let state = self.state(reader.as_ref()).await?;
        let first = self.checked(&plan, &state, out_of_order)?;
        let dialect = dialect_of(self.url()?.backend());
        let changed = match compared {
            Compared::Applied => self.changed(&state, dialect).await,
            Compared::Nothing => Vec::new(),
        };
        if first.is_empty() {
            close(reader).await;
            return Ok(self.nothing(&first, &state, changed, false));
        }
        // Where our ledger was never made, Alembic's may be the one that counts.
        if let Some(session) = reader
            .as_ref()
            .filter(|_| state.order.is_empty() && !state.records.installed)
        {
            let alembic = alembic_rows(session, ALEMBIC_TABLE).await?;
            if !alembic.is_empty() {
                return Err(CommandError::ManagedByAlembic { alembic });
            }
        }
        let session = match reader {
            Some(session) => session,
            None => self.writer().await?,
        };
        let locked = self.lock(&session, doing, conduct).await?;
        let result = async {
            let state = self.state(Some(&session)).await?;
            let plan = self.checked(&plan, &state, out_of_order)?;
            if plan.is_empty() {
                return Ok(self.nothing(&plan, &state, changed, true));
            }
            self.refuse_vain_acceptances(&plan)?;
            self.climb(&locked, plan, state, changed, conduct).await
        };
        let result = result.await;
        locked.release().await;
        session.close().await;
        result
    }

    /// Runs a plan under the lock, after looking at what it will do. What a later step asks about rows is known only when those before
    /// it have run: then the rest is recorded and looked at again.
    async fn climb(
        &self,
        locked: &Locked<'_>,
        mut plan: Plan,
        mut state: State,
        changed: Vec<Changed>,
        conduct: &Conduct<'_>,
    ) -> Result<Outcome, CommandError> {
        let session = locked.session();
        let dialect = dialect_of(session.backend());
        let mut done = Vec::new();
        let begins_empty = is_empty(session, &state).await?;
        loop {
            state.owns_rows = begins_empty && living(session).await?.is_empty();
            self.record_plan(&plan, dialect, &self.known_live(dialect)?).await;
            let agreed = self
                .heed_all(session, &plan, &state, conduct)
                .await
                .map_err(|error| error.after(&done))?;
            let later = self.not_known_yet(&mut plan, dialect).await;
            let agreed = (&agreed, changed.clone());
            let run = self.run(locked, Kind::Upgrade, &plan, &state, agreed, conduct);
            let mut outcome = run.await.map_err(|error| error.after(&done))?;
            if let Some(report) = &mut outcome.report {
                report.steps.splice(..0, done);
            }
            if later.is_empty() {
                return Ok(outcome);
            }
            done = outcome.report.map_or_else(Vec::new, |report| report.steps);
            self.forget_recordings(&later, dialect).await;
            plan.steps = later;
            state = self.state(Some(session)).await?;
        }
    }

    /// Takes the steps off a plan that cannot be recorded before those ahead of them have run, and returns them.
    async fn not_known_yet(&self, plan: &mut Plan, dialect: Dialect) -> Vec<Step> {
        for (index, step) in plan.steps.iter().enumerate() {
            if is_known_later(&*self.script_of(step, dialect).await, index) {
                return plan.steps.split_off(index);
            }
        }
        Vec::new()
    }

    /// Refuses a plan that comes too early, for living processes or for a backfill, that would stop or break what runs, or that
    /// destroys what nobody has given up; returns what is given up.
    async fn heed_all(
        &self,
        session: &Session,
        plan: &Plan,
        state: &State,
        conduct: &Conduct<'_>,
    ) -> Result<Stakes, CommandError> {
        self.heed_the_living(session, plan, state, conduct).await?;
        self.heed_hazards(session, plan, state).await?;
        self.heed_backfills(session, plan).await?;
        if state.owns_rows {
            return Ok(Stakes::default());
        }
        let dialect = dialect_of(session.backend());
        let losses = self.losses_upwards(plan, state, dialect).await;
        let stakes = Stakes::count(session, losses.clone())
            .await?
            .without_overwritten();
        if stakes.is_nothing() {
            return Ok(stakes);
        }
        if !(conduct.consent)(&stakes) {
            return Err(CommandError::Refused {
                stakes: Box::new(stakes),
            });
        }
        let now = Stakes::count(session, losses).await?.without_overwritten();
        now.refuse_more_than(&stakes)?;
        Ok(now)
    }

    fn checked(
        &self,
        plan: &impl Fn(&Applied) -> Result<Plan, CommandError>,
        state: &State,
        out_of_order: OutOfOrder,
    ) -> Result<Plan, CommandError> {
        state.refuse_unknown()?;
        // A downgrade that died has left half of a revision behind: applied by its row, and not all there. The rest of it
        // is undone before it is applied again.
        let half_undone = state.half_undone();
        let mut applied = state.applied.clone();
        for revision in &half_undone {
            applied.remove(&self.graph, revision);
        }
        let mut plan = plan(&applied)?;
        let missing = self.graph.gaps(&applied);
        if !plan.is_empty() && !missing.is_empty() && out_of_order == OutOfOrder::Refuse {
            return Err(CommandError::OutOfOrder { missing });
        }
        let undoing: Vec<Step> = half_undone
            .into_iter()
            .filter(|revision| plan.steps.iter().any(|step| step.revision == *revision))
            .map(|revision| Step {
                revision,
                direction: Direction::Down,
            })
            .collect();
        plan.steps.splice(..0, undoing);
        Ok(plan)
    }
}

/// Whether nothing but what a run makes can be in a database afterwards, as long as no application works with it.
async fn is_empty(session: &Session, state: &State) -> Result<bool, CommandError> {
    if !state.order.is_empty() || !state.unknown.is_empty() {
        return Ok(false);
    }
    let has_tables = has_tables(session).await;
    has_tables
        .map(|has_tables| !has_tables)
        .map_err(|source| CommandError::Query {
            action: "read which tables there are",
            source: source.into(),
        })
}

pub(super) async fn close(session: Option<Session>) {
    if let Some(session) = session {
        session.close().await;
    }
}
