//! Slows down whoever guesses passwords: failures are counted per account and network, and per network.
//!
//! The delay grows and has an end. What is tried from other networks makes nobody wait for longer than
//! [`FIRST_WAIT_SECONDS`]: an account that is tried from everywhere asks each network that is new to it to come again in a moment.
//! An attempt counts before its password is looked at: a thousand at once get no further than one after another.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use quick_cache::unsync::Cache;

use crate::domain::{Instant, network};

/// Counts failures.
#[derive(Debug)]
pub(crate) struct Throttle {
    /// Keys are hashed with a secret of this process: short, and nobody can make two of them meet.
    state: RandomState,
    failures: Mutex<Cache<u64, Failures>>,
}

/// An attempt that has been counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt {
    /// The account from this network.
    own: u64,
    /// The account from everywhere.
    account: u64,
    /// The network, whatever the account.
    network: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Failures {
    count: u32,
    last: i64,
    /// No attempt before this second.
    until: i64,
}

/// Failures of an account from one network without a delay.
const FREE_OF_ACCOUNT: u32 = 5;
/// Failures from a network without a delay; several people may share one.
const FREE_OF_NETWORK: u32 = 30;
/// The failures of an account from everywhere make nobody wait by themselves.
const FREE_OF_ALL: u32 = u32::MAX;
/// After so many failures from everywhere, an account is under attack: it takes no first attempt of a network at once.
const ATTACK_AFTER: u32 = 50;
/// How long a network that is new to an account under attack waits before its first attempt is looked at.
const FIRST_WAIT_SECONDS: u32 = 10;
/// After so many seconds without a failure all is forgotten.
const WINDOW_SECONDS: i64 = 15 * 60;
/// Longest delay.
const MOST_SECONDS: i64 = 60;
/// How many accounts and networks are counted: about 5 MB. What was looked at once goes before what comes again.
const MOST: usize = 100_000;

impl Failures {
    /// Whether they are not forgotten yet; a network that has signed in, which has none, is not.
    fn is_remembered(&self, now: i64) -> bool {
        self.count == 0 || now - self.last <= WINDOW_SECONDS
    }
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            state: RandomState::new(),
            failures: Mutex::new(Cache::new(MOST)),
        }
    }
}

impl Throttle {
    /// Counts an attempt, or returns how many seconds to wait.
    ///
    /// Without an address it is one of somebody who is signed in already.
    pub(crate) fn attempt(
        &self,
        account: &str,
        address: Option<IpAddr>,
        now: Instant,
    ) -> Result<Attempt, u32> {
        let network = address.map(network);
        let attempt = Attempt {
            own: self.state.hash_one(("own", account, network)),
            account: self.state.hash_one(("account", account)),
            network: network.map(|network| self.state.hash_one(("network", network))),
        };
        let now = now.seconds();
        let mut failures = self.failures();
        let known = failures.get(&attempt.own).copied();
        let known = known.filter(|known| known.is_remembered(now));
        if known.is_none() && network.is_some() && is_under_attack(&failures, attempt.account, now) {
            // Whoever comes again has used up what is free of a delay.
            let first = Failures {
                count: FREE_OF_ACCOUNT - 1,
                last: now,
                until: now + i64::from(FIRST_WAIT_SECONDS),
            };
            failures.insert(attempt.own, first);
            return Err(FIRST_WAIT_SECONDS);
        }
        let until = |key: &u64| failures.get(key).map(|known| known.until);
        let own = known.map(|known| known.until);
        let wait = own.max(attempt.network.as_ref().and_then(until)).unwrap_or(now) - now;
        if wait > 0 {
            // A clock that was set back must not make anybody wait longer.
            return Err(u32::try_from(wait.min(MOST_SECONDS)).unwrap_or_default());
        }
        count(&mut failures, attempt.own, FREE_OF_ACCOUNT, now);
        count(&mut failures, attempt.account, FREE_OF_ALL, now);
        if let Some(network) = attempt.network {
            count(&mut failures, network, FREE_OF_NETWORK, now);
        }
        Ok(attempt)
    }

