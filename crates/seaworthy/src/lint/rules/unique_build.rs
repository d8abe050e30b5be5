//! `unique-build`: an index is built while nobody can read the table.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::ConstraintKind;

pub(super) const RULE: Rule = Rule {
    code: "unique-build",
    severity: Severity::Error,
    summary: "an index is built while nobody can read the table",
    help: "build a unique index CONCURRENTLY, then ADD CONSTRAINT ... USING INDEX; an exclusion constraint has no such form; online::add_unique does so",
    page: include_str!("unique_build.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    let built = step.added_constraints().into_iter().filter(|(_, constraint)| {
        let builds = matches!(
            constraint.kind,
            ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_) | ConstraintKind::Exclude(_)
        );
        builds && constraint.using_index.is_none()
    });
    let found = built.map(|(table, _)| {
        Finding::on(
            table,
            format!("nobody can use {table} while the index of the constraint is built"),
        )
    });
    found.collect()
}
