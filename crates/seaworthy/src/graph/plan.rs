//! Plans: which revisions a command runs, in which order, and what is worth saying about it.

use std::fmt;

use crate::revision::{Direction, RevisionId, Stage};

use super::applied::Applied;
use super::reach::PositionSet;
use super::steps::{Shortage, Start, out_of_range};
use super::target::{Offset, Symbol};
use super::{GraphError, Position, RevisionGraph, Target};

/// What a command will run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The way all steps go.
    pub direction: Direction,
    /// The steps in the order of execution.
    pub steps: Vec<Step>,
    /// What is worth knowing, above all when there is nothing to do.
    pub notes: Vec<Note>,
}

/// One revision to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The revision.
    pub revision: RevisionId,
    /// Whether it is applied or undone.
    pub direction: Direction,
}

/// Something worth saying about a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// Everything up to the target is applied.
    AlreadyApplied {
        /// The target.
        target: String,
    },
    /// An upgrade never gets to the base.
    UpgradeToBase,
    /// Nothing above the target is applied.
    NothingAbove {
        /// The target.
        target: String,
    },
    /// Nothing above the target is applied, but other branches are.
    StaysApplied {
        /// The target.
        target: String,
        /// The applied heads that the downgrade leaves alone.
        others: Vec<RevisionId>,
    },
    /// A downgrade of one branch undoes revisions of others as well, since they build on what goes.
    TakesAlong {
        /// The branch.
        branch: String,
        /// The revisions that are not on it.
        revisions: Vec<RevisionId>,
    },
    /// Steps of the plan are older than something that is applied already.
    FillsGaps {
        /// The late revisions.
        revisions: Vec<RevisionId>,
    },
    /// The plan ends before a revision of a later stage than was asked for.
    LaterStage {
        /// The revision.
        revision: RevisionId,
        /// Its stage.
        stage: Stage,
        /// Whether nothing comes before it.
        nothing: bool,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |revisions: &[RevisionId]| {
            revisions
                .iter()
                .map(RevisionId::as_str)
                .collect::<Vec<_>>()
                .join(", ")
        };
        match self {
            Self::AlreadyApplied { target } if target == "heads" => {
                formatter.write_str("nothing to do: all heads are already applied")
            }
            Self::AlreadyApplied { target } => {
                write!(formatter, "nothing to do: {target} is already applied")
            }
            Self::UpgradeToBase => formatter.write_str("nothing to do: an upgrade does not lead to base"),
            Self::NothingAbove { target } => {
                write!(formatter, "nothing to do: nothing above {target} is applied")
            }
            Self::StaysApplied { target, others } => write!(
                formatter,
                "nothing to do: nothing above {target} is applied, but {} stays applied",
                listed(others)
            ),
            Self::LaterStage {
                revision,
                stage,
                nothing: true,
            } => write!(
                formatter,
                "nothing to do: {revision}, which comes next, is a {} revision",
                stage.word()
            ),
            Self::LaterStage { revision, stage, .. } => {
                write!(
                    formatter,
                    "stopped before {revision}, a {} revision",
                    stage.word()
                )
            }
            Self::TakesAlong { branch, revisions } => write!(
                formatter,
                "{} {} undone as well, which {} not of branch {branch}",
                listed(revisions),
                if revisions.len() == 1 { "is" } else { "are" },
                if revisions.len() == 1 { "is" } else { "are" },
            ),
            Self::FillsGaps { revisions } => write!(
                formatter,
                "{} would be applied after revisions that build on it",
                listed(revisions)
            ),
        }
    }
}

impl Plan {
    /// Returns the revisions in the order of execution.
    pub fn revisions(&self) -> impl ExactSizeIterator<Item = &RevisionId> {
        self.steps.iter().map(|step| &step.revision)
    }

    /// Returns whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

impl RevisionGraph {
    /// Returns what to apply so that everything up to the target is applied.
    ///
    /// # Errors
    ///
    /// Fails when the target names nothing, or more than it may.
    pub fn upgrade(&self, applied: &Applied, target: &Target) -> Result<Plan, GraphError> {
        let targets = self.upgrade_targets(applied, target)?;
        let mut members = self.needs(&targets);
        members.retain(|position| !applied.members.contains(position));
        let order = self.oldest_first(&members, &targets);
        let notes = self.upgrade_notes(applied, target, &targets, &order);
        Ok(self.plan(Direction::Up, &order, notes))
    }

