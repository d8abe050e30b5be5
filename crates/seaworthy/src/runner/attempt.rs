//! One try of one step: in a transaction, or as the revision wants it; watched for blockers and for the wish to stop.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use sea_orm_migration::SchemaManager;

use super::foreign_keys::{Damage, KeyCheck};
use super::holdings::Holdings;
use super::journal::done_twice;
use super::mark::TransactionMark;
use super::{Begun, ForeignKeys, Foreseen, Run, StepError, Work};
use crate::ledger::Outcome;
use crate::revision::{Direction, panic_message};
use crate::session::{Blocker, DatabaseError, dialect_of};
use crate::sql::Dialect;

/// How soon a step that does not get on is asked what it waits for.
const FIRST_LOOK: Duration = Duration::from_millis(100);

/// How often at least a step is asked what it waits for.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// How often a statement that was asked to stop is asked again: the first time it may just not have been running.
const ASK_AGAIN: Duration = Duration::from_millis(100);

impl Run<'_> {
    /// Runs a step and its ledger row in one transaction.
    pub(super) async fn in_transaction(
        &self,
        work: &Work<'_>,
        keys: &ForeignKeys,
        begun: &Begun,
        blockers: &mut Vec<Blocker>,
    ) -> Result<(), StepError> {
        let session = self.locked.session();
        // Without the check there is no damage to return.
        if !keys.are_switched_off(session.connection()).await? {
            return self.try_transaction(work, false, begun, blockers).await.map(drop);
        }
        session.send("PRAGMA foreign_keys = OFF").await?;
        let tried = self.try_transaction(work, true, begun, blockers).await;
        session.send("PRAGMA foreign_keys = ON").await?;
        match tried? {
            None => Ok(()),
            // No table went, so the rows reference what was deleted: that is for the keys to deal with.
            Some(damage) if *keys == ForeignKeys::Unknown && !damage.has_dropped => {
                self.try_transaction(work, false, begun, blockers).await.map(drop)
            }
            Some(damage) => Err(damage.into()),
        }
    }

    /// Runs a step and its ledger row in one transaction, and returns the damage for which it was rolled back.
    async fn try_transaction(
        &self,
        work: &Work<'_>,
        checks_keys: bool,
        begun: &Begun,
        blockers: &mut Vec<Blocker>,
    ) -> Result<Option<Damage>, StepError> {
        let attempt = async {
            let transaction = self.begin().await?;
            let limit = self.locked.session().limit_hold_sql();
            if let Some(limit) = limit.filter(|_| work.holds_up) {
                transaction.execute_unprepared(&limit).await?;
            }
            match self.send_and_record(work, checks_keys, begun, &transaction).await {
                Ok(None) => {
                    transaction.commit().await?;
                    Ok(None)
                }
                other => {
                    // The server rolls back by itself when the connection is gone, which is the one way this fails.
                    drop(transaction.rollback().await);
                    other
                }
            }
        };
        self.watched(work, attempt, blockers).await
    }

    async fn send_and_record(
        &self,
        work: &Work<'_>,
        checks_keys: bool,
        begun: &Begun,
        transaction: &DatabaseTransaction,
    ) -> Result<Option<Damage>, StepError> {
        let check = match checks_keys {
            true => Some(KeyCheck::begin(transaction).await?),
            false => None,
        };
        let mark = match work.is_known {
            true => None,
            false => Some(TransactionMark::set(transaction).await?),
        };
        let sent = async {
            run_revision(work, &SchemaManager::new(transaction)).await?;
            match mark {
                Some(mark) => mark.check(transaction).await,
                None => Ok(()),
            }
        };
        self.unless_it_destroys(work.foreseen.as_ref(), begun, transaction, sent)
            .await?;
        if let Some(check) = check
            && let Some(damage) = check.damage(transaction).await?
        {
            return Ok(Some(damage));
        }
        self.forget_backfills(work, transaction).await?;
        let entry = self.entry(work, Outcome::Done, begun);
        self.ledger
            .record(self.locked, transaction, &entry, |record| {
                self.state.with_ledger(record, work.changes_connection)
            })
            .await?;
        Ok(None)
    }

    /// Sends something, and refuses what is gone then and was not foreseen.
    pub(super) async fn unless_it_destroys(
        &self,
        foreseen: Option<&Foreseen>,
        begun: &Begun,
        transaction: &DatabaseTransaction,
        sent: impl Future<Output = Result<(), StepError>>,
    ) -> Result<(), StepError> {
        let Some(foreseen) = foreseen else {
            return sent.await;
        };
        let before = Holdings::read(transaction, foreseen).await?;
        sent.await?;
        let mut lost = before.lost(transaction, foreseen).await?;
        lost.retain(|what| !begun.is_given_up(what));
        match lost.is_empty() {
            true => Ok(()),
            false => Err(StepError::Destroys { lost }),
        }
    }

    /// Returns whether a step failed because of what it would destroy, and somebody agrees to lose that, so that it can be sent again.
    ///
    /// Asked when the transaction has been rolled back: nobody waits for the answer behind its locks.
    pub(super) fn is_given_up(&self, error: &StepError, begun: &Begun) -> bool {
        match error {
            StepError::Destroys { lost } if (self.may_destroy)(lost) => {
                begun.give_up(lost);
                true
            }
            _ => false,
        }
    }

    /// Runs a step whose statements cannot be known beforehand, without a transaction.
    pub(super) async fn opaque(
        &self,
        work: &Work<'_>,
        is_begun: bool,
        keys: &ForeignKeys,
        begun: &Begun,
        blockers: &mut Vec<Blocker>,
    ) -> Result<(), StepError> {
        let session = self.locked.session();
        let connection = session.connection();
        let started = self.entry(work, Outcome::Started, begun);
        self.ledger
            .record(self.locked, connection, &started, str::to_owned)
            .await?;
        session.tell_limits(self.retries).await?;
        let mut check = None;
        if keys.are_switched_off(connection).await? {
            check = Some(KeyCheck::begin(connection).await?);
            session.send("PRAGMA foreign_keys = OFF").await?;
        }
        let attempt = async {
            run_revision(work, &SchemaManager::new(connection)).await?;
            match check {
                Some(check) => check.refuse_damage(connection).await,
                None => Ok(()),
            }
        };
        match self.watched(work, attempt, blockers).await {
            Ok(()) => self.record_done(work, begun).await,
            Err(error) if is_begun && done_twice(&error) => match error {
                StepError::Database { source } => Err(StepError::NotResumable { source }),
                other => Err(other),
            },
            Err(error) => Err(error),
        }
    }

    /// Records a step without a transaction as done, in a transaction of its own.
    pub(super) async fn record_done(&self, work: &Work<'_>, begun: &Begun) -> Result<(), StepError> {
        self.locked.session().send_put_back(self.state).await?;
        let transaction = self.begin().await?;
        self.forget_backfills(work, &transaction).await?;
        let entry = self.entry(work, Outcome::Done, begun);
        self.ledger
            .record(self.locked, &transaction, &entry, |record| {
                self.state.after_ledger(record)
            })
            .await?;
        Ok(transaction.commit().await?)
    }

    /// Lets the backfills of a revision that is undone begin anew when it is applied again.
    async fn forget_backfills(
        &self,
        work: &Work<'_>,
        transaction: &DatabaseTransaction,
    ) -> Result<(), StepError> {
        let backfills = match work.direction {
            Direction::Up => return Ok(()),
            Direction::Down => work.revision.backfills(),
        };
        if !backfills.is_empty() {
            // Where a backfill stands is in a table that the search path has to find.
            let put_back = self.state.with_ledger("", work.changes_connection);
            transaction.execute_unprepared(&put_back).await?;
        }
        for backfill in backfills {
            backfill.forget_on(transaction).await?;
        }
        Ok(())
    }

    pub(super) async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let connection = self.locked.session().connection();
        match dialect_of(self.locked.session().backend()) {
            // A deferred transaction fails when it turns into a writer behind another one; an immediate one waits its turn.
            Dialect::Sqlite => {
                let mode = Some(SqliteTransactionMode::Immediate);
                connection
                    .begin_with_options(TransactionOptions {
                        sqlite_transaction_mode: mode,
                        ..Default::default()
                    })
                    .await
            }
            Dialect::Postgresql => connection.begin().await,
        }
    }

    /// Drives a step to its end while looking who blocks it, and cancels what it runs when the run is to stop.
    pub(super) async fn watched<T>(
        &self,
        work: &Work<'_>,
        step: impl Future<Output = Result<T, StepError>>,
        blockers: &mut Vec<Blocker>,
    ) -> Result<T, StepError> {
        let mut step = pin!(step);
        // Twice within a lock timeout, so that no wait ends without anybody having looked.
        let longest = match self.locked.session().settings().lock_timeout {
            Duration::ZERO => LAST_LOOK,
            timeout => (timeout / 2).clamp(Duration::from_millis(10), LAST_LOOK),
        };
        let mut pause = FIRST_LOOK.min(longest);
        loop {
            let stopping = self.stop.is_cancelled();
            tokio::select! {
                biased;
                result = &mut step => {
                    self.locked.withdraw_cancel();
                    return result;
                }
                () = self.stop.cancelled(), if !stopping => self.locked.cancel().await,
                () = tokio::time::sleep(ASK_AGAIN), if stopping => self.locked.cancel().await,
                () = tokio::time::sleep(pause), if !stopping => {
                    let found = self.locked.blockers().await;
                    if let Some(progress) = self.locked.progress().await {
                        self.observer.statement_progressed(work, &progress);
                    }
                    if !found.is_empty() {
                        self.observer.step_blocked(work, &found);
                        *blockers = found;
                    }
                    pause = (pause * 2).min(longest);
                }
            }
        }
    }
}

/// Calls the revision's own code; a panic of it is an error like any other.
async fn run_revision(work: &Work<'_>, manager: &SchemaManager<'_>) -> Result<(), StepError> {
    let sent = async {
        match work.direction {
            Direction::Up => work.revision.up(manager).await,
            Direction::Down => work.revision.down(manager).await,
        }
    };
    match AssertUnwindSafe(sent).catch_unwind().await {
        Ok(result) => result.map_err(|error| of_revision(work, error)),
        Err(panic) => Err(StepError::Panicked {
            revision: work.header.id.clone(),
            message: panic_message(panic.as_ref()),
        }),
    }
}

/// Returns the error of a revision as what it is: one of the database, or one of its own.
fn of_revision(work: &Work<'_>, error: DbErr) -> StepError {
    let source = DatabaseError::from(error);
    match source.is_from_database() {
        true => StepError::Database { source },
        false => StepError::Revision {
            revision: work.header.id.clone(),
            source,
        },
    }
}
