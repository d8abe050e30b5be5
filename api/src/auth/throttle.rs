//! Slows down whoever guesses passwords: failures are counted per account and per client address.
//!
//! The delay grows and has an end, so that nobody can lock somebody else out for good. An attempt counts before its password
//! is looked at: a thousand at once get no further than one after another.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::domain::{Instant, network};

/// Counts failures.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    /// Keys are hashed with a secret of this process: short, and nobody can make two of them meet.
    state: RandomState,
    failures: Mutex<HashMap<u64, Failures>>,
}

/// An attempt that has been counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt {
    account: u64,
    address: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    /// So many have no delay.
    free: u32,
    last: i64,
    /// No attempt before this second.
    until: i64,
}

/// Failures of an account without a delay.
const FREE_PER_ACCOUNT: u32 = 5;
/// Failures from a client address without a delay; several people may share one.
const FREE_PER_ADDRESS: u32 = 30;
/// After so many seconds without a failure all is forgotten.
const WINDOW_SECONDS: i64 = 15 * 60;
/// Longest delay.
const MOST_SECONDS: i64 = 60;
/// How many accounts and addresses are counted: about 5 MB.
const MOST: usize = 100_000;

impl Throttle {
    /// Counts an attempt, or returns how many seconds to wait.
    pub(crate) fn attempt(
        &self,
        account: &str,
        address: Option<IpAddr>,
        now: Instant,
    ) -> Result<Attempt, u32> {
        let attempt = Attempt {
            account: self.state.hash_one(("account", account)),
            address: address.map(|address| self.state.hash_one(("address", network(address)))),
        };
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = [
            Some((attempt.account, FREE_PER_ACCOUNT)),
            attempt.address.map(|key| (key, FREE_PER_ADDRESS)),
        ];
        let now = now.seconds();
        let wait = keys
            .iter()
            .flatten()
            .filter_map(|(key, _)| failures.get(key))
            .map(|known| known.until - now)
            .max()
            .unwrap_or_default();
        if wait > 0 {
            // A clock that was set back must not make anybody wait longer.
            return Err(u32::try_from(wait.min(MOST_SECONDS)).unwrap_or_default());
        }
        make_room(&mut failures, now);
        for (key, free) in keys.into_iter().flatten() {
            let known = failures.entry(key).or_insert(Failures {
                count: 0,
                free,
                last: now,
                until: now,
            });
            if now - known.last > WINDOW_SECONDS {
                known.count = 0;
            }
            known.count = known.count.saturating_add(1);
            known.last = now;
            known.until = now + delay(known.count, known.free);
        }
        Ok(attempt)
    }

    /// Takes back an attempt whose password was right: the account's failures are forgotten, the address keeps its others.
    pub(crate) fn succeeded(&self, attempt: Attempt) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.remove(&attempt.account);
        take_back(&mut failures, attempt.address);
    }

    /// Takes back an attempt whose password nobody looked at.
    pub(crate) fn cancelled(&self, attempt: Attempt) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        take_back(&mut failures, Some(attempt.account));
        take_back(&mut failures, attempt.address);
    }
}

/// Returns the seconds to wait after so many failures.
fn delay(count: u32, free: u32) -> i64 {
    match count.checked_sub(free) {
        None => 0,
        Some(over) => 1_i64
            .checked_shl(over.min(16))
            .unwrap_or(MOST_SECONDS)
            .min(MOST_SECONDS),
    }
}

fn take_back(failures: &mut HashMap<u64, Failures>, key: Option<u64>) {
    if let Some(known) = key.and_then(|key| failures.get_mut(&key)) {
        known.count = known.count.saturating_sub(1);
        known.until = known.last + delay(known.count, known.free);
    }
}

fn make_room(failures: &mut HashMap<u64, Failures>, now: i64) {
    if failures.len() + 2 <= MOST {
        return;
    }
    failures.retain(|_, known| now - known.last <= WINDOW_SECONDS);
    if failures.len() + 2 > MOST {
        // Noise goes first: whoever made it must not wash out what slows them down.
        failures.retain(|_, known| known.count >= FREE_PER_ACCOUNT);
    }
    if failures.len() + 2 > MOST {
        failures.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Clock;

    fn at(seconds: i64) -> Instant {
        Clock::fixed(1_000_000 + seconds).now()
    }

    const HOME: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));

    #[test]
    fn the_delay_of_an_account_grows_and_has_an_end() {
        let throttle = Throttle::default();
        let mut now = 0;
        let mut waits = Vec::new();
        for _ in 0..14 {
            let wait = match throttle.attempt("ada", None, at(now)) {
                Ok(_) => 0,
                Err(wait) => {
                    now += i64::from(wait);
                    throttle.attempt("ada", None, at(now)).unwrap();
                    wait
                }
            };
            waits.push(wait);
        }
        assert_eq!(waits, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert!(throttle.attempt("bob", None, at(now)).is_ok());
        let later = at(now + WINDOW_SECONDS + 1);
        for _ in 0..FREE_PER_ACCOUNT {
            throttle.attempt("ada", None, later).unwrap();
        }
    }

    #[test]
    fn the_right_password_ends_the_delay() {
        let throttle = Throttle::default();
        for _ in 0..5 {
            throttle.attempt("ada", HOME, at(0)).unwrap();
        }
        assert_eq!(throttle.attempt("ada", HOME, at(0)).unwrap_err(), 1);
        let right = throttle.attempt("ada", HOME, at(1)).unwrap();
        throttle.succeeded(right);
        for _ in 0..5 {
            throttle.attempt("ada", HOME, at(1)).unwrap();
        }
    }

    #[test]
    fn many_accounts_from_one_address_are_slowed_down_too() {
        let throttle = Throttle::default();
        let tried = (0..100).take_while(|n| throttle.attempt(&format!("user{n}"), HOME, at(0)).is_ok());
        assert_eq!(tried.count(), FREE_PER_ADDRESS as usize);
    }

    #[test]
    fn an_attempt_that_nobody_looked_at_does_not_count() {
        let throttle = Throttle::default();
        for _ in 0..100 {
            let attempt = throttle.attempt("ada", HOME, at(0)).unwrap();
            throttle.cancelled(attempt);
        }
    }

    #[test]
    fn memory_is_bounded_and_noise_does_not_wash_out_a_delay() {
        let throttle = Throttle::default();
        for _ in 0..5 {
            throttle.attempt("ada", None, at(0)).unwrap();
        }
        for number in 0..MOST + 10 {
            throttle.attempt(&number.to_string(), None, at(0)).unwrap();
        }
        assert!(throttle.failures.lock().unwrap().len() <= MOST);
        assert!(throttle.attempt("ada", None, at(0)).is_err());
    }
}
