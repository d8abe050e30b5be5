//! `plan`: what a run would do, step by step, without doing it.

use serde::Serialize;

use super::inspect::Shown;
use super::living::living;
use super::survey::Survey;
use super::upgrade::close;
use super::{Changed, CommandError, Project, UnfinishedStep, UnknownRow};
use crate::environment::Environment;
use crate::graph::{Plan, Target};
use crate::heartbeat::InUse;
use crate::revision::{Direction, RevisionId, Stage};
use crate::session::dialect_of;

/// What a run would do.
#[derive(Clone, Debug, Serialize)]
pub struct PlanReport {
    /// The database, without its password.
    pub database: String,
    /// Where it stands.
    pub current: Vec<RevisionId>,
    /// Where it would stand, as it was asked for.
    pub target: String,
    /// The steps in order.
    pub steps: Vec<PlannedStep>,
    /// All revisions that are not applied, whether the plan gets to them or not.
    pub pending: Vec<RevisionId>,
    /// What is worth knowing, above all when there is nothing to do.
    pub notes: Vec<String>,
    /// Applied names that no revision has; a run would refuse.
    pub unknown: Vec<UnknownRow>,
    /// Revisions that are older than applied ones and not applied; a run would refuse.
    pub out_of_order: Vec<RevisionId>,
    /// Steps without a transaction that died halfway; a run would go on with them.
    pub unfinished: Vec<UnfinishedStep>,
    /// Applied revisions whose SQL is not what it was when they were applied.
    pub changed: Vec<Changed>,
    /// What the steps remove although a living process still wants it; a run would refuse.
    pub in_use: Vec<InUse>,
    /// What only the live database knows, on PostgreSQL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub survey: Option<Survey>,
}

/// One step of a plan.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedStep {
    /// The revision.
    #[serde(flatten)]
    pub revision: Shown,
    /// Which way it would be run.
    pub direction: Direction,
    /// Whether it runs in one transaction with its version row.
    pub transaction: bool,
    /// What it would send.
    pub statements: Vec<String>,
    /// What it would ask the database; the statements assume the answers of an empty one.
    pub reads: Vec<String>,
    /// Why the statements are not complete, if they are not.
    pub incomplete: Option<String>,
}

/// Returns what an upgrade or downgrade to a target would do; changes nothing.
///
/// A target that is applied already, or counts down, means a downgrade. An upgrade ends before the first revision of a later
/// stage than `through`.
///
/// # Errors
///
/// Fails when the target makes no sense or the database cannot be read.
pub async fn plan(
    environment: &Environment,
    target: &Target,
    through: Stage,
) -> Result<PlanReport, CommandError> {
    let project = Project::of(environment)?;
    let reader = project.reader().await?;
    let state = project.state(reader.as_ref()).await?;
    let living = match &reader {
        Some(session) => living(session).await?,
        None => Vec::new(),
    };
    let url = project.url()?;
    let dialect = dialect_of(url.backend());
    let upwards = project.graph.upgrade(&state.applied, target);
    let plan: Plan = match upwards {
        Ok(plan) if !plan.is_empty() => project.graph.through(plan, through),
        Ok(nothing) => match project.plan_down(&state, target) {
            Ok(plan) if !plan.is_empty() => plan,
            _ => nothing,
        },
        Err(error) => match project.plan_down(&state, target) {
            Ok(plan) => plan,
            Err(downwards) if target.as_str().contains('-') => return Err(downwards),
            Err(_) => return Err(error.into()),
        },
    };
    let survey = match &reader {
        Some(session) => project.survey(session, &plan, &state).await?,
        None => None,
    };
    close(reader).await;
    let mut steps = Vec::with_capacity(plan.steps.len());
    for step in &plan.steps {
        let (header, _) = project.resolve(step);
        let script = project.script_of(step, dialect).await;
        steps.push(PlannedStep {
            revision: Shown::of(header),
            direction: step.direction,
            transaction: script.transaction,
            statements: script.sent.clone(),
            reads: script.reads.clone(),
            incomplete: script.incomplete.clone(),
        });
    }
    Ok(PlanReport {
        database: url.to_string(),
        current: state.applied.heads(&project.graph),
        target: target.to_string(),
        steps,
        pending: project.pending(&state)?,
        survey,
        notes: plan.notes.iter().map(ToString::to_string).collect(),
        in_use: project.in_use(&plan, &state, &living, dialect).await,
        out_of_order: project.graph.gaps(&state.applied),
        changed: project.changed(&state, dialect).await,
        unknown: state.unknown,
        unfinished: state.unfinished,
    })
}
