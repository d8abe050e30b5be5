//! `revision` and `merge`: write a new, empty revision.

use std::path::Path;

use chrono::TimeDelta;

use super::{CommandError, Project};
use crate::environment::Environment;
use crate::graph::{Merge, Placed, Placement, Splice, Target};
use crate::ledger::now;
use crate::revision::{Header, RevisionId};
use crate::source::{Draft, SourceError, Written, write};

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
    project.write(id, placed, &request.message, folder)
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
    project.write(id, placed, &message, folder)
}

impl Project<'_> {
    pub(super) fn write(
        &self,
        id: RevisionId,
        placed: Placed,
        message: &str,
        folder: &Path,
    ) -> Result<NewRevision, CommandError> {
        let headers = vec![Header::new(id.clone()).message(message)];
        let mut written = self.write_all((id, placed), headers, |_, draft, known| {
            write(folder, draft, known)
        })?;
        Ok(written.remove(0))
    }

    /// Writes revisions that build on each other: the first has this id and this place, the others follow it.
    pub(super) fn write_all(
        &self,
        (mut id, mut placed): (RevisionId, Placed),
        headers: Vec<Header>,
        mut write: impl FnMut(usize, &Draft, &[&str]) -> Result<Written, SourceError>,
    ) -> Result<Vec<NewRevision>, CommandError> {
        let mut known: Vec<String> = self
            .environment
            .headers()
            .iter()
            .map(|header| header.name.clone())
            .collect();
        let mut revisions = Vec::new();
        let mut created = now().naive_utc();
        for (place, mut header) in headers.into_iter().enumerate() {
            header.id = id.clone();
            header.revises.clone_from(&placed.revises);
            header.labels.clone_from(&placed.labels);
            header.depends_on.clone_from(&placed.depends_on);
            let draft = Draft {
                header,
                created,
                body: None,
            };
            let names: Vec<&str> = known.iter().map(String::as_str).collect();
            let written = write(place, &draft, &names)?;
            known.push(written.name.clone());
            // A folder shows files by their names, which then are in order.
            created += TimeDelta::seconds(1);
            let revision = match written.has_header {
                true => id,
                false => written.name.as_str().into(),
            };
            revisions.push(NewRevision {
                revision: revision.clone(),
                revises: placed.revises,
                labels: placed.labels,
                depends_on: placed.depends_on,
                written,
            });
            placed = Placed {
                revises: vec![revision],
                labels: Vec::new(),
                depends_on: Vec::new(),
            };
            id = new_id();
        }
        Ok(revisions)
    }
}

pub(super) fn new_id() -> RevisionId {
    format!("{:012x}", fastrand::u64(..1 << 48)).into()
}
