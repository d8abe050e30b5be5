//! What the server goes on with for a run that is gone.
//!
//! A server that does not notice when a client is killed (before PostgreSQL 14, and on systems where it cannot look) works off
//! the statement it has, and keeps its locks that long. The session that works is marked by a shared advisory lock beside the
//! migration lock; whoever has the migration lock knows that what else is marked and busy belongs to nobody any more.

use std::time::{Duration, Instant};

use sea_orm::DbErr;

use super::is_key;
use crate::session::Session;

/// Whether the server goes on for a client that is gone, as SQL; the others need no mark, and no round trips for it.
pub(super) const CAN_BE: &str =
    "coalesce(current_setting('client_connection_check_interval', true), '0') = '0'";

/// How long to wait for sessions that were told to end. Who is not gone by then is named as whom the run waits for.
const WAIT: Duration = Duration::from_secs(5);

const POLL: Duration = Duration::from_millis(50);

/// Marks a session as the one that works under the migration lock of this key.
pub(super) async fn mark(worker: &Session, key: &str) -> Result<(), DbErr> {
    worker
        .rows(&format!("SELECT pg_try_advisory_lock_shared({})", beside(key)))
        .await
        .map(drop)
}

/// Takes the mark back; a connection that is gone has none.
pub(super) async fn unmark(worker: &Session, key: &str) {
    let sql = format!("SELECT pg_advisory_unlock_shared({})", beside(key));
    drop(worker.rows(&sql).await);
}

/// Ends what still works under this key beside `worker`, and waits until it is gone.
///
/// One that is idle does nothing, and would do nothing more. What the role may not end is left: the run will say that it waits
/// for it.
pub(super) async fn end(lock: &Session, key: &str, worker: i32) {
    let sql = format!(
        "SELECT pg_terminate_backend(a.pid) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid \
         WHERE {} AND a.pid <> {worker} AND a.state <> 'idle'",
        is_key(&beside(key))
    );
    let start = Instant::now();
    while lock.rows(&sql).await.is_ok_and(|ended| !ended.is_empty()) && start.elapsed() < WAIT {
        tokio::time::sleep(POLL).await;
    }
}

/// Returns the key next to another one.
fn beside(key: &str) -> String {
    format!("({key} # 1)")
}
