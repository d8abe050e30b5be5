//! `index-drop-blocking`: dropping the index needs the table for itself.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::Parsed;

pub(super) const RULE: Rule = Rule {
    code: "index-drop-blocking",
    severity: Severity::Warn,
    summary: "dropping the index needs the table for itself",
    help: "use DROP INDEX CONCURRENTLY outside of a transaction, or keep lock_timeout short; online::drop_index does so",
    page: include_str!("index_drop_blocking.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    let Parsed::DropIndex {
        names,
        concurrently: false,
        if_exists,
        ..
    } = step.statement
    else {
        return Vec::new();
    };
    let findings = names.iter().filter_map(|name| {
        let table = step.before.index(name).map(|index| index.table.as_str());
        if table.is_some_and(|table| !step.before.is_live(table)) || (*if_exists && step.before.lacks(name)) {
            return None;
        }
        let message = format!(
            "dropping {name} waits for everything that uses the table, and everything else behind it"
        );
        Some(table.map_or_else(
            || Finding::new(message.clone()),
            |table| Finding::on(table, message.clone()),
        ))
    });
    findings.collect()
}
