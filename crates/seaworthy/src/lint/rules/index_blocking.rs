//! `index-blocking`: the table cannot be written to while the index is built.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::Parsed;

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
        return Vec::new();
    };
    let is_partitioned = step
        .before
        .table(&create.table)
        .is_some_and(|table| table.is_partitioned);
    let is_there = create.if_not_exists && step.before.index(&create.name).is_some();
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
