//! `lock-held-long`: a lock is kept while something slow runs.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{Action, Mode, Parsed};

pub(super) const RULE: Rule = Rule {
    code: "lock-held-long",
    severity: Severity::Error,
    summary: "a lock is kept while something slow runs",
    help: "commit in between: fast changes of the schema in one revision, slow work in the next",
    page: include_str!("lock_held_long.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    const SLOW: [&str; 9] = [
        "bulk-dml",
        "index-blocking",
        "constraint-scan",
        "fk-scan",
        "unique-build",
        "not-null-scan",
        "table-rewrite",
        "heavy-maintenance",
        "partition-blocking",
    ];
    let validates = step
        .alteration()
        .is_some_and(|(_, actions)| actions.iter().any(|action| matches!(action, Action::Validate(_))));
    let fills = matches!(step.statement, Parsed::CreateView(view) if view.is_filled);
    let is_slow = validates || fills || step.found.iter().any(|code| SLOW.contains(code));
    if !is_slow || step.found.contains(&"validate-with-lock") {
        return Vec::new();
    }
    // A lock that the slow statement takes itself is its own hazard, not that of the statements before it.
    let own = |table: &str| {
        step.locks
            .iter()
            .find(|lock| lock.table == table)
            .map(|lock| lock.mode)
    };
    let kept = step
        .state
        .held
        .iter()
        .filter(|lock| lock.mode.is_strong() && Some(lock.mode) > own(&lock.table));
    // Of equally strong locks the one that is kept longest, so that all slow statements behind it are about the same; a run
    // that has to decide looks at the newest.
    let kept = match step.is_strict {
        true => kept.max_by_key(|lock| lock.mode),
        false => kept.rev().max_by_key(|lock| lock.mode),
    };
    let found = kept.map(|lock| {
        let victims = Mode::victims(lock.mode);
        let message = format!(
            "{victims} of {} waits until this slow statement is through as well",
            lock.table
        );
        Finding::on(&lock.table, message)
    });
    found.into_iter().collect()
}
