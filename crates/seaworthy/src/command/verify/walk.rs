//! The walk over all revisions on one scratch database: up, down, up.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::extensions::lacking;
use super::kept::{Counts, fill};
use super::promise::{BrokenPromise, Promise};
use super::reasons::{causes, unreadable, words};
use super::{Irreversible, Place, Verification, VerifiedDatabase};
use crate::autogenerate::{Note, Operation, Policy, diff};
use crate::catalog::{Catalog, Dialect, ObjectKind, Scope, inspect};
use crate::command::upgrade::Compared;
use crate::command::{Category, CommandError, Conduct, Living, OutOfOrder, Outcome, Project};
use crate::environment::Environment;
use crate::graph::{Plan, Step};
use crate::revision::{Direction, RevisionId, Stage};
use crate::runner::Observer;
use crate::session::{Access, DatabaseUrl, Session, Settings, dialect_of};
use crate::verify::{DriftError, ScratchDatabase, drift_from};

/// Walks over all revisions at one place, on an empty database and on one with rows.
pub(super) async fn all(
    environment: &Environment,
    steps: &[Step],
    verification: &Verification<'_>,
    place: &Place,
) -> Result<(VerifiedDatabase, Vec<BrokenPromise>), CommandError> {
    let mut found = Found {
        database: VerifiedDatabase {
            dialect: place.dialect(),
            steps: 0,
            rows: 0,
            unfilled: Vec::new(),
            irreversible: Vec::new(),
        },
        broken: Vec::new(),
        brought: BTreeMap::new(),
    };
    let walks: &[bool] = if verification.without_rows {
        &[false]
    } else {
        &[false, true]
    };
    for &with_rows in walks {
        found.brought.clear();
        let scratch = place.scratch().await?;
        let walked = match Walk::begin(environment, &scratch, verification, with_rows).await {
            Ok(mut walk) => {
                let walked = walk.over(steps, place, &mut found).await;
                walk.session.close().await;
                walked
            }
            Err(error) => Err(error),
        };
        // Also after a failure: a scratch database must not stay on somebody's server.
        let removed = scratch.remove().await;
        walked?;
        removed?;
    }
    Ok((found.database, found.broken))
}

/// What was found so far at one place.
struct Found {
    database: VerifiedDatabase,
    broken: Vec<BrokenPromise>,
    /// What revisions have put in in this walk, by revision.
    brought: BTreeMap<RevisionId, Counts>,
}

impl Found {
    /// Notes, once, that a revision cannot be undone.
    fn cannot_be_undone(&mut self, revision: RevisionId, reason: String) {
        let noted = &mut self.database.irreversible;
        if !noted.iter().any(|noted| noted.revision == revision) {
            noted.push(Irreversible { revision, reason });
        }
    }

    /// Returns whether a revision could not be undone, be it that it says so or that it broke its promise.
    fn stays(&self, revision: &RevisionId) -> bool {
        let declared = self.database.irreversible.iter().map(|noted| &noted.revision);
        let failed = self
            .broken
            .iter()
            .filter(|broken| broken.promise == Promise::Undoes);
        let mut all = declared.chain(failed.filter_map(|broken| broken.revision.as_ref()));
        all.any(|noted| noted == revision)
    }
}

/// What became of a step.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ran {
    /// It was done.
    Done,
    /// It failed, which is noted.
    Broken,
    /// The revision cannot be undone, which is noted; nothing was done.
    Irreversible,
}

struct Walk<'a> {
    environment: Environment,
    verification: &'a Verification<'a>,
    session: Session,
    scope: Scope,
    with_rows: bool,
    /// The database that was named, where it is one of the same server.
    beside: Option<DatabaseUrl>,
}

