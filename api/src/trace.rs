//! Which trace a request belongs to (W3C Trace Context), and handing its span to a collector over OTLP.
//!
//! One span per request, made of what the log says of it. Names and attributes come from the route table and never hold
//! what somebody typed.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SpanData, SpanProcessor};

/// Where spans go when nobody collects them is nowhere.
#[derive(Clone, Default)]
pub(crate) struct Traces(Option<Arc<BatchSpanProcessor>>);

/// A request's place in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    trace: u128,
    id: u64,
    parent: Option<u64>,
    is_sampled: bool,
}

/// A request that was answered.
pub(crate) struct Answered<'a> {
    pub(crate) method: &'a str,
    pub(crate) route: &'a str,
    pub(crate) status: u16,
    pub(crate) request_id: &'a str,
    pub(crate) duration: Duration,
}

impl Traces {
    /// Begins to hand spans to a collector; `endpoint` is its base address, as `OTEL_EXPORTER_OTLP_ENDPOINT` has it.
    pub(crate) fn exported_to(endpoint: &str) -> Result<Self, ExporterBuildError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpJson)
            .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
            .build()?;
        let mut processor = BatchSpanProcessor::builder(exporter).build();
        processor.set_resource(
            &Resource::builder()
                .with_attributes([
                    KeyValue::new("service.name", "todo-api"),
                    KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
                ])
                .build(),
        );
        Ok(Self(Some(Arc::new(processor))))
    }

    /// Returns a span in the caller's trace, or in a new one when the header does not name one.
    pub(crate) fn begin(&self, traceparent: Option<&str>) -> Span {
        let id = fastrand::u64(1..);
        match traceparent.and_then(parse) {
            Some((trace, parent, is_sampled)) => Span {
                trace,
                id,
                parent: Some(parent),
                is_sampled,
            },
            None => Span {
                trace: fastrand::u128(1..),
                id,
                parent: None,
                is_sampled: self.0.is_some(),
            },
        }
    }

    /// Hands a span over; that costs a place in a queue, which drops what it cannot hold.
    pub(crate) fn end(&self, span: Span, answered: &Answered<'_>) {
        let Some(processor) = self.0.as_ref().filter(|_| span.is_sampled) else {
            return;
        };
        let end_time = SystemTime::now();
        let status = match answered.status {
            500.. => Status::error(""),
            _ => Status::Unset,
        };
        processor.on_end(SpanData {
            span_context: SpanContext::new(
                TraceId::from(span.trace),
                SpanId::from(span.id),
                TraceFlags::SAMPLED,
                false,
                TraceState::NONE,
            ),
            parent_span_id: SpanId::from(span.parent.unwrap_or_default()),
            parent_span_is_remote: span.parent.is_some(),
            span_kind: SpanKind::Server,
            name: format!("{} {}", answered.method, answered.route).into(),
            start_time: end_time - answered.duration,
            end_time,
            attributes: vec![
                KeyValue::new("http.request.method", answered.method.to_owned()),
                KeyValue::new("http.route", answered.route.to_owned()),
                KeyValue::new("http.response.status_code", i64::from(answered.status)),
                KeyValue::new("todo.request_id", answered.request_id.to_owned()),
            ],
            dropped_attributes_count: 0,
            events: Default::default(),
            links: Default::default(),
            status,
            instrumentation_scope: InstrumentationScope::builder("todo-api").build(),
        });
    }

    /// Sends what is left; waits for the collector, though not for long.
    pub(crate) async fn close(&self) {
        let Some(processor) = self.0.clone() else { return };
        let closed =
            tokio::task::spawn_blocking(move || processor.shutdown_with_timeout(Duration::from_secs(2)));
        if let Ok(Err(error)) = closed.await {
            tracing::warn!(error = %error, "the last spans could not be handed over");
        }
    }
}

impl Span {
    /// Returns the id of the trace.
    pub(crate) fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }

    /// Returns the header that names this span.
    pub(crate) fn traceparent(&self) -> String {
        format!(
            "00-{:032x}-{:016x}-{:02x}",
            self.trace,
            self.id,
            u8::from(self.is_sampled)
        )
    }
}

/// Reads trace, parent and whether the caller's span is kept; a header that breaks a rule of the recommendation is as none.
fn parse(header: &str) -> Option<(u128, u64, bool)> {
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let mut parts = header.split('-');
    let [version, trace, parent, flags] = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    let is_well_formed = is_hex(version, 2) && is_hex(trace, 32) && is_hex(parent, 16) && is_hex(flags, 2);
    // Later versions may append parts; this one has none.
    let may_go_on = version != "00" && version != "ff";
    if !is_well_formed || version == "ff" || (parts.next().is_some() && !may_go_on) {
        return None;
    }
    let trace = u128::from_str_radix(trace, 16).ok().filter(|id| *id != 0)?;
    let parent = u64::from_str_radix(parent, 16).ok().filter(|id| *id != 0)?;
    let flags = u8::from_str_radix(flags, 16).ok()?;
    Some((trace, parent, flags & 1 == 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn a_request_goes_on_in_the_trace_of_its_caller() {
        let header = format!("00-{TRACE}-00f067aa0ba902b7-01");
        let span = Traces::default().begin(Some(&header));
        assert_eq!(span.trace_id(), TRACE);
        assert_eq!(span.parent, Some(0x00f0_67aa_0ba9_02b7));
        assert!(span.traceparent().starts_with(&format!("00-{TRACE}-")));
        assert!(span.traceparent().ends_with("-01"));
        assert_ne!(span.traceparent(), header);
        let later = format!("01-{TRACE}-00f067aa0ba902b7-00-more");
        assert_eq!(parse(&later).map(|(_, _, is_sampled)| is_sampled), Some(false));
    }

    #[test]
    fn a_header_that_breaks_a_rule_begins_a_new_trace() {
        for header in [
            "",
            "00",
            &format!("00-{TRACE}-00f067aa0ba902b7"),
            &format!("00-{TRACE}-00f067aa0ba902b7-01-more"),
            &format!("ff-{TRACE}-00f067aa0ba902b7-01"),
            &format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase()),
            &format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            &format!("00-{TRACE}-0000000000000000-01"),
            &format!("00-{TRACE}x-00f067aa0ba902b7-01"),
            &format!("00-{TRACE}-00f067aa0ba902b7-0g"),
        ] {
            let span = Traces::default().begin(Some(header));
            assert_ne!(span.trace_id(), TRACE, "{header}");
            assert_eq!(span.parent, None, "{header}");
        }
    }
}
