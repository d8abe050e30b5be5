//! What whoever runs the service measures it by: the counters, and the spans that a collector receives.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpListener;

use reqwest::Method;
use serde_json::{Value, json};

use crate::site::{Answer, Site, databases, on_each};

/// A line of the text: a name with its labels, and a value.
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

/// Reads the text by its grammar; what breaks a rule fails the test.
fn samples(text: &str) -> Vec<Sample> {
    let mut families = BTreeSet::new();
    let mut found = Vec::new();
    for line in text.lines().filter(|line| *line != "# EOF") {
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.split(' ');
            let (kind, family) = (words.next().unwrap(), words.next().unwrap());
            assert!(matches!(kind, "HELP" | "TYPE" | "UNIT"), "{line}");
            assert!(
                kind != "TYPE" || families.insert(family.to_owned()),
                "{family} is there twice"
            );
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        assert!(
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
            "{line}"
        );
        assert!(
            families.iter().any(|family| name.starts_with(family.as_str())),
            "{name} belongs to no family"
        );
        let labels = labels.strip_suffix('}').unwrap();
        let labels = labels.split_terminator("\",").filter(|label| !label.is_empty());
        found.push(Sample {
            name: name.to_owned(),
            labels: labels
                .map(|label| label.split_once("=\"").unwrap())
                .map(|(label, value)| (label.to_owned(), value.trim_end_matches('"').to_owned()))
                .collect(),
            value: value.parse().unwrap(),
        });
    }
    found
}

fn value(samples: &[Sample], name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let is_wanted = |sample: &&Sample| {
        sample.name == name
            && labels
                .iter()
                .all(|(label, value)| sample.labels.get(*label).is_some_and(|it| it == value))
    };
    samples.iter().find(is_wanted).map(|sample| sample.value)
}

async fn scrape(site: &Site) -> Vec<Sample> {
    let answer = metrics(site, &[]).await;
    assert!(
        answer
            .header("content-type")
            .starts_with("text/plain; version=0.0.4")
    );
    assert!(!answer.text.contains("usr_ada") && !answer.text.contains("secret-words"));
    samples(&answer.text)
}

async fn metrics(site: &Site, headers: &[(&str, &str)]) -> Answer {
    let answer = site.send_raw(None, Method::GET, "/metrics", None, headers).await;
    answer.expect(200)
}

