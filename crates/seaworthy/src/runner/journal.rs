//! A step without a transaction, worked off part by part.
//!
//! After each part the journal says how far the step has got. A part that ran just before a crash may be through although
//! the journal does not say so; the first part after a resume is therefore recognised by the error that doing it twice
//! gives.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;

use super::{Part, Run, StepError, Work};
use crate::ledger::Outcome;
use crate::session::{Blocker, Fault};

impl Run<'_> {
    #[expect(
        clippy::too_many_arguments,
        reason = "the step's clock and its manner, both taken apart by the caller"
    )]
    pub(super) async fn in_parts(
        &self,
        work: &Work<'_>,
        parts: &[Part],
        done: usize,
        patient: bool,
        started_at: DateTime<Utc>,
        start: Instant,
        blockers: &mut Vec<Blocker>,
    ) -> Result<(), StepError> {
        let session = self.locked.session();
        let connection = session.connection();
        let mut started = self.entry(work, Outcome::Started, started_at, start);
        started.parts_done = i64::try_from(done).ok();
        started.checksum = done
            .checked_sub(1)
            .and_then(|last| parts.get(last))
            .map(|part| part.checksum.clone());
        let resumed = done > 0 || self.left_unfinished(work).await;
        self.ledger.record(self.locked, connection, &started).await?;
        if patient {
            session.apply_lock_timeout(Duration::ZERO).await?;
        }
        for (index, part) in parts.iter().enumerate().skip(done) {
            if self.stop.is_cancelled() {
                return Err(StepError::Stopped);
            }
            match self.part(work, part, blockers).await {
                Ok(()) => {}
                Err(error) if resumed && index == done && done_twice(&error) => {}
                Err(error) => return Err(error),
            }
            let mut progressed = self.entry(work, Outcome::Progressed, started_at, start);
            progressed.parts_done = i64::try_from(index + 1).ok();
            progressed.checksum = Some(part.checksum.clone());
            self.ledger.record(self.locked, connection, &progressed).await?;
        }
        if patient {
            session
                .apply_lock_timeout(session.settings().lock_timeout)
                .await?;
        }
        self.record_done(work, started_at, start).await
    }

    /// Sends a part; again where another session held its lock, for then nothing of it is done.
    async fn part(&self, work: &Work<'_>, part: &Part, blockers: &mut Vec<Blocker>) -> Result<(), StepError> {
        let connection = self.locked.session().connection();
        let mut attempts = 1;
        loop {
            let sent = async {
                if let Some(index_name) = &part.builds_index {
                    self.drop_invalid(index_name).await?;
                }
                Ok(connection.execute_unprepared(&part.sql).await.map(drop)?)
            };
            let source = match self.watched(work, sent, blockers).await {
                Err(StepError::Database { source }) if source.fault() == Fault::LockNotGranted => source,
                other => return other,
            };
            if attempts > self.retries || self.stop.is_cancelled() {
                return Err(StepError::LockNotGranted {
                    attempts,
                    blockers: std::mem::take(blockers),
                    source,
                });
            }
            self.pause(work, attempts, blockers).await;
            attempts += 1;
        }
    }

    /// Returns whether an earlier run began this step and did not end it.
    pub(super) async fn left_unfinished(&self, work: &Work<'_>) -> bool {
        let Ok(records) = self.ledger.read(self.locked.session()).await else {
            return false;
        };
        records
            .latest
            .get(&work.header.name)
            .is_some_and(|entry| entry.is_unfinished() && entry.direction == work.direction)
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

/// Returns whether an error is what doing something twice gives.
pub(super) fn done_twice(error: &StepError) -> bool {
    matches!(error.fault(), Fault::AlreadyDone | Fault::UndefinedTable)
}
