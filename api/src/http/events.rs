//! What happens to tasks, as it happens: server-sent events (HTML Standard, 9.2).

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use serde::Serialize;
use utoipa::ToSchema;

use super::accept::names;
use super::codes::Code;
use super::extract::{BearerToken, CurrentUser};
use super::openapi::{EventQuery, Everywhere, LastEventId, WithQuery};
use super::paged::Asked;
use super::parameters::Parameters;
use super::problem::Problem;
use crate::domain::{EventKind, Since, TaskEvent};
use crate::service::{Follower, Heard};
use crate::state::App;

/// Where events are followed; its cursors are those of the list of changes.
pub(super) const PATH: &str = "/api/v1/events";
const CHANGES: &str = "/api/v1/changes";
const KIND: &str = "text/event-stream";
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// How long a client waits before it comes again.
const RETRY: Duration = Duration::from_secs(2);

/// Whether an answer is still being made on a connection, which may then say nothing for longer than an idle one.
#[derive(Clone, Default)]
pub(crate) struct AtWork(pub(crate) Arc<AtomicBool>);

/// Something that happened to a task.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TaskEvent)]
pub(super) struct TaskEventBody {
    /// The number of the task.
    #[schema(minimum = 1)]
    task_id: i32,
    /// When it happened.
    #[schema(format = DateTime)]
    at: String,
}

impl<S: Sync> FromRequestParts<S> for AtWork {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

/// Follow what happens to tasks
///
/// A stream of server-sent events, for clients that name `text/event-stream` in `Accept`. The first event is `ready`; then come
/// `task.created`, `task.changed`, `task.completed`, `task.reopened` and `task.deleted` with a `TaskEvent` each, in order for each task,
/// whoever changes it and on whichever server. The `id` of each is a cursor of the list of changes: a client that comes again with
/// `Last-Event-ID` misses nothing and is told nothing twice. `resync` says that what happened in between is not known any more: read the
/// lists again. A comment comes every 15 seconds. The stream ends with the token, and when the server stops.
#[utoipa::path(get, path = "/api/v1/events", operation_id = "followEvents", tag = "tasks", params(EventQuery, LastEventId),
    responses((status = 200, description = "The events, until one side ends the stream", content_type = "text/event-stream",
               body = String, example = "event: task.completed\nid: q0xV...\ndata: {\"task_id\":7,\"at\":\"2026-03-01T12:00:00Z\"}\n\n"),
              WithQuery, Everywhere))]
pub(super) async fn follow(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    BearerToken(token): BearerToken,
    at_work: AtWork,
    headers: HeaderMap,
    mut parameters: Parameters,
) -> Result<Response, Problem> {
    let given = parameters.cursor();
    parameters.finish_without_cursor()?;
    if !names(&headers, KIND) {
        let detail = "events come as text/event-stream, which the header Accept has to name";
        return Err(Problem::new(Code::NotAcceptable).detail(detail));
    }
    let last = headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok());
    let cursor = last.map(str::to_owned).or(given);
    let asked = Asked::new(&app, &user.id, CHANGES.to_owned(), Vec::new(), cursor.as_deref())?;
    let since = asked.since()?;
    let follower = app.services().follow(&user, &token, since).await;
    let follower = follower.map_err(|failure| Problem::of(failure, Code::TaskNotFound))?;
    let ready = Event::default()
        .event("ready")
        .retry(RETRY)
        .id(asked.sealed(&follower.since().to_cursor()))
        .data("{}");
    let opened = EventStream {
        follower,
        asked,
        at_work,
    };
    let events = stream::once(async { Ok::<_, Infallible>(ready) }).chain(stream::unfold(opened, next_event));
    let mut response = Sse::new(events).into_response();
    // nginx would collect them.
    let unbuffered = (
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    response.headers_mut().extend([unbuffered]);
    Ok(response)
}

/// A stream of events, and the connection that it is on.
struct EventStream {
    follower: Follower,
    asked: Asked,
    at_work: AtWork,
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.at_work.0.store(false, Ordering::Relaxed);
    }
}

async fn next_event(mut stream: EventStream) -> Option<(Result<Event, Infallible>, EventStream)> {
    stream.at_work.0.store(true, Ordering::Relaxed);
    let event = match stream.follower.next().await? {
        Heard::Event(event, since) => {
            let told = Event::default().event(name(event.kind)).id(stream.id(since));
            told.json_data(TaskEventBody::from(event)).ok()?
        }
        Heard::Gap(since) => Event::default().event("resync").id(stream.id(since)).data("{}"),
        Heard::Nothing => Event::default().comment(""),
    };
    Some((Ok(event), stream))
}

impl EventStream {
    fn id(&self, since: Since) -> String {
        self.asked.sealed(&since.to_cursor())
    }
}

impl From<TaskEvent> for TaskEventBody {
    fn from(event: TaskEvent) -> Self {
        Self {
            task_id: event.task_id,
            at: event.at.to_string(),
        }
    }
}

fn name(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Created => "task.created",
        EventKind::Changed => "task.changed",
        EventKind::Completed => "task.completed",
        EventKind::Reopened => "task.reopened",
        EventKind::Deleted => "task.deleted",
    }
}