impl<'a> Walk<'a> {
    async fn begin(
        environment: &Environment,
        scratch: &ScratchDatabase,
        verification: &'a Verification<'a>,
        with_rows: bool,
    ) -> Result<Self, CommandError> {
        let is_postgresql = |url: &DatabaseUrl| dialect_of(url.backend()) == Dialect::Postgresql;
        let named = environment.database.clone().filter(is_postgresql);
        let beside = named.filter(|_| is_postgresql(scratch.url()));
        let mut environment = environment.clone().database(scratch.url().clone());
        // A scratch database has no schema but its first.
        environment.settings.schema = None;
        let scope = environment.scope();
        let session = Session::open(scratch.url(), &Settings::default(), Access::Write).await?;
        Ok(Self {
            environment,
            verification,
            session,
            scope,
            with_rows,
            beside,
        })
    }

    async fn over(&mut self, steps: &[Step], place: &Place, found: &mut Found) -> Result<(), CommandError> {
        let nothing = self.catalog().await?;
        let mut before = nothing.clone();
        for step in steps {
            match self.rung(&step.revision, &before, found).await? {
                Some(after) => before = after,
                // What comes after builds on it.
                None => return Ok(()),
            }
        }
        if !self.with_rows {
            self.declared(found).await?;
        }
        if found
            .broken
            .iter()
            .any(|broken| broken.promise == Promise::ComesBack)
        {
            // It would only be found again, below everything else.
            return Ok(());
        }
        self.down_and_up(steps, place, (&nothing, &before), found).await
    }

    /// Applies a revision, undoes it and applies it again; returns the schema it makes unless it cannot be run.
    async fn rung(
        &self,
        revision: &RevisionId,
        before: &Catalog,
        found: &mut Found,
    ) -> Result<Option<Catalog>, CommandError> {
        let kept = self.counts(before).await?;
        if self.step(revision, Direction::Up, found).await? != Ran::Done {
            return Ok(None);
        }
        let after = self.catalog().await?;
        let gains = self
            .compare_rows(revision, &kept, &Counts::default(), &after, found)
            .await?;
        found.brought.insert(revision.clone(), gains);
        found.database.rows += self.fill(revision, &after, found).await?;

        let kept = self.counts(&after).await?;
        match self.step(revision, Direction::Down, found).await? {
            Ran::Done => {}
            // The way goes on from here.
            Ran::Irreversible => return Ok(Some(after)),
            Ran::Broken => {
                let left = self.catalog().await?;
                let is_untouched = diff(&left, &after, &Policy::default())
                    .map_err(DriftError::from)?
                    .is_empty();
                return Ok(is_untouched.then_some(after));
            }
        }
        let back = self.catalog().await?;
        let comes_back = self.compare(Promise::ComesBack, Some(revision), &back, before, found)?;
        // What it has put in it may take out again, and what others have put in like it.
        let brought = Counts::sum(found.brought.values());
        self.compare_rows(revision, &kept, &brought, &back, found).await?;
        if !comes_back {
            return self.again(revision, found).await;
        }

        let kept = self.counts(&back).await?;
        if self.step(revision, Direction::Up, found).await? != Ran::Done {
            return Ok(None);
        }
        let again = self.catalog().await?;
        self.compare(Promise::Repeats, Some(revision), &again, &after, found)?;
        self.compare_rows(revision, &kept, &Counts::default(), &again, found)
            .await?;
        self.fill(revision, &again, found).await?;
        Ok(Some(again))
    }

    /// Applies a revision once more that has left something behind; returns the schema by then, unless that is in its way.
    async fn again(&self, revision: &RevisionId, found: &mut Found) -> Result<Option<Catalog>, CommandError> {
        let known = found.broken.len();
        let ran = self.step(revision, Direction::Up, found).await?;
        // That it fails is no fault of its own.
        found.broken.truncate(known);
        if ran != Ran::Done {
            return Ok(None);
        }
        let again = self.catalog().await?;
        self.fill(revision, &again, found).await?;
        Ok(Some(again))
    }

