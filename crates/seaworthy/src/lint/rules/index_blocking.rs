//! `index-blocking`: the table cannot be written to while the index is built.

use super::{Finding, Rule, rewrite};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{Action, Index, Parsed};

pub(super) const RULE: Rule = Rule {
    code: "index-blocking",
    severity: Severity::Error,
    summary: "the table cannot be written to while the index is built",
    help: "build it with CREATE INDEX CONCURRENTLY, outside of a transaction, and check that it is valid afterwards; online::create_index does all of this",
    page: include_str!("index_blocking.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    let Parsed::CreateIndex(create) = step.statement else {
        return rebuilt(step);
    };
    let is_partitioned = step
        .before
        .table(&create.table)
        .is_some_and(|table| table.is_partitioned);
    let is_certain = |name: &str| step.before.index(name).is_some_and(|known| !known.is_perhaps);
    let is_there = create.if_not_exists && is_certain(&create.name);
    if !step.before.is_live(&create.table) || is_there || (create.only && is_partitioned) {
        return Vec::new();
    }
    if create.concurrently && is_partitioned {
        let message = format!(
            "{} is partitioned: the server refuses to build its index concurrently",
            create.table
        );
        return vec![Finding::on(&create.table, message)];
    }
    if create.concurrently {
        return Vec::new();
    }
    let message = format!("writes to {} wait until the index is built", create.table);
    vec![Finding::on(&create.table, message)]
}

/// Returns the indexes that are built again for another type of a column, where the table is not copied with them.
fn rebuilt(step: &Step<'_>) -> Vec<Finding> {
    let Some((table, actions)) = step.alteration() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for action in actions {
        let Action::ChangeType { column, to, using } = action else {
            continue;
        };
        if rewrite::by_type(step, table, column, to, using).is_some() {
            continue;
        }
        // One with an expression or a condition is always built again.
        let is_plain = |index: &Index| {
            index.computed_from.is_empty() && !index.is_partial && !index.columns.iter().any(String::is_empty)
        };
        let indexes = step.before.indexes_on(table, column).into_iter();
        let rebuilt = indexes
            .filter(|(_, index)| !is_plain(index) || rewrite::has_other_operators(step, table, column, to));
        found.extend(rebuilt.map(|(index, _)| {
            let message =
                format!("nobody can read or write {table} while its index {index} is built again for the new type of {column}");
            Finding::on(table, message)
        }));
    }
    found
}
