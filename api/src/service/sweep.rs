//! What is done now and then: removes what has had its time, kept answers and events that nobody is told of any more, and folds the
//! texts of tasks that nobody has folded yet.

use std::time::Duration;

use super::{Failure, Services};
use crate::domain::{TaskEvent, folded_unless_ascii};

/// How often that is done.
const EVERY: Duration = Duration::from_secs(60);
/// How long others get a turn between two batches.
const PAUSE: Duration = Duration::from_millis(100);
/// How much longer events are kept than a position is good for, so that nobody misses one that is just being removed.
const GRACE: Duration = Duration::from_secs(24 * 60 * 60);

impl Services {
    /// Sweeps again and again; ends only with the task that runs it.
    pub(crate) async fn sweep_always(self) {
        if let Err(error) = self.fold_texts().await {
            tracing::debug!(error = %error, "texts could not be folded; the next round will");
        }
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
        self.fold_texts().await
    }

    async fn fold_texts(&self) -> Result<(), Failure> {
        loop {
            let (texts, may_be_more) = self.store.unfolded_texts().await?;
            for text in texts {
                let title = folded_unless_ascii(&text.title);
                let description = text.description.as_deref().and_then(folded_unless_ascii);
                self.store.keep_folded(text, (title, description)).await?;
            }
            if !may_be_more {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
