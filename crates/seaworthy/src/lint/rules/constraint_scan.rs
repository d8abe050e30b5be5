//! `constraint-scan`: all rows are checked while nobody can read the table.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{ConstraintKind, DomainAction, Parsed};

pub(super) const RULE: Rule = Rule {
    code: "constraint-scan",
    severity: Severity::Error,
    summary: "all rows are checked while nobody can read the table",
    help: "add the check NOT VALID, commit, then VALIDATE CONSTRAINT in a transaction of its own; online::add_check does so",
    page: include_str!("constraint_scan.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    if let Parsed::AlterDomain {
        name,
        action: DomainAction::AddCheck { valid: true },
    } = step.statement
    {
        let users = step.before.users_of_type(name);
        if users.is_empty() && step.before.is_complete() || step.before.is_new_type(name) {
            return Vec::new();
        }
        return vec![Finding::new(format!(
            "every table with a column of {name} is checked while nobody can write it"
        ))];
    }
    let checks = step.added_constraints().into_iter().filter(|(_, constraint)| {
        matches!(constraint.kind, ConstraintKind::Check(_)) && constraint.is_valid && constraint.is_enforced
    });
    let found = checks.map(|(table, _)| {
        Finding::on(
            table,
            format!("nobody can use {table} while all its rows are checked"),
        )
    });
    found.collect()
}
