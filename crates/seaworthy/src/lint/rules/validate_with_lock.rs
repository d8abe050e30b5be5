//! `validate-with-lock`: the rows are checked under a lock that stops the application.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{Action, Mode};

pub(super) const RULE: Rule = Rule {
    code: "validate-with-lock",
    severity: Severity::Error,
    summary: "the rows are checked under a lock that stops the application",
    help: "commit between ADD ... NOT VALID and VALIDATE CONSTRAINT",
    page: include_str!("validate_with_lock.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    let Some((table, actions)) = step.alteration() else {
        return Vec::new();
    };
    let own = step
        .locks
        .iter()
        .find(|lock| lock.table == table)
        .map(|lock| lock.mode);
    let held = step.state.held_on(table).max(own);
    let validated = actions.iter().filter_map(|action| match action {
        Action::Validate(name) => Some(name),
        _ => None,
    });
    let found = validated.filter(|name| step.is_just_added(table, name) || held.is_some_and(Mode::is_strong));
    let found = found.map(|name| {
        Finding::on(
            table,
            format!("the rows of {table} are checked for {name} while a stronger lock is held"),
        )
    });
    found.collect()
}
