//! Receives bodies before a request takes a place among those that are worked on: whoever sends slowly holds nobody up.
//!
//! A body is taken in whole, wanted or not, so that after a refusal the connection can be used for the next request.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{MatchedPath, Request};
use axum::http::header;
use http_body_util::BodyExt;
use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, timeout_at};

use crate::state::App;

/// Most bytes of a body.
const MOST_BYTES: usize = 64 * 1024;
/// Most bytes of a body of a bulk request, and most that are taken in of any body before the connection is closed instead.
const MOST_LARGE_BYTES: usize = 1024 * 1024;
/// The operation that takes large bodies.
const BULK: &str = "/api/v1/tasks/bulk";
/// How long the first bytes of a body may take.
const GRACE: Duration = Duration::from_secs(10);
/// How many bytes a second have to come after that.
const LEAST_SPEED: u32 = 16 * 1024;

/// What came of the body of a request; left with the request for whoever reads it.
#[derive(Clone, Debug)]
pub(super) enum Received {
    /// All of it.
    Whole(Bytes),
    /// More than the operation takes.
    TooLarge {
        /// Whether all of it was taken in nevertheless.
        is_at_end: bool,
    },
    /// The client ended before its body did, or its chunks are none.
    BrokenOff,
    /// It came more slowly than anybody may hold a connection for.
    TooSlow,
    /// More large bodies than are held at a time were on their way.
    TooMany,
    /// It is in a coding that nobody here reads, and was left alone.
    UnknownCoding,
}

impl Received {
    /// Whether the next request on the connection begins where this one ends.
    pub(super) fn is_at_end(&self) -> bool {
        match self {
            Self::Whole(_) => true,
            Self::TooLarge { is_at_end } => *is_at_end,
            Self::BrokenOff | Self::TooSlow | Self::TooMany | Self::UnknownCoding => false,
        }
    }
}

/// Takes the body of a request in. The permit, which a large body has, is kept until the request is answered.
pub(super) async fn receive<'app>(
    app: &'app App,
    request: &mut Request,
) -> (Received, Option<SemaphorePermit<'app>>) {
    let body = std::mem::take(request.body_mut());
    if has_unknown_coding(request) {
        return (Received::UnknownCoding, None);
    }
    if hyper::body::Body::is_end_stream(&body) {
        return (Received::Whole(Bytes::new()), None);
    }
    let most = most_bytes(request);
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > MOST_LARGE_BYTES as u64) {
        return (Received::TooLarge { is_at_end: false }, None);
    }
    let mut receiver = Receiver {
        app,
        body,
        most,
        taken: 0,
        kept: Vec::new(),
        permit: None,
    };
    let received = receiver.run().await;
    (received, receiver.permit)
}

/// Whether there is more to undo than chunks (RFC 9112, 6.1). hyper looks only at the last coding, and refuses what does not end in chunks.
fn has_unknown_coding(request: &Request) -> bool {
    let fields = request.headers().get_all(header::TRANSFER_ENCODING);
    let codings = fields
        .iter()
        .flat_map(|field| field.as_bytes().split(|byte| *byte == b','));
    let mut named = codings
        .map(<[u8]>::trim_ascii)
        .filter(|coding| !coding.is_empty());
    let first = named.next();
    first.is_some_and(|coding| !coding.eq_ignore_ascii_case(b"chunked")) || named.next().is_some()
}

fn most_bytes(request: &Request) -> usize {
    let route = request.extensions().get::<MatchedPath>();
    match route.is_some_and(|route| route.as_str() == BULK) {
        true => MOST_LARGE_BYTES,
        false => MOST_BYTES,
    }
}

struct Receiver<'app> {
    app: &'app App,
    body: Body,
    most: usize,
    taken: usize,
    /// What has come, as long as that is not too much: in one piece, as many small ones would take more than they hold.
    kept: Vec<u8>,
    permit: Option<SemaphorePermit<'app>>,
}

impl Receiver<'_> {
    async fn run(&mut self) -> Received {
        let mut begun = Instant::now();
        loop {
            let due = begun + GRACE + Duration::from_secs(1) * self.taken() / LEAST_SPEED;
            let data = match timeout_at(due, self.body.frame()).await {
                Err(_) => return Received::TooSlow,
                Ok(None) => return self.end(),
                Ok(Some(Err(_))) => return Received::BrokenOff,
                Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
            };
            self.taken += data.len();
            if self.taken > MOST_LARGE_BYTES {
                return Received::TooLarge { is_at_end: false };
            }
            if self.taken > self.most {
                self.kept = Vec::new();
                continue;
            }
            if self.taken > MOST_BYTES && self.permit.is_none() {
                let waited = Instant::now();
                self.permit = self.app.large_body().await;
                if self.permit.is_none() {
                    return Received::TooMany;
                }
                // To wait was not the client's fault.
                begun += waited.elapsed();
            }
            self.kept.extend_from_slice(&data);
        }
    }

    fn taken(&self) -> u32 {
        u32::try_from(self.taken).unwrap_or(u32::MAX)
    }

    fn end(&mut self) -> Received {
        if self.taken > self.most {
            return Received::TooLarge { is_at_end: true };
        }
        Received::Whole(std::mem::take(&mut self.kept).into())
    }
}
