//! `status`: where a database stands, what is pending, and how the last run ended.

use serde::Serialize;

use super::living::living;
use super::state::{State, text};
use super::upgrade::close;
use super::{Changed, CommandError, Project, Shown, UnfinishedStep, UnknownRow};
use crate::environment::Environment;
use crate::graph::Target;
use crate::heartbeat::Alive;
use crate::ledger::{Entry, Kind, Outcome};
use crate::revision::RevisionId;
use crate::session::dialect_of;

/// Where a database stands.
#[derive(Clone, Debug, Serialize)]
pub struct StatusReport {
    /// The database, without its password.
    pub database: String,
    /// The applied heads.
    pub current: Vec<Shown>,
    /// How many revisions are applied.
    pub applied: usize,
    /// What is not applied, oldest first.
    pub pending: Vec<Shown>,
    /// Applied names that no revision has.
    pub unknown: Vec<UnknownRow>,
    /// Revisions that are older than applied ones and not applied.
    pub out_of_order: Vec<RevisionId>,
    /// Steps without a transaction that died halfway.
    pub unfinished: Vec<UnfinishedStep>,
    /// Applied revisions whose SQL is not what it was when they were applied.
    pub changed: Vec<Changed>,
    /// The last run that the history knows.
    pub last_run: Option<LastRun>,
    /// The applications that gave a sign of life not long ago.
    pub alive: Vec<Alive>,
}

/// A run as the history knows it.
#[derive(Clone, Debug, Serialize)]
pub struct LastRun {
    /// Its name.
    pub run: String,
    /// What kind of run it was.
    pub kind: Kind,
    /// When it began, in UTC.
    pub started_at: String,
    /// Who ran it.
    pub by: String,
    /// How its last step ended.
    pub outcome: Outcome,
    /// How many steps ended well.
    pub steps: usize,
    /// The revision of its last step.
    pub revision: String,
    /// What went wrong.
    pub error: Option<String>,
}

/// Returns where a database stands; changes nothing.
///
/// # Errors
///
/// Fails when the revisions make no sense or the database cannot be read.
pub async fn status(environment: &Environment) -> Result<StatusReport, CommandError> {
    let project = Project::of(environment)?;
    let reader = project.reader().await?;
    let state = project.state(reader.as_ref()).await?;
    let (last_run, alive) = match &reader {
        Some(session) => (
            LastRun::of(&project.ledger.history(session).await?),
            living(session).await?,
        ),
        None => (None, Vec::new()),
    };
    close(reader).await;
    let url = project.url()?;
    let shown = |id: &RevisionId| project.graph.header(id).map(Shown::of);
    Ok(StatusReport {
        database: url.to_string(),
        current: state
            .applied
            .heads(&project.graph)
            .iter()
            .filter_map(shown)
            .collect(),
        applied: state.order.len(),
        pending: project.pending(&state)?.iter().filter_map(shown).collect(),
        out_of_order: project.graph.gaps(&state.applied),
        changed: project.changed(&state, dialect_of(url.backend())).await,
        unknown: state.unknown,
        unfinished: state.unfinished,
        last_run,
        alive,
    })
}

impl Project<'_> {
    /// Returns what is not applied, oldest first.
    pub(super) fn pending(&self, state: &State) -> Result<Vec<RevisionId>, CommandError> {
        Ok(self
            .graph
            .upgrade(&state.applied, &Target::heads())?
            .revisions()
            .cloned()
            .collect())
    }
}

impl LastRun {
    fn of(history: &[Entry]) -> Option<Self> {
        let last = history.last()?;
        let of_run = || history.iter().filter(|entry| entry.run == last.run);
        Some(Self {
            run: last.run.clone(),
            kind: last.kind,
            started_at: of_run()
                .next()
                .map(|entry| text(entry.started_at))
                .unwrap_or_default(),
            by: last.actor.name(),
            outcome: last.outcome,
            steps: of_run().filter(|entry| entry.outcome == Outcome::Done).count(),
            revision: last.revision.clone(),
            error: last.error.clone(),
        })
    }
}
