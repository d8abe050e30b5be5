//! History: the revisions between two targets, newest first.

use super::applied::Applied;
use super::reach::PositionSet;
use super::steps::{Shortage, Start};
use super::target::{Offset, Symbol};
use super::{GraphError, HistoryRange, Listed, Position, RevisionGraph, Target};

const VERB: &str = "list";

impl RevisionGraph {
    /// Returns the revisions of a range, newest first; all of them without a range.
    ///
    /// `-N` counts from what is applied, `+N` at the end of a range from its start. Steps beyond the last revision
    /// stop there.
    ///
    /// # Errors
    ///
    /// Fails when a target names nothing, or when the start is not an ancestor of the end.
    pub fn history(
        &self,
        range: Option<&HistoryRange>,
        applied: &Applied,
    ) -> Result<Vec<Listed>, GraphError> {
        let start = range.and_then(|range| range.start.as_ref());
        let end = range.and_then(|range| range.end.as_ref());
        let lower = match start {
            Some(target) => self.history_start(target, applied)?,
            None => Vec::new(),
        };
        let mut tips = match end {
            Some(target) => self.history_end(target, &lower, applied)?,
            None => self.final_head_positions(),
        };
        if let Some(start) = start
            && let Some(branch) = self.branch_part(start)?
        {
            tips.retain(|&tip| branch.contains(tip));
        }
        let members = self.between(&lower, &tips, end)?;
        Ok(self.list(&self.newest_first(&members, &tips), applied))
    }

    /// Returns the applied revisions that no other applied one revises, in the order of loading.
    ///
    /// Unlike [`Applied::heads`] this names a revision even if another applied one depends on it.
    #[must_use]
    pub fn current(&self, applied: &Applied) -> Vec<Listed> {
        let members: Vec<Position> = applied
            .members
            .iter()
            .filter(|&position| position < self.len())
            .collect();
        let parents: Vec<Position> = members
            .iter()
            .flat_map(|&position| self.nodes[position].parents.iter().copied())
            .collect();
        let revised = self.line_below(&parents);
        let ends: Vec<Position> = members
            .into_iter()
            .filter(|&position| !revised.contains(position))
            .collect();
        self.list(&ends, applied)
    }

    /// Returns the revisions that the targets name, in their order and each once; `current` is what is applied.
    ///
    /// # Errors
    ///
    /// Fails when a target names nothing, or several heads where one was asked for.
    pub fn show(&self, targets: &[Target], applied: &Applied) -> Result<Vec<Listed>, GraphError> {
        let mut shown = Vec::new();
        let mut seen = PositionSet::empty(self.len());
        for target in targets {
            let heads = applied.head_positions(self);
            let found = match target.offset() {
                Some(Offset::Up(steps)) if self.counts_from_here(target) => {
                    let start = Start::of(applied, &heads);
                    self.steps_up(target, steps, &start, Shortage::Fails)?
                        .into_iter()
                        .collect()
                }
                _ => self.history_target(target, applied, Shortage::Fails)?,
            };
            shown.extend(found.into_iter().filter(|&position| seen.insert(position)));
        }
        Ok(self.list(&shown, applied))
    }

    fn history_start(&self, target: &Target, applied: &Applied) -> Result<Vec<Position>, GraphError> {
        match target.offset() {
            Some(Offset::Up(steps)) if self.counts_from_here(target) => {
                let heads = applied.head_positions(self);
                let start = Start::of(applied, &heads);
                Ok(self
                    .steps_up(target, steps, &start, Shortage::Stops)?
                    .into_iter()
                    .collect())
            }
            _ => self.history_target(target, applied, Shortage::Stops),
        }
    }

    fn history_end(
        &self,
        target: &Target,
        lower: &[Position],
        applied: &Applied,
    ) -> Result<Vec<Position>, GraphError> {
        match target.offset() {
            Some(Offset::Up(steps)) if self.counts_from_here(target) => {
                let below = Applied {
                    members: self.needs(lower),
                };
                let start = Start::of(&below, lower);
                Ok(self
                    .steps_up(target, steps, &start, Shortage::Stops)?
                    .into_iter()
                    .collect())
            }
            _ => self.history_target(target, applied, Shortage::Stops),
        }
    }

    /// Returns the revisions of a target that is no `+N`, the empty list being the base.
    fn history_target(
        &self,
        target: &Target,
        applied: &Applied,
        shortage: Shortage,
    ) -> Result<Vec<Position>, GraphError> {
        let heads = applied.head_positions(self);
        if *target.symbol() == Symbol::Current {
            return self.at_current(target, &heads, shortage);
        }
        if !self.counts_steps(target) {
            return self.absolute(target, VERB);
        }
        let found = match (target.symbol(), target.offset()) {
            (Symbol::Here, Some(Offset::Down(steps))) => {
                let start = self.start_down(target, &Start::of(applied, &heads))?;
                self.descend(target, start, steps, shortage)?
            }
            _ => self.steps_from_name(target, shortage, VERB)?,
        };
        Ok(found.into_iter().collect())
    }

    fn at_current(
        &self,
        target: &Target,
        heads: &[Position],
        shortage: Shortage,
    ) -> Result<Vec<Position>, GraphError> {
        let branch = self.branch_part(target)?;
        let on_branch = |head: &Position| branch.as_ref().is_none_or(|branch| branch.contains(*head));
        let mut found = Vec::new();
        for head in heads.iter().copied().filter(on_branch) {
            found.extend(match target.offset() {
                None => Some(head),
                Some(Offset::Up(steps)) => {
                    self.climb(target, Some(head), steps, branch.as_ref(), shortage)?
                }
                Some(Offset::Down(steps)) => self.descend(target, Some(head), steps, shortage)?,
            });
        }
        Ok(found)
    }

    /// Returns what the tips need and what the lower revisions do not, plus these.
    fn between(
        &self,
        lower: &[Position],
        tips: &[Position],
        end: Option<&Target>,
    ) -> Result<PositionSet, GraphError> {
        let mut members = self.needs(tips);
        if let Some(&outside) = lower.iter().find(|&&position| !members.contains(position)) {
            let end = end.map_or_else(|| "heads".to_owned(), Target::to_string);
            return Err(GraphError::RangeNotAncestor {
                start: self.id(outside),
                end,
            });
        }
        if lower.is_empty() {
            return Ok(members);
        }
        let below = self.needs(lower);
        let mut above = self.line_above(lower);
        if !tips.iter().any(|&tip| above.contains(tip)) {
            // The end only depends on the start: what leads there is no line of parents.
            above = self.needed_by(lower);
        }
        members.retain(|position| {
            lower.contains(&position) || above.contains(position) && !below.contains(position)
        });
        Ok(members)
    }
}
