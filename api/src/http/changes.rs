//! What happened to tasks, for whoever keeps a copy of them.

use axum::extract::State;
use axum::response::Response;

use super::body::ChangesBody;
use super::codes::Code;
use super::conditional::IfNoneMatch;
use super::extract::CurrentUser;
use super::openapi::{Cached, Everywhere, Expiring, PageQuery, WithQuery};
use super::parameters::Parameters;
use super::problem::Problem;
use crate::state::App;

/// List changes of tasks
///
/// For a client that keeps a copy of the caller's tasks. It asks without a cursor first, which answers with a cursor and no changes,
/// then reads the list of tasks, and from then on asks with the last `next_cursor`: each answer has one entry for each task to which
/// something happened since, with the task as it is now. The same change may be told again; nothing is left out. A cursor is good for
/// 30 days.
#[utoipa::path(get, path = "/api/v1/changes", operation_id = "listChanges", tag = "tasks", params(PageQuery),
    responses((status = 200, description = "What has happened since the cursor", body = ChangesBody),
              Cached, Expiring, WithQuery, Everywhere))]
pub(super) async fn list(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    seen: IfNoneMatch,
    mut parameters: Parameters,
) -> Result<Response, Problem> {
    let limit = parameters.limit();
    let asked = parameters.finish(&app, &user.id)?;
    let since = asked.since()?;
    let found = app
        .services()
        .changes(&user, since, limit)
        .await
        .map_err(|failure| Problem::of(failure, Code::TaskNotFound))?;
    let next = asked.sealed(&found.value.next.to_cursor());
    Ok(seen.answer_hashed(&found.revision, &ChangesBody::of(found.value, next)))
}
