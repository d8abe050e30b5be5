//! How long a try waits for a lock, and how long is waited before the next one.

use std::time::Duration;

/// How long the first try waits for a table lock.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// Returns how long a try, counted from one, waits for a lock: half as long again as the one before, up to a limit.
///
/// Everybody else waits behind it, so the short tries come first: most locks are held briefly.
pub(crate) fn lock_wait(attempt: u32, longest: Duration) -> Duration {
    let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
    FIRST_WAIT.mul_f64(1.5_f64.powi(exponent.min(30))).min(longest)
}

/// Returns the pause before the next try: a quarter of a second, doubled each time up to four, give or take a half so that
/// several waiters do not come back together.
pub(crate) fn pause_before(attempt: u32) -> Duration {
    let doubled = Duration::from_millis(250).saturating_mul(1 << attempt.saturating_sub(1).min(4));
    doubled.mul_f64(0.5 + fastrand::f64())
}
