//! `lint`: the hazards of revisions, up and down, found without a database.

use std::sync::Arc;

use serde::Serialize;

use super::{CommandError, Project};
use crate::environment::Environment;
use crate::graph::{Applied, HistoryRange, Target};
use crate::lint::{Context, Hazard, Server, Surrounding, VERSIONS, accept, accepts_unknown, lint_statements};
use crate::revision::{Accepted, Direction, Header, RevisionId};
use crate::script::{EmptyDatabase, Known, Script};
use crate::session::backend_of;

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
    /// Those with these SeaORM names; names that no revision has are passed over.
    Named(Vec<String>),
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
    let mut schema = Context::default()
        .schema("")
        .on(server)
        .settings(&environment.lint);
    let dialect = server.dialect();
    // What a revision asks is answered by what those before it make of an empty database.
    let known = Arc::new(Known::over(Arc::new(EmptyDatabase), backend_of(dialect)));
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
        let up = project
            .recorded_knowing(revision, Direction::Up, dialect, &known)
            .await;
        let after = schema.clone().after(&up.statements);
        if selected.contains(&header.id) {
            let then = Arc::new(Known::clone(&known));
            let down = project
                .recorded_knowing(revision, Direction::Down, dialect, &then)
                .await;
            for (direction, script, before) in
                [(Direction::Up, &up, &schema), (Direction::Down, &down, &after)]
            {
                let mut step = linted(header, direction, script, before);
                project
                    .settle(&mut step.hazards, header, direction, script, server)
                    .await;
                environment.lint.apply_levels(&mut step.hazards);
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
        script: &Script,
        server: Server,
    ) {
        let declared = self.declared_for(header, direction);
        if declared.is_empty() {
            return;
        }
        // What it asks may be answered here, and keep its statements from being known elsewhere.
        let unknown = script
            .may_hide()
            .into_iter()
            .chain(script.reads.iter().map(String::as_str));
        let unknown: Vec<&str> = unknown.collect();
        let is_unknown =
            |accepted: &Accepted| unknown.iter().any(|reason| accepts_unknown(reason, &[accepted]));
        let is_found = |accepted: &&Accepted| {
            is_unknown(accepted) || hazards.iter().any(|hazard| hazard.is_meant_by(accepted))
        };
        if declared.iter().all(is_found) {
            accept(hazards, &declared, is_unknown);
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
            is_unknown(accepted) || there.iter().any(|hazard| hazard.is_meant_by(accepted))
        });
    }
}

impl LintedStep {
    /// Makes the hazards of a step that undoes its revision notes: it is there to take away what the revision added, and a run
    /// asks before it does.
    pub fn demote_undoing(&mut self) {
        if self.direction == Direction::Down {
            self.hazards.iter_mut().for_each(Hazard::demote);
        }
    }
}

impl Project<'_> {
    fn selected(&self, selection: &LintSelection) -> Result<Vec<RevisionId>, CommandError> {
        let nowhere = Applied::default();
        let listed = match selection {
            LintSelection::Heads => return Ok(self.graph.heads()),
            LintSelection::All => self.graph.history(None, &nowhere)?,
            LintSelection::One(target) => self.graph.show(std::slice::from_ref(target), &nowhere)?,
            LintSelection::Named(names) => {
                let headers = self.environment.headers().iter();
                let named = headers.filter(|header| names.contains(&header.name));
                return Ok(named.map(|header| header.id.clone()).collect());
            }
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
