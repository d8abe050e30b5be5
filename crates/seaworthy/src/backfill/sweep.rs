//! Works a backfill off: batch by batch, each a transaction that saves how far it got.

use std::time::{Duration, Instant};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};
use tokio_util::sync::CancellationToken;

use super::key::{Found, Key, Place};
use super::sql::{self, Advance, Beginning};
use super::standing::{Standing, State};
use super::{Backfill, BackfillError, BatchSize, HeldUp, Progress};
use crate::session::Fault;
use crate::session::dialect_of;
use crate::sql::Dialect;

/// Rows of the first batch.
const FIRST_ROWS: u64 = 1_000;

/// Fewest and most rows of a batch whose size follows its time.
const ROWS: (u64, u64) = (100, 50_000);

/// How often a batch whose rows are locked is tried.
const TRIES: u32 = 30;

/// How often it is looked whether a backfill that is held up may go on, and how far replicas are behind.
const LOOK: Duration = Duration::from_millis(500);

/// A backfill, and the connection that it is worked off on.
pub(crate) struct Sweep<'a> {
    backfill: &'a Backfill,
    connection: &'a DatabaseConnection,
    backend: DbBackend,
    stop: &'a CancellationToken,
    heard: &'a (dyn Fn(&Progress) + Sync),
}

/// One part of the key.
struct Batch {
    until: Place,
    seen: u64,
    is_last: bool,
}

/// What a run of a backfill knows besides what is saved.
struct Course {
    began: Instant,
    seen_before: u64,
    lag_looked_at: Option<Instant>,
}

impl<'a> Sweep<'a> {
    pub(crate) fn new(
        backfill: &'a Backfill,
        connection: &'a DatabaseConnection,
        stop: &'a CancellationToken,
        heard: &'a (dyn Fn(&Progress) + Sync),
    ) -> Self {
        Self {
            backfill,
            connection,
            backend: connection.get_database_backend(),
            stop,
            heard,
        }
    }

    /// Works the backfill off from where it stands, and looks whether it did what it should.
    pub(crate) async fn run(&self) -> Result<(), BackfillError> {
        if self.backfill.assignments.is_empty() {
            let name = self.backfill.name.clone();
            return Err(BackfillError::SetsNothing { name });
        }
        if !self.backfill.has_work_on(self.backend) {
            self.send(&sql::create_table(self.backend)).await?;
            return self.send(&self.backfill.done_without_work(self.backend)).await;
        }
        let key = self.key().await?;
        let mut standing = self.begin(&key).await?;
        if standing.state == State::Verified {
            return Ok(());
        }
        let mut course = Course {
            began: Instant::now(),
            seen_before: standing.seen,
            lag_looked_at: None,
        };
        while standing.state == State::Running {
            standing = self.unless_held_up(standing, &mut course).await?;
            let watch = Instant::now();
            self.batch_in_tries(&key, &mut standing).await?;
            (self.heard)(&course.progress(&standing, None));
            if standing.state == State::Running {
                self.rest(watch.elapsed().mul_f64(standing.rest)).await?;
            }
        }
        self.verify(&key).await
    }

    async fn key(&self) -> Result<Key, BackfillError> {
        let (name, table) = (self.backfill.name.clone(), self.backfill.table.clone());
        match Key::find(self.connection, &table).await.map_err(self.failed())? {
            Found::Key(key) => Ok(key),
            Found::NoKey => Err(BackfillError::NoKey { name, table }),
            Found::NoTable => Err(BackfillError::NoTable { name, table }),
        }
    }

