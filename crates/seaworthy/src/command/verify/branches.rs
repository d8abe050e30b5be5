//! Whether branches that nobody has merged yet get in each other's way: both orders are tried, and what they make is compared.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::kept::{fill, texts};
use super::reasons::{causes, unreadable, words};
use super::{Place, Verification, plan, rehearse};
use crate::autogenerate::{Policy, diff};
use crate::catalog::{Catalog, inspect};
use crate::command::{Category, CommandError, Project};
use crate::environment::Environment;
use crate::graph::{Applied, Step, Target};
use crate::revision::{Direction, RevisionId};
use crate::session::{Access, Session, Settings, dialect_of};
use crate::sql::{Dialect, Facts, Object, Token, bare, tokens};
use crate::verify::{DriftError, ScratchDatabase};

/// Two heads, and whether it matters which of their branches is applied first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BranchPair {
    /// One head.
    pub one: RevisionId,
    /// The other.
    pub other: RevisionId,
    /// What comes out differently, or fails, in words; nothing where the order does not matter.
    pub collisions: Vec<String>,
    /// Tables and other things that both branches touch, where they collide.
    pub objects: Vec<String>,
}

/// Tries each two heads out in both orders on scratch databases, with rows in what both build on, and compares the schemas and rows
/// that come out. The database itself is not touched.
///
/// # Errors
///
/// Fails when the revisions make no sense together, or a scratch database cannot be made or read. Branches that collide are no
/// error but the answer.
pub async fn collisions(
    environment: &Environment,
    stop: &CancellationToken,
) -> Result<Vec<BranchPair>, CommandError> {
    let project = Project::of(environment)?;
    let heads = project.graph.heads_resolving_dependencies();
    let mut pairs = Vec::new();
    for (place, one) in heads.iter().enumerate() {
        for other in &heads[place + 1..] {
            pairs.push(project.pair(one, other, stop).await?);
        }
    }
    Ok(pairs)
}

/// What a scratch database holds after revisions in an order, or why it could not be brought there.
type Made = Result<(Catalog, Rows), (RevisionId, Vec<String>)>;

/// The rows of each table as texts that can be compared, sorted.
type Rows = BTreeMap<String, Vec<String>>;

impl Project<'_> {
    async fn pair(
        &self,
        one: &RevisionId,
        other: &RevisionId,
        stop: &CancellationToken,
    ) -> Result<BranchPair, CommandError> {
        let of_one = self.steps_to(one)?;
        let of_other = self.steps_to(other)?;
        let (both, only_one): (Vec<Step>, Vec<Step>) =
            of_one.into_iter().partition(|step| of_other.contains(step));
        let only_other: Vec<Step> = of_other.into_iter().filter(|step| !both.contains(step)).collect();
        let first = self.made(&both, [&only_one, &only_other], stop).await?;
        let second = self.made(&both, [&only_other, &only_one], stop).await?;
        let collisions = differences((one, &first), (other, &second))?;
        let objects = match collisions.is_empty() {
            true => Vec::new(),
            false => self.touched_by_both(&only_one, &only_other).await,
        };
        Ok(BranchPair {
            one: one.clone(),
            other: other.clone(),
            collisions,
            objects,
        })
    }

    fn steps_to(&self, head: &RevisionId) -> Result<Vec<Step>, CommandError> {
        let target: Target = head.as_str().parse()?;
        Ok(self.graph.upgrade(&Applied::default(), &target)?.steps)
    }

    /// Applies what both branches build on, puts rows in, and applies the branches in an order.
    async fn made(
        &self,
        both: &[Step],
        branches: [&[Step]; 2],
        stop: &CancellationToken,
    ) -> Result<Made, CommandError> {
        let scratch = Place::beside(self.environment.database.as_ref())
            .scratch()
            .await?;
        let made = self.made_on(&scratch, both, branches, stop).await;
        // Also after a failure: a scratch database must not stay on somebody's server.
        scratch.remove().await?;
        made
    }

    async fn made_on(
        &self,
        scratch: &ScratchDatabase,
        both: &[Step],
        branches: [&[Step]; 2],
        stop: &CancellationToken,
    ) -> Result<Made, CommandError> {
        let mut environment = self.environment.clone().database(scratch.url().clone());
        // A scratch database has no schema but its first.
        environment.settings.schema = None;
        let session = Session::open(scratch.url(), &Settings::default(), Access::Write).await?;
        let trial = Trial {
            environment,
            session,
            stop,
        };
        let made = trial.run(both, branches).await;
        trial.session.close().await;
        made
    }

    /// Returns what one branch makes, changes or removes and the other speaks of.
    async fn touched_by_both(&self, one: &[Step], other: &[Step]) -> Vec<String> {
        let (one, other) = (self.touched(one).await, self.touched(other).await);
        let shared = |left: &Touched, right: &Touched| -> Vec<String> {
            let shared = left
                .objects
                .iter()
                .filter(|object| right.names.contains(&last_name(object)));
            shared.map(ToString::to_string).collect()
        };
        let shared: BTreeSet<String> = shared(&one, &other)
            .into_iter()
            .chain(shared(&other, &one))
            .collect();
        shared.into_iter().collect()
    }

    async fn touched(&self, steps: &[Step]) -> Touched {
        let database = self.environment.database.as_ref();
        let dialect = database.map_or(Dialect::Sqlite, |url| dialect_of(url.backend()));
        let mut touched = Touched::default();
        for step in steps {
            let script = self.script_of(step, dialect).await;
            for statement in &script.statements {
                touched.objects.extend(objects_of(&statement.facts()));
            }
            for sql in &script.sent {
                let names = tokens(sql, dialect).into_iter().filter(Token::is_name);
                touched.names.extend(names.map(|token| token.text));
            }
        }
        touched
    }
}