    /// Undoes everything that can be undone, and applies everything in one go.
    async fn down_and_up(
        &self,
        steps: &[Step],
        place: &Place,
        (nothing, head): (&Catalog, &Catalog),
        found: &mut Found,
    ) -> Result<(), CommandError> {
        let last = steps.iter().rposition(|step| found.stays(&step.revision));
        let (below, undone) = steps.split_at(last.map_or(0, |place| place + 1));
        for step in undone.iter().rev() {
            if self.step(&step.revision, Direction::Down, found).await? != Ran::Done {
                return Ok(());
            }
        }
        if below.is_empty() {
            let left = self.catalog().await?;
            if !self.compare(Promise::LeavesNothing, None, &left, nothing, found)? {
                return Ok(());
            }
        }
        self.at_once(undone, head, found).await?;
        if below.is_empty() || self.with_rows {
            return Ok(());
        }
        let scratch = place.scratch().await?;
        let begun = Self::begin(&self.environment, &scratch, self.verification, false).await;
        let walked = match begun {
            Ok(walk) => {
                let walked = walk.at_once(steps, head, found).await;
                walk.session.close().await;
                walked
            }
            Err(error) => Err(error),
        };
        scratch.remove().await?;
        walked
    }

    /// Applies revisions in one go, after which the schema has to be that of the newest.
    async fn at_once(&self, steps: &[Step], head: &Catalog, found: &mut Found) -> Result<(), CommandError> {
        let plan = plan(steps.to_vec(), Direction::Up);
        found.database.steps += steps.len();
        if self.run(&plan, None, found).await? == Ran::Done {
            let at_once = self.catalog().await?;
            self.compare(Promise::AtOnce, None, &at_once, head, found)?;
        }
        Ok(())
    }

    /// Puts rows into empty tables in the walk that has some; returns how many.
    async fn fill(
        &self,
        revision: &RevisionId,
        catalog: &Catalog,
        found: &mut Found,
    ) -> Result<u64, CommandError> {
        if !self.with_rows {
            return Ok(0);
        }
        let unfilled = &mut found.database.unfilled;
        fill(&self.session, revision, catalog, self.verification, unfilled)
            .await
            .map_err(unreadable)
    }

    async fn declared(&self, found: &mut Found) -> Result<(), CommandError> {
        let Some(declared) = &self.verification.declared else {
            return Ok(());
        };
        let difference = drift_from(
            self.session.connection(),
            &self.scope,
            declared,
            &Policy::default(),
        )
        .await?;
        let details = words(&difference.operations, &difference.notes);
        self.note(Promise::Declared, None, details, found);
        Ok(())
    }

    async fn catalog(&self) -> Result<Catalog, CommandError> {
        let catalog = inspect(self.session.connection(), &self.scope).await;
        let mut catalog = catalog.map_err(DriftError::from)?;
        // They belong to the database, and somebody else may use them by the time a revision is undone: nobody is asked to remove one.
        if let Some(objects) = &mut catalog.objects {
            objects.retain(|object| object.kind != ObjectKind::Extension);
        }
        Ok(catalog)
    }

    async fn counts(&self, catalog: &Catalog) -> Result<Counts, CommandError> {
        if !self.with_rows {
            return Ok(Counts::default());
        }
        Counts::of(&self.session, catalog).await.map_err(unreadable)
    }

    /// Notes what rows have gone beyond those that may; returns how many have come.
    async fn compare_rows(
        &self,
        revision: &RevisionId,
        kept: &Counts,
        allowed: &Counts,
        now: &Catalog,
        found: &mut Found,
    ) -> Result<Counts, CommandError> {
        let later = self.counts(now).await?;
        self.note(
            Promise::KeepsRows,
            Some(revision),
            kept.losses(&later, allowed),
            found,
        );
        Ok(kept.gains(&later))
    }

