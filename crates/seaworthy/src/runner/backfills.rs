//! A step that fills columns of live rows: its backfills, one after the other.
//!
//! A step that died goes on where the last batch was committed, whatever the journal says.

use super::{Begun, Run, StepError, Work};
use crate::backfill::{Backfill, BackfillError, Progress, Sweep};
use crate::ledger::Outcome;
use crate::session::Blocker;

impl Run<'_> {
    /// Works the backfills of a step off and records it when all are verified.
    pub(super) async fn backfills(
        &self,
        work: &Work<'_>,
        backfills: &[Backfill],
        is_stale: bool,
        begun: &Begun,
        blockers: &mut Vec<Blocker>,
    ) -> Result<(), StepError> {
        let connection = self.locked.session().connection();
        let started = self.entry(work, Outcome::Started, begun);
        self.ledger
            .record(self.locked, connection, &started, str::to_owned)
            .await?;
        for backfill in backfills {
            if is_stale {
                backfill.forget_on(connection).await?;
            }
            let heard = |progress: &Progress| self.observer.backfill_progressed(work, progress);
            let sweep = Sweep::new(backfill, connection, self.stop, &heard);
            let swept = async { Ok(sweep.run().await?) };
            self.watched(work, swept, blockers).await?;
        }
        self.record_done(work, begun).await
    }
}

impl From<BackfillError> for StepError {
    fn from(error: BackfillError) -> Self {
        match error {
            BackfillError::Stopped { .. } => Self::Stopped,
            source => Self::Backfill { source },
        }
    }
}