/// What a branch makes, changes or removes, and all names in its statements.
#[derive(Default)]
struct Touched {
    objects: BTreeSet<Object>,
    names: BTreeSet<String>,
}

/// One order on one scratch database.
struct Trial<'a> {
    environment: Environment,
    session: Session,
    stop: &'a CancellationToken,
}

impl Trial<'_> {
    async fn run(&self, both: &[Step], branches: [&[Step]; 2]) -> Result<Made, CommandError> {
        if let Some(failed) = self.apply(both).await? {
            return Ok(Err(failed));
        }
        if let Some(last) = both.last() {
            let base = self.catalog().await?;
            let nobody = Verification::default();
            fill(&self.session, &last.revision, &base, &nobody, &mut Vec::new())
                .await
                .map_err(unreadable)?;
        }
        for branch in branches {
            if let Some(failed) = self.apply(branch).await? {
                return Ok(Err(failed));
            }
        }
        let made = self.catalog().await?;
        let rows = texts(&self.session, &made).await.map_err(unreadable)?;
        Ok(Ok((made, rows)))
    }

    /// Applies revisions; returns the one that fails, and why.
    async fn apply(&self, steps: &[Step]) -> Result<Option<(RevisionId, Vec<String>)>, CommandError> {
        let plan = plan(steps.to_vec(), Direction::Up);
        match rehearse(&self.environment, &plan, self.stop).await {
            Ok(_) => Ok(None),
            Err(error) if error.category() == Category::Stopped => Err(error),
            Err(CommandError::Run(error)) => Ok(Some((error.revision.clone(), causes(&error.source)))),
            Err(error) => Err(error),
        }
    }

    async fn catalog(&self) -> Result<Catalog, CommandError> {
        let catalog = inspect(self.session.connection(), &self.environment.scope()).await;
        Ok(catalog.map_err(DriftError::from)?)
    }
}

/// Returns how two orders come out differently, in words.
fn differences(
    (one, first): (&RevisionId, &Made),
    (other, second): (&RevisionId, &Made),
) -> Result<Vec<String>, CommandError> {
    let failed = |begins: &RevisionId, (revision, causes): &(RevisionId, Vec<String>)| {
        format!("with {begins} first, {revision} fails: {}", causes.join(": "))
    };
    let (Ok((made, rows)), Ok((remade, other_rows))) = (first, second) else {
        let first = first.as_ref().err().map(|error| failed(one, error));
        let second = second.as_ref().err().map(|error| failed(other, error));
        return Ok(first.into_iter().chain(second).collect());
    };
    let found = diff(made, remade, &Policy::default()).map_err(DriftError::from)?;
    let mut differences: Vec<String> = words(&found.operations, &found.notes)
        .into_iter()
        .map(|word| format!("with {one} first {word} to have what {other} first makes"))
        .collect();
    for (table, texts) in rows {
        if other_rows.get(table).is_some_and(|others| others != texts) {
            differences.push(format!(
                "rows of {table} hold something else with {one} first than with {other} first"
            ));
        }
    }
    Ok(differences)
}

/// Returns what a statement makes, changes and removes, and the tables whose rows it changes.
fn objects_of(facts: &Facts) -> Vec<Object> {
    let made = facts.makes.iter().map(|naming| &naming.object);
    let removed = facts.removes.iter().map(|removal| &removal.object);
    let renamed = facts.renames.iter().map(|rename| &rename.object);
    let retyped = facts
        .retypes
        .iter()
        .map(|retype| Object::column(&retype.table, &retype.column));
    let rows = facts.rows.iter().map(|rows| Object::table(&rows.table));
    let objects = made.chain(removed).chain(renamed).cloned();
    objects.chain(retyped).chain(rows).collect()
}

/// Returns the last part of a name: of a column that of the column itself.
fn last_name(object: &Object) -> String {
    match object {
        Object::Column { column, .. } => column.clone(),
        Object::Table { name }
        | Object::View { name }
        | Object::Index { name }
        | Object::Type { name }
        | Object::Schema { name }
        | Object::Sequence { name }
        | Object::Function { name }
        | Object::Extension { name }
        | Object::Database { name }
        | Object::Collation { name } => bare(name),
    }
}
