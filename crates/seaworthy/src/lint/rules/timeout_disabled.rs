//! `timeout-disabled`: a statement may wait for its lock forever, and everything behind it.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;

pub(super) const RULE: Rule = Rule {
    code: "timeout-disabled",
    severity: Severity::Error,
    summary: "a statement may wait for its lock forever, and everything behind it",
    help: "leave lock_timeout to the runner, or set it to seconds at most",
    page: include_str!("timeout_disabled.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    let Some(line) = step.state.timeout_off.filter(|_| !step.state.timeout_is_reported) else {
        return Vec::new();
    };
    let waits = step.locks.iter().find(|lock| lock.mode.is_strong());
    let found = waits.map(|lock| {
        let table = &lock.table;
        Finding::on(
            table,
            format!("lock_timeout is off since line {line}: everything behind this waits for {table} too"),
        )
    });
    found.into_iter().collect()
}
