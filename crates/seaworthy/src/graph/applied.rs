//! What a database has applied, as a set of revisions, and what follows from it.

use crate::revision::RevisionId;

use super::reach::PositionSet;
use super::steps::{Shortage, Start};
use super::{GraphError, Position, RevisionGraph, Target};

/// The applied revisions of one database; belongs to the graph that made it.
///
/// It may lack ancestors of what it holds, when an older revision was merged after newer ones had been applied; see
/// [`RevisionGraph::gaps`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    pub(super) members: PositionSet,
}

impl Applied {
    /// Returns how many revisions are applied.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Returns whether nothing is applied.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Returns whether a revision is applied.
    #[must_use]
    pub fn contains(&self, graph: &RevisionGraph, revision: &RevisionId) -> bool {
        graph
            .names
            .get(revision)
            .is_some_and(|&position| self.members.contains(position))
    }

    /// Records a revision as applied and returns whether it was not; one that the graph does not know is ignored.
    pub fn insert(&mut self, graph: &RevisionGraph, revision: &RevisionId) -> bool {
        graph
            .names
            .get(revision)
            .is_some_and(|&position| self.members.insert(position))
    }

    /// Records a revision as not applied and returns whether it was.
    pub fn remove(&mut self, graph: &RevisionGraph, revision: &RevisionId) -> bool {
        graph
            .names
            .get(revision)
            .is_some_and(|&position| self.members.remove(position))
    }

    /// Returns the applied revisions in the order of loading.
    #[must_use]
    pub fn revisions(&self, graph: &RevisionGraph) -> Vec<RevisionId> {
        self.members
            .iter()
            .filter(|&position| position < graph.len())
            .map(|position| graph.id(position))
            .collect()
    }

    /// Returns the applied revisions that no other applied one needs, in the order of loading.
    ///
    /// These are the rows that Alembic's version table would hold.
    #[must_use]
    pub fn heads(&self, graph: &RevisionGraph) -> Vec<RevisionId> {
        graph.ids(&self.head_positions(graph))
    }

    pub(super) fn head_positions(&self, graph: &RevisionGraph) -> Vec<Position> {
        let mut known = self.members.clone();
        known.retain(|position| position < graph.len());
        graph.tips(&known)
    }
}

impl RevisionGraph {
    /// Returns the set of exactly these revisions.
    ///
    /// # Errors
    ///
    /// Fails at the first id that is not in the graph.
    pub fn applied<'ids>(
        &self,
        revisions: impl IntoIterator<Item = &'ids RevisionId>,
    ) -> Result<Applied, GraphError> {
        let mut members = PositionSet::empty(self.len());
        for revision in revisions {
            members.insert(self.stored_position(revision.as_str())?);
        }
        Ok(Applied { members })
    }

    /// Returns what the rows of an Alembic version table stand for: those revisions and all that they need.
    ///
    /// # Errors
    ///
    /// Fails at the first row that is not in the graph.
    pub fn applied_from_heads(
        &self,
        rows: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Applied, GraphError> {
        let mut heads = Vec::new();
        for row in rows {
            heads.push(self.stored_position(row.as_ref())?);
        }
        Ok(Applied {
            members: self.needs(&heads),
        })
    }

    /// Returns what is applied in a database that is at this target: the start of an offline range.
    ///
    /// # Errors
    ///
    /// Fails when the target names no revision, or several, or counts from what is applied.
    pub fn applied_at(&self, target: &Target) -> Result<Applied, GraphError> {
        const VERB: &str = "start from";
        if self.counts_from_here(target) {
            return Err(GraphError::RelativeNotAllowed {
                target: target.to_string(),
                verb: "the start of a range",
            });
        }
        let position = if self.counts_steps(target) {
            self.steps_from_name(target, Shortage::Fails, VERB)?
        } else {
            self.single(target, VERB)?
        };
        Ok(Applied {
            members: self.needs(position.as_slice()),
        })
    }

    /// Checks that no row of an Alembic version table is an ancestor of another, which Alembic would choke on.
    ///
    /// # Errors
    ///
    /// Fails at the first row that is not in the graph or that another row includes.
    pub fn check_overlap(&self, rows: impl IntoIterator<Item = impl AsRef<str>>) -> Result<(), GraphError> {
        let mut positions = Vec::new();
        for row in rows {
            positions.push(self.stored_position(row.as_ref())?);
        }
        self.refuse_overlap(&positions)
    }

    /// Returns the revisions that are not applied although something applied needs them, oldest first.
    #[must_use]
    pub fn gaps(&self, applied: &Applied) -> Vec<RevisionId> {
        let heads = applied.head_positions(self);
        let mut missing = self.needs(&heads);
        missing.retain(|position| !applied.members.contains(position));
        self.ids(&self.oldest_first(&missing, &[]))
    }

    /// Returns whether the target counts steps from what is applied, as `+1` and `shop@-2` do.
    pub(super) fn counts_from_here(&self, target: &Target) -> bool {
        *target.symbol() == super::target::Symbol::Here && self.counts_steps(target)
    }

    pub(super) fn refuse_overlap(&self, positions: &[Position]) -> Result<(), GraphError> {
        let members = PositionSet::of(self.len(), positions.iter().copied());
        let tips = self.tips(&members);
        let Some(lower) = positions
            .iter()
            .copied()
            .find(|position| !tips.contains(position))
        else {
            return Ok(());
        };
        let above = self.needed_by(&[lower]);
        let upper = tips.into_iter().find(|&tip| above.contains(tip)).unwrap_or(lower);
        Err(GraphError::Overlap {
            upper: self.id(upper),
            lower: self.id(lower),
        })
    }

    fn stored_position(&self, stored: &str) -> Result<Position, GraphError> {
        let position = self.names.get(&RevisionId::from(stored)).copied();
        position.ok_or_else(|| GraphError::UnknownStored {
            stored: stored.to_owned(),
        })
    }
}

impl<'applied> Start<'applied> {
    /// Returns the start of steps that count from what is applied.
    pub(super) fn of(applied: &'applied Applied, heads: &'applied [Position]) -> Self {
        Self {
            heads,
            members: &applied.members,
        }
    }
}
