//! The walk over all revisions on one scratch database: up, down, up.

use std::collections::BTreeSet;

use super::extensions::lacking;
use super::found::Found;
use super::kept::{Counts, fill};
use super::promise::{BrokenPromise, Promise};
use super::reasons::{causes, unreadable, words};
use super::rehearsal::{plan, rehearse};
use super::{Place, Verification, VerifiedDatabase};
use crate::autogenerate::{Note, Operation, Policy, diff};
use crate::catalog::{Catalog, Dialect, ObjectKind, Scope, inspect};
use crate::command::{Category, CommandError};
use crate::environment::Environment;
use crate::graph::{Plan, Step};
use crate::revision::{Direction, RevisionId};
use crate::session::{Access, DatabaseUrl, Session, Settings, dialect_of};
use crate::verify::{DriftError, ScratchDatabase, drift_from};

/// Walks over revisions at one place, on an empty database and on one with rows.
pub(super) async fn all(
    environment: &Environment,
    course: &Course,
    verification: &Verification<'_>,
    place: &Place,
) -> Result<(VerifiedDatabase, Vec<BrokenPromise>), CommandError> {
    let mut found = Found::on(place.dialect());
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
                let walked = walk.over(course, place, &mut found).await;
                walk.session.close().await;
                remove_all(walk.anew).await.and(walked)
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

async fn remove_all(scratches: Vec<ScratchDatabase>) -> Result<(), CommandError> {
    let mut removed = Ok(());
    for scratch in scratches {
        removed = removed.and(scratch.remove().await);
    }
    Ok(removed?)
}

/// The way of a walk.
pub(super) struct Course {
    /// All revisions that have to be applied, in order.
    pub(super) steps: Vec<Step>,
    /// Those whose promises are looked at; all where nobody has chosen.
    pub(super) chosen: Option<BTreeSet<RevisionId>>,
}

impl Course {
    fn is_chosen(&self, revision: &RevisionId) -> bool {
        self.chosen
            .as_ref()
            .is_none_or(|chosen| chosen.contains(revision))
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
    /// The databases on which it went on where the one before was in disorder.
    anew: Vec<ScratchDatabase>,
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
            anew: Vec::new(),
        })
    }

    async fn over(&mut self, course: &Course, place: &Place, found: &mut Found) -> Result<(), CommandError> {
        let nothing = self.catalog().await?;
        let mut before = nothing.clone();
        for (index, step) in course.steps.iter().enumerate() {
            let revision = &step.revision;
            let after = match course.is_chosen(revision) {
                true => self.rung(revision, &before, found).await?,
                false => self.pass(revision, found).await?,
            };
            let after = match after {
                Some(after) => Some(after),
                None => self.begin_anew(&course.steps[..=index], place, found).await?,
            };
            match after {
                Some(after) => before = after,
                // What comes after builds on it.
                None => return Ok(()),
            }
        }
        if !self.with_rows && course.chosen.is_none() {
            self.declared(found).await?;
        }
        // What a revision leaves behind would only be found again, below everything else.
        let is_tried = !found.has_broken(Promise::ComesBack)
            && self.down_and_up(course, (&nothing, &before), found).await?;
        if is_tried || self.with_rows {
            return Ok(());
        }
        self.all_at_once(&course.steps, place, &before, found).await
    }

    /// Applies a revision whose promises nobody asks about; returns the schema it makes unless it cannot be run.
    async fn pass(&self, revision: &RevisionId, found: &mut Found) -> Result<Option<Catalog>, CommandError> {
        if self.step(revision, Direction::Up, found).await? != Ran::Done {
            return Ok(None);
        }
        let after = self.catalog().await?;
        found.database.rows += self.fill(revision, &after, found).await?;
        Ok(Some(after))
    }

    /// Goes on with another scratch database, to which revisions are applied in one go, since the one before is in disorder;
    /// returns the schema, unless they cannot be applied.
    async fn begin_anew(
        &mut self,
        steps: &[Step],
        place: &Place,
        found: &mut Found,
    ) -> Result<Option<Catalog>, CommandError> {
        let scratch = place.scratch().await?;
        let url = scratch.url().clone();
        self.anew.push(scratch);
        let session = Session::open(&url, &Settings::default(), Access::Write).await?;
        self.environment = self.environment.clone().database(url);
        std::mem::replace(&mut self.session, session).close().await;
        found.database.steps += steps.len();
        if self
            .run(&plan(steps.to_vec(), Direction::Up), None, found)
            .await?
            != Ran::Done
        {
            return Ok(None);
        }
        let after = self.catalog().await?;
        if let Some(last) = steps.last() {
            found.database.rows += self.fill(&last.revision, &after, found).await?;
        }
        Ok(Some(after))
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
            return Ok(None);
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

    /// Undoes everything that can be undone, and applies it in one go; returns whether that was everything.
    async fn down_and_up(
        &self,
        course: &Course,
        (nothing, head): (&Catalog, &Catalog),
        found: &mut Found,
    ) -> Result<bool, CommandError> {
        let stays = |step: &Step| found.stays(&step.revision) || !course.is_chosen(&step.revision);
        let last = course.steps.iter().rposition(stays);
        let (below, undone) = course.steps.split_at(last.map_or(0, |place| place + 1));
        for step in undone.iter().rev() {
            if self.step(&step.revision, Direction::Down, found).await? != Ran::Done {
                return Ok(false);
            }
        }
        if below.is_empty() {
            let left = self.catalog().await?;
            if !self.compare(Promise::LeavesNothing, None, &left, nothing, found)? {
                return Ok(false);
            }
        }
        self.at_once(undone, head, found).await?;
        Ok(below.is_empty())
    }

    /// Applies everything in one go on a scratch database of its own.
    async fn all_at_once(
        &self,
        steps: &[Step],
        place: &Place,
        head: &Catalog,
        found: &mut Found,
    ) -> Result<(), CommandError> {
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

    fn note(&self, promise: Promise, revision: Option<&RevisionId>, details: Vec<String>, found: &mut Found) {
        found.note(promise, revision, self.with_rows, details);
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
