//! `type-changed`: prepared statements that return the column fail.

use super::rewrite;
use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::Action;

pub(super) const RULE: Rule = Rule {
    code: "type-changed",
    severity: Severity::Warn,
    summary: "prepared statements that return the column fail",
    help: "add a column of the new type, keep both in step, and drop the old one when nobody reads it; DualColumn does so, and revision --change-type --online writes it",
    page: include_str!("type_changed.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    let Some((table, actions)) = step.alteration() else {
        return Vec::new();
    };
    let changed = actions.iter().filter_map(|action| match action {
        Action::ChangeType { column, to, .. } if step.before.is_live_column(table, column) => {
            let from = step.column(table, column).map(|known| &known.data_type);
            let is_same = from.is_some_and(|from| rewrite::is_same(from, to));
            (!is_same).then_some(column)
        }
        _ => None,
    });
    let found = changed.map(|column| {
        Finding::on(
            table,
            format!("prepared statements that return {table}.{column} fail, and old code may not read it"),
        )
    });
    found.collect()
}
