//! The gate before a run: what would stop or break a running application is refused unless somebody took it knowingly.
//!
//! The linter tells from the statements what may happen; the database tells whether it would. A table that is not there
//! yet, or small, has nobody who would notice.

use std::fmt;

use serde::Serialize;

use super::lint::linted;
use super::state::State;
use super::{CommandError, Project};
use crate::graph::{Plan, Step};
use crate::lint::{Context, Hazard, Server, VERSIONS, accepted_by_remarks, rule};
use crate::revision::{Accepted, Direction, Header, RevisionId, Stage};
use crate::script::Script;
use crate::session::dialect_of;
use crate::session::{Session, TableWeight};
use crate::sql::Dialect;

/// A hazard that a run is refused for.
#[derive(Clone, Debug, Serialize)]
pub struct RefusedHazard {
    /// The revision.
    pub revision: RevisionId,
    /// Which way it was to be run.
    pub direction: Direction,
    /// The hazard.
    #[serde(flatten)]
    pub hazard: Hazard,
    /// The statement.
    pub sql: String,
    /// The table that makes it one, and how large it is.
    pub weight: Option<TableWeight>,
}

/// What a hazard comes to on a certain database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A run is refused.
    Refused,
    /// It is a warning by itself.
    Warned,
    /// Somebody took it knowingly.
    Accepted,
    /// The tables are small, or not there yet.
    Small,
    /// Whether running code minds is asked of the running applications.
    AskedOfTheLiving,
}

/// A hazard of a step, and what it comes to.
#[derive(Clone, Debug, Serialize)]
pub struct JudgedHazard {
    /// The hazard.
    #[serde(flatten)]
    pub hazard: Hazard,
    /// What it comes to.
    pub verdict: Verdict,
    /// The largest of the tables that it is about.
    #[serde(skip)]
    pub weight: Option<TableWeight>,
}

impl Project<'_> {
    /// Refuses a plan that a hazard of another revision is accepted for.
    pub(super) fn refuse_vain_acceptances(&self, plan: &Plan) -> Result<(), CommandError> {
        let in_plan = |id: &RevisionId| plan.steps.iter().any(|step| step.revision == *id);
        match self.environment.accepted.iter().find(|(id, _)| !in_plan(id)) {
            Some((revision, accepted)) => Err(CommandError::NothingToAccept {
                revision: revision.clone(),
                category: accepted.category.clone(),
            }),
            None => Ok(()),
        }
    }

    /// Refuses a plan with hazards that nobody has accepted.
    pub(super) async fn heed_hazards(
        &self,
        session: &Session,
        plan: &Plan,
        state: &State,
    ) -> Result<(), CommandError> {
        let weights = session.weights().await.map_err(unreadable)?;
        let is_about_something = weights.iter().any(|weight| !weight.is_small());
        let is_declared = |step: &Step| !self.declared_for(self.resolve(step).0, step.direction).is_empty();
        if !is_about_something && !plan.steps.iter().any(is_declared) {
            return Ok(());
        }
        let server = server_of(session).await?;
        let judged = self.judged(plan, state, &weights, server).await;
        let refused: Vec<RefusedHazard> = plan
            .steps
            .iter()
            .zip(judged)
            .flat_map(|(step, hazards)| {
                hazards
                    .into_iter()
                    .filter(|judged| judged.verdict == Verdict::Refused)
                    .map(|judged| RefusedHazard {
                        revision: step.revision.clone(),
                        direction: step.direction,
                        sql: judged.hazard.sql.clone(),
                        hazard: judged.hazard,
                        weight: judged.weight,
                    })
            })
            .collect();
        if refused.is_empty() {
            return Ok(());
        }
        Err(CommandError::Hazardous { hazards: refused })
    }

    /// Returns the hazards of each step of a plan, and what they come to with tables of these sizes.
    pub(super) async fn judged(
        &self,
        plan: &Plan,
        state: &State,
        weights: &[TableWeight],
        server: Server,
    ) -> Vec<Vec<JudgedHazard>> {
        // What the revisions did not make may be there all the same, so a table that they do not know counts as one in use.
        let mut schema = Context::default().on(server).strict();
        for id in &state.order {
            if let Some(revision) = self
                .graph
                .header(id)
                .and_then(|header| self.environment.revision(&header.name))
            {
                let script = self.recorded(revision, Direction::Up, server.dialect()).await;
                schema = schema.after(&script.statements);
            }
        }
        let mut all = Vec::with_capacity(plan.steps.len());
        for step in &plan.steps {
            let (header, _) = self.resolve(step);
            let script = self.script_of(step, server.dialect()).await;
            let mut hazards = linted(header, step.direction, &script, &schema).hazards;
            self.settle(&mut hazards, header, step.direction, &script, server)
                .await;
            schema = schema.after(&script.statements);
            let judged = hazards.into_iter().map(|hazard| {
                let weight = heaviest(&hazard, weights).cloned();
                JudgedHazard {
                    verdict: verdict(&hazard, weight.as_ref(), header.stage, step.direction),
                    hazard,
                    weight,
                }
            });
            all.push(judged.collect());
        }
        all
    }

    /// Returns what is accepted of a revision, in the file and for this run.
    pub(super) fn declared_for<'a>(&'a self, header: &'a Header, direction: Direction) -> Vec<&'a Accepted> {
        let said = self.environment.accepted.iter();
        let said = said.filter(|(revision, _)| *revision == header.id);
        header
            .accepted
            .iter()
            .chain(said.map(|(_, accepted)| accepted))
            .filter(|accepted| accepted.direction == direction && !accepted.is_about_promise())
            .collect()
    }

    /// Returns what is accepted of a step, for the history.
    pub(super) fn accepted(&self, header: &Header, direction: Direction, script: &Script) -> Vec<Accepted> {
        let declared = self.declared_for(header, direction).into_iter().cloned();
        declared
            .chain(accepted_by_remarks(&script.statements, direction))
            .collect()
    }
}

