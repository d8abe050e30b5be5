//! How the heads of a database move while a plan runs; for reports and tests.

use std::collections::BTreeSet;

use crate::revision::{Direction, RevisionId};

use super::applied::Applied;
use super::reach::PositionSet;
use super::{Plan, Position, RevisionGraph};

impl Plan {
    /// Returns the applied heads after each step, each time in the order of loading.
    #[must_use]
    pub fn heads_after_each_step(&self, graph: &RevisionGraph, applied: &Applied) -> Vec<Vec<RevisionId>> {
        let mut progress = Progress::new(graph, applied);
        let mut heads_after = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            if let Some(&position) = graph.names.get(&step.revision) {
                match step.direction {
                    Direction::Up => progress.apply(position),
                    Direction::Down => progress.undo(position),
                }
            }
            heads_after.push(progress.heads.iter().map(|&head| graph.id(head)).collect());
        }
        heads_after
    }

    /// Returns what is applied after the last step.
    #[must_use]
    pub fn applied_after(&self, graph: &RevisionGraph, applied: &Applied) -> Applied {
        let mut after = applied.clone();
        for step in &self.steps {
            match step.direction {
                Direction::Up => after.insert(graph, &step.revision),
                Direction::Down => after.remove(graph, &step.revision),
            };
        }
        after
    }
}

/// Keeps the heads up to date at the cost of the links that change.
struct Progress<'graph> {
    graph: &'graph RevisionGraph,
    applied: PositionSet,
    /// For each revision, how many revisions right above it are applied or lie below something applied.
    covers: Vec<usize>,
    heads: BTreeSet<Position>,
}

impl<'graph> Progress<'graph> {
    fn new(graph: &'graph RevisionGraph, applied: &Applied) -> Self {
        let heads = applied.head_positions(graph);
        let mut covers = vec![0; graph.nodes.len()];
        for position in graph.needs(&heads).iter() {
            for &lower in &graph.nodes[position].below {
                covers[lower] += 1;
            }
        }
        Self {
            graph,
            applied: applied.members.clone(),
            covers,
            heads: heads.into_iter().collect(),
        }
    }

    fn apply(&mut self, applied: Position) {
        if !self.applied.insert(applied) || self.covers[applied] > 0 {
            return;
        }
        self.heads.insert(applied);
        let mut covering = vec![applied];
        while let Some(position) = covering.pop() {
            for &lower in &self.graph.nodes[position].below {
                self.covers[lower] += 1;
                self.heads.remove(&lower);
                if self.covers[lower] == 1 && !self.applied.contains(lower) {
                    covering.push(lower);
                }
            }
        }
    }

    fn undo(&mut self, undone: Position) {
        if !self.applied.remove(undone) || self.covers[undone] > 0 {
            return;
        }
        self.heads.remove(&undone);
        let mut uncovering = vec![undone];
        while let Some(position) = uncovering.pop() {
            for &lower in &self.graph.nodes[position].below {
                self.covers[lower] -= 1;
                if self.covers[lower] > 0 {
                    continue;
                }
                if self.applied.contains(lower) {
                    self.heads.insert(lower);
                } else {
                    uncovering.push(lower);
                }
            }
        }
    }
}
