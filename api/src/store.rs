//! Rows in, rows out: the only room that names the tables and the ORM.
//!
//! Every query is made through a [`Scope`], which belongs to one person and one snapshot of the schema: a query without an
//! owner cannot be written. [`Store::run`] works a whole unit of work off and does it once more when the schema moved
//! underneath it.

pub(crate) use accounts::Desk;
pub(crate) use events::EventRange;
pub(crate) use fault::StoreError;
pub(crate) use keys::Claim;
pub(crate) use pool::{Address, Limits, OpenError};
pub(crate) use shape::{KnownRevision, SchemaStatus, Shape, UnknownRevision};
pub(crate) use users::Principal;

mod accounts;
mod api_tokens;
mod conversations;
mod due;
mod events;
mod fault;
mod filter;
mod folding;
mod kept;
mod keys;
mod list;
mod needs;
mod pool;
mod row;
mod runner;
mod sessions;
mod shape;
mod tags;
mod tasks;
mod unit;
mod users;
mod watch;
mod written;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use sea_orm::sea_query::SelectStatement;
use seaworthy::heartbeat::Heart;
use seaworthy::sql::Dialect;
use tokio::sync::{Mutex, Notify};
use tokio_util::sync::CancellationToken;

use crate::domain::{Feature, UserId};
use crate::events::Hub;
use fault::Cure;
use pool::Pool;
use runner::Runner;
use unit::Unit;
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
    /// Told when the schema may have moved.
    moved: Notify,
    /// Told when something has happened to tasks.
    hub: Hub,
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
    /// When the unit of work began, before its first try.
    began: Instant,
    unit: Unit,
}

