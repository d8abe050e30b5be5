//! The place of a new revision: what it revises, and whether its names are free.

use crate::revision::RevisionId;

use super::target::Symbol;
use super::{GraphError, Position, RevisionGraph, Target, build};

/// A revision that shall be added to the graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Its id.
    pub id: RevisionId,
    /// What it shall revise; the one head when nothing is said.
    pub head: Option<Target>,
    /// Whether it may branch off.
    pub splice: Splice,
    /// The label of a branch that begins with it.
    pub branch_label: Option<String>,
    /// What must be applied before it without being its parent.
    pub depends_on: Vec<Target>,
}

/// Revisions that shall be merged by a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    /// The id of the new revision.
    pub id: RevisionId,
    /// What to merge.
    pub revisions: Vec<Target>,
    /// Whether revisions that are no heads may be merged.
    pub splice: Splice,
    /// The label of a branch that begins with the merge.
    pub branch_label: Option<String>,
}

/// Whether a new revision may revise one that has successors already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Splice {
    /// Only heads may be revised.
    #[default]
    Refuse,
    /// Branching off is meant.
    Allow,
}

/// What the header of the new revision shall say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its parents; none for a new base.
    pub revises: Vec<RevisionId>,
    /// Its labels.
    pub labels: Vec<String>,
    /// Its dependencies: labels as they were given, anything else as a full id.
    pub depends_on: Vec<String>,
}

impl Placement {
    /// Returns a plain new revision on the one head.
    #[must_use]
    pub fn on_head(id: impl Into<RevisionId>) -> Self {
        Self {
            id: id.into(),
            head: None,
            splice: Splice::Refuse,
            branch_label: None,
            depends_on: Vec::new(),
        }
    }
}

impl RevisionGraph {
    /// Returns the place of a new revision.
    ///
    /// # Errors
    ///
    /// Fails when there are several heads and none was chosen, when the chosen one is no head, when the id or the
    /// label is illegal or taken, or when a target names nothing.
    pub fn place(&self, placement: &Placement) -> Result<Placed, GraphError> {
        let labels = self.check_names(&placement.id, placement.branch_label.as_deref())?;
        let head = placement.head.clone().unwrap_or_else(Target::head);
        let parents = self.parents_of_new(&head)?;
        self.check_parents(&parents, placement.splice)?;
        let mut depends_on = Vec::with_capacity(placement.depends_on.len());
        for dependency in &placement.depends_on {
            let dependency = self.dependency_of_new(dependency)?;
            if !depends_on.contains(&dependency) {
                depends_on.push(dependency);
            }
        }
        Ok(Placed {
            revises: self.ids(&parents),
            labels,
            depends_on,
        })
    }

    /// Returns the place of a new revision that merges others.
    ///
    /// # Errors
    ///
    /// Fails like [`Self::place`], and when there are fewer than two revisions to merge or one includes another.
    pub fn place_merge(&self, merge: &Merge) -> Result<Placed, GraphError> {
        let labels = self.check_names(&merge.id, merge.branch_label.as_deref())?;
        let mut parents = Vec::new();
        for target in &merge.revisions {
            parents.extend(self.parents_of_new(target)?);
        }
        self.check_parents(&parents, merge.splice)?;
        if parents.len() < 2 {
            return Err(GraphError::NothingToMerge {
                revisions: self.ids(&parents),
            });
        }
        if let Some((lower, upper)) = self.line_overlap(&parents) {
            return Err(GraphError::Overlap {
                upper: self.id(upper),
                lower: self.id(lower),
            });
        }
        Ok(Placed {
            revises: self.ids(&parents),
            labels,
            depends_on: Vec::new(),
        })
    }

    fn check_names(&self, id: &RevisionId, label: Option<&str>) -> Result<Vec<String>, GraphError> {
        build::check_id(id)?;
        if let Some(&taken) = self.names.get(id) {
            return Err(GraphError::DuplicateId {
                id: id.clone(),
                first: self.nodes[taken].header.name.clone(),
                second: "the new revision".to_owned(),
            });
        }
        let duplicate = |label: &str, taken: Position| GraphError::DuplicateLabel {
            label: label.to_owned(),
            first: self.id(taken),
            second: id.clone(),
        };
        if let Some(&taken) = self.labels.get(id.as_str()) {
            return Err(duplicate(id.as_str(), taken));
        }
        let Some(label) = label else {
            return Ok(Vec::new());
        };
        build::check_label(label, id)?;
        if label == id.as_str() {
            return Err(GraphError::DuplicateLabel {
                label: label.to_owned(),
                first: id.clone(),
                second: id.clone(),
            });
        }
        let taken = self
            .labels
            .get(label)
            .or_else(|| self.names.get(&RevisionId::from(label)));
        match taken {
            Some(&taken) => Err(duplicate(label, taken)),
            None => Ok(vec![label.to_owned()]),
        }
    }

