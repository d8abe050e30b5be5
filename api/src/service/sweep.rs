//! Removes what has had its time: kept answers, and events that nobody is told of any more.

use std::time::Duration;

use super::{Failure, Services};
use crate::domain::TaskEvent;

/// How often that is done.
const EVERY: Duration = Duration::from_secs(60);
/// How long others get a turn between two batches.
const PAUSE: Duration = Duration::from_millis(100);
/// How much longer events are kept than a position is good for, so that nobody misses one that is just being removed.
const GRACE: Duration = Duration::from_secs(24 * 60 * 60);

impl Services {
    /// Sweeps again and again; ends only with the task that runs it.
    pub(crate) async fn sweep_always(self) {
        loop {
            // Replicas that were started together do not sweep together.
            tokio::time::sleep(EVERY.mul_f32(0.5 + fastrand::f32())).await;
            if let Err(error) = self.sweep().await {
                tracing::debug!(error = %error, "what has had its time could not be swept; the next round will");
            }
        }
    }

    /// Sweeps once, in batches.
    pub(crate) async fn sweep(&self) -> Result<(), Failure> {
        while self.store.sweep_keys(self.now()).await? {
            tokio::time::sleep(PAUSE).await;
        }
        let kept = (TaskEvent::KEPT + GRACE).as_secs();
        let before = self.now().plus_seconds(-kept.cast_signed());
        while self.store.sweep_events(before).await? {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }
}
