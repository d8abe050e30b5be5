//! `history --applied`: what really happened to a database.

use super::upgrade::close;
use super::{CommandError, Project};
use crate::environment::Environment;
use crate::ledger::Entry;

/// Returns the whole history of a database, newest first; empty when there is none.
///
/// # Errors
///
/// Fails when the database cannot be read.
pub async fn applied_history(environment: &Environment) -> Result<Vec<Entry>, CommandError> {
    let project = Project::of(environment)?;
    let Some(session) = project.reader().await? else {
        return Ok(Vec::new());
    };
    let mut entries = project.ledger.history(&session).await?;
    close(Some(session)).await;
    entries.reverse();
    Ok(entries)
}
