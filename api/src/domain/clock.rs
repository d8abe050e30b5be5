//! The one place that knows the time.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::Instant;

/// Tells the time; handed to whoever needs it, so that a test can hold it still.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Instant + Send + Sync>);

impl Clock {
    /// Returns the system's clock.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everybody else takes the time from"
    )]
    pub fn system() -> Self {
        Self(Arc::new(|| Instant::from(chrono::Utc::now())))
    }

    /// Returns a clock that always shows this many seconds since 1970.
    #[must_use]
    pub fn fixed(seconds: i64) -> Self {
        let instant = Instant::from(chrono::DateTime::from_timestamp(seconds, 0).unwrap_or_default());
        Self(Arc::new(move || instant))
    }

    /// Returns a clock that shows what somebody sets it to, in seconds since 1970.
    #[must_use]
    pub fn set_by(seconds: Arc<AtomicI64>) -> Self {
        Self(Arc::new(move || {
            let seconds = seconds.load(Ordering::Relaxed);
            Instant::from(chrono::DateTime::from_timestamp(seconds, 0).unwrap_or_default())
        }))
    }

    pub(crate) fn now(&self) -> Instant {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Clock")
    }
}
