//! `multi-lock`: one transaction locks several tables in use.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::Parsed;

pub(super) const RULE: Rule = Rule {
    code: "multi-lock",
    severity: Severity::Warn,
    summary: "one transaction locks several tables in use",
    help: "one table in each transaction",
    page: include_str!("multi_lock.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    if step.state.many_locks_are_reported || matches!(step.statement, Parsed::Harmless) {
        return Vec::new();
    }
    let mut tables: Vec<&str> = Vec::new();
    let held = step.state.held.iter().chain(&step.locks);
    for lock in held.filter(|lock| lock.mode.is_strong() && lock.is_direct) {
        let family = step
            .before
            .table(&lock.table)
            .and_then(|table| table.parent.as_deref());
        let table = family.unwrap_or(&lock.table);
        if !tables.contains(&table) {
            tables.push(table);
        }
    }
    if tables.len() < 2 || step.locks.is_empty() {
        return Vec::new();
    }
    vec![Finding::new(format!(
        "one transaction locks {}",
        tables.join(" and ")
    ))]
}
