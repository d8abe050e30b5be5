//! `graph`: the revisions as a picture.

use super::{CommandError, Project};
use crate::environment::Environment;
use crate::picture::RevisionPicture;

/// Whether the database is asked where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Indicate {
    /// It is not; none has to be named.
    Nothing,
    /// It is, and what is applied is marked.
    Current,
}

/// Draws all revisions.
///
/// # Errors
///
/// Fails when the revisions make no sense, or the database is to be asked and cannot be read.
pub async fn graph(environment: &Environment, indicate: Indicate) -> Result<RevisionPicture, CommandError> {
    let project = Project::of(environment)?;
    let applied = match indicate {
        Indicate::Nothing => None,
        Indicate::Current => Some(project.applied_now().await?),
    };
    Ok(RevisionPicture::of(&project.graph, applied.as_ref()))
}
