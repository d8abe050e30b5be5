//! `current`, `history`, `heads`, `branches` and `show`: what there is and where the database stands; nothing is changed.

use serde::Serialize;

use super::upgrade::close;
use super::{CommandError, Project, UnknownRow};
use crate::environment::Environment;
use crate::graph::{Applied, HistoryRange, Listed, Target};
use crate::ledger::Entry;
use crate::revision::{Accepted, Direction, Header, RevisionId, Stage};
use crate::session::dialect_of;
use crate::sql::Dialect;

/// A revision with what it says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Its id.
    pub revision: RevisionId,
    /// Its parents.
    pub revises: Vec<RevisionId>,
    /// SeaORM's name for it.
    pub name: String,
    /// What it does.
    pub message: String,
    /// When its file was made, in UTC.
    pub created: Option<String>,
    /// What must be applied before it without being a parent.
    pub depends_on: Vec<String>,
    /// The phase of the product that it stands for.
    pub phase: Option<String>,
    /// Where in a zero-downtime change it belongs.
    pub stage: Stage,
    /// The hazards that are taken knowingly.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<Accepted>,
}

/// A line of a list: a revision and its place in the graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RevisionLine {
    /// The revision.
    #[serde(flatten)]
    pub revision: Shown,
    /// Its place in the graph.
    #[serde(flatten)]
    pub place: Listed,
    /// The revisions that revise it, where branches part.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<RevisionId>,
}

/// Where a database stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Current {
    /// The applied heads.
    pub revisions: Vec<RevisionLine>,
    /// Applied names that no revision has.
    pub unknown: Vec<UnknownRow>,
    /// Whether everything is applied.
    pub is_at_heads: bool,
}

/// Which part of the history to list, and whether the database is asked where it stands.
#[derive(Clone, Debug, Default)]
pub struct HistoryFilter {
    /// The range; everything when absent.
    pub range: Option<HistoryRange>,
    /// Whether revisions at which the database stands are marked.
    pub indicate_current: bool,
}

/// Everything there is to know about one revision.
#[derive(Clone, Debug, Serialize)]
pub struct RevisionDetails {
    /// The revision.
    #[serde(flatten)]
    pub line: RevisionLine,
    /// Whether it is applied; unknown when no database was asked.
    pub is_applied: Option<bool>,
    /// What it sends when it is applied.
    pub up: Vec<String>,
    /// What it sends when it is undone.
    pub down: Vec<String>,
    /// What happened to it, oldest first.
    pub history: Vec<Entry>,
}

impl Shown {
    pub(super) fn of(header: &Header) -> Self {
        Self {
            revision: header.id.clone(),
            revises: header.revises.clone(),
            name: header.name.clone(),
            message: header.message.clone(),
            created: header.created.clone(),
            depends_on: header.depends_on.clone(),
            phase: header.phase.clone(),
            stage: header.stage,
            accepted: header.accepted.clone(),
        }
    }
}

/// Returns where the database stands.
///
/// # Errors
///
/// Fails when the revisions make no sense or the database cannot be read.
pub async fn current(environment: &Environment) -> Result<Current, CommandError> {
    let project = Project::of(environment)?;
    let reader = project.reader().await?;
    let state = project.state(reader.as_ref()).await?;
    close(reader).await;
    let is_at_heads = state.unknown.is_empty() && state.order.len() == project.graph.len();
    let lines = project.lines(project.graph.current(&state.applied));
    Ok(Current {
        revisions: lines,
        unknown: state.unknown,
        is_at_heads,
    })
}

/// Returns the revisions, newest first.
///
/// The database is asked only when the filter needs it.
///
/// # Errors
///
/// Fails when the revisions or the range make no sense, or the database cannot be read.
pub async fn history(
    environment: &Environment,
    filter: &HistoryFilter,
) -> Result<Vec<RevisionLine>, CommandError> {
    let project = Project::of(environment)?;
    let needs_database = filter.indicate_current || filter.range.as_ref().is_some_and(counts_from_current);
    let applied = if needs_database {
        project.applied_now().await?
    } else {
        Applied::default()
    };
    Ok(project.lines(project.graph.history(filter.range.as_ref(), &applied)?))
}

