//! What every request can reach.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Semaphore;

use crate::limits::Limits;
use crate::service::Services;
use crate::settings::{Environment, Settings};

/// What every request can reach; cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Inner>);

struct Inner {
    services: Services,
    cursor_key: Vec<u8>,
    environment: Environment,
    limits: Limits,
    permits: Semaphore,
    is_draining: AtomicBool,
}

impl App {
    pub(crate) fn new(services: Services, cursor_key: Vec<u8>, limits: Limits, settings: &Settings) -> Self {
        Self(Arc::new(Inner {
            services,
            cursor_key,
            environment: settings.environment,
            limits,
            permits: Semaphore::new(settings.max_concurrency),
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

    /// Whether the service has been told to stop.
    pub(crate) fn is_draining(&self) -> bool {
        self.0.is_draining.load(Ordering::Relaxed)
    }

    pub(crate) fn drain(&self) {
        self.0.is_draining.store(true, Ordering::Relaxed);
    }
}