    /// Notes what would turn one schema into the other; returns whether they are the same.
    fn compare(
        &self,
        promise: Promise,
        revision: Option<&RevisionId>,
        is: &Catalog,
        should_be: &Catalog,
        found: &mut Found,
    ) -> Result<bool, CommandError> {
        let policy = Policy::default();
        let wanted = diff(is, should_be, &policy).map_err(DriftError::from)?;
        let surplus = diff(should_be, is, &policy).map_err(DriftError::from)?;
        // A revision that makes a function as it was seldom has each space where it was.
        let is_change = |operation: &&Operation| match operation {
            Operation::AlterObject { from, to } => !from.is_same_but_for_layout(to),
            _ => true,
        };
        let operations: Vec<Operation> = wanted.operations.iter().filter(is_change).cloned().collect();
        let mut details = words(&operations, &wanted.notes);
        details.extend(surplus.notes.iter().filter_map(|note| match note {
            Note::MissingView { name } => Some(format!("the view {name} is too many")),
            Note::MissingTrigger { table, name } => {
                Some(format!("the trigger {name} on {table} is too many"))
            }
            Note::InTheWay { .. } => None,
        }));
        let is_same = details.is_empty();
        self.note(promise, revision, details, found);
        Ok(is_same)
    }

    /// Notes a promise that is broken, unless it was on the empty database as well, or is for the same reason.
    fn note(&self, promise: Promise, revision: Option<&RevisionId>, details: Vec<String>, found: &mut Found) {
        let is_noted = found.broken.iter().any(|noted| {
            let is_same = (noted.promise, noted.revision.as_ref()) == (promise, revision);
            is_same && (noted.with_rows != self.with_rows || noted.details == details)
        });
        if !details.is_empty() && !is_noted {
            found.broken.push(BrokenPromise {
                promise,
                dialect: Some(found.database.dialect),
                revision: revision.cloned(),
                with_rows: self.with_rows,
                details,
            });
        }
    }

    async fn step(
        &self,
        revision: &RevisionId,
        direction: Direction,
        found: &mut Found,
    ) -> Result<Ran, CommandError> {
        found.database.steps += 1;
        let step = Step {
            revision: revision.clone(),
            direction,
        };
        self.run(&plan(vec![step], direction), Some(revision), found)
            .await
    }

    async fn run(
        &self,
        plan: &Plan,
        revision: Option<&RevisionId>,
        found: &mut Found,
    ) -> Result<Ran, CommandError> {
        let promise = match plan.direction {
            Direction::Up => Promise::Applies,
            Direction::Down => Promise::Undoes,
        };
        let ran = rehearse(&self.environment, plan, &self.verification.stop).await;
        match ran {
            Ok(_) => Ok(Ran::Done),
            Err(error) if error.category() == Category::Stopped => Err(error),
            Err(CommandError::CannotBeUndone { revision, reason }) => {
                found.cannot_be_undone(revision, reason);
                Ok(Ran::Irreversible)
            }
            Err(CommandError::Run(error)) => {
                let revision = revision.unwrap_or(&error.revision);
                let mut details = causes(&error.source);
                if let Some(named) = &self.beside {
                    details.extend(lacking(&self.session, named).await?);
                }
                self.note(promise, Some(revision), details, found);
                Ok(Ran::Broken)
            }
            Err(error) => Err(error),
        }
    }
}

/// Runs a plan on a scratch database, where nothing has to be asked and nobody else is.
pub(in crate::command) async fn rehearse(
    environment: &Environment,
    plan: &Plan,
    stop: &CancellationToken,
) -> Result<Outcome, CommandError> {
    let project = Project::of(environment)?;
    let conduct = Conduct {
        wait: Duration::from_secs(10),
        retries: 0,
        stop: stop.clone(),
        observer: &Silent,
        waiting: &|_, _| {},
        through: Stage::Contract,
        living: Living::Ignore,
        consent: &|_| true,
    };
    match plan.direction {
        Direction::Up => {
            project
                .apply("rehearse", OutOfOrder::Allow, Compared::Nothing, &conduct, |_| {
                    Ok(plan.clone())
                })
                .await
        }
        Direction::Down => project.undo("rehearse", &conduct, |_| Ok(plan.clone())).await,
    }
}

struct Silent;

impl Observer for Silent {}

pub(in crate::command) fn plan(steps: Vec<Step>, direction: Direction) -> Plan {
    Plan {
        direction,
        steps,
        notes: Vec::new(),
    }
}
