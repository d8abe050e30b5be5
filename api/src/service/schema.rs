//! Where the schema stands, and whether the database is there.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Failure, SchemaStatus, Services};
use crate::domain::Feature;

/// How often the schema is looked at while nobody says that it has moved.
const EVERY: Duration = Duration::from_secs(1);

impl Services {
    /// Returns how the schema stands to what this build knows, as of the last look.
    pub(crate) fn schema(&self) -> SchemaStatus {
        self.store.status()
    }

    /// Looks at the schema now.
    pub(crate) async fn look(&self) -> Result<(), Failure> {
        self.store.check().await
    }

    /// Returns the revision of the last look.
    pub(crate) fn revision(&self) -> String {
        self.store.shape().revision().to_owned()
    }

    /// Whether the schema has a place for answers to requests under a key.
    pub(super) fn keeps_answers(&self) -> bool {
        self.store.shape().has(Feature::IdempotencyKeys)
    }

    /// Asks the database for a sign of life, and for the tables, or the file, that the service may not work with.
    pub(crate) async fn denied(&self) -> Result<Vec<String>, Failure> {
        self.store.denied().await
    }

    /// Looks at the schema when it has moved, and again and again; ends only with the task that runs it.
    pub(crate) async fn watch_schema(self) {
        tokio::join!(self.store.watch(), self.look_again());
    }

    /// Gives signs of life until told to stop.
    pub(crate) async fn live(self, place: String, stop: CancellationToken) {
        self.store.live(&place, &stop).await;
    }

    async fn look_again(&self) {
        let mut is_reachable = true;
        loop {
            // A hint that comes while the timer fires is kept for the next round.
            if tokio::time::timeout(EVERY, self.store.moved()).await.is_ok() {
                self.hints.fetch_add(1, Ordering::Relaxed);
            }
            match self.store.check().await {
                Ok(()) => is_reachable = true,
                // Once is enough: an outage would fill the log.
                Err(error) if is_reachable => {
                    is_reachable = false;
                    tracing::warn!(error = %error, "the schema cannot be looked at");
                }
                Err(_) => {}
            }
        }
    }

    /// Returns how often the database said that the schema may have moved.
    pub(crate) fn hints(&self) -> u64 {
        self.hints.load(Ordering::Relaxed)
    }

    /// Returns how many statements were sent and how many units of work were done once more.
    pub(crate) fn effort(&self) -> (u64, u64) {
        (self.store.statements(), self.store.retries())
    }

    /// Returns how many connections are at work, open and waiting, and allowed.
    pub(crate) fn connections(&self) -> (u32, u32, u32) {
        self.store.connections()
    }

    pub(crate) async fn close(&self) {
        self.store.close().await;
    }
}
