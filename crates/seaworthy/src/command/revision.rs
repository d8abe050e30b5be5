//! `revision` and `merge`: write a new, empty revision.

use std::path::Path;

use super::{CommandError, Project};
use crate::environment::Environment;
use crate::graph::{Merge, Placed, Placement, Splice, Target};
use crate::ledger::now;
use crate::revision::{Header, RevisionId};
use crate::source::{Body, Draft, Written, write};

/// What a new revision shall be.
#[derive(Clone, Debug)]
pub struct RevisionRequest {
    /// What it does, in a line.
    pub message: String,
    /// Its id; twelve hex digits when absent.
    pub id: Option<RevisionId>,
    /// What it builds on; the one head when absent.
    pub head: Option<Target>,
    /// Whether it may branch off.
    pub splice: Splice,
    /// The label of a branch that begins with it.
    pub branch_label: Option<String>,
    /// What must be applied before it without being a parent.
    pub depends_on: Vec<Target>,
}

/// What a merge shall be.
#[derive(Clone, Debug)]
pub struct MergeRequest {
    /// What it does, in a line.
    pub message: String,
    /// Its id; twelve hex digits when absent.
    pub id: Option<RevisionId>,
    /// What it merges.
    pub revisions: Vec<Target>,
    /// Whether revisions that are no heads may be merged.
    pub splice: Splice,
    /// The label of a branch that begins with it.
    pub branch_label: Option<String>,
}

/// A revision that was written.
#[derive(Clone, Debug, serde::Serialize)]
pub struct NewRevision {
    /// Its id.
    pub revision: RevisionId,
    /// Its parents.
    pub revises: Vec<RevisionId>,
    /// Its labels.
    pub labels: Vec<String>,
    /// Its dependencies.
    pub depends_on: Vec<String>,
    /// Its name and its files.
    #[serde(flatten)]
    pub written: Written,
}

/// Writes a new, empty revision into the migration crate in `folder` and registers it.
///
/// # Errors
///
/// Fails, with nothing changed, when its place in the graph is not clear or not free, or when it cannot be written.
pub fn new_revision(
    environment: &Environment,
    request: &RevisionRequest,
    folder: &Path,
) -> Result<NewRevision, CommandError> {
    let project = Project::of(environment)?;
    let id = request.id.clone().unwrap_or_else(new_id);
    let placed = project.graph.place(&Placement {
        id: id.clone(),
        head: request.head.clone(),
        splice: request.splice,
        branch_label: request.branch_label.clone(),
        depends_on: request.depends_on.clone(),
    })?;
    project.write(id, placed, &request.message, folder, None)
}

/// Writes a revision that merges several heads.
///
/// # Errors
///
/// As for [`new_revision`], and when there are fewer than two revisions to merge.
pub fn merge(
    environment: &Environment,
    request: &MergeRequest,
    folder: &Path,
) -> Result<NewRevision, CommandError> {
    let project = Project::of(environment)?;
    let id = request.id.clone().unwrap_or_else(new_id);
    let placed = project.graph.place_merge(&Merge {
        id: id.clone(),
        revisions: request.revisions.clone(),
        splice: request.splice,
        branch_label: request.branch_label.clone(),
    })?;
    let message = match request.message.as_str() {
        "" => {
            let parents: Vec<&str> = placed.revises.iter().map(RevisionId::as_str).collect();
            format!("merge {}", parents.join(" and "))
        }
        message => message.to_owned(),
    };
    project.write(id, placed, &message, folder, None)
}

impl Project<'_> {
    pub(super) fn write(
        &self,
        id: RevisionId,
        placed: Placed,
        message: &str,
        folder: &Path,
        body: Option<Body>,
    ) -> Result<NewRevision, CommandError> {
        let mut header = Header::new(id.clone()).message(message);
        header.revises.clone_from(&placed.revises);
        header.labels.clone_from(&placed.labels);
        header.depends_on.clone_from(&placed.depends_on);
        let known: Vec<&str> = self
            .environment
            .headers()
            .iter()
            .map(|header| header.name.as_str())
            .collect();
        let written = write(
            folder,
            &Draft {
                header,
                created: now().naive_utc(),
                body,
            },
            &known,
        )?;
        let Placed {
            revises,
            labels,
            depends_on,
        } = placed;
        let revision = if written.has_header {
            id
        } else {
            written.name.as_str().into()
        };
        Ok(NewRevision {
            revision,
            revises,
            labels,
            depends_on,
            written,
        })
    }
}

pub(super) fn new_id() -> RevisionId {
    format!("{:012x}", fastrand::u64(..1 << 48)).into()
}
