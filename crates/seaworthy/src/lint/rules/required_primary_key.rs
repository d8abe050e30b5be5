//! `required-primary-key`: a new table has no primary key.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{ConstraintKind, Parsed, Table};

pub(super) const RULE: Rule = Rule {
    code: "required-primary-key",
    severity: Severity::Error,
    summary: "a new table has no primary key",
    help: "give it a primary key in the same script",
    page: include_str!("required_primary_key.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    let Parsed::CreateTable(create) = step.statement else {
        return Vec::new();
    };
    // What a partition or a copy of another table takes over is not written in it.
    let takes_over = create.partition_of.is_some() || !create.like.is_empty();
    let is_there = create.if_not_exists && step.before.table(&create.name).is_some();
    if !step.required.primary_key || create.is_special || takes_over || is_there {
        return Vec::new();
    }
    let has_key = |table: &Table| {
        let mut constraints = table.constraints.iter();
        constraints.any(|constraint| matches!(constraint.kind, ConstraintKind::PrimaryKey(_)))
    };
    // It may be added by a later statement, and a table that is gone at the end needs none.
    let is_without = step
        .at_end
        .table(&create.name)
        .is_some_and(|table| !has_key(table));
    let message = format!("the table {} has no primary key", create.name);
    let found = is_without.then(|| Finding::on(&create.name, message));
    found.into_iter().collect()
}
