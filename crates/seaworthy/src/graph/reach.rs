//! Sets of revisions and what can be reached from them.

use super::{Node, Position, RevisionGraph};

/// A set of revisions of one graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PositionSet {
    members: Vec<bool>,
    count: usize,
}

impl PositionSet {
    /// Returns an empty set for a graph of this many revisions.
    pub(super) fn empty(size: usize) -> Self {
        Self {
            members: vec![false; size],
            count: 0,
        }
    }

    /// Returns the set of these positions.
    pub(super) fn of(size: usize, positions: impl IntoIterator<Item = Position>) -> Self {
        let mut set = Self::empty(size);
        for position in positions {
            set.insert(position);
        }
        set
    }

    /// Returns whether the position is in the set; positions of a larger graph are not.
    pub(super) fn contains(&self, position: Position) -> bool {
        self.members.get(position).copied().unwrap_or(false)
    }

    /// Adds a position and returns whether it was new.
    pub(super) fn insert(&mut self, position: Position) -> bool {
        if position >= self.members.len() {
            self.members.resize(position + 1, false);
        }
        let is_new = !self.members[position];
        self.members[position] = true;
        self.count += usize::from(is_new);
        is_new
    }

    /// Removes a position and returns whether it was there.
    pub(super) fn remove(&mut self, position: Position) -> bool {
        let was_there = self.contains(position);
        if was_there {
            self.members[position] = false;
            self.count -= 1;
        }
        was_there
    }

    /// Keeps what the test approves of.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(Position) -> bool) {
        for position in 0..self.members.len() {
            if self.members[position] && !keep(position) {
                self.remove(position);
            }
        }
    }

    /// Returns the positions in the order of loading.
    pub(super) fn iter(&self) -> impl Iterator<Item = Position> {
        self.members
            .iter()
            .enumerate()
            .filter(|(_, is_member)| **is_member)
            .map(|(position, _)| position)
    }

    /// Returns how many positions are in the set.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Returns whether the set is empty.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl RevisionGraph {
    /// Returns these revisions and all that they need, through parents and dependencies.
    pub(super) fn needs(&self, starts: &[Position]) -> PositionSet {
        self.reach(starts, |node| &node.below)
    }

    /// Returns these revisions and all that need them, through parents and dependencies.
    pub(super) fn needed_by(&self, starts: &[Position]) -> PositionSet {
        self.reach(starts, |node| &node.above)
    }

    /// Returns these revisions and their ancestors through parents alone.
    pub(super) fn line_below(&self, starts: &[Position]) -> PositionSet {
        self.reach(starts, |node| &node.parents)
    }

    /// Returns these revisions and their descendants through parents alone.
    pub(super) fn line_above(&self, starts: &[Position]) -> PositionSet {
        self.reach(starts, |node| &node.children)
    }

    /// Returns the branch a revision is on: itself, its ancestors and its descendants, through parents alone.
    pub(super) fn branch_of(&self, position: Position) -> PositionSet {
        let mut branch = self.line_below(&[position]);
        for member in self.line_above(&[position]).iter() {
            branch.insert(member);
        }
        branch
    }

    /// Returns the members that no other member needs, in the order of loading.
    pub(super) fn tips(&self, members: &PositionSet) -> Vec<Position> {
        let mut below = Vec::new();
        for member in members.iter() {
            below.extend(&self.nodes[member].below);
        }
        let needed = self.needs(&below);
        members
            .iter()
            .filter(|&member| !needed.contains(member))
            .collect()
    }

    fn reach(&self, starts: &[Position], next: impl Fn(&Node) -> &Vec<Position>) -> PositionSet {
        let mut reached = PositionSet::empty(self.nodes.len());
        let mut todo: Vec<Position> = Vec::new();
        for &start in starts {
            if reached.insert(start) {
                todo.push(start);
            }
        }
        while let Some(position) = todo.pop() {
            for &neighbour in next(&self.nodes[position]) {
                if reached.insert(neighbour) {
                    todo.push(neighbour);
                }
            }
        }
        reached
    }
}
