//! Listings: revisions with what there is to say about their place in the graph.

use serde::Serialize;

use crate::revision::RevisionId;

use super::applied::Applied;
use super::reach::PositionSet;
use super::{Position, RevisionGraph};

/// A revision as it appears in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// The revision; left out of a serialised list, whose entries name it themselves.
    #[serde(skip)]
    pub revision: RevisionId,
    /// Whether no other revises it or depends on it.
    pub is_head: bool,
    /// Whether no other revises it although some depend on it.
    pub is_effective_head: bool,
    /// Whether several revise it.
    pub is_branch_point: bool,
    /// Whether it revises several.
    pub is_merge_point: bool,
    /// Whether it is one of the applied heads.
    pub is_current: bool,
    /// Its labels and those that spread to it along the branch, in the order of loading.
    pub labels: Vec<String>,
}

/// A revision where branches part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchPoint {
    /// The revision.
    pub revision: RevisionId,
    /// The revisions that revise it, in the order of loading.
    pub children: Vec<RevisionId>,
}

impl RevisionGraph {
    /// Returns the revisions that no other revises, in the order of loading.
    #[must_use]
    pub fn heads(&self) -> Vec<RevisionId> {
        self.ids(&self.head_positions())
    }

    /// Returns the revisions that no other revises or depends on: the rows that Alembic stores after all upgrades.
    #[must_use]
    pub fn heads_resolving_dependencies(&self) -> Vec<RevisionId> {
        self.ids(&self.final_head_positions())
    }

    /// Returns the revisions without parents, in the order of loading.
    #[must_use]
    pub fn bases(&self) -> Vec<RevisionId> {
        self.ids(&self.base_positions())
    }

    /// Returns the revisions where branches part, newest first.
    #[must_use]
    pub fn branches(&self) -> Vec<BranchPoint> {
        let everything = PositionSet::of(self.len(), 0..self.len());
        let order = self.newest_first(&everything, &self.final_head_positions());
        let points = order
            .into_iter()
            .filter(|&position| self.nodes[position].children.len() > 1);
        points
            .map(|position| BranchPoint {
                revision: self.id(position),
                children: self.ids(&self.nodes[position].children),
            })
            .collect()
    }

    /// Returns these revisions as they appear in a list; those that the graph does not know are left out.
    #[must_use]
    pub fn listed(&self, revisions: &[RevisionId], applied: &Applied) -> Vec<Listed> {
        let positions: Vec<Position> = revisions
            .iter()
            .filter_map(|revision| self.names.get(revision).copied())
            .collect();
        self.list(&positions, applied)
    }

    pub(super) fn list(&self, positions: &[Position], applied: &Applied) -> Vec<Listed> {
        let current = PositionSet::of(self.len(), applied.head_positions(self));
        let mut labels = self.spread_labels();
        let listed = positions.iter().map(|&position| {
            let node = &self.nodes[position];
            let has_children = !node.children.is_empty();
            Listed {
                revision: node.header.id.clone(),
                is_head: node.above.is_empty(),
                is_effective_head: !has_children && !node.above.is_empty(),
                is_branch_point: node.children.len() > 1,
                is_merge_point: node.parents.len() > 1,
                is_current: current.contains(position),
                labels: std::mem::take(&mut labels[position]),
            }
        });
        listed.collect()
    }

    /// Returns the labels of each revision: a label holds for everything above its revision, and, where that is a
    /// single line, for the line below as well, down to where it meets another.
    fn spread_labels(&self) -> Vec<Vec<String>> {
        let mut labels = vec![Vec::new(); self.len()];
        for (position, node) in self.nodes.iter().enumerate() {
            if node.header.labels.is_empty() {
                continue;
            }
            let above = self.line_above(&[position]);
            let mut holders: Vec<Position> = above.iter().collect();
            if above.iter().all(|member| self.is_plain_link(member)) {
                let mut at = position;
                while let [parent] = self.nodes[at].parents.as_slice()
                    && self.is_plain_link(*parent)
                {
                    at = *parent;
                    holders.push(at);
                }
            }
            for holder in holders {
                labels[holder].extend(node.header.labels.iter().cloned());
            }
        }
        labels
    }

    /// Returns whether at most one revision follows and the revision merges nothing.
    fn is_plain_link(&self, position: Position) -> bool {
        let node = &self.nodes[position];
        node.above.len() < 2 && node.parents.len() < 2
    }
}
