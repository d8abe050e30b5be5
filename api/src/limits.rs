//! How many requests somebody may send: buckets that fill up again evenly, per user or per address.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use arc_swap::ArcSwap;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use ipnet::IpNet;

use crate::domain::{UserId, network};
use crate::settings::{Rate, TrafficSettings};

/// Which requests are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// What changes something, per user.
    Write,
    /// Everything else that a user asks for.
    Read,
    /// Asking for accounts, per address.
    Auth,
    /// Asking without a valid token, per address.
    Anonymous,
    /// Asking for pages and documents, per address.
    Page,
}

/// How somebody stands after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) policy: Policy,
    /// How many more are taken now.
    pub(crate) remaining: u32,
    /// Seconds until the bucket is full again.
    pub(crate) full_in: u32,
    /// Seconds until the next request is taken, when this one is not.
    pub(crate) retry_after: Option<u32>,
}

/// What has been asked for lately, and by whom.
pub(crate) struct Limits {
    /// Indexed like [`Policy::ALL`].
    buckets: [Option<Buckets>; Policy::ALL.len()],
    /// Keyed anew in each process: nobody can make two keys meet.
    hasher: RandomState,
    proxies: Vec<IpNet>,
}

type Limiter = RateLimiter<u64, DashMapStateStore<u64>, DefaultClock, StateInformationMiddleware>;

struct Buckets {
    count: NonZeroU32,
    burst: NonZeroU32,
    quota: Quota,
    limiter: ArcSwap<Limiter>,
}

const MINUTE: Duration = Duration::from_secs(60);
/// Most buckets of a policy that are remembered, of some 50 bytes each.
const MOST_BUCKETS: usize = 500_000;

impl Policy {
    pub(crate) const ALL: [Self; 5] = [Self::Write, Self::Read, Self::Auth, Self::Anonymous, Self::Page];

    /// Returns its name as headers have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Read => "read",
            Self::Auth => "auth",
            Self::Anonymous => "anonymous",
            Self::Page => "page",
        }
    }
}

impl Limits {
    pub(crate) fn new(settings: &TrafficSettings) -> Self {
        let buckets = Policy::ALL.map(|policy| {
            let rate = match policy {
                Policy::Write => settings.rate_write,
                Policy::Read => settings.rate_read,
                Policy::Auth => settings.rate_auth,
                Policy::Anonymous => settings.rate_anonymous,
                Policy::Page => settings.rate_page,
            };
            match rate {
                Rate::Off => None,
                Rate::PerMinute { count, burst } => Buckets::new(count, burst),
            }
        });
        Self {
            buckets,
            hasher: RandomState::new(),
            proxies: settings.trusted_proxies.0.clone(),
        }
    }

    /// Whether anything is counted at all.
    pub(crate) fn are_on(&self) -> bool {
        self.buckets.iter().any(Option::is_some)
    }

    /// Returns how many requests of a policy are taken in a minute.
    pub(crate) fn per_minute(&self, policy: Policy) -> Option<u32> {
        Some(self.of(policy)?.count.get())
    }

    /// Counts a request of a user; nothing when the policy is off.
    pub(crate) fn count_user(&self, policy: Policy, user: &UserId) -> Option<Standing> {
        self.count(policy, || self.hasher.hash_one(user.as_str()))
    }

    /// Counts a request from an address.
    pub(crate) fn count_address(&self, policy: Policy, address: IpAddr) -> Option<Standing> {
        self.count(policy, || self.hasher.hash_one(network(address)))
    }

    /// Returns where a request comes from: the nearest address that is none of our proxies'.
    ///
    /// `forwarded` are the addresses that X-Forwarded-For names, nearest first. What a client writes there itself stands
    /// behind the address that our own proxy adds, and is never reached.
    pub(crate) fn origin<'a>(&self, peer: IpAddr, forwarded: impl Iterator<Item = &'a str>) -> IpAddr {
        let mut nearest = peer.to_canonical();
        for text in forwarded {
            if !self.proxies.iter().any(|network| network.contains(&nearest)) {
                break;
            }
            let Some(address) = address(text) else { break };
            nearest = address.to_canonical();
        }
        nearest
    }

    /// Forgets buckets that are full again.
    pub(crate) fn forget_idle(&self) {
        for buckets in self.buckets.iter().flatten() {
            let limiter = buckets.limiter.load();
            limiter.retain_recent();
            limiter.shrink_to_fit();
            if limiter.len() > MOST_BUCKETS {
                // Being lenient for once is better than growing without end.
                buckets.limiter.store(limiter_of(buckets.quota).into());
                tracing::warn!("more clients than can be counted: all counts begin anew");
            }
        }
    }

    fn of(&self, policy: Policy) -> Option<&Buckets> {
        self.buckets[policy as usize].as_ref()
    }

    fn count(&self, policy: Policy, key: impl FnOnce() -> u64) -> Option<Standing> {
        let buckets = self.of(policy)?;
        let limiter = buckets.limiter.load();
        let (remaining, retry_after) = match limiter.check_key(&key()) {
            Ok(snapshot) => (snapshot.remaining_burst_capacity(), None),
            Err(refusal) => {
                let wait = refusal.wait_time_from(limiter.clock().now());
                (0, Some(seconds(wait).max(1)))
            }
        };
        let missing = buckets.burst.get().saturating_sub(remaining);
        Some(Standing {
            policy,
            remaining,
            full_in: seconds(buckets.quota.replenish_interval() * missing),
            retry_after,
        })
    }
}

