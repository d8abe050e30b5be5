//! The revision graph: what builds on what, and what a command would therefore do.
//!
//! Everything here is pure. [`RevisionGraph::build`] checks a list of headers once; after that, plans, stamps, listings
//! and places for new revisions are values that somebody else carries out. Databases and files are unknown here.

use std::collections::HashMap;

use crate::revision::{Header, RevisionId};

pub use applied::Applied;
pub use error::GraphError;
pub use listing::{BranchPoint, Listed};
pub use place::{Merge, Placed, Placement, Splice};
pub use plan::{Note, Plan, Step};
pub use stamp::StampPlan;
pub use target::{HistoryRange, Target};

mod applied;
mod build;
mod cycle;
mod error;
mod history;
mod listing;
mod order;
mod place;
mod plan;
mod progress;
mod reach;
mod resolve;
mod stage;
mod stamp;
mod steps;
mod target;

/// All revisions and how they build on each other.
///
/// Ties between revisions that do not depend on each other follow the order in which the headers were given, as
/// Alembic's follow the file names.
#[derive(Clone, Debug)]
pub struct RevisionGraph {
    nodes: Vec<Node>,
    /// Ids, and the SeaORM names that differ from them.
    names: HashMap<RevisionId, Position>,
    labels: HashMap<String, Position>,
}

/// Where a revision stands in the order of loading; an index into the nodes.
type Position = usize;

#[derive(Clone, Debug)]
struct Node {
    header: Header,
    parents: Vec<Position>,
    dependencies: Vec<Position>,
    /// Parents, then the dependencies that no ancestor declares as well.
    below: Vec<Position>,
    /// Revisions that name this one as a parent.
    children: Vec<Position>,
    /// Children, and revisions that only depend on this one; no duplicates.
    above: Vec<Position>,
}

impl RevisionGraph {
    /// Returns the graph of these headers, which are given in the order of loading.
    ///
    /// Takes time linear in the number of revisions and links.
    ///
    /// # Errors
    ///
    /// Fails when an id or label is illegal or taken, when a parent or dependency is missing, or when revisions build
    /// on each other in a circle.
    pub fn build(headers: impl IntoIterator<Item = Header>) -> Result<Self, GraphError> {
        build::build(headers.into_iter().collect())
    }

    /// Returns the number of revisions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Returns whether there is no revision at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Returns the header of a revision, looked up by its full id.
    #[must_use]
    pub fn header(&self, revision: &RevisionId) -> Option<&Header> {
        let header = &self.nodes[*self.names.get(revision)?].header;
        (header.id == *revision).then_some(header)
    }

    /// Returns all headers in the order of loading.
    pub fn headers(&self) -> impl ExactSizeIterator<Item = &Header> {
        self.nodes.iter().map(|node| &node.header)
    }

    /// Returns the header whose id or SeaORM name is exactly this text, which is what a ledger holds.
    #[must_use]
    pub fn stored(&self, name: &str) -> Option<&Header> {
        let position = *self.names.get(&RevisionId::from(name))?;
        Some(&self.nodes[position].header)
    }

    /// Returns the direct successors of a revision: the ones that name it as a parent.
    #[must_use]
    pub fn children(&self, revision: &RevisionId) -> Vec<RevisionId> {
        let position = self.names.get(revision);
        position.map_or_else(Vec::new, |&position| self.ids(&self.nodes[position].children))
    }

    /// Returns the revisions that one depends on without building on them, and that no ancestor depends on already.
    #[must_use]
    pub fn dependencies(&self, revision: &RevisionId) -> Vec<RevisionId> {
        let Some(&position) = self.names.get(revision) else {
            return Vec::new();
        };
        let node = &self.nodes[position];
        let below: Vec<Position> = node
            .below
            .iter()
            .copied()
            .filter(|below| !node.parents.contains(below))
            .collect();
        self.ids(&below)
    }

    /// Returns everything a revision needs, through parents and dependencies, oldest first and without itself.
    #[must_use]
    pub fn ancestors(&self, revision: &RevisionId) -> Vec<RevisionId> {
        self.related(revision, |position| self.needs(&[position]))
    }

    /// Returns everything that needs a revision, through parents and dependencies, oldest first and without itself.
    #[must_use]
    pub fn descendants(&self, revision: &RevisionId) -> Vec<RevisionId> {
        self.related(revision, |position| self.needed_by(&[position]))
    }

    fn related(
        &self,
        revision: &RevisionId,
        reach: impl FnOnce(Position) -> reach::PositionSet,
    ) -> Vec<RevisionId> {
        let Some(&position) = self.names.get(revision) else {
            return Vec::new();
        };
        let mut members = reach(position);
        members.remove(position);
        self.ids(&self.oldest_first(&members, &[]))
    }

    fn id(&self, position: Position) -> RevisionId {
        self.nodes[position].header.id.clone()
    }

    fn ids(&self, positions: &[Position]) -> Vec<RevisionId> {
        positions.iter().map(|&position| self.id(position)).collect()
    }

    /// Revisions that no other revises, in the order of loading.
    fn head_positions(&self) -> Vec<Position> {
        (0..self.nodes.len())
            .filter(|&position| self.nodes[position].children.is_empty())
            .collect()
    }

    /// Revisions that no other revises or depends on, in the order of loading.
    fn final_head_positions(&self) -> Vec<Position> {
        (0..self.nodes.len())
            .filter(|&position| self.nodes[position].above.is_empty())
            .collect()
    }

    /// Revisions without parents, in the order of loading.
    fn base_positions(&self) -> Vec<Position> {
        (0..self.nodes.len())
            .filter(|&position| self.nodes[position].parents.is_empty())
            .collect()
    }
}
