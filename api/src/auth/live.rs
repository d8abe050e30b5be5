//! What was found to be good a moment ago, so that not every request asks the database.
//!
//! What ends on this server is forgotten at once. What ends elsewhere is believed for [`Live::BOUND_SECONDS`] at most.

use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use quick_cache::unsync::Cache;

use crate::domain::Instant;

/// Things that were good when they were last looked at.
#[derive(Debug)]
pub(crate) struct Live<K, V>(Mutex<Inner<K, V>>);

#[derive(Debug)]
struct Inner<K, V> {
    seen: Cache<K, (V, Instant)>,
    /// Counts what was forgotten: what was looked up before that may have ended in between.
    generation: u64,
}

/// When a lookup began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Began(u64);

/// How many are remembered.
const MOST: usize = 50_000;

impl<K: Eq + Hash, V: Clone> Live<K, V> {
    /// How long something that ended on another server is still believed.
    pub(crate) const BOUND_SECONDS: i64 = 5;

    /// Returns what is still believed.
    pub(crate) fn get(&self, key: &K, now: Instant) -> Option<V> {
        let inner = self.inner();
        let (value, at) = inner.seen.get(key)?;
        // A clock that was set back must not make anything last.
        let age = now.seconds() - at.seconds();
        (0..Self::BOUND_SECONDS).contains(&age).then(|| value.clone())
    }

    /// Begins to look something up.
    pub(crate) fn begin(&self) -> Began {
        Began(self.inner().generation)
    }

    /// Remembers what was found, unless something was forgotten since the lookup began.
    pub(crate) fn remember(&self, began: Began, key: K, value: V, now: Instant) {
        let mut inner = self.inner();
        if inner.generation != began.0 {
            return;
        }
        inner.seen.insert(key, (value, now));
    }

    /// Forgets those for which it is true.
    pub(crate) fn forget(&self, is_over: impl Fn(&K, &V) -> bool) {
        let mut inner = self.inner();
        inner.generation += 1;
        inner.seen.retain(|key, (value, _)| !is_over(key, value));
    }

    fn inner(&self) -> MutexGuard<'_, Inner<K, V>> {
        // Nothing panics while it is held, and half a change is none.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash, V> Default for Live<K, V> {
    fn default() -> Self {
        Self(Mutex::new(Inner {
            seen: Cache::new(MOST),
            generation: 0,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Clock;

    fn at(seconds: i64) -> Instant {
        Clock::fixed(seconds).now()
    }

    #[test]
    fn what_was_good_is_believed_for_a_while() {
        let live = Live::default();
        live.remember(live.begin(), "a", 1, at(100));
        assert_eq!(live.get(&"a", at(104)), Some(1));
        assert_eq!(live.get(&"a", at(105)), None);
        assert_eq!(live.get(&"a", at(99)), None);
    }

    #[test]
    fn what_ends_during_a_lookup_is_not_remembered() {
        let live = Live::default();
        let began = live.begin();
        live.forget(|key, _| *key == "a");
        live.remember(began, "a", 1, at(100));
        assert_eq!(live.get(&"a", at(100)), None);
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let live = Live::default();
        for key in 0..2 * MOST {
            live.remember(live.begin(), key, (), at(100));
        }
        assert!(live.inner().seen.len() <= MOST);
    }
}
