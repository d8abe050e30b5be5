//! A step without a transaction, worked off part by part.
//!
//! After each part the journal says how far the step has got. A part that ran just before a crash may be through although
//! the journal does not say so; the first part after a resume is therefore recognised by the error that doing it twice
//! gives.

use std::time::Instant;

use super::{Begun, Part, Parts, Run, StepError, Work};
use crate::ledger::Outcome;
use crate::session::{Blocker, Fault, Patience};

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
        self.note_progress(work, Outcome::Started, parts, parts.done, begun)
            .await?;
        for (index, part) in parts.all.iter().enumerate().skip(parts.done) {
            if self.stop.is_cancelled() {
                return Err(StepError::Stopped);
            }
            match self.part(work, part, blockers).await {
                Ok(()) => {}
                Err(error) if parts.may_be_done(index) && done_twice(&error) => {}
                Err(error) => return Err(error),
            }
            self.note_progress(work, Outcome::Progressed, parts, index + 1, begun)
                .await?;
        }
        session.limit(Patience::Limited).await?;
        self.record_done(work, begun).await
    }

    /// Sends a part; again where another session held its lock, for then nothing of it is done.
    async fn part(&self, work: &Work<'_>, part: &Part, blockers: &mut Vec<Blocker>) -> Result<(), StepError> {
        let session = self.locked.session();
        let since = Instant::now();
        let mut attempts = 1;
        session.limit(part.patience).await?;
        loop {
            let sent = async {
                if let Some(index_name) = &part.builds_index {
                    self.drop_invalid(index_name).await?;
                }
                Ok(session.send(&part.sql).await?)
            };
            let source = match self.watched(work, sent, blockers).await {
                Err(StepError::Database { source }) if source.fault() == Fault::LockNotGranted => source,
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

    /// Writes into the journal how many parts are through.
    async fn note_progress(
        &self,
        work: &Work<'_>,
        outcome: Outcome,
        parts: &Parts,
        done: usize,
        begun: &Begun,
    ) -> Result<(), StepError> {
        let mut entry = self.entry(work, outcome, begun);
        entry.parts_done = i64::try_from(done).ok();
        entry.checksum = done
            .checked_sub(1)
            .and_then(|last| parts.all.get(last))
            .map(|part| part.checksum.clone());
        let connection = self.locked.session().connection();
        Ok(self.ledger.record(self.locked, connection, &entry).await?)
    }

    /// Removes what an index build that failed has left: an index that is maintained but never used.
    async fn drop_invalid(&self, index: &str) -> Result<(), StepError> {
        let session = self.locked.session();
        let sql = format!(
            "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass('{}') AND NOT indisvalid",
            index.replace('\'', "''")
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
