//! Promises that a revision breaks and somebody takes knowingly.

use serde::Serialize;

use super::walk::Course;
use super::{BrokenPromise, Verified};
use crate::command::Project;
use crate::revision::{Accepted, Header, RevisionId};

/// Something that a revision takes knowingly, and that was not found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VainAcceptance {
    /// The revision.
    pub revision: RevisionId,
    /// What it accepts: `verify-comes-back`.
    pub category: String,
    /// The piece of what is said of it.
    pub text: String,
}

impl Project<'_> {
    /// Sorts out what is taken knowingly: each detail of a broken promise has to be accepted by a piece of its text.
    pub(super) fn settle_promises(&self, verified: &mut Verified, course: &Course) {
        let is_meant = |header: &&Header| course.steps.iter().any(|step| step.revision == header.id);
        let headers = self.environment.headers().iter().filter(is_meant);
        let declared: Vec<(&RevisionId, &Accepted)> = headers
            .flat_map(|header| {
                let said = self.environment.accepted.iter();
                let said = said.filter(|(revision, _)| *revision == header.id);
                let all = header.accepted.iter().chain(said.map(|(_, accepted)| accepted));
                all.map(|accepted| (&header.id, accepted))
            })
            .filter(|(_, accepted)| accepted.is_about_promise())
            .collect();
        let mut is_used = vec![false; declared.len()];
        let broken = std::mem::take(&mut verified.broken);
        for mut one in broken {
            let mut used: Vec<usize> = Vec::new();
            let is_accepted = one.details.iter().all(|detail| {
                let found = declared.iter().position(|(revision, accepted)| {
                    one.is_meant_by(revision, accepted) && detail.contains(&accepted.statement)
                });
                used.extend(found);
                found.is_some()
            });
            if !is_accepted {
                verified.broken.push(one);
                continue;
            }
            one.accepted = used.first().map(|&first| declared[first].1.reason.clone());
            used.into_iter().for_each(|used| is_used[used] = true);
            verified.accepted.push(one);
        }
        for ((revision, accepted), _) in declared.iter().zip(is_used).filter(|(_, is_used)| !is_used) {
            let vain = VainAcceptance {
                revision: (*revision).clone(),
                category: accepted.category.clone(),
                text: accepted.statement.clone(),
            };
            if !verified.vain.contains(&vain) {
                verified.vain.push(vain);
            }
        }
    }
}

impl BrokenPromise {
    /// Returns whether a revision accepts such a break: one of its own, or one that takes all revisions.
    fn is_meant_by(&self, revision: &RevisionId, accepted: &Accepted) -> bool {
        accepted.category == self.promise.category()
            && self.revision.as_ref().is_none_or(|own| own == revision)
    }
}