    /// Returns where the backfill stands; one that is new begins, with the rows that there are now.
    async fn begin(&self, key: &Key) -> Result<Standing, BackfillError> {
        self.send(&sql::create_table(self.backend)).await?;
        let checksum = self.backfill.checksum(self.backend);
        let standing = match self.standing().await? {
            Some(standing) => standing,
            None => {
                let bound = self.bound(key).await?;
                let total = self.number(&self.backfill.size_query(self.backend)).await?;
                let beginning = Beginning {
                    name: &self.backfill.name,
                    table: &self.backfill.table,
                    checksum: &checksum,
                    bound: bound.as_deref(),
                    total,
                    batch_rows: self.first_rows(),
                    rest: self.backfill.rest,
                    max_lag_ms: u64::try_from(self.backfill.max_lag.as_millis()).unwrap_or(u64::MAX),
                };
                self.send(&sql::begin(self.backend, &beginning)).await?;
                self.standing_for_sure().await?
            }
        };
        if standing.table != self.backfill.table {
            return Err(BackfillError::NameTaken {
                name: self.backfill.name.clone(),
                table: standing.table,
            });
        }
        if standing.checksum != checksum {
            let name = self.backfill.name.clone();
            return Err(BackfillError::Changed { name });
        }
        // It was everywhere, and found wanting: rows came that nothing covered.
        if standing.state == State::Finished && standing.error.is_some() && self.backfill.is_repeatable() {
            let bound = self.bound(key).await?;
            self.send(&sql::begin_again(
                self.backend,
                &self.backfill.name,
                bound.as_deref(),
            ))
            .await?;
            return self.standing_for_sure().await;
        }
        Ok(standing)
    }

    /// Returns the last key that there is now.
    async fn bound(&self, key: &Key) -> Result<Option<String>, BackfillError> {
        let rows = self.rows(&self.backfill.last(key)).await.map_err(self.failed())?;
        let place = rows
            .first()
            .map(|row| key.place(row))
            .transpose()
            .map_err(self.failed())?;
        Ok(place.map(|place| place.stored()))
    }

    /// Waits while the backfill is paused or a replica is too far behind, and returns where it stands then.
    async fn unless_held_up(
        &self,
        standing: Standing,
        course: &mut Course,
    ) -> Result<Standing, BackfillError> {
        let mut standing = match self.standing().await? {
            // What was asked of it meanwhile counts from now on.
            Some(now) => now,
            None => standing,
        };
        loop {
            if self.stop.is_cancelled() {
                let name = self.backfill.name.clone();
                return Err(BackfillError::Stopped { name });
            }
            let held_up = match standing.is_paused {
                true => Some(HeldUp::Paused),
                false => self.lag(&standing, course).await?,
            };
            let Some(held_up) = held_up else {
                return Ok(standing);
            };
            (self.heard)(&course.progress(&standing, Some(held_up)));
            self.rest(LOOK).await?;
            standing = self.standing_for_sure().await?;
        }
    }

    /// Returns how far the slowest replica is behind, when that is too far; asked twice a second at most.
    async fn lag(&self, standing: &Standing, course: &mut Course) -> Result<Option<HeldUp>, BackfillError> {
        let is_fresh = course.lag_looked_at.is_some_and(|then| then.elapsed() < LOOK);
        if dialect_of(self.backend) != Dialect::Postgresql || is_fresh {
            return Ok(None);
        }
        // Without the rights of pg_monitor there is nothing to see, and nothing to wait for.
        let lag = "SELECT coalesce(max(extract(epoch FROM replay_lag)) * 1000, 0)::bigint AS rows FROM pg_stat_replication";
        let lag_ms = self.number(lag).await?;
        if lag_ms > standing.max_lag_ms {
            return Ok(Some(HeldUp::ReplicaLag(Duration::from_millis(lag_ms))));
        }
        course.lag_looked_at = Some(Instant::now());
        Ok(None)
    }