/// Returns what runs the statements, as far as the rules know its version.
pub(super) async fn server_of(session: &Session) -> Result<Server, CommandError> {
    if dialect_of(session.backend()) != Dialect::Postgresql {
        return Ok(Server::Sqlite);
    }
    let version = session.server_version().await.map_err(unreadable)?;
    Ok(Server::Postgres(
        version.clamp(*VERSIONS.start(), *VERSIONS.end()),
    ))
}

fn verdict(hazard: &Hazard, weight: Option<&TableWeight>, stage: Stage, direction: Direction) -> Verdict {
    if hazard.accepted.is_some() {
        return Verdict::Accepted;
    }
    if hazard.category == "override-unmatched" {
        return Verdict::Refused;
    }
    if !hazard.is_open_error() {
        return Verdict::Warned;
    }
    if weight.is_none_or(TableWeight::is_small) {
        return Verdict::Small;
    }
    let is_about_code = rule(hazard.category).is_some_and(|rule| rule.is_about_running_code());
    // Going down, and in a contract, removing is the point; whether somebody still needs it is asked elsewhere.
    if is_about_code && (direction == Direction::Down || stage == Stage::Contract) {
        return Verdict::AskedOfTheLiving;
    }
    Verdict::Refused
}

/// Returns the largest table that a hazard is about; a hazard that names none is about all that its statement locks, and one
/// whose statement locks none about any.
fn heaviest<'a>(hazard: &Hazard, weights: &'a [TableWeight]) -> Option<&'a TableWeight> {
    let named: Vec<&str> = match &hazard.table {
        Some(table) => vec![table],
        None => hazard.locked.iter().map(String::as_str).collect(),
    };
    let is_meant = |weight: &&TableWeight| named.is_empty() || named.contains(&weight.table.as_str());
    weights
        .iter()
        .filter(is_meant)
        .max_by_key(|weight| (weight.bytes, weight.rows))
}

fn unreadable(source: sea_orm::DbErr) -> CommandError {
    CommandError::Query {
        action: "read how large the tables are",
        source: source.into(),
    }
}

impl RefusedHazard {
    /// Returns the step and the statement, cut to a line.
    pub(super) fn place(&self) -> String {
        let statement = self.sql.split_whitespace().collect::<Vec<_>>().join(" ");
        let shown: String = statement.chars().take(120).collect();
        let rest = if shown.len() < statement.len() { "..." } else { "" };
        format!("{} {}: {shown}{rest}", self.revision, self.direction.word())
    }
}

impl fmt::Display for RefusedHazard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hazard = &self.hazard;
        write!(formatter, "[{}] {}", hazard.category, hazard.message)?;
        if let Some(weight) = &self.weight {
            write!(formatter, " ({} has about {} rows)", weight.table, weight.rows)?;
        }
        write!(formatter, "\n      instead: {}", hazard.help)
    }
}
