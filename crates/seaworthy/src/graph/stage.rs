//! Where a plan ends when only a part of a zero-downtime change is to be run.

use super::{Note, Plan, RevisionGraph};
use crate::revision::Stage;

impl RevisionGraph {
    /// Returns the plan up to its first revision of a later stage than this one.
    #[must_use]
    pub fn through(&self, mut plan: Plan, last: Stage) -> Plan {
        let stage_of = |revision| self.header(revision).map_or(Stage::Expand, |header| header.stage);
        let Some(first) = plan.revisions().position(|revision| stage_of(revision) > last) else {
            return plan;
        };
        let revision = plan.steps[first].revision.clone();
        let stage = stage_of(&revision);
        plan.steps.truncate(first);
        plan.notes.push(Note::LaterStage {
            revision,
            stage,
            nothing: plan.is_empty(),
        });
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Applied;
    use crate::revision::Header;

    fn chain() -> RevisionGraph {
        let stages = [Stage::Expand, Stage::Migrate, Stage::Contract, Stage::Expand];
        let header = |(index, stage): (usize, Stage)| {
            let header = Header::new(index.to_string()).stage(stage);
            match index {
                0 => header,
                _ => header.revises((index - 1).to_string()),
            }
        };
        RevisionGraph::build(stages.into_iter().enumerate().map(header)).unwrap()
    }

    fn run(applied: &[&str], last: Stage) -> (Vec<String>, Vec<String>) {
        let graph = chain();
        let applied: Vec<_> = applied.iter().map(|&id| id.into()).collect();
        let applied: Applied = graph.applied(&applied).unwrap();
        let plan = graph.upgrade(&applied, &"head".parse().unwrap()).unwrap();
        let plan = graph.through(plan, last);
        (
            plan.revisions().map(ToString::to_string).collect(),
            plan.notes.iter().map(ToString::to_string).collect(),
        )
    }

    #[test]
    fn a_stage_ends_before_the_first_revision_of_a_later_one() {
        assert_eq!(run(&[], Stage::Expand).0, ["0"]);
        assert_eq!(run(&[], Stage::Migrate).0, ["0", "1"]);
        assert_eq!(run(&[], Stage::Contract).0, ["0", "1", "2", "3"]);
        assert_eq!(
            run(&[], Stage::Expand).1,
            ["stopped before 1, a migrate revision"]
        );
        assert_eq!(
            run(&["0"], Stage::Expand).1,
            ["nothing to do: 1, which comes next, is a migrate revision"]
        );
        assert!(run(&[], Stage::Contract).1.is_empty());
    }
}
