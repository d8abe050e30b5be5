//! What is counted and measured, and how a scraper reads it.
//!
//! Labels come from the route table, never from what somebody typed: a path without a route counts under one name.

mod plain;

use std::sync::Mutex;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// The route of requests that no route matches.
pub(crate) const UNMATCHED: &str = "unmatched";

/// Upper bounds of the histogram in seconds: from a read of one row to the limit for a request.
const BOUNDS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0,
];
/// Other methods than these count together: anybody can make one up.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Everything that is counted.
pub(crate) struct Metrics {
    requests: Family<Request, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    shed: Counter,
    live: Mutex<LiveMetrics>,
    registry: Registry,
}

/// How it is written down.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Format {
    /// The text format of Prometheus, version 0.0.4.
    Plain,
    /// `OpenMetrics` 1.0.
    OpenMetrics,
}

impl Format {
    /// Returns the type of the text.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Plain => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// What is looked up when somebody scrapes.
pub(crate) struct Live {
    /// Connections in use, idle, and allowed.
    pub(crate) connections: Connections,
    /// Statements sent since the start.
    pub(crate) statements: u64,
    /// Units of work done once more since the start.
    pub(crate) retries: u64,
    /// The newest applied revisions.
    pub(crate) current: String,
    /// The newest revisions that the service knows.
    pub(crate) head: String,
    /// Whether nothing is pending and nothing is unknown.
    pub(crate) in_sync: bool,
}

/// How a pool is used.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Connections {
    /// At work.
    pub(crate) used: u32,
    /// Open and waiting.
    pub(crate) idle: u32,
    /// Allowed in all.
    pub(crate) most: u32,
}

/// A request that is being worked on; it counts until it is dropped, also when its client goes away.
pub(crate) struct InFlight(Gauge);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Use {
    Used,
    Idle,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Pool {
    state: Use,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Schema {
    current: String,
    head: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    version: &'static str,
}

#[derive(Default)]
struct LiveMetrics {
    connections: Family<Pool, Gauge>,
    most_connections: Gauge,
    statements: Counter,
    retries: Counter,
    schema: Family<Schema, Gauge>,
    in_sync: Gauge,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::default();
        let requests = Family::new_with_constructor((|| Histogram::new(BOUNDS)) as fn() -> Histogram);
        registry.register_with_unit(
            "http_request_duration",
            "How long requests took, by route template, method and status",
            Unit::Seconds,
            requests.clone(),
        );
        let in_flight = Gauge::default();
        registry.register(
            "http_requests_in_flight",
            "Requests that are being worked on",
            in_flight.clone(),
        );
        let shed = Counter::default();
        registry.register(
            "http_requests_shed",
            "Requests turned away because too many were being worked on",
            shed.clone(),
        );
        let build: Family<Build, Gauge> = Family::default();
        let version = env!("CARGO_PKG_VERSION");
        build.get_or_create(&Build { version }).set(1);
        registry.register("todo_build", "The version of the service", build);
        let live = LiveMetrics::default();
        live.register(&mut registry);
        Self {
            requests,
            in_flight,
            shed,
            live: Mutex::new(live),
            registry,
        }
    }

    /// Counts a request as being worked on until the guard is dropped.
    pub(crate) fn begin(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// Counts a request that was answered.
    pub(crate) fn answered(&self, method: &str, route: &str, status: u16, duration: Duration) {
        let method = METHODS
            .into_iter()
            .find(|known| *known == method)
            .unwrap_or("OTHER");
        let request = Request {
            method,
            route: route.to_owned(),
            status,
        };
        self.requests
            .get_or_create(&request)
            .observe(duration.as_secs_f64());
    }

    /// Counts a request that was turned away.
    pub(crate) fn shed(&self) {
        self.shed.inc();
    }

    /// Returns everything as text.
    pub(crate) fn text(&self, now: &Live, format: Format) -> String {
        // Held until the text is written: a second scrape must not see the labels of the first half changed.
        let Ok(live) = self.live.lock() else {
            return String::new();
        };
        live.update(now);
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a string takes any text");
        match format {
            Format::Plain => plain::from(&text),
            Format::OpenMetrics => text,
        }
    }
}

impl LiveMetrics {
    fn register(&self, registry: &mut Registry) {
        registry.register(
            "db_pool_connections",
            "Open connections to the database",
            self.connections.clone(),
        );
        registry.register(
            "db_pool_connections_max",
            "Connections that may be open",
            self.most_connections.clone(),
        );
        registry.register(
            "db_statements",
            "Statements sent to the database",
            self.statements.clone(),
        );
        registry.register(
            "db_units_retried",
            "Units of work done once more because the schema moved or a lock was not granted",
            self.retries.clone(),
        );
        registry.register(
            "todo_schema",
            "Where the schema stands, and the newest revision that the service knows",
            self.schema.clone(),
        );
        registry.register(
            "todo_schema_in_sync",
            "1 when nothing is pending and nothing is unknown",
            self.in_sync.clone(),
        );
    }

    fn update(&self, now: &Live) {
        for (state, count) in [
            (Use::Used, now.connections.used),
            (Use::Idle, now.connections.idle),
        ] {
            self.connections
                .get_or_create(&Pool { state })
                .set(i64::from(count));
        }
        self.most_connections.set(i64::from(now.connections.most));
        for (counter, count) in [(&self.statements, now.statements), (&self.retries, now.retries)] {
            counter.inner().store(count, std::sync::atomic::Ordering::Relaxed);
        }
        self.schema.clear();
        let schema = Schema {
            current: now.current.clone(),
            head: now.head.clone(),
        };
        self.schema.get_or_create(&schema).set(1);
        self.in_sync.set(i64::from(now.in_sync));
    }
}

impl EncodeLabelValue for Use {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> Result<(), std::fmt::Error> {
        let word = match self {
            Self::Used => "used",
            Self::Idle => "idle",
        };
        EncodeLabelValue::encode(&word, encoder)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