    /// Takes back an attempt whose password was right: the account's failures are forgotten, the network keeps its others, and
    /// is one that the account knows.
    pub(crate) fn succeeded(&self, attempt: Attempt) {
        let mut failures = self.failures();
        failures.insert(attempt.own, Failures::default());
        failures.remove(&attempt.account);
        take_back(&mut failures, attempt.network, FREE_OF_NETWORK);
    }

    /// Takes back an attempt whose password nobody looked at.
    pub(crate) fn cancelled(&self, attempt: Attempt) {
        let mut failures = self.failures();
        take_back(&mut failures, Some(attempt.own), FREE_OF_ACCOUNT);
        take_back(&mut failures, Some(attempt.account), FREE_OF_ALL);
        take_back(&mut failures, attempt.network, FREE_OF_NETWORK);
    }

    fn failures(&self) -> MutexGuard<'_, Cache<u64, Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_under_attack(failures: &Cache<u64, Failures>, account: u64, now: i64) -> bool {
    let known = failures.get(&account);
    known.is_some_and(|known| known.count >= ATTACK_AFTER && known.is_remembered(now))
}

/// Counts one failure more.
fn count(failures: &mut Cache<u64, Failures>, key: u64, free: u32, now: i64) {
    let known = failures.get(&key).copied();
    let mut known = known.filter(|known| known.is_remembered(now)).unwrap_or_default();
    known.count = known.count.saturating_add(1);
    known.last = now;
    known.until = now + delay(known.count, free);
    failures.insert(key, known);
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

fn take_back(failures: &mut Cache<u64, Failures>, key: Option<u64>, free: u32) {
    if let Some(mut known) = key.and_then(|key| failures.get_mut(&key)) {
        known.count = known.count.saturating_sub(1);
        known.until = known.last + delay(known.count, free);
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
        for _ in 0..FREE_OF_ACCOUNT {
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
        assert_eq!(tried.count(), FREE_OF_NETWORK as usize);
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
        assert!(throttle.failures().len() <= MOST);
        assert!(throttle.attempt("ada", None, at(0)).is_err());
    }

    fn from(number: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, number]))
    }

    /// Twenty networks that never stop, and the owner from another one, who waits as they are told.
    #[test]
    fn nobody_keeps_an_owner_out() {
        let throttle = Throttle::default();
        for second in 0..600 {
            for attacker in 0..20 {
                let _: Result<Attempt, u32> = throttle.attempt("ada", from(attacker), at(second));
            }
        }
        let wait = throttle.attempt("ada", from(200), at(600)).unwrap_err();
        assert_eq!(wait, FIRST_WAIT_SECONDS);
        let right = throttle
            .attempt("ada", from(200), at(600 + i64::from(wait)))
            .unwrap();
        throttle.succeeded(right);
        for second in 0..600 {
            for attacker in 0..20 {
                let _: Result<Attempt, u32> = throttle.attempt("ada", from(attacker), at(1000 + second));
            }
        }
        // The network is known by now.
        assert!(throttle.attempt("ada", from(200), at(1600)).is_ok());
    }

    #[test]
    fn an_account_that_is_tried_from_everywhere_takes_one_guess_of_each_network() {
        let throttle = Throttle::default();
        let guesses = |from_network: u8, second: i64| {
            (0..20)
                .filter(|_| throttle.attempt("ada", from(from_network), at(second)).is_ok())
                .count()
        };
        let taken: usize = (0..50).map(|network| guesses(network, 0)).sum();
        assert_eq!(taken, ATTACK_AFTER as usize);
        assert_eq!(guesses(100, 1), 0);
        assert_eq!(guesses(100, 11), 1);
        // Another attack later, and a network that is new again by then.
        let later = 2 * WINDOW_SECONDS;
        let taken: usize = (0..10).map(|network| guesses(network, later)).sum();
        assert_eq!(taken, ATTACK_AFTER as usize);
        assert_eq!(guesses(100, later), 0);
    }
}
