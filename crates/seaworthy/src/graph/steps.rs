//! Relative targets: counting steps up through children and down through parents.

use super::reach::PositionSet;
use super::target::{Offset, Symbol};
use super::{GraphError, Position, RevisionGraph, Target};

/// What happens when there are fewer revisions than steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shortage {
    /// The target leads nowhere.
    Fails,
    /// The steps end with the last revision there is, or at the base.
    Stops,
}

/// What is applied, as far as steps count from it.
pub(super) struct Start<'applied> {
    /// The applied revisions that no other applied one needs.
    pub(super) heads: &'applied [Position],
    /// All applied revisions.
    pub(super) members: &'applied PositionSet,
}

const TOO_FEW: &str = "there are not that many revisions";

impl RevisionGraph {
    /// Returns where steps from a named revision lead, nothing being the base.
    pub(super) fn steps_from_name(
        &self,
        target: &Target,
        shortage: Shortage,
        verb: &'static str,
    ) -> Result<Option<Position>, GraphError> {
        match target.offset() {
            Some(Offset::Up(steps)) if steps > 0 => {
                let branch = self.branch_part(target)?;
                let start = match target.symbol() {
                    // Alembic looks a name up anywhere and lets the branch decide on the way up only.
                    Symbol::Name(name) => Some(self.named(name)?),
                    _ => self.single(target, verb)?,
                };
                self.climb(target, start, steps, branch.as_ref(), shortage)
            }
            Some(Offset::Up(steps) | Offset::Down(steps)) => {
                let start = self.single(target, verb)?;
                self.descend(target, start, steps, shortage)
            }
            None => self.single(target, verb),
        }
    }

    /// Returns where steps up from what is applied lead.
    pub(super) fn steps_up(
        &self,
        target: &Target,
        steps: usize,
        start: &Start<'_>,
        shortage: Shortage,
    ) -> Result<Option<Position>, GraphError> {
        let branch = self.branch_part(target)?;
        let starts = match &branch {
            None => start.heads.to_vec(),
            Some(branch) => self.applied_on_branch(start, branch),
        };
        let from = match starts.as_slice() {
            [] => None,
            [position] => Some(*position),
            several => return Err(self.ambiguous(target, several)),
        };
        self.climb(target, from, steps, branch.as_ref(), shortage)
    }

    /// Returns the applied revision that steps down count from; nothing when none is applied there.
    pub(super) fn start_down(
        &self,
        target: &Target,
        start: &Start<'_>,
    ) -> Result<Option<Position>, GraphError> {
        let Some(branch) = self.branch_part(target)? else {
            return match start.heads {
                [] => Ok(None),
                [head] => Ok(Some(*head)),
                several => Err(self.ambiguous(target, several)),
            };
        };
        let mut starts: Vec<Position> = start
            .heads
            .iter()
            .copied()
            .filter(|&head| branch.contains(head))
            .collect();
        if starts.is_empty() {
            // The branch may be applied because another one depends on it.
            let ends = start.members.iter().filter(|&position| {
                branch.contains(position)
                    && !self.nodes[position]
                        .children
                        .iter()
                        .any(|&child| start.members.contains(child))
            });
            starts = ends.collect();
        }
        match starts.as_slice() {
            [] => Ok(None),
            [position] => Ok(Some(*position)),
            several => Err(self.ambiguous(target, several)),
        }
    }

    /// Returns where steps through parents lead, nothing being the base.
    pub(super) fn descend(
        &self,
        target: &Target,
        start: Option<Position>,
        steps: usize,
        shortage: Shortage,
    ) -> Result<Option<Position>, GraphError> {
        let mut at = start;
        for _ in 0..steps {
            let Some(position) = at else {
                return match shortage {
                    Shortage::Stops => Ok(None),
                    Shortage::Fails => Err(out_of_range(target, TOO_FEW)),
                };
            };
            at = match self.nodes[position].parents.as_slice() {
                [] => None,
                [parent] => Some(*parent),
                several => return Err(self.ambiguous(target, several)),
            };
        }
        Ok(at)
    }

    /// Returns where steps through children lead, from a base when there is no start.
    pub(super) fn climb(
        &self,
        target: &Target,
        start: Option<Position>,
        steps: usize,
        branch: Option<&PositionSet>,
        shortage: Shortage,
    ) -> Result<Option<Position>, GraphError> {
        let mut at = start;
        for _ in 0..steps {
            let mut choices = match at {
                None => self.base_positions(),
                Some(position) => self.nodes[position].children.clone(),
            };
            if let Some(branch) = branch {
                choices.retain(|&choice| branch.contains(choice));
            }
            at = match choices.as_slice() {
                [choice] => Some(*choice),
                [] if shortage == Shortage::Stops => return Ok(at),
                [] => return Err(out_of_range(target, TOO_FEW)),
                several => return Err(self.ambiguous(target, several)),
            };
        }
        Ok(at)
    }

    fn applied_on_branch(&self, start: &Start<'_>, branch: &PositionSet) -> Vec<Position> {
        let heads: Vec<Position> = start
            .heads
            .iter()
            .copied()
            .filter(|&head| branch.contains(head))
            .collect();
        if !heads.is_empty() {
            return heads;
        }
        // No head is on the branch: it branches off below, or it is applied because another one depends on it.
        let mut shared = start.members.clone();
        shared.retain(|position| branch.contains(position));
        let mut below = PositionSet::empty(self.nodes.len());
        for position in shared.iter() {
            for &lower in &self.nodes[position].below {
                below.insert(lower);
            }
        }
        shared
            .iter()
            .filter(|&position| !below.contains(position))
            .collect()
    }

    fn ambiguous(&self, target: &Target, choices: &[Position]) -> GraphError {
        GraphError::AmbiguousRelative {
            target: target.to_string(),
            choices: self.ids(choices),
        }
    }
}

/// Returns the error for a relative target that leads nowhere.
pub(super) fn out_of_range(target: &Target, reason: &'static str) -> GraphError {
    GraphError::RelativeOutOfRange {
        target: target.to_string(),
        reason,
    }
}
