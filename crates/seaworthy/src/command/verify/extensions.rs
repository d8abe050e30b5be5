//! Extensions of PostgreSQL that revisions need and do not make.

use std::collections::BTreeSet;

use super::reasons::unreadable;
use crate::command::CommandError;
use crate::session::{Access, DatabaseUrl, Session, Settings};

/// Returns, in words, the extensions that the database that is named has and the scratch database of a session has not.
pub(super) async fn lacking(scratch: &Session, named: &DatabaseUrl) -> Result<Option<String>, CommandError> {
    // It is a help for the reader, no more: a database that cannot be asked is no error.
    let Ok(session) = Session::open(named, &Settings::default(), Access::Read).await else {
        return Ok(None);
    };
    let there = extensions(&session).await;
    session.close().await;
    let here = extensions(scratch).await?;
    let lacking: Vec<String> = there?.difference(&here).cloned().collect();
    Ok((!lacking.is_empty()).then(|| {
        format!(
            "the database that is named has extensions that no revision has made so far: {}; \
             make them with CREATE EXTENSION IF NOT EXISTS in the first revision that needs them",
            lacking.join(", ")
        )
    }))
}

async fn extensions(session: &Session) -> Result<BTreeSet<String>, CommandError> {
    let rows = session.rows("SELECT extname::text FROM pg_extension").await;
    let names = rows.map(|rows| rows.iter().map(|row| row.try_get_by_index(0)).collect());
    names.and_then(|names: Result<_, _>| names).map_err(unreadable)
}
