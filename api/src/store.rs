//! Rows in, rows out: the only room that names the tables and the ORM.
//!
//! Every query is made through a [`Scope`], which belongs to one person and one snapshot of the schema: a query without an
//! owner cannot be written. [`Store::run`] works a whole unit of work off and does it once more when the schema moved
//! underneath it.

pub(crate) use fault::StoreError;
pub(crate) use pool::{Address, Limits, OpenError};
pub(crate) use shape::{KnownRevision, SchemaStatus, Shape};
pub(crate) use tasks::Completion;
pub(crate) use users::Principal;

mod conversations;
mod fault;
mod filter;
mod pool;
mod row;
mod runner;
mod shape;
mod tags;
mod tasks;
mod users;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::Mutex;

use crate::domain::{Feature, Missing, UserId};
use fault::Cure;
use pool::Pool;
use runner::Runner;
use users::Known;

/// The database, and what its schema has at the moment.
#[derive(Clone)]
pub(crate) struct Store(Arc<Inner>);

struct Inner {
    pool: Pool,
    revisions: Vec<KnownRevision>,
    shape: ArcSwap<Shape>,
    /// Held while the schema is looked at, so that a hundred failing requests look once.
    refreshing: Mutex<()>,
    known: Known,
    statements: AtomicU64,
    retries: AtomicU64,
}

/// The database as one person sees it on one snapshot of the schema.
#[derive(Clone)]
pub(crate) struct Scope {
    store: Store,
    shape: Arc<Shape>,
    owner: UserId,
}

/// How long a unit of work waits before it is done once more after it did not get a lock.
const LOCK_PAUSE: Duration = Duration::from_millis(50);
/// A snapshot this old is looked at again before something is called missing.
const MISSING_AGE: Duration = Duration::from_millis(100);

impl Store {
    /// Connects and looks at the schema.
    pub(crate) async fn open(
        address: &Address,
        limits: &Limits,
        revisions: Vec<KnownRevision>,
    ) -> Result<Self, OpenError> {
        let pool = Pool::open(address, limits).await?;
        let statements = AtomicU64::new(0);
        let shape = Shape::probe(&Runner::new(pool.connection(), &statements), &revisions)
            .await
            .map_err(|source| OpenError::Schema { source })?;
        Ok(Self(Arc::new(Inner {
            pool,
            revisions,
            shape: ArcSwap::from_pointee(shape),
            refreshing: Mutex::new(()),
            known: Known::default(),
            statements,
            retries: AtomicU64::new(0),
        })))
    }

    /// Does a unit of work for somebody, and the whole of it once more when the schema moved or a lock was not granted.
    ///
    /// The work must leave nothing behind when it fails: it writes with one statement or in a transaction.
    pub(crate) async fn run<T, F>(
        &self,
        principal: &Principal,
        work: impl Fn(Scope) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let shape = self.shape();
        let failure = match self.attempt(principal, Arc::clone(&shape), &work).await {
            Ok(done) => return Ok(done),
            Err(failure) => failure,
        };
        match failure.cure() {
            Cure::None => {
                if matches!(failure, StoreError::Unreachable { .. }) {
                    // The other connections are most likely as dead as this one.
                    self.0.pool.retire_connections();
                }
                return Err(failure);
            }
            Cure::Look if matches!(failure, StoreError::Missing(_)) && shape.age() < MISSING_AGE => {
                return Err(failure);
            }
            Cure::Look => self.check(Some(&shape)).await?,
            Cure::Refresh => drop(self.refresh(&shape).await?),
            Cure::Wait => tokio::time::sleep(LOCK_PAUSE.mul_f32(0.5 + fastrand::f32())).await,
            Cure::Recognise => self.0.known.forget(&principal.id),
        }
        self.0.retries.fetch_add(1, Ordering::Relaxed);
        self.attempt(principal, self.shape(), &work)
            .await
            .map_err(StoreError::after_all)
    }

    async fn attempt<T, F>(
        &self,
        principal: &Principal,
        shape: Arc<Shape>,
        work: &impl Fn(Scope) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let scope = Scope {
            store: self.clone(),
            shape,
            owner: principal.id.clone(),
        };
        scope.needs(Feature::Tasks)?;
        scope.recognise(principal).await?;
        work(scope).await
    }

    /// Returns the snapshot of the schema that holds now.
    pub(crate) fn shape(&self) -> Arc<Shape> {
        self.0.shape.load_full()
    }

    /// Looks at the schema again unless somebody else has since `seen`; connections with statements from before are let go
    /// of.
    pub(crate) async fn refresh(&self, seen: &Arc<Shape>) -> Result<Arc<Shape>, StoreError> {
        let _turn = self.0.refreshing.lock().await;
        let current = self.shape();
        if !Arc::ptr_eq(&current, seen) {
            return Ok(current);
        }
        self.0.pool.retire_connections();
        self.look().await
    }

    /// Looks at the schema and takes over what has changed: what the timer does.
    ///
    /// Somebody who has seen an outdated snapshot gets one that is newer than theirs.
    pub(crate) async fn check(&self, seen: Option<&Arc<Shape>>) -> Result<(), StoreError> {
        let _turn = self.0.refreshing.lock().await;
        let before = self.shape();
        if seen.is_some_and(|seen| !Arc::ptr_eq(seen, &before)) {
            return Ok(());
        }
        let now = self.look().await?;
        if !now.is_like(&before) {
            self.0.pool.retire_connections();
            tracing::info!(
                from = before.revision(),
                to = now.revision(),
                "the schema has moved"
            );
        }
        Ok(())
    }

    async fn look(&self) -> Result<Arc<Shape>, StoreError> {
        let shape = Arc::new(Shape::probe(&self.runner(), &self.0.revisions).await?);
        if !shape.has(Feature::Tasks) {
            self.0.known.forget_everybody();
        }
        self.0.shape.store(Arc::clone(&shape));
        Ok(shape)
    }

    /// Asks the database for a sign of life.
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        self.runner().ping().await
    }

    /// Returns how the schema stands to what this build knows.
    pub(crate) fn status(&self) -> SchemaStatus {
        self.shape().status(&self.0.revisions)
    }

    /// Returns how many statements were sent since the start; beginning and ending a transaction count too.
    pub(crate) fn statements(&self) -> u64 {
        self.0.statements.load(Ordering::Relaxed)
    }

    /// Returns how many units of work were done once more.
    pub(crate) fn retries(&self) -> u64 {
        self.0.retries.load(Ordering::Relaxed)
    }

    /// Returns how many connections are at work, open and waiting, and allowed.
    pub(crate) fn connections(&self) -> (u32, u32, u32) {
        self.0.pool.usage()
    }

    /// Closes every connection.
    pub(crate) async fn close(&self) {
        self.0.pool.close().await;
    }

    fn runner(&self) -> Runner<'_, &sea_orm::DatabaseConnection> {
        Runner::new(self.0.pool.connection(), &self.0.statements)
    }
}

impl Scope {
    /// Refuses to go on when the schema does not have this yet.
    fn needs(&self, feature: Feature) -> Result<(), StoreError> {
        if self.shape.has(feature) {
            return Ok(());
        }
        Err(StoreError::Missing(Missing {
            feature,
            current_revision: self.shape.revision().to_owned(),
        }))
    }

    /// Returns the revision that the snapshot stands at.
    pub(crate) fn revision(&self) -> &str {
        self.shape.revision()
    }

    fn runner(&self) -> Runner<'_, &sea_orm::DatabaseConnection> {
        self.store.runner()
    }
}