impl Buckets {
    fn new(count: NonZeroU32, burst: NonZeroU32) -> Option<Self> {
        let quota = Quota::with_period(MINUTE / count.get())?.allow_burst(burst);
        Some(Self {
            count,
            burst,
            quota,
            limiter: ArcSwap::from_pointee(limiter_of(quota)),
        })
    }
}

fn limiter_of(quota: Quota) -> Limiter {
    RateLimiter::dashmap(quota).with_middleware()
}

/// Rounds up: whoever waits this long has waited long enough.
fn seconds(duration: Duration) -> u32 {
    let whole = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    u32::try_from(whole).unwrap_or(u32::MAX)
}

/// Reads an address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let plain = bare.unwrap_or(text).parse().ok();
    plain.or_else(|| Some(text.parse::<std::net::SocketAddr>().ok()?.ip()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::settings::CommandLine;

    fn limits(arguments: &[&str]) -> Limits {
        let arguments = std::iter::once(&"api").chain(arguments);
        Limits::new(&CommandLine::try_parse_from(arguments).unwrap().settings.traffic)
    }

    fn origin(limits: &Limits, peer: &str, forwarded: &str) -> String {
        let forwarded = forwarded.rsplit(',');
        limits.origin(peer.parse().unwrap(), forwarded).to_string()
    }

    #[test]
    fn only_a_proxy_of_ours_is_believed() {
        let nobody = limits(&[]);
        assert_eq!(origin(&nobody, "198.51.100.1", "203.0.113.9"), "198.51.100.1");
        let proxied = limits(&["--trusted-proxies", "10.0.0.0/8,fd00::/8"]);
        assert_eq!(origin(&proxied, "198.51.100.1", "203.0.113.9"), "198.51.100.1");
        assert_eq!(origin(&proxied, "10.0.0.1", "203.0.113.9"), "203.0.113.9");
        // The client made the first one up; the second proxy saw the second one.
        assert_eq!(
            origin(&proxied, "10.0.0.1", "192.0.2.1, 203.0.113.9, 10.0.0.2"),
            "203.0.113.9"
        );
        assert_eq!(origin(&proxied, "10.0.0.1", "nonsense"), "10.0.0.1");
        assert_eq!(
            origin(&proxied, "::ffff:10.0.0.1", "203.0.113.9:4711"),
            "203.0.113.9"
        );
        assert_eq!(origin(&proxied, "fd00::1", "[2001:db8::1]:443"), "2001:db8::1");
    }

    #[test]
    fn an_address_of_ipv6_counts_as_its_network() {
        let limits = limits(&["--rate-anonymous", "1"]);
        let count = |address: &str| {
            let standing = limits.count_address(Policy::Anonymous, address.parse().unwrap());
            standing.unwrap().retry_after.is_none()
        };
        assert!(count("2001:db8::1"));
        assert!(!count("2001:db8::ffff:2"));
        assert!(count("2001:db8:0:1::1"));
        assert!(count("192.0.2.1"));
        assert!(count("192.0.2.2"));
    }

    #[test]
    fn the_bucket_has_a_burst_and_says_when_it_is_full_again() {
        let limits = limits(&["--rate-write", "60:3", "--rate-read", "off"]);
        let ada = UserId::parse("usr_ada").unwrap();
        assert_eq!(limits.count_user(Policy::Read, &ada), None);
        let seen: Vec<(u32, bool)> = (0..4)
            .filter_map(|_| limits.count_user(Policy::Write, &ada))
            .map(|standing| (standing.remaining, standing.retry_after.is_some()))
            .collect();
        assert_eq!(seen, [(2, false), (1, false), (0, false), (0, true)]);
        let standing = limits.count_user(Policy::Write, &ada).unwrap();
        assert_eq!((standing.full_in, standing.retry_after), (3, Some(1)));
    }

    #[test]
    fn what_is_idle_is_forgotten() {
        let limits = limits(&["--rate-write", "60000000"]);
        for number in 0..100 {
            let user = UserId::parse(&format!("usr_{number}")).unwrap();
            limits.count_user(Policy::Write, &user);
        }
        std::thread::yield_now();
        limits.forget_idle();
        let kept = limits.of(Policy::Write).unwrap().limiter.load().len();
        assert!(kept < 100, "{kept}");
    }
}
