//! `locks`: who holds what, who waits for whom, and ending one of them after asking.

use serde::Serialize;

use super::upgrade::close;
use super::{CommandError, Project};
use crate::environment::Environment;
use crate::session::dialect_of;
use crate::session::{Endable, Ending, Involved, Session};
use crate::sql::Dialect;

/// The tree of those who wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LockTree {
    /// Those who wait for nobody and hold up others first, each followed by those who wait for it.
    pub sessions: Vec<LockedSession>,
}

/// A session in the tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LockedSession {
    /// How many sessions stand between it and the root.
    pub depth: usize,
    /// The session.
    #[serde(flatten)]
    pub session: Involved,
}

/// What came of ending a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ended {
    /// The session.
    #[serde(flatten)]
    pub session: Endable,
    /// How it was ended.
    pub ending: Ending,
    /// Whether it was still there.
    pub was_there: bool,
}

/// Returns who waits for whom at this moment.
///
/// # Errors
///
/// Fails when the database is none of PostgreSQL's, or cannot be asked.
pub async fn locks(environment: &Environment) -> Result<LockTree, CommandError> {
    let session = server(environment).await?;
    let involved = session.involved().await;
    close(Some(session)).await;
    let involved = involved.map_err(|source| CommandError::Query {
        action: "read who waits for whom",
        source: source.into(),
    })?;
    Ok(tree(&involved))
}

/// Ends a session if `consent` agrees: cancels what it runs, or ends it altogether.
///
/// # Errors
///
/// Fails when there is no such session, it is one that has to stay, or consent is not given.
pub async fn end_session(
    environment: &Environment,
    pid: i32,
    ending: Ending,
    consent: impl AsyncFnOnce(&Endable) -> bool,
) -> Result<Ended, CommandError> {
    let session = server(environment).await?;
    let ended = async {
        let endable = session.endable(pid, ending).await?;
        if !consent(&endable).await {
            return Err(CommandError::NotEnded { pid });
        }
        let was_there = session.end(&endable, ending).await?;
        tracing::info!(pid, ?ending, was_there, "a session was ended");
        Ok(Ended {
            session: endable,
            ending,
            was_there,
        })
    };
    let ended = ended.await;
    close(Some(session)).await;
    ended
}

async fn server(environment: &Environment) -> Result<Session, CommandError> {
    let project = Project::of(environment)?;
    if dialect_of(project.url()?.backend()) != Dialect::Postgresql {
        return Err(CommandError::NoLockTree);
    }
    project.writer().await
}

/// Puts roots first and waiters under the one that they wait for; who waits for several stands under the first.
fn tree(involved: &[Involved]) -> LockTree {
    let mut sessions = Vec::new();
    let is_known = |pid: &i32| involved.iter().any(|one| one.pid == *pid);
    let is_root = |one: &&Involved| !one.waits_for.iter().any(is_known);
    for root in involved.iter().filter(is_root) {
        hang(root, 0, involved, &mut sessions);
    }
    // Those who wait for each other in a circle, until the server notices.
    for one in involved {
        if !sessions
            .iter()
            .any(|shown: &LockedSession| shown.session.pid == one.pid)
        {
            hang(one, 0, involved, &mut sessions);
        }
    }
    LockTree { sessions }
}

fn hang(one: &Involved, depth: usize, involved: &[Involved], sessions: &mut Vec<LockedSession>) {
    if sessions.iter().any(|shown| shown.session.pid == one.pid) {
        return;
    }
    sessions.push(LockedSession {
        depth,
        session: one.clone(),
    });
    let waiters = involved
        .iter()
        .filter(|waiter| waiter.waits_for.contains(&one.pid));
    for waiter in waiters {
        hang(waiter, depth + 1, involved, sessions);
    }
}
