//! `rebuild-blocks-writers`: on SQLite nobody writes while a table is copied.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{Action, ObjectKind, Parsed};

pub(super) const RULE: Rule = Rule {
    code: "rebuild-blocks-writers",
    severity: Severity::Warn,
    summary: "on SQLite nobody writes to the file while a table is copied",
    help: "run it when little is written, and give applications a busy_timeout that is longer than the copy takes",
    page: include_str!("rebuild_blocks_writers.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    let finding = |table: &str| {
        Finding::on(
            table,
            format!("nobody writes to the file while {table} is copied"),
        )
    };
    match step.statement {
        Parsed::Drop(drop) if drop.kind == ObjectKind::Table => {
            let rebuilt = drop.names.iter().filter(|name| is_rebuilt(step, name));
            rebuilt.map(|table| finding(table)).collect()
        }
        // Its rows are written anew (SQLite's manual, "ALTER TABLE DROP COLUMN").
        Parsed::AlterTable { table, actions, .. } if step.before.is_live(table) => {
            let copies = actions
                .iter()
                .any(|action| matches!(action, Action::DropColumn { .. }));
            copies.then(|| finding(table)).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// Returns whether a table that is dropped comes back in the same transaction: a rebuild.
pub(super) fn is_rebuilt(step: &Step<'_>, table: &str) -> bool {
    step.before.is_live(table) && step.at_commit.has_relation(table)
}
