//! `bulk-dml`: one statement changes or copies rows without a bound.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{ComparisonKind, DataChange, Parsed};

pub(super) const RULE: Rule = Rule {
    code: "bulk-dml",
    severity: Severity::Error,
    summary: "one statement changes or copies rows without a bound",
    help: "move the rows in batches by key, each in a transaction of its own, outside of the migration; a Backfill does so",
    page: include_str!("bulk_dml.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    let changes: &[DataChange] = match step.statement {
        Parsed::Data(changes) => changes,
        Parsed::CreateTable(create) => create.filled.as_slice(),
        _ => return Vec::new(),
    };
    let unbounded = changes.iter().filter(|change| is_unbounded(step, change));
    let found = unbounded.map(|change| {
        let table = change
            .sources
            .iter()
            .find(|source| step.before.is_live(source))
            .unwrap_or(&change.table);
        Finding::on(
            table,
            format!("{} goes through the rows of {table} without a bound", change.verb),
        )
    });
    found.collect()
}

/// Returns whether a change goes through the rows of a table in use with nothing that keeps them few.
pub(super) fn is_unbounded(step: &Step<'_>, change: &DataChange) -> bool {
    let mut sources = change.sources.iter();
    let Some(source) = sources.find(|source| step.before.is_live(source)) else {
        return false;
    };
    let is_narrow = !change.limits.alternatives.is_empty()
        && change.limits.alternatives.iter().all(|comparisons| {
            let has = |column: &str, kind| {
                comparisons
                    .iter()
                    .any(|found| found.column == column && found.kind == kind)
            };
            let is_pinned = |column: &str| has(column, ComparisonKind::Equal);
            let is_range =
                |column: &str| has(column, ComparisonKind::Above) && has(column, ComparisonKind::Below);
            let mut columns = comparisons.iter().map(|found| found.column.as_str());
            let is_key = |column: &str| is_key(step, source, column);
            columns.any(|column| is_key(column) && (is_pinned(column) || is_range(column)))
                || step
                    .before
                    .unique_sets(source)
                    .iter()
                    .any(|(_, set)| set.iter().all(|column| is_pinned(column)))
        });
    !change.limits.is_counted && !is_narrow
}

/// Returns whether a column alone tells rows apart: by the schema, or by its name where that is not known.
fn is_key(step: &Step<'_>, table: &str, column: &str) -> bool {
    let sets = step.before.unique_sets(table);
    let is_unique = sets.iter().any(|(_, set)| set.len() == 1 && set.contains(column));
    let is_known = step.before.table(table).is_some_and(|known| known.is_known);
    is_unique || matches!(column, "id" | "ctid" | "uuid") || !is_known && column.ends_with("_id")
}