/// What Prometheus 2 and 3 say they read, what browsers and curl do, and somebody who wants anything but `OpenMetrics`.
#[tokio::test]
async fn a_scraper_gets_the_format_that_it_prefers() {
    const PROMETHEUS: &str =
        "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    on_each("head", async |site| {
        // So that some request was answered already.
        scrape(site).await;
        let open = metrics(site, &[("accept", PROMETHEUS)]).await;
        assert!(
            open.header("content-type")
                .starts_with("application/openmetrics-text; version=1.0.0")
        );
        assert!(open.text.ends_with("# EOF\n"));
        assert!(
            open.text
                .contains("# TYPE db_statements counter\ndb_statements_total ")
        );
        for accept in [
            "*/*",
            "text/html,*/*;q=0.8",
            "application/openmetrics-text;q=0,*/*",
        ] {
            let plain = metrics(site, &[("accept", accept)]).await;
            assert!(plain.header("content-type").starts_with("text/plain"), "{accept}");
            assert!(
                !plain.text.contains("# EOF") && !plain.text.contains("# UNIT"),
                "{accept}"
            );
            assert!(
                plain
                    .text
                    .contains("# TYPE db_statements_total counter\ndb_statements_total ")
            );
            let names = |text: &str| {
                let samples = samples(text);
                samples
                    .into_iter()
                    .map(|sample| sample.name)
                    .collect::<BTreeSet<_>>()
            };
            assert_eq!(
                names(&plain.text),
                names(&open.text.replace("# EOF\n", "")),
                "{accept}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn requests_are_counted_by_route_and_not_by_what_somebody_typed() {
    on_each("002", async |site| {
        let path = site.task("usr_ada", json!({"title": "secret-words"})).await;
        site.get("usr_ada", &path).await.expect(200);
        site.get("usr_ada", "/api/v1/tasks/999999").await.expect(404);
        site.get("usr_ada", "/secret-words").await.expect(404);
        let odd = Method::from_bytes(b"SECRET").unwrap();
        site.send("usr_ada", odd, "/secret-words/2", None)
            .await
            .expect(404);
        let samples = scrape(site).await;
        let count = |labels: &[(&str, &str)]| value(&samples, "http_request_duration_seconds_count", labels);
        let one = "/api/v1/tasks/{id}";
        assert_eq!(
            count(&[("method", "GET"), ("route", one), ("status", "200")]),
            Some(1.0)
        );
        assert_eq!(
            count(&[("method", "GET"), ("route", one), ("status", "404")]),
            Some(1.0)
        );
        assert_eq!(count(&[("method", "GET"), ("route", "unmatched")]), Some(1.0));
        assert_eq!(count(&[("method", "OTHER"), ("route", "unmatched")]), Some(1.0));
        assert_eq!(
            count(&[("method", "POST"), ("route", "/api/v1/tasks"), ("status", "201")]),
            Some(1.0)
        );
        let buckets: Vec<f64> = samples
            .iter()
            .filter(|it| {
                it.name.ends_with("_bucket") && it.labels["route"] == one && it.labels["status"] == "200"
            })
            .map(|it| it.value)
            .collect();
        assert!(
            buckets.is_sorted() && buckets.len() == 13 && buckets.last() == Some(&1.0),
            "{buckets:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn the_pool_the_schema_and_the_retries_are_shown() {
    on_each("002", async |site| {
        site.task("usr_ada", json!({"title": "t"})).await;
        let before = scrape(site).await;
        assert_eq!(value(&before, "todo_schema", &[("current", "002")]), Some(1.0));
        assert_eq!(value(&before, "todo_schema_in_sync", &[]), Some(0.0));
        assert_eq!(value(&before, "http_requests_in_flight", &[]), Some(1.0));
        assert!(value(&before, "db_statements_total", &[]).unwrap() > 2.0);
        let connections =
            ["used", "idle"].map(|state| value(&before, "db_pool_connections", &[("state", state)]).unwrap());
        let most = value(&before, "db_pool_connections_max", &[]).unwrap();
        assert!(
            (1.0..=most).contains(&connections.iter().sum()),
            "{connections:?} of {most}"
        );
        // Whether a unit of work had to run once more depends on who notices first: the request or the service.
        crate::site::migrate(&site.database, "001").await;
        site.get("usr_ada", "/api/v1/conversations").await.expect(503);
        let after = scrape(site).await;
        assert_eq!(value(&after, "todo_schema", &[("current", "001")]), Some(1.0));
        assert_eq!(value(&after, "todo_schema", &[("current", "002")]), None);
        let retried = value(&after, "db_units_retried_total", &[]).unwrap();
        assert_eq!(retried.to_string(), site.server.retries().to_string());
    })
    .await;
}

#[tokio::test]
async fn requests_turned_away_are_counted_and_the_scraper_is_not_turned_away() {
    for database in databases().await {
        let site = Site::open(database, "head", &["--max-concurrency", "0"]).await;
        site.get("usr_ada", "/api/v1/me").await.expect(503);
        assert_eq!(
            value(&scrape(&site).await, "http_requests_shed_total", &[]),
            Some(1.0)
        );
        site.close().await;
    }
}

#[tokio::test]
async fn the_counters_can_have_an_address_of_their_own() {
    for database in databases().await {
        let site = Site::open(database, "head", &["--metrics-address", "127.0.0.1:0"]).await;
        site.send_raw(None, Method::GET, "/metrics", None, &[])
            .await
            .expect(404);
        let url = format!("http://{}/metrics", site.server.metrics_address().unwrap());
        let text = reqwest::get(url).await.unwrap().text().await.unwrap();
        assert_eq!(value(&samples(&text), "todo_schema_in_sync", &[]), Some(1.0));
        site.close().await;
    }
}

/// Receives one request and returns its head and its body.
fn collect(listener: &TcpListener) -> (String, Value) {
    let (mut stream, _) = listener.accept().unwrap();
    let mut received = Vec::new();
    let mut part = [0_u8; 4096];
    loop {
        let count = stream.read(&mut part).unwrap();
        received.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&received).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| {
                line.to_ascii_lowercase()
                    .strip_prefix("content-length: ")?
                    .parse()
                    .ok()
            })
            .unwrap_or(0);
        if body.len() >= length {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
                .unwrap();
            return (head.to_owned(), serde_json::from_str(body).unwrap());
        }
        assert!(count > 0, "the request broke off: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_receives_a_span_in_the_trace_of_the_caller() {
    for database in databases().await {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let collector = tokio::task::spawn_blocking(move || collect(&listener));
        let site = Site::open(database, "head", &["--otlp-endpoint", &endpoint]).await;
        let path = site.task("usr_ada", json!({"title": "secret-words"})).await;
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let header = format!("00-{trace}-00f067aa0ba902b7-01");
        let answer = site
            .send_with("usr_ada", Method::GET, &path, None, &[("traceparent", &header)])
            .await
            .expect(200);
        let token = site.token("usr_ada");
        // Stopping hands over what is left.
        site.close().await;
        let (head, body) = collector.await.unwrap();
        assert!(head.starts_with("POST /v1/traces HTTP/1.1"), "{head}");
        let resource = &body["resourceSpans"][0];
        assert!(resource["resource"].to_string().contains("todo-api"));
        let spans = resource["scopeSpans"][0]["spans"].as_array().unwrap();
        let span = spans.iter().find(|span| span["traceId"] == trace).unwrap();
        assert_eq!(span["parentSpanId"], "00f067aa0ba902b7");
        assert_eq!(span["name"], "GET /api/v1/tasks/{id}");
        let id = span["spanId"].as_str().unwrap();
        assert_eq!(answer.header("traceparent"), format!("00-{trace}-{id}-01"));
        assert!(
            span["attributes"]
                .to_string()
                .contains(answer.header("x-request-id"))
        );
        let sent = body.to_string();
        assert!(!sent.contains(&token) && !sent.contains("secret-words"));
    }
}

#[tokio::test]
async fn a_span_that_the_caller_does_not_keep_is_not_sent_and_a_bad_header_begins_a_trace() {
    on_each("head", async |site| {
        let ask = async |headers: &[(&str, &str)]| {
            site.send_raw(None, Method::GET, "/livez", None, headers)
                .await
                .header("traceparent")
                .to_owned()
        };
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let unkept = ask(&[("traceparent", &format!("00-{trace}-00f067aa0ba902b7-00"))]).await;
        assert!(unkept.starts_with(&format!("00-{trace}-")) && unkept.ends_with("-00"));
        let new = ask(&[("traceparent", &format!("00-{trace}-00f067aa0ba902b7-01-x"))]).await;
        assert!(!new.contains(trace) && new.len() == 55, "{new}");
    })
    .await;
}

#[tokio::test]
async fn a_collector_that_cannot_be_used_stops_the_start() {
    let database = databases().await.remove(0);
    let settings = crate::site::settings(database.address(), &["--otlp-endpoint", "collector:4318"]);
    let failure = api::Server::start(&settings, api::Clock::system())
        .await
        .err()
        .unwrap();
    assert_eq!(
        failure.to_string(),
        "OTEL_EXPORTER_OTLP_ENDPOINT cannot be used: it begins with http://, as in http://127.0.0.1:4318"
    );
    database.remove().await.unwrap();
}