    /// Runs the next batch, a smaller one where rows of it stay locked.
    async fn batch_in_tries(&self, key: &Key, standing: &mut Standing) -> Result<(), BackfillError> {
        let mut attempt = 1;
        loop {
            match self.batch(key, standing, attempt).await {
                Err(BackfillError::Database { name, source }) if source.fault() == Fault::LockNotGranted => {
                    if attempt >= TRIES {
                        let attempts = attempt;
                        return Err(BackfillError::LockNotGranted {
                            name,
                            attempts,
                            source,
                        });
                    }
                }
                other => return other,
            }
            if self.backfill.size != BatchSize::Rows(standing.batch_rows) {
                standing.batch_rows = (standing.batch_rows / 2).max(ROWS.0);
            }
            let pause = Duration::from_millis(50 * u64::from(attempt.min(20)));
            self.rest(pause.mul_f64(0.5 + fastrand::f64())).await?;
            attempt += 1;
        }
    }

    /// Changes the next rows and saves that in the same transaction.
    async fn batch(&self, key: &Key, standing: &mut Standing, attempt: u32) -> Result<(), BackfillError> {
        let watch = Instant::now();
        let after = standing
            .place
            .as_deref()
            .map(|place| self.restored(key, place))
            .transpose()?;
        let bound = self.restored(key, standing.bound.as_deref().unwrap_or_default())?;
        let batch = self.next(key, after.as_ref(), bound, standing.batch_rows).await?;
        let failed = self.failed();
        let options = TransactionOptions {
            // A deferred transaction fails when it turns into a writer behind another one.
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        let transaction = self
            .connection
            .begin_with_options(options)
            .await
            .map_err(failed)?;
        if dialect_of(self.backend) == Dialect::Postgresql {
            // Whoever waits for a row of this batch waits as long as the batch waits for another one.
            let patience = (200 * u64::from(attempt)).min(2_000);
            let limits =
                format!("SET LOCAL lock_timeout = '{patience}ms'; SET LOCAL statement_timeout = '60s'");
            transaction.execute_unprepared(&limits).await.map_err(failed)?;
        }
        let condition = key.between(after.as_ref(), &batch.until);
        let update = self.backfill.update(self.backend, Some(condition));
        let changed = transaction
            .execute_unprepared(&update)
            .await
            .map_err(failed)?
            .rows_affected();
        let place = batch.until.stored();
        let next_rows = self.next_rows(standing.batch_rows, watch.elapsed());
        let state = if batch.is_last {
            State::Finished
        } else {
            State::Running
        };
        let advance = Advance {
            name: &self.backfill.name,
            from: standing.place.as_deref(),
            to: &place,
            seen: batch.seen,
            changed,
            next_rows,
            state,
        };
        let saved = sql::advance(self.backend, &advance);
        let saved = transaction.execute_unprepared(&saved).await.map_err(failed)?;
        if saved.rows_affected() != 1 {
            transaction.rollback().await.map_err(failed)?;
            let name = self.backfill.name.clone();
            return Err(BackfillError::Elsewhere { name });
        }
        transaction.commit().await.map_err(failed)?;
        standing.seen += batch.seen;
        standing.changed += changed;
        standing.place = Some(place);
        standing.batch_rows = next_rows;
        standing.state = state;
        Ok(())
    }

    /// Returns the part of the key that the next batch takes.
    async fn next(
        &self,
        key: &Key,
        after: Option<&Place>,
        bound: Place,
        rows: u64,
    ) -> Result<Batch, BackfillError> {
        let next = self.backfill.next(key, after, &bound, rows);
        let found = self.rows(&next).await.map_err(self.failed())?;
        if let Some(row) = found.first() {
            let until = key.place(row).map_err(self.failed())?;
            let is_last = until == bound;
            return Ok(Batch {
                until,
                seen: rows,
                is_last,
            });
        }
        let seen = self.number(&self.backfill.count(key, after, &bound)).await?;
        Ok(Batch {
            until: bound,
            seen,
            is_last: true,
        })
    }

    /// Looks for rows that are wrong, and says in the database that there are none.
    async fn verify(&self, key: &Key) -> Result<(), BackfillError> {
        let name = &self.backfill.name;
        let mut keys = Vec::new();
        if let Some(offenders) = self.backfill.offenders(key) {
            for row in self.rows(&offenders).await.map_err(self.failed())? {
                keys.push(key.place(&row).map_err(self.failed())?.shown());
            }
        }
        if keys.is_empty() {
            return self
                .send(&sql::end(self.backend, name, State::Verified, None))
                .await;
        }
        let table = self.backfill.table.clone();
        let name = name.clone();
        let error = BackfillError::Unverified { name, table, keys };
        let said = sql::end(
            self.backend,
            &self.backfill.name,
            State::Finished,
            Some(&error.to_string()),
        );
        self.send(&said).await?;
        Err(error)
    }

    fn first_rows(&self) -> u64 {
        match self.backfill.size {
            BatchSize::Rows(rows) => rows,
            BatchSize::Lasting(_) => FIRST_ROWS,
        }
    }

    /// Returns the size that would have taken the time that a batch should take; half or half as much again at most.
    fn next_rows(&self, rows: u64, took: Duration) -> u64 {
        let BatchSize::Lasting(time) = self.backfill.size else {
            return self.first_rows();
        };
        let factor = time.as_secs_f64() / took.as_secs_f64().max(0.000_1);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a positive number of at most some ten thousand"
        )]
        let next = (rows as f64 * factor.clamp(0.5, 1.5)) as u64;
        next.clamp(ROWS.0, ROWS.1)
    }

    /// Rests, unless the run is to stop.
    async fn rest(&self, time: Duration) -> Result<(), BackfillError> {
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            () = self.stop.cancelled() => Err(BackfillError::Stopped { name: self.backfill.name.clone() }),
        }
    }

    fn restored(&self, key: &Key, place: &str) -> Result<Place, BackfillError> {
        key.restore(place).ok_or_else(|| BackfillError::BadPlace {
            name: self.backfill.name.clone(),
            found: place.to_owned(),
        })
    }

    async fn standing(&self) -> Result<Option<Standing>, BackfillError> {
        let found = Standing::read(self.connection, Some(&self.backfill.name)).await;
        Ok(found.map_err(self.failed())?.pop())
    }

    /// Returns where the backfill stands; that somebody has deleted its row means that another place counts.
    async fn standing_for_sure(&self) -> Result<Standing, BackfillError> {
        let name = self.backfill.name.clone();
        self.standing().await?.ok_or(BackfillError::Elsewhere { name })
    }

    async fn rows(&self, sql: &str) -> Result<Vec<sea_orm::QueryResult>, DbErr> {
        self.connection
            .query_all_raw(Statement::from_string(self.backend, sql))
            .await
    }

    async fn number(&self, sql: &str) -> Result<u64, BackfillError> {
        let rows = self.rows(sql).await.map_err(self.failed())?;
        let number = rows.first().map_or(Ok(0), |row| row.try_get::<i64>("", "rows"));
        Ok(u64::try_from(number.map_err(self.failed())?).unwrap_or(0))
    }

    async fn send(&self, sql: &str) -> Result<(), BackfillError> {
        let sent = self.connection.execute_unprepared(sql).await;
        sent.map(drop).map_err(self.failed())
    }

    fn failed(&self) -> impl Fn(DbErr) -> BackfillError + Copy + '_ {
        BackfillError::of(&self.backfill.name)
    }
}

impl Course {
    fn progress(&self, standing: &Standing, held_up: Option<HeldUp>) -> Progress {
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let seen = standing.seen.saturating_sub(self.seen_before) as f64;
        let rate = seen / self.began.elapsed().as_secs_f64().max(0.001);
        #[expect(clippy::cast_precision_loss, reason = "a time for people")]
        let rows_left = standing.total.saturating_sub(standing.seen) as f64;
        let left =
            (rate > 0.0 && held_up.is_none()).then(|| Duration::from_secs_f64((rows_left / rate).min(1e9)));
        Progress {
            name: standing.name.clone(),
            table: standing.table.clone(),
            seen: standing.seen,
            changed: standing.changed,
            total: standing.total,
            batch_rows: standing.batch_rows,
            rate,
            left,
            held_up,
        }
    }
}
