//! Stamps: changing what counts as applied without running anything.

use crate::revision::RevisionId;

use super::applied::Applied;
use super::reach::PositionSet;
use super::target::Symbol;
use super::{GraphError, Position, RevisionGraph, Target};

/// What a stamp changes in the record of applied revisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StampPlan {
    /// Revisions that no longer count as applied, newest first.
    pub removed: Vec<RevisionId>,
    /// Revisions that count as applied from now on, oldest first.
    pub added: Vec<RevisionId>,
    /// What counts as applied afterwards.
    pub after: Applied,
}

impl StampPlan {
    /// Returns whether the stamp changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty()
    }
}

impl RevisionGraph {
    /// Returns what to record so that the database counts as being at these targets.
    ///
    /// Branches that have nothing to do with the targets stay as they are. Before a stamp that shall start from
    /// nothing (`--purge`), pass the empty set.
    ///
    /// # Errors
    ///
    /// Fails when a target names nothing, or several heads where one was asked for, or counts steps.
    pub fn stamp(&self, applied: &Applied, targets: &[Target]) -> Result<StampPlan, GraphError> {
        let heads = applied.head_positions(self);
        let mut destinations = Vec::new();
        let mut replaced = PositionSet::empty(self.len());
        for target in targets {
            let found = self.stamp_target(target)?;
            for head in self.replaced_heads(target, &found, &heads)? {
                replaced.insert(head);
            }
            destinations.extend(found);
        }
        let kept: Vec<Position> = heads
            .into_iter()
            .filter(|&head| !replaced.contains(head))
            .collect();

        // What stays keeps its gaps; what is stamped is complete.
        let mut after = self.needs(&kept);
        after.retain(|position| applied.members.contains(position));
        for position in self.needs(&destinations).iter() {
            after.insert(position);
        }
        let mut removed = applied.members.clone();
        removed.retain(|position| !after.contains(position));
        let mut added = after.clone();
        added.retain(|position| !applied.members.contains(position));
        Ok(StampPlan {
            removed: self.ids(&self.newest_first(&removed, &[])),
            added: self.ids(&self.oldest_first(&added, &[])),
            after: Applied { members: after },
        })
    }

    fn stamp_target(&self, target: &Target) -> Result<Vec<Position>, GraphError> {
        if self.counts_steps(target) {
            return Err(GraphError::RelativeNotAllowed {
                target: target.to_string(),
                verb: "stamp",
            });
        }
        self.absolute(target, "stamp")
    }

    /// Returns the applied heads that give way: those above or below a destination, or on the branch that is left.
    fn replaced_heads(
        &self,
        target: &Target,
        destinations: &[Position],
        heads: &[Position],
    ) -> Result<Vec<Position>, GraphError> {
        let around = match (target.symbol(), target.branch()) {
            (Symbol::Base, None) => return Ok(heads.to_vec()),
            (Symbol::Base, Some(branch)) => vec![self.named(branch)?],
            _ => destinations.to_vec(),
        };
        let below = self.needs(&around);
        let above = self.needed_by(&around);
        Ok(heads
            .iter()
            .copied()
            .filter(|&head| below.contains(head) || above.contains(head))
            .collect())
    }
}
