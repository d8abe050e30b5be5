//! A step without a transaction, worked off part by part.
//!
//! After each part the journal says how far the step has got. A part that ran just before a crash may be through although
//! the journal does not say so; the first part after a resume is therefore recognised by the error that doing it twice
//! gives.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::Instant;

use sea_orm::{ConnectionTrait, DatabaseTransaction};

use super::foreign_keys::KeyCheck;
use super::{Begun, Foreseen, Part, Parts, Run, StepError, Work};
use crate::ledger::{Entry, Outcome};
use crate::session::{Blocker, Fault, Patience};
use crate::sql::literal;

impl Run<'_> {
    /// Works a step off part by part, from where an earlier run stopped.
    pub(super) async fn in_parts(
        &self,
        work: &Work<'_>,
        parts: &Parts,
        begun: &Begun,
        blockers: &mut Vec<Blocker>,
    ) -> Result<(), StepError> {
        let session = self.locked.session();
        let connection = session.connection();
        let note = self.progress(work, Outcome::Started, parts, parts.done, begun);
        self.ledger
            .record(self.locked, connection, &note, |record| {
                self.state.with_note(record)
            })
            .await?;
        // What an earlier run has set went with its session.
        for part in parts.all.iter().take(parts.done).filter(|part| part.sets_session) {
            session.send(&part.sql).await?;
        }
        let mut index = parts.done;
        while let Some(part) = parts.all.get(index) {
            begun.parts_done.store(index, Ordering::Relaxed);
            if self.stop.is_cancelled() {
                return Err(StepError::Stopped);
            }
            if session.enforces_keys().await? && part.keys.are_switched_off(connection).await? {
                index = self.without_keys(work, parts, index, begun, blockers).await?;
                continue;
            }
            match self.part(work, part, begun, blockers).await {
                Ok(()) => {}
                Err(error) if parts.may_be_done(index) && done_twice(&error) => {}
                Err(error) => {
                    self.note_refusal(work, parts, index, begun, &error).await?;
                    return Err(error);
                }
            }
            index += 1;
            let note = self.progress(work, Outcome::Progressed, parts, index, begun);
            self.ledger
                .record(self.locked, connection, &note, |record| {
                    self.state.with_note(record)
                })
                .await?;
        }
        self.record_done(work, begun).await
    }

    /// Notes that a part was put back because of what it destroys, so that the next run asks about it.
    async fn note_refusal(
        &self,
        work: &Work<'_>,
        parts: &Parts,
        index: usize,
        begun: &Begun,
        error: &StepError,
    ) -> Result<(), StepError> {
        if !matches!(error, StepError::Destroys { .. }) {
            return Ok(());
        }
        let mut note = self.progress(work, Outcome::Progressed, parts, index, begun);
        note.error = Some(error.in_full());
        let connection = self.locked.session().connection();
        let record = |record: &str| self.state.with_note(record);
        Ok(self.ledger.record(self.locked, connection, &note, record).await?)
    }

    /// Sends a part that drops a referenced table, on SQLite; together with the parts after it, which may put another table
    /// in its place, in one transaction that is rolled back where rows are left that reference nothing.
    ///
    /// Returns how many parts are through.
    async fn without_keys(
        &self,
        work: &Work<'_>,
        parts: &Parts,
        first: usize,
        begun: &Begun,
        blockers: &mut Vec<Blocker>,
    ) -> Result<usize, StepError> {
        let session = self.locked.session();
        let rest = &parts.all[first..];
        let together = rest.iter().take_while(|part| part.fits_transaction).count();
        session.send("PRAGMA foreign_keys = OFF").await?;
        let send = async || {
            if together == 0 {
                let check = KeyCheck::begin(session.connection()).await?;
                session.send(&rest[0].sql).await?;
                check.refuse_damage(session.connection()).await?;
                let note = self.progress(work, Outcome::Progressed, parts, first + 1, begun);
                self.ledger
                    .record(self.locked, session.connection(), &note, str::to_owned)
                    .await?;
                return Ok(first + 1);
            }
            let transaction = self.begin().await?;
            let end = first + together;
            match self
                .send_within(work, parts, first..end, begun, &transaction)
                .await
            {
                Ok(()) => {
                    transaction.commit().await?;
                    Ok(end)
                }
                Err(error) => {
                    drop(transaction.rollback().await);
                    Err(error)
                }
            }
        };
        let mut result = self.watched(work, send(), blockers).await;
        while let Err(error) = &result
            && self.is_given_up(error, begun)
        {
            result = self.watched(work, send(), blockers).await;
        }
        session.send("PRAGMA foreign_keys = ON").await?;
        if let Err(error) = &result {
            self.note_refusal(work, parts, first, begun, error).await?;
        }
        result
    }

    async fn send_within(
        &self,
        work: &Work<'_>,
        parts: &Parts,
        range: Range<usize>,
        begun: &Begun,
        transaction: &DatabaseTransaction,
    ) -> Result<(), StepError> {
        let check = KeyCheck::begin(transaction).await?;
        let end = range.end;
        for index in range {
            let part = &parts.all[index];
            let sent = async { Ok(transaction.execute_unprepared(&part.sql).await.map(drop)?) };
            match self
                .unless_it_destroys(part.foreseen.as_ref(), begun, transaction, sent)
                .await
            {
                Ok(()) => {}
                Err(error) if parts.may_be_done(index) && done_twice(&error) => {}
                Err(error) => return Err(error),
            }
        }
        check.refuse_damage(transaction).await?;
        let note = self.progress(work, Outcome::Progressed, parts, end, begun);
        Ok(self
            .ledger
            .record(self.locked, transaction, &note, str::to_owned)
            .await?)
    }

    /// Sends a part; again where another session held its lock, for then nothing of it is done.
    async fn part(
        &self,
        work: &Work<'_>,
        part: &Part,
        begun: &Begun,
        blockers: &mut Vec<Blocker>,
    ) -> Result<(), StepError> {
        let session = self.locked.session();
        let since = Instant::now();
        let mut attempts = 1;
        session.limit(part.patience).await?;
        loop {
            let sent = async {
                if let Some(index_name) = &part.builds_index {
                    self.drop_invalid(index_name).await?;
                }
                match &part.foreseen {
                    Some(foreseen) => self.send_watched(part, foreseen, begun).await,
                    None => Ok(session.send(&part.sql).await?),
                }
            };
            let source = match self.watched(work, sent, blockers).await {
                Err(StepError::Database { source }) if source.fault() == Fault::LockNotGranted => source,
                Err(error) if self.is_given_up(&error, begun) => continue,
                other => return other,
            };
            if !self.may_try_again(attempts, since) || self.stop.is_cancelled() {
                return Err(StepError::LockNotGranted {
                    attempts: Some(attempts),
                    blockers: std::mem::take(blockers),
                    source,
                });
            }
            self.pause(work, attempts, blockers).await;
            attempts += 1;
            if part.patience != Patience::Unlimited {
                session.limit_try(attempts).await?;
            }
        }
    }

    /// Sends a part in a transaction, and takes it back where something is gone that was not foreseen.
    async fn send_watched(&self, part: &Part, foreseen: &Foreseen, begun: &Begun) -> Result<(), StepError> {
        let transaction = self.begin().await?;
        let sent = async { Ok(transaction.execute_unprepared(&part.sql).await.map(drop)?) };
        match self
            .unless_it_destroys(Some(foreseen), begun, &transaction, sent)
            .await
        {
            Ok(()) => Ok(transaction.commit().await?),
            Err(error) => {
                drop(transaction.rollback().await);
                Err(error)
            }
        }
    }

    /// Returns the note of how many parts are through.
    fn progress(
        &self,
        work: &Work<'_>,
        outcome: Outcome,
        parts: &Parts,
        done: usize,
        begun: &Begun,
    ) -> Entry {
        let mut entry = self.entry(work, outcome, begun);
        entry.parts_done = i64::try_from(done).ok();
        entry.checksum = done
            .checked_sub(1)
            .and_then(|last| parts.all.get(last))
            .map(|part| part.checksum.clone());
        entry
    }

    /// Removes what an index build that failed has left: an index that is maintained but never used.
    async fn drop_invalid(&self, index: &str) -> Result<(), StepError> {
        let session = self.locked.session();
        let sql = format!(
            "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass({}) AND NOT indisvalid",
            literal(index)
        );
        if session.rows(&sql).await?.is_empty() {
            return Ok(());
        }
        tracing::info!(
            index,
            "an INVALID index is left from a build that failed; it is built anew"
        );
        Ok(session.send(&format!("DROP INDEX CONCURRENTLY {index}")).await?)
    }
}

impl Parts {
    /// Returns whether an earlier run may have got through a part: those it noted, and the one it was at when it died.
    fn may_be_done(&self, index: usize) -> bool {
        self.begun.is_some_and(|done| index <= done)
    }
}

/// Returns whether an error is what doing something twice gives.
pub(super) fn done_twice(error: &StepError) -> bool {
    matches!(error.fault(), Fault::AlreadyDone | Fault::UndefinedTable)
}
