//! `explicit-lock`: a table is locked by hand.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::Parsed;

pub(super) const RULE: Rule = Rule {
    code: "explicit-lock",
    severity: Severity::Warn,
    summary: "a table is locked by hand",
    help: "leave it out: each statement takes the lock that it needs",
    page: include_str!("explicit_lock.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    let Parsed::Lock { tables, mode } = step.statement else {
        return Vec::new();
    };
    let locked = tables
        .iter()
        .filter(|table| mode.is_strong() && step.before.is_live(table));
    locked
        .map(|table| Finding::on(table, format!("{} of {table} waits", mode.victims())))
        .collect()
}