    /// Returns what to undo so that nothing above the target is applied.
    ///
    /// # Errors
    ///
    /// Fails when the target names nothing, or more than it may, or is not below what is applied.
    pub fn downgrade(&self, applied: &Applied, target: &Target) -> Result<Plan, GraphError> {
        let heads = applied.head_positions(self);
        let (destination, roots) = self.downgrade_roots(applied, &heads, target)?;
        let mut members = self.needed_by(&roots);
        members.retain(|position| applied.members.contains(position));
        let mut notes = Vec::new();
        if members.is_empty() {
            let others = heads
                .iter()
                .copied()
                .filter(|&head| Some(head) != destination)
                .collect::<Vec<_>>();
            if destination.is_some_and(|destination| !heads.contains(&destination)) {
                return Err(GraphError::NotAnAncestor {
                    target: target.to_string(),
                    heads: self.ids(&heads),
                });
            }
            let target = target.to_string();
            notes.push(match others.as_slice() {
                [] => Note::NothingAbove { target },
                others => Note::StaysApplied {
                    target,
                    others: self.ids(others),
                },
            });
        }
        let order = self.newest_first(&members, &heads);
        if let (Some(branch), Some(part)) = (target.branch(), self.branch_part(target)?) {
            let mut others = order.clone();
            others.retain(|&position| !part.contains(position));
            if !others.is_empty() {
                notes.push(Note::TakesAlong {
                    branch: branch.to_owned(),
                    revisions: self.ids(&others),
                });
            }
        }
        Ok(self.plan(Direction::Down, &order, notes))
    }

    /// Returns what to apply in a database that is at the first target, to get to the second.
    ///
    /// # Errors
    ///
    /// Fails like [`Self::applied_at`] and [`Self::upgrade`], and when the second is below the first.
    pub fn upgrade_range(&self, from: &Target, to: &Target) -> Result<Plan, GraphError> {
        let applied = self.applied_at(from)?;
        let plan = self.upgrade(&applied, to)?;
        let ends = PositionSet::of(self.nodes.len(), self.upgrade_targets(&applied, to)?);
        match applied.head_positions(self).first() {
            Some(&start) if plan.is_empty() && !ends.contains(start) => Err(GraphError::RangeNotAncestor {
                start: self.id(start),
                end: to.to_string(),
            }),
            _ => Ok(plan),
        }
    }

    /// Returns what to undo in a database that is at the first target, to get to the second.
    ///
    /// # Errors
    ///
    /// Fails like [`Self::applied_at`] and [`Self::downgrade`].
    pub fn downgrade_range(&self, from: &Target, to: &Target) -> Result<Plan, GraphError> {
        self.downgrade(&self.applied_at(from)?, to)
    }

    fn plan(&self, direction: Direction, order: &[Position], notes: Vec<Note>) -> Plan {
        let steps = order.iter().map(|&position| Step {
            revision: self.id(position),
            direction,
        });
        Plan {
            direction,
            steps: steps.collect(),
            notes,
        }
    }

    fn upgrade_targets(&self, applied: &Applied, target: &Target) -> Result<Vec<Position>, GraphError> {
        const VERB: &str = "upgrade to";
        if !self.counts_steps(target) {
            return self.absolute(target, VERB);
        }
        let found = match (target.symbol(), target.offset()) {
            (Symbol::Here, Some(Offset::Up(steps))) => {
                let heads = applied.head_positions(self);
                self.steps_up(target, steps, &Start::of(applied, &heads), Shortage::Fails)?
            }
            (Symbol::Here, _) => return Err(out_of_range(target, "an upgrade does not go down")),
            _ => self.steps_from_name(target, Shortage::Fails, VERB)?,
        };
        Ok(found.into_iter().collect())
    }

    fn upgrade_notes(
        &self,
        applied: &Applied,
        target: &Target,
        targets: &[Position],
        order: &[Position],
    ) -> Vec<Note> {
        if order.is_empty() {
            return match targets {
                [] if !self.is_empty() => vec![Note::UpgradeToBase],
                _ => vec![Note::AlreadyApplied {
                    target: target.to_string(),
                }],
            };
        }
        let needed = self.needs(&applied.head_positions(self));
        let late: Vec<Position> = order
            .iter()
            .copied()
            .filter(|&position| needed.contains(position))
            .collect();
        if late.is_empty() {
            Vec::new()
        } else {
            vec![Note::FillsGaps {
                revisions: self.ids(&late),
            }]
        }
    }

