//! `override-unmatched`: a hazard is accepted that is not there.

use super::{Finding, Rule};
use crate::lint::step::Step;
use crate::lint::{Hazard, Severity};

pub(super) const RULE: Rule = Rule {
    code: "override-unmatched",
    severity: Severity::Error,
    summary: "a hazard is accepted that is not there",
    help: "take the acceptance out, or name the category and the statement that are meant, and say why",
    page: include_str!("override_unmatched.md"),
    check,
};

/// Returns the hazard of an acceptance that does not fit, at a place: statement, line, and the statement itself.
pub(in crate::lint) fn hazard(message: String, (statement, line, sql): (usize, usize, String)) -> Hazard {
    Hazard {
        category: RULE.code,
        severity: RULE.severity,
        statement,
        line,
        statements: Vec::new(),
        table: None,
        message,
        help: RULE.help,
        accepted: None,
        sql,
        locked: Vec::new(),
    }
}

/// Statements do not show it: it is found when acceptances are held against what the other rules have found.
fn check(_step: &Step<'_>) -> Vec<Finding> {
    Vec::new()
}
