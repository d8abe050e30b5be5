//! How many requests are taken from whom, whose word counts about where they come from, and how long a connection may take.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use ipnet::IpNet;

/// How many requests are taken from whom.
#[derive(Args, Clone, Debug)]
pub struct TrafficSettings {
    /// Changes per minute and user, and how many of them at once: `100:50`, or `off`.
    #[arg(
        long,
        env = "TODO_RATE_WRITE",
        default_value = "100:50",
        global = true,
        value_name = "RATE"
    )]
    pub rate_write: Rate,
    /// Other requests per minute and user: `600`, or `off`.
    #[arg(
        long,
        env = "TODO_RATE_READ",
        default_value = "600",
        global = true,
        value_name = "RATE"
    )]
    pub rate_read: Rate,
    /// Requests for accounts (`/api/v1/auth`) per minute and address.
    #[arg(
        long,
        env = "TODO_RATE_AUTH",
        default_value = "10",
        global = true,
        value_name = "RATE"
    )]
    pub rate_auth: Rate,
    /// Requests without a valid token per minute and address; an IPv6 address counts as its /64.
    #[arg(
        long,
        env = "TODO_RATE_ANONYMOUS",
        default_value = "60",
        global = true,
        value_name = "RATE"
    )]
    pub rate_anonymous: Rate,
    /// Requests for pages, what they load, and documents, per minute and address.
    #[arg(
        long,
        env = "TODO_RATE_PAGE",
        default_value = "300",
        global = true,
        value_name = "RATE"
    )]
    pub rate_page: Rate,
    /// Proxies whose X-Forwarded-For is believed: addresses or networks, separated by commas.
    #[arg(
        long,
        env = "TODO_TRUSTED_PROXIES",
        default_value = "",
        hide_default_value = true,
        global = true,
        value_name = "NETWORKS"
    )]
    pub trusted_proxies: Networks,
    /// Seconds that a client may take to send the head of a request.
    #[arg(long, env = "HEADER_SECONDS", default_value_t = 10, global = true, value_name = "SECONDS",
          value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub header_seconds: u32,
    /// Seconds that a connection may stay open without a request: longer than a proxy in front keeps it, so that the proxy never
    /// asks on one that is just being closed.
    #[arg(long, env = "IDLE_SECONDS", default_value_t = 75, global = true, value_name = "SECONDS",
          value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub idle_seconds: u32,
    /// Most connections at a time; with more than half of them, those that idle are closed after 5 seconds.
    #[arg(
        long,
        env = "MAX_CONNECTIONS",
        default_value_t = 8192,
        global = true,
        value_name = "COUNT"
    )]
    pub max_connections: usize,
    /// Most connections at a time from one address, an IPv6 address counting as its /64; 0 for any number. Trusted proxies and this
    /// machine have no such limit.
    #[arg(
        long,
        env = "MAX_CONNECTIONS_PER_ADDRESS",
        default_value_t = 256,
        global = true,
        value_name = "COUNT"
    )]
    pub max_connections_per_address: usize,
}

impl TrafficSettings {
    /// Returns how long a client may take to send the head of a request.
    #[must_use]
    pub fn header_time(&self) -> Duration {
        Duration::from_secs(self.header_seconds.into())
    }

    /// Returns how long a connection may stay open without a request.
    #[must_use]
    pub fn idle_time(&self) -> Duration {
        Duration::from_secs(self.idle_seconds.into())
    }
}

/// How many requests are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// Any number.
    Off,
    /// So many a minute, and no more than `burst` at once.
    PerMinute {
        /// How many in a minute, once the burst is used up.
        count: NonZeroU32,
        /// How many at once.
        burst: NonZeroU32,
    },
}

/// Networks, single addresses among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(pub Vec<IpNet>);

impl FromStr for Rate {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let (count, burst) = text.split_once(':').unwrap_or((text, text));
        match (count.parse(), burst.parse()) {
            (Ok(count), Ok(burst)) => Ok(Self::PerMinute { count, burst }),
            _ => Err("a rate is requests per minute (100), those and how many at once (100:50), or off"),
        }
    }
}

impl FromStr for Networks {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| {
                let network = part.parse().or_else(|_| part.parse::<IpAddr>().map(IpNet::from));
                network.map_err(|_| format!("{part:?} is neither an address nor a network like 10.0.0.0/8"))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_two_or_off() {
        let rate = |count, burst| Rate::PerMinute {
            count: NonZeroU32::new(count).unwrap(),
            burst: NonZeroU32::new(burst).unwrap(),
        };
        assert_eq!("100:50".parse(), Ok(rate(100, 50)));
        assert_eq!("60".parse(), Ok(rate(60, 60)));
        assert_eq!("off".parse(), Ok(Rate::Off));
        for text in ["", "0", "60:0", "-1", "60:60:60", "many"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn networks_are_addresses_too() {
        let networks: Networks = "10.0.0.0/8, 192.0.2.7,, 2001:db8::/32".parse().unwrap();
        let shown: Vec<String> = networks.0.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"]);
        assert_eq!("".parse(), Ok(Networks::default()));
        assert!("10.0.0.0/8,proxy".parse::<Networks>().is_err());
    }
}