/// How often a unit of work is done once more at most, and only while the schema goes on moving: each step of an upgrade can get
/// in the way of a try.
const REPEATS: u32 = 20;
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
        let shape = Shape::probe(&Runner::new(&pool, None, &statements), &revisions)
            .await
            .map_err(|source| OpenError::Schema { source })?;
        Ok(Self(Arc::new(Inner {
            pool,
            revisions,
            shape: ArcSwap::from_pointee(shape),
            refreshing: Mutex::new(()),
            moved: Notify::new(),
            hub: Hub::default(),
            known: Known::default(),
            statements,
            retries: AtomicU64::new(0),
        })))
    }

    /// Does a unit of work for somebody, and the whole of it again when the schema moved or a lock was not granted.
    ///
    /// It writes with one statement, or begins a transaction with [`Scope::begin`], which is committed when the work has
    /// succeeded and undone when it has not.
    pub(crate) async fn run<T, F>(
        &self,
        principal: &Principal,
        work: impl Fn(Scope) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let began = Instant::now();
        self.healed(Some(&principal.id), |shape| {
            self.attempt(principal, shape, began, &work)
        })
        .await
    }

    /// Does a unit of work before it is known who asks, with the same promise as [`Store::run`].
    pub(crate) async fn ask<T, F>(&self, work: impl Fn(Desk) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        self.healed(None, async |shape| {
            let unit = Unit::default();
            let done = work(Desk::new(self.clone(), shape, unit.clone())).await;
            unit.end(self, done).await
        })
        .await
    }

    async fn healed<T, F>(
        &self,
        person: Option<&UserId>,
        attempt: impl Fn(Arc<Shape>) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut has_waited = false;
        for round in 0..REPEATS {
            let shape = self.shape();
            let failure = match attempt(Arc::clone(&shape)).await {
                Ok(done) => return Ok(done),
                Err(failure) => failure,
            };
            let failed = Instant::now();
            match failure.cure() {
                Cure::None => {
                    if matches!(failure, StoreError::Unreachable { .. }) {
                        // The other connections are most likely as dead as this one.
                        self.0.pool.retire_connections(failed);
                    }
                    return Err(failure);
                }
                Cure::Look if matches!(failure, StoreError::Missing(_)) && shape.age() < MISSING_AGE => {
                    return Err(failure);
                }
                // Whoever has waited twice has waited long enough.
                Cure::Wait if has_waited => return Err(failure.after_all()),
                Cure::Look => {
                    Box::pin(self.look_since(failed)).await?;
                    // What is not there after a look is not there, unless the schema has moved once more.
                    if round > 0 && self.shape().is_like(&shape) {
                        return Err(failure.after_all());
                    }
                }
                Cure::Refresh => {
                    Box::pin(self.refresh(failed)).await?;
                    if round > 1 && self.shape().is_like(&shape) {
                        return Err(failure.after_all());
                    }
                }
                Cure::Recognise if round > 1 => return Err(failure.after_all()),
                Cure::Wait => {
                    tokio::time::sleep(LOCK_PAUSE.mul_f32(0.5 + fastrand::f32())).await;
                    has_waited = true;
                }
                Cure::Recognise => {
                    if let Some(person) = person {
                        self.0.known.forget(person);
                    }
                }
            }
            self.0.retries.fetch_add(1, Ordering::Relaxed);
        }
        attempt(self.shape()).await.map_err(StoreError::after_all)
    }

    async fn attempt<T, F>(
        &self,
        principal: &Principal,
        shape: Arc<Shape>,
        began: Instant,
        work: &impl Fn(Scope) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let unit = Unit::default();
        let scope = Scope {
            store: self.clone(),
            shape,
            owner: principal.id.clone(),
            began,
            unit: unit.clone(),
        };
        scope.needs(Feature::Tasks)?;
        scope.recognise(principal).await?;
        let done = work(scope).await;
        unit.end(self, done).await
    }

    /// Looks for somebody's row again when they come back: it is gone.
    pub(crate) fn forget_user(&self, id: &UserId) {
        self.0.known.forget(id);
    }

    /// Returns the snapshot of the schema that holds now.
    pub(crate) fn shape(&self) -> Arc<Shape> {
        self.0.shape.load_full()
    }

    /// Looks at the schema after something failed, and lets go of the connections from before: what they have prepared may be
    /// wrong, also where the schema looks as it did.
    async fn refresh(&self, failed: Instant) -> Result<(), StoreError> {
        self.0.pool.retire_connections(failed);
        self.look_since(failed).await
    }

    /// Looks at the schema.
    pub(crate) async fn check(&self) -> Result<(), StoreError> {
        self.look_since(Instant::now()).await
    }

    /// Looks at the schema unless somebody has begun to since that moment: a look that began earlier may have missed what
    /// happened in between.
    async fn look_since(&self, moment: Instant) -> Result<(), StoreError> {
        let _turn = self.0.refreshing.lock().await;
        let before = self.shape();
        if before.asked() > moment {
            return Ok(());
        }
        let now = Shape::probe(&self.runner(), &self.0.revisions).await?;
        if !now.has(Feature::Tasks) {
            self.0.known.forget_everybody();
        }
        if !now.is_like(&before) {
            // Before anybody sees the new snapshot: they would send its statements on connections of the old one.
            self.0.pool.retire_connections(Instant::now());
            tracing::info!(
                from = before.revision(),
                to = now.revision(),
                "the schema has moved"
            );
        }
        self.0.shape.store(Arc::new(now));
        Ok(())
    }

    /// Notices when the schema moves, for [`Self::moved`], and when something happens to tasks, for [`Self::hub`]; ends only with the
    /// task that runs it.
    pub(crate) async fn watch(&self) {
        self.0.pool.watch().tell(&self.0.moved, &self.0.hub).await;
    }

    /// Returns those who wait for what happens to tasks.
    pub(crate) fn hub(&self) -> &Hub {
        &self.0.hub
    }

    /// Waits until the schema may have moved.
    pub(crate) async fn moved(&self) {
        self.0.moved.notified().await;
    }

    /// Gives signs of life until told to stop, so that nobody removes what this build uses.
    pub(crate) async fn live(&self, place: &str, stop: &CancellationToken) {
        let heart = Heart::new(needs::build(&self.0.revisions), place);
        heart.beat_until(self.0.pool.connection(), stop).await;
    }

    /// Asks the database for a sign of life, and for the tables, or the file, that the service may not work with.
    pub(crate) async fn denied(&self) -> Result<Vec<String>, StoreError> {
        self.runner().denied().await
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

    fn runner(&self) -> Runner<'_> {
        Runner::new(&self.0.pool, None, &self.0.statements)
    }
}

impl Scope {
    /// Refuses to go on when the schema does not have this yet.
    pub(crate) fn needs(&self, feature: Feature) -> Result<(), StoreError> {
        self.shape.needs(feature)
    }

    pub(crate) fn has(&self, feature: Feature) -> bool {
        self.shape.has(feature)
    }

    /// Returns the revision that the snapshot stands at.
    pub(crate) fn revision(&self) -> &str {
        self.shape.revision()
    }

    /// Makes everything that follows one transaction, which ends with the unit of work.
    pub(crate) async fn begin(&self) -> Result<(), StoreError> {
        self.unit.begin(&self.store).await
    }

    /// Whether the schema was looked at for this unit of work, or a moment before.
    pub(crate) fn has_looked(&self) -> bool {
        self.shape.asked() >= self.began || self.shape.age() < MISSING_AGE
    }

    /// Locks what a query finds until the transaction ends. On SQLite there is one writer at a time anyway.
    async fn lock_rows(&self, mut select: SelectStatement) -> Result<(), StoreError> {
        match self.dialect() {
            Dialect::Postgresql => self.runner().all(select.lock_exclusive()).await.map(drop),
            Dialect::Sqlite => Ok(()),
        }
    }

    fn runner(&self) -> Runner<'_> {
        self.unit.runner(&self.store)
    }

    fn dialect(&self) -> Dialect {
        self.store.0.pool.dialect()
    }
}
