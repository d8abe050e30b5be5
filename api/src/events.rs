//! Who waits for what happens to somebody's tasks, and waking them. What has happened is in the database; here nothing is kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::domain::UserId;

/// Those who wait, by whose tasks they wait for; cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Hub(Arc<Inner>);

#[derive(Default)]
struct Inner {
    waiting: Mutex<HashMap<UserId, Vec<Arc<Notify>>>>,
    closing: CancellationToken,
}

/// One who waits, until dropped.
pub(crate) struct Subscription {
    hub: Hub,
    user: UserId,
    wake: Arc<Notify>,
}

/// Why somebody who waited goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Woken {
    /// Something may have happened.
    ByNews,
    /// The service is about to stop.
    ByEnd,
}

impl Hub {
    /// How many may wait for one person's tasks.
    pub(crate) const MOST: usize = 5;

    /// Waits for somebody's tasks from now on; nothing where enough others do.
    pub(crate) fn subscribe(&self, user: &UserId) -> Option<Subscription> {
        let mut waiting = self.waiting();
        let others = waiting.entry(user.clone()).or_default();
        if others.len() >= Self::MOST {
            return None;
        }
        let wake = Arc::new(Notify::new());
        others.push(Arc::clone(&wake));
        Some(Subscription {
            hub: self.clone(),
            user: user.clone(),
            wake,
        })
    }

    /// Whether anybody waits.
    pub(crate) fn is_awaited(&self) -> bool {
        !self.waiting().is_empty()
    }

    /// Wakes those who wait for somebody's tasks. Who is not waiting at the moment goes on at once when they next do.
    pub(crate) fn wake(&self, user: &UserId) {
        for one in self.waiting().get(user).into_iter().flatten() {
            one.notify_one();
        }
    }

    /// Wakes everybody.
    pub(crate) fn wake_all(&self) {
        for one in self.waiting().values().flatten() {
            one.notify_one();
        }
    }

    /// Sends everybody away, and whoever comes later.
    pub(crate) fn close(&self) {
        self.0.closing.cancel();
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<UserId, Vec<Arc<Notify>>>> {
        // Nothing panics while it is held, and half a change is none.
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscription {
    /// Waits until something may have happened.
    pub(crate) async fn woken(&self) -> Woken {
        tokio::select! {
            biased;
            () = self.hub.0.closing.cancelled() => Woken::ByEnd,
            () = self.wake.notified() => Woken::ByNews,
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut waiting = self.hub.waiting();
        if let Some(others) = waiting.get_mut(&self.user) {
            others.retain(|other| !Arc::ptr_eq(other, &self.wake));
            if others.is_empty() {
                waiting.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn user(id: &str) -> UserId {
        UserId::parse(id).unwrap()
    }

    async fn is_woken(one: &Subscription) -> bool {
        tokio::time::timeout(Duration::ZERO, one.woken()).await.is_ok()
    }

    #[tokio::test]
    async fn those_who_wait_for_somebody_are_woken_and_no_others() {
        let hub = Hub::default();
        let (ada, again, bob) = (user("ada"), user("ada"), user("bob"));
        let [one, two, other] = [&ada, &again, &bob].map(|user| hub.subscribe(user).unwrap());
        hub.wake(&ada);
        // Also who was busy at that moment.
        assert!(is_woken(&one).await && is_woken(&two).await);
        assert!(!is_woken(&one).await && !is_woken(&other).await);
        hub.wake_all();
        assert!(is_woken(&one).await && is_woken(&other).await);
        hub.close();
        assert_eq!(two.woken().await, Woken::ByEnd);
        assert_eq!(hub.subscribe(&bob).unwrap().woken().await, Woken::ByEnd);
    }

    #[test]
    fn who_is_gone_leaves_nothing_behind() {
        let hub = Hub::default();
        let ada = user("ada");
        let some: Vec<_> = (0..Hub::MOST).map(|_| hub.subscribe(&ada).unwrap()).collect();
        assert!(hub.subscribe(&ada).is_none());
        assert!(hub.subscribe(&user("bob")).is_some());
        drop(some);
        assert!(!hub.is_awaited());
        assert!(hub.subscribe(&ada).is_some());
    }
}