/// Returns the newest revisions; those that others only depend on are left out when dependencies are resolved.
///
/// # Errors
///
/// Fails when the revisions make no sense.
pub fn heads(
    environment: &Environment,
    resolve_dependencies: bool,
) -> Result<Vec<RevisionLine>, CommandError> {
    let project = Project::of(environment)?;
    let heads = match resolve_dependencies {
        true => project.graph.heads_resolving_dependencies(),
        false => project.graph.heads(),
    };
    Ok(project.lines(project.graph.listed(&heads, &Applied::default())))
}

/// Returns the revisions at which branches part, newest first.
///
/// # Errors
///
/// Fails when the revisions make no sense.
pub fn branches(environment: &Environment) -> Result<Vec<RevisionLine>, CommandError> {
    let project = Project::of(environment)?;
    let points = project.graph.branches();
    let ids: Vec<RevisionId> = points.iter().map(|point| point.revision.clone()).collect();
    let mut lines = project.lines(project.graph.listed(&ids, &Applied::default()));
    for (line, point) in lines.iter_mut().zip(points) {
        line.branches = point.children;
    }
    Ok(lines)
}

/// Returns everything there is to know about some revisions.
///
/// The database is asked when one is named, for what it says about them; where none is, what they send is what SQLite gets.
///
/// # Errors
///
/// Fails when a target names nothing, or the database cannot be read.
pub async fn show(
    environment: &Environment,
    targets: &[Target],
) -> Result<Vec<RevisionDetails>, CommandError> {
    let project = Project::of(environment)?;
    let database = project.environment.database.as_ref();
    let dialect = database.map_or(Dialect::Sqlite, |url| dialect_of(url.backend()));
    let reader = match database {
        Some(_) => project.reader().await?,
        None => None,
    };
    let state = project.state(reader.as_ref()).await?;
    let entries = match &reader {
        Some(session) => project.ledger.history(session).await?,
        None => Vec::new(),
    };
    close(reader).await;
    let mut details = Vec::new();
    for line in project.lines(project.graph.show(targets, &state.applied)?) {
        let (id, name) = (&line.revision.revision, &line.revision.name);
        let Some(revision) = project.environment.revision(name) else {
            continue;
        };
        details.push(RevisionDetails {
            is_applied: database.map(|_| state.applied.contains(&project.graph, id)),
            up: project
                .recorded(revision, Direction::Up, dialect)
                .await
                .sent
                .clone(),
            down: project
                .recorded(revision, Direction::Down, dialect)
                .await
                .sent
                .clone(),
            history: entries
                .iter()
                .filter(|entry| entry.name == *name)
                .cloned()
                .collect(),
            line,
        });
    }
    Ok(details)
}

impl Project<'_> {
    pub(super) async fn applied_now(&self) -> Result<Applied, CommandError> {
        let reader = self.reader().await?;
        let state = self.state(reader.as_ref()).await?;
        close(reader).await;
        Ok(state.applied)
    }

    fn lines(&self, listed: Vec<Listed>) -> Vec<RevisionLine> {
        let line = |listed: Listed| {
            let header = self.graph.header(&listed.revision)?;
            Some(RevisionLine {
                revision: Shown::of(header),
                place: listed,
                branches: Vec::new(),
            })
        };
        listed.into_iter().filter_map(line).collect()
    }
}

/// Returns whether a side of the range can only be found in the database: `current`, or steps counted from it.
fn counts_from_current(range: &HistoryRange) -> bool {
    let counts = |target: &Option<Target>| {
        target
            .as_ref()
            .is_some_and(|target| target.is_relative() || target.as_str().contains("current"))
    };
    counts(&range.start) || counts(&range.end)
}