    /// Returns where a downgrade ends, nothing being the base, and the lowest revisions that it undoes.
    fn downgrade_roots(
        &self,
        applied: &Applied,
        heads: &[Position],
        target: &Target,
    ) -> Result<(Option<Position>, Vec<Position>), GraphError> {
        const VERB: &str = "downgrade to";
        if self.counts_from_here(target) {
            return self.roots_below_current(applied, heads, target);
        }
        let destination = if self.counts_steps(target) {
            self.steps_from_name(target, Shortage::Fails, VERB)?
        } else {
            self.single(target, VERB)?
        };
        let mut roots = self.above_or_bases(destination);
        if let Some(branch) = target.branch() {
            self.narrow(&mut roots, self.named(branch)?);
        }
        Ok((destination, roots))
    }

    fn roots_below_current(
        &self,
        applied: &Applied,
        heads: &[Position],
        target: &Target,
    ) -> Result<(Option<Position>, Vec<Position>), GraphError> {
        let Some(Offset::Down(steps)) = target.offset() else {
            return Err(out_of_range(target, "a downgrade does not go up"));
        };
        let start = self.start_down(target, &Start::of(applied, heads))?;
        let Some(start) = start else {
            return Err(out_of_range(target, "nothing is applied there"));
        };
        let destination = self.descend(target, Some(start), steps, Shortage::Fails)?;
        let mut roots = self.above_or_bases(destination);
        self.narrow(&mut roots, start);
        Ok((destination, roots))
    }

    fn above_or_bases(&self, destination: Option<Position>) -> Vec<Position> {
        match destination {
            Some(position) => self.nodes[position].children.clone(),
            None => self.base_positions(),
        }
    }

    /// Keeps the roots on the way to a revision, or else those above it. A single root is the only way anyhow.
    fn narrow(&self, roots: &mut Vec<Position>, branch: Position) {
        if roots.len() < 2 {
            return;
        }
        let below = self.line_below(&[branch]);
        let way: PositionSet = if roots.iter().any(|&root| below.contains(root)) {
            below
        } else {
            self.line_above(&[branch])
        };
        roots.retain(|&root| way.contains(root));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Applied, RevisionGraph, Target};
    use crate::revision::Header;

    fn fork() -> RevisionGraph {
        let left = Header::new("left").revises("root");
        RevisionGraph::build([Header::new("root"), left, Header::new("right").revises("root")]).unwrap()
    }

    fn down(graph: &RevisionGraph, rows: &[&str], target: &str) -> String {
        let applied = graph.applied_from_heads(rows).unwrap();
        match graph.downgrade(&applied, &target.parse().unwrap()) {
            Ok(plan) => plan.notes.iter().map(ToString::to_string).collect(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_downgrade_that_changes_nothing_says_what_stays() {
        let note = "nothing to do: nothing above left is applied, but right stays applied";
        assert_eq!(down(&fork(), &["left", "right"], "left"), note);
        assert_eq!(
            down(&fork(), &["left"], "left"),
            "nothing to do: nothing above left is applied"
        );
    }

    #[test]
    fn a_step_down_from_several_heads_is_refused() {
        assert_eq!(
            down(&fork(), &["left", "right"], "-1"),
            "'-1' is ambiguous: it could go by left, right"
        );
    }

    #[test]
    fn a_late_revision_is_planned_and_noted() {
        let graph = RevisionGraph::build([
            Header::new("a"),
            Header::new("b").revises("a"),
            Header::new("c").revises("b"),
        ]);
        let graph = graph.unwrap();
        let applied = graph.applied(&["a".into(), "c".into()]).unwrap();
        assert_eq!(graph.gaps(&applied), ["b".into()]);
        let plan = graph.upgrade(&applied, &Target::head()).unwrap();
        assert_eq!(plan.revisions().collect::<Vec<_>>(), [&"b".into()]);
        assert_eq!(
            plan.notes[0].to_string(),
            "b would be applied after revisions that build on it"
        );
        let back = graph.downgrade(&applied, &Target::base()).unwrap();
        assert_eq!(back.revisions().collect::<Vec<_>>(), [&"c".into(), &"a".into()]);
    }

    #[test]
    fn an_upgrade_to_base_says_that_it_leads_nowhere() {
        let plan = fork().upgrade(&Applied::default(), &Target::base()).unwrap();
        assert_eq!(
            plan.notes[0].to_string(),
            "nothing to do: an upgrade does not lead to base"
        );
    }
}
