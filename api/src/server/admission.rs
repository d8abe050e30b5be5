//! Which connections are taken: a bounded number of each network, and of all together.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use ipnet::IpNet;
use rustix::process::{Resource, getrlimit};

use crate::domain::network;

/// Counts connections by where they come from.
#[derive(Debug)]
pub(super) struct Admission {
    /// Most of one network; zero takes any number.
    most_of_network: usize,
    /// Most of all together.
    most: usize,
    /// Those in front of us, behind which everybody is.
    proxies: Vec<IpNet>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    by_network: HashMap<IpAddr, usize>,
}

/// A connection that was taken, until it is dropped.
#[derive(Debug)]
pub(super) struct Admitted {
    admission: Arc<Admission>,
    network: IpAddr,
}

/// File descriptors that are left for the database, files and what comes: each connection needs one.
const RESERVED_DESCRIPTORS: u64 = 128;

/// Returns how many of so many connections the process may have open.
pub(super) fn within_descriptor_limit(wanted: usize) -> usize {
    let Some(descriptors) = getrlimit(Resource::Nofile).current else {
        return wanted;
    };
    let possible = usize::try_from(descriptors.saturating_sub(RESERVED_DESCRIPTORS)).unwrap_or(usize::MAX);
    if possible < wanted {
        tracing::warn!(
            descriptors,
            wanted,
            possible,
            "the limit of open files allows fewer connections"
        );
    }
    wanted.min(possible).max(1)
}

impl Admission {
    pub(super) fn new(most_of_network: usize, most: usize, proxies: Vec<IpNet>) -> Arc<Self> {
        Arc::new(Self {
            most_of_network,
            most,
            proxies,
            open: Mutex::default(),
        })
    }

    /// Takes a connection from an address, unless there are as many as there may be.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Admitted> {
        let network = network(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let of_network = open.by_network.get(&network).copied().unwrap_or_default();
        if open.all >= self.most || (of_network >= self.most_of_network && self.is_bounded(address)) {
            return None;
        }
        open.all += 1;
        open.by_network.insert(network, of_network + 1);
        Some(Admitted {
            admission: Arc::clone(self),
            network,
        })
    }

    /// Whether there are so many connections that none should idle for long.
    pub(super) fn is_crowded(&self) -> bool {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all > self.most / 2
    }

    /// A proxy, and whatever runs on this machine, asks for many others.
    fn is_bounded(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let is_proxy = self.proxies.iter().any(|network| network.contains(&address));
        self.most_of_network > 0 && !address.is_loopback() && !is_proxy
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut open = self.admission.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all -= 1;
        if let Some(count) = open.by_network.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                open.by_network.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(admission: &Arc<Admission>, address: &str) -> Option<Admitted> {
        admission.admit(address.parse().unwrap())
    }

    #[test]
    fn a_network_has_so_many_and_gets_one_back_for_each_that_ends() {
        let admission = Admission::new(2, 10, Vec::new());
        let first = admit(&admission, "2001:db8::1").unwrap();
        let _second = admit(&admission, "2001:db8::2").unwrap();
        assert!(admit(&admission, "2001:db8::3").is_none(), "the same /64");
        assert!(admit(&admission, "2001:db8:0:1::1").is_some());
        drop(first);
        assert!(admit(&admission, "2001:db8::3").is_some());
    }

    #[test]
    fn proxies_and_this_machine_are_bounded_by_the_whole_alone() {
        let admission = Admission::new(1, 4, vec!["10.0.0.0/8".parse().unwrap()]);
        let addresses = ["10.0.0.1", "10.0.0.1", "127.0.0.1", "::1"];
        let _open: Vec<Admitted> = addresses
            .iter()
            .map(|address| admit(&admission, address).unwrap())
            .collect();
        assert!(admit(&admission, "10.0.0.1").is_none());
        assert!(admit(&admission, "192.0.2.1").is_none());
    }

    #[test]
    fn zero_takes_any_number_and_half_is_a_crowd() {
        let admission = Admission::new(0, 4, Vec::new());
        let two: Vec<_> = (0..2).map(|_| admit(&admission, "192.0.2.1").unwrap()).collect();
        assert!(!admission.is_crowded());
        let third = admit(&admission, "192.0.2.1").unwrap();
        assert!(admission.is_crowded());
        drop((two, third));
        assert!(!admission.is_crowded());
        let open = admission.open.lock().unwrap();
        assert!(open.by_network.is_empty(), "{open:?}");
    }
}
