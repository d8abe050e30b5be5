//! What every request can reach.

mod shared;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::service::Services;
use crate::settings::{Environment, Settings};
use crate::trace::Traces;
use shared::Shared;

/// How many large bodies are held at a time: 64 MiB of them.
const MOST_LARGE_BODIES: usize = 64;
/// How long one more waits for one of them to be done with.
const LARGE_BODY_WAIT: Duration = Duration::from_secs(10);

/// How long the database may take for a sign of life.
const PATIENCE: Duration = Duration::from_secs(2);

/// What every request can reach; cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Inner>);

struct Inner {
    services: Services,
    cursor_key: Vec<u8>,
    environment: Environment,
    serves_metrics: bool,
    limits: Limits,
    permits: Semaphore,
    large_bodies: Semaphore,
    metrics: Metrics,
    traces: Traces,
    health: Shared<Option<Vec<String>>>,
    is_draining: AtomicBool,
}

impl App {
    pub(crate) fn new(
        services: Services,
        cursor_key: Vec<u8>,
        limits: Limits,
        traces: Traces,
        settings: &Settings,
    ) -> Self {
        Self(Arc::new(Inner {
            services,
            cursor_key,
            environment: settings.environment,
            serves_metrics: settings.metrics_address.is_none()
                && settings.environment == Environment::Development,
            limits,
            permits: Semaphore::new(settings.max_concurrency),
            large_bodies: Semaphore::new(MOST_LARGE_BODIES),
            metrics: Metrics::new(),
            traces,
            health: Shared::default(),
            is_draining: AtomicBool::new(false),
        }))
    }

    pub(crate) fn services(&self) -> &Services {
        &self.0.services
    }

    /// Returns what cursors are signed with.
    pub(crate) fn cursor_key(&self) -> &[u8] {
        &self.0.cursor_key
    }

    pub(crate) fn environment(&self) -> Environment {
        self.0.environment
    }

    /// Returns what limits how many requests somebody may send.
    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Returns what limits how many requests are worked on at a time.
    pub(crate) fn permits(&self) -> &Semaphore {
        &self.0.permits
    }

    /// Waits until one more large body may be held; nothing when that takes too long.
    pub(crate) async fn large_body(&self) -> Option<SemaphorePermit<'_>> {
        let turn = tokio::time::timeout(LARGE_BODY_WAIT, self.0.large_bodies.acquire());
        turn.await.ok()?.ok()
    }

    /// Whether what is counted is shown beside the API, and not at an address of its own.
    pub(crate) fn serves_metrics(&self) -> bool {
        self.0.serves_metrics
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn traces(&self) -> &Traces {
        &self.0.traces
    }

    /// Returns the tables, or the file, that the service may not work with; nothing where the database does not answer.
    ///
    /// Whoever asks after health is not limited, so all of them together have one question to the database at a time.
    pub(crate) async fn denied(&self) -> Option<Vec<String>> {
        let ask = async || {
            let answer = tokio::time::timeout(PATIENCE, self.services().denied()).await;
            answer.ok()?.ok()
        };
        self.0.health.ask(ask).await
    }

    /// Whether the service has been told to stop.
    pub(crate) fn is_draining(&self) -> bool {
        self.0.is_draining.load(Ordering::Relaxed)
    }

    pub(crate) fn drain(&self) {
        self.0.is_draining.store(true, Ordering::Relaxed);
        // Whoever follows changes is to come again elsewhere.
        self.0.services.end_following();
    }
}