    fn parents_of_new(&self, target: &Target) -> Result<Vec<Position>, GraphError> {
        const VERB: &str = "revise";
        if self.counts_from_here(target) {
            return Err(GraphError::RelativeNotAllowed {
                target: target.to_string(),
                verb: "a new revision",
            });
        }
        if self.counts_steps(target) {
            let found = self.steps_from_name(target, super::steps::Shortage::Fails, VERB)?;
            return Ok(found.into_iter().collect());
        }
        let parents = self.absolute(target, VERB)?;
        // Elsewhere a head that others depend on may be passed over; here it is one more line to choose from.
        if *target.symbol() == Symbol::Head {
            let branch = self.branch_part(target)?;
            let mut heads = self.head_positions();
            heads.retain(|&head| branch.as_ref().is_none_or(|branch| branch.contains(head)));
            if heads.len() > 1 {
                return Err(self.multiple_heads(target, &heads));
            }
        }
        Ok(parents)
    }

    fn check_parents(&self, parents: &[Position], splice: Splice) -> Result<(), GraphError> {
        for (index, &parent) in parents.iter().enumerate() {
            if parents[..index].contains(&parent) {
                return Err(GraphError::DuplicateHead {
                    revision: self.id(parent),
                });
            }
            let children = &self.nodes[parent].children;
            if splice == Splice::Refuse && !children.is_empty() {
                return Err(GraphError::NotAHead {
                    revision: self.id(parent),
                    children: self.ids(children),
                });
            }
        }
        Ok(())
    }

    fn dependency_of_new(&self, target: &Target) -> Result<String, GraphError> {
        const VERB: &str = "depend on";
        if target.branch().is_none() && self.labels.contains_key(target.whole()) {
            return Ok(target.whole().to_owned());
        }
        if self.counts_from_here(target) {
            return Err(GraphError::RelativeNotAllowed {
                target: target.to_string(),
                verb: "a dependency",
            });
        }
        let found = if self.counts_steps(target) {
            self.steps_from_name(target, super::steps::Shortage::Fails, VERB)?
        } else {
            self.single(target, VERB)?
        };
        let found = found.ok_or_else(|| GraphError::MalformedTarget {
            text: target.to_string(),
            reason: "a revision cannot depend on the base",
        })?;
        Ok(self.id(found).as_str().to_owned())
    }

    /// Returns a parent that is an ancestor of another one, and that other one.
    fn line_overlap(&self, parents: &[Position]) -> Option<(Position, Position)> {
        parents.iter().find_map(|&upper| {
            let below = self.line_below(&[upper]);
            let lower = parents
                .iter()
                .copied()
                .find(|&lower| lower != upper && below.contains(lower));
            lower.map(|lower| (lower, upper))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{RevisionGraph, Target};
    use super::{Merge, Placement, Splice};
    use crate::revision::{Header, RevisionId};

    fn fork() -> RevisionGraph {
        let left = Header::new("left").revises("root").label("west");
        RevisionGraph::build([Header::new("root"), left, Header::new("right").revises("root")]).unwrap()
    }

    fn kind(placement: &Placement) -> &'static str {
        fork().place(placement).unwrap_err().kind()
    }

    fn on(head: &str) -> Placement {
        Placement {
            head: Some(head.parse().unwrap()),
            ..Placement::on_head("new")
        }
    }

    #[test]
    fn names_that_are_taken_are_refused() {
        assert_eq!(
            kind(&Placement {
                id: "left".into(),
                ..on("right")
            }),
            "duplicate_id"
        );
        assert_eq!(
            kind(&Placement {
                id: "west".into(),
                ..on("right")
            }),
            "duplicate_label"
        );
        assert_eq!(
            kind(&Placement {
                branch_label: Some("west".to_owned()),
                ..on("right")
            }),
            "duplicate_label"
        );
        assert_eq!(
            kind(&Placement {
                id: "a-b".into(),
                ..on("right")
            }),
            "illegal_id"
        );
    }

    #[test]
    fn branching_off_must_be_meant() {
        assert_eq!(kind(&on("root")), "not_a_head");
        let placed = fork()
            .place(&Placement {
                splice: Splice::Allow,
                ..on("root")
            })
            .unwrap();
        assert_eq!(placed.revises, [RevisionId::from("root")]);
    }

    #[test]
    fn a_merge_needs_two_different_heads() {
        let merge = |revisions: &[&str]| Merge {
            id: "new".into(),
            revisions: revisions
                .iter()
                .map(|text| text.parse().unwrap())
                .collect::<Vec<Target>>(),
            splice: Splice::Refuse,
            branch_label: None,
        };
        let placed = fork().place_merge(&merge(&["heads"])).unwrap();
        assert_eq!(
            placed.revises,
            [RevisionId::from("left"), RevisionId::from("right")]
        );
        assert_eq!(
            fork().place_merge(&merge(&["left"])).unwrap_err().kind(),
            "nothing_to_merge"
        );
        assert_eq!(
            fork().place_merge(&merge(&["left", "west"])).unwrap_err().kind(),
            "duplicate_head"
        );
    }
}
