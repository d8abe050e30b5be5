//! The verbs that write a revision file.

use seaworthy::command::{self, MergeRequest, RevisionRequest};
use seaworthy::environment::Environment;
use seaworthy::graph::Splice;

use super::{splice, targets};
use crate::args::{NewRevision, Place};
use crate::exit::{Ending, Failure};
use crate::output::{Screen, reports};
use crate::settings::folder;

pub(super) fn revision(
    environment: &Environment,
    new: &NewRevision,
    head: Option<&str>,
    depends_on: &[String],
    screen: &Screen,
) -> Result<Ending, Failure> {
    let request = request(new, head, depends_on)?;
    let written = command::new_revision(environment, &request, &folder(&new.place))?;
    reports::written(screen, &written);
    Ok(Ending::Done)
}

/// Returns where a new revision belongs.
pub(super) fn request(
    new: &NewRevision,
    head: Option<&str>,
    depends_on: &[String],
) -> Result<RevisionRequest, Failure> {
    Ok(RevisionRequest {
        message: new.message.clone(),
        id: new.rev_id.as_deref().map(Into::into),
        head: head.map(str::parse).transpose()?,
        splice: splice(new.splice),
        branch_label: new.branch_label.clone(),
        depends_on: targets(depends_on)?,
    })
}

pub(super) fn merge(
    environment: &Environment,
    revisions: &[String],
    new: &NewRevision,
    screen: &Screen,
) -> Result<Ending, Failure> {
    let request = MergeRequest {
        message: new.message.clone(),
        id: new.rev_id.as_deref().map(Into::into),
        revisions: targets(revisions)?,
        splice: splice(new.splice),
        branch_label: new.branch_label.clone(),
    };
    let written = command::merge(environment, &request, &folder(&new.place))?;
    reports::written(screen, &written);
    Ok(Ending::Done)
}

pub(super) fn generate(
    environment: &Environment,
    name: &str,
    place: &Place,
    screen: &Screen,
) -> Result<Ending, Failure> {
    let request = RevisionRequest {
        message: name.replace('_', " "),
        id: None,
        head: None,
        splice: Splice::Refuse,
        branch_label: None,
        depends_on: Vec::new(),
    };
    let written = command::new_revision(environment, &request, &folder(place))?;
    reports::written(screen, &written);
    Ok(Ending::Done)
}
