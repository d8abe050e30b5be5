//! `lint`: the hazards of revisions, up and down, found without a database.

use serde::Serialize;

use super::{CommandError, Project};
use crate::environment::Environment;
use crate::graph::{Applied, HistoryRange, Target};
use crate::lint::{Context, Hazard, Server, Surrounding, VERSIONS, accept, lint_statements};
use crate::revision::{Direction, Header, RevisionId};
use crate::script::Script;

/// Which revisions to look at.
#[derive(Clone, Debug)]
pub enum LintSelection {
    /// The newest ones.
    Heads,
    /// Every one.
    All,
    /// This one.
    One(Target),
    /// A range, both ends included.
    Range(HistoryRange),
}

/// The hazards of one revision in one direction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LintedStep {
    /// The revision.
    pub revision: RevisionId,
    /// SeaORM's name for it.
    pub name: String,
    /// Up or down.
    pub direction: Direction,
    /// Its hazards in the order of its statements.
    pub hazards: Vec<Hazard>,
    /// Why not all its statements are known, if they are not.
    pub incomplete: Option<String>,
}

/// Returns the hazards of revisions on a kind of database, each with the schema that the revisions before it have made; a number
/// is a major version of PostgreSQL.
///
/// No database is asked, so nothing may be counted from where one stands.
///
/// # Errors
///
/// Fails when the revisions or the selection make no sense.
pub async fn lint(
    environment: &Environment,
    selection: &LintSelection,
    server: impl Into<Server>,
) -> Result<Vec<LintedStep>, CommandError> {
    let server = server.into();
    let project = Project::of(environment)?;
    let selected = project.selected(selection)?;
    let mut schema = Context::default().schema("").on(server);
    let mut steps = Vec::new();
    let mut oldest_first = project.graph.history(None, &Applied::default())?;
    oldest_first.reverse();
    for listed in oldest_first {
        let header = project
            .graph
            .header(&listed.revision)
            .expect("the history holds revisions of its graph");
        let Some(revision) = environment.revision(&header.name) else {
            continue;
        };
        let dialect = server.dialect();
        let up = project.recorded(revision, Direction::Up, dialect).await;
        let after = schema.clone().after(&up.statements);
        if selected.contains(&header.id) {
            let down = project.recorded(revision, Direction::Down, dialect).await;
            for (direction, script, before) in
                [(Direction::Up, &up, &schema), (Direction::Down, &down, &after)]
            {
                let mut step = linted(header, direction, script, before);
                project.settle(&mut step.hazards, header, direction, server).await;
                steps.push(step);
            }
        }
        schema = after;
    }
    Ok(steps)
}

impl Project<'_> {
    /// Marks what a revision has accepted, and complains of what it accepts in vain.
    pub(super) async fn settle(
        &self,
        hazards: &mut Vec<Hazard>,
        header: &Header,
        direction: Direction,
        server: Server,
    ) {
        let declared = self.declared_for(header, direction);
        if declared.is_empty() {
            return;
        }
        // On the other kind of database it may send other statements, and what is accepted may be one of those.
        let other = match server {
            Server::Postgres(_) => Server::Sqlite,
            Server::Sqlite => Server::Postgres(*VERSIONS.end()),
        };
        let there = match self.environment.revision(&header.name) {
            Some(revision) => {
                let script = self.recorded(revision, direction, other.dialect()).await;
                linted(header, direction, &script, &Context::default().on(other)).hazards
            }
            None => Vec::new(),
        };
        accept(hazards, &declared, |accepted| {
            there.iter().any(|hazard| hazard.is_meant_by(accepted))
        });
    }
}

impl Project<'_> {
    fn selected(&self, selection: &LintSelection) -> Result<Vec<RevisionId>, CommandError> {
        let nowhere = Applied::default();
        let listed = match selection {
            LintSelection::Heads => return Ok(self.graph.heads()),
            LintSelection::All => self.graph.history(None, &nowhere)?,
            LintSelection::One(target) => self.graph.show(std::slice::from_ref(target), &nowhere)?,
            LintSelection::Range(range) => self.graph.history(Some(range), &nowhere)?,
        };
        Ok(listed.into_iter().map(|listed| listed.revision).collect())
    }
}

pub(super) fn linted(header: &Header, direction: Direction, script: &Script, before: &Context) -> LintedStep {
    let surrounding = if script.transaction {
        Surrounding::Transaction
    } else {
        Surrounding::Nothing
    };
    let context = before.clone().surrounded_by(surrounding);
    LintedStep {
        revision: header.id.clone(),
        name: header.name.clone(),
        direction,
        hazards: lint_statements(&script.statements, &context),
        incomplete: script.incomplete.clone(),
    }
}
