//! `table-rewrite`: the table is copied while nobody can read it.

use super::rewrite::{self, Cause};
use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::Action;

pub(super) const RULE: Rule = Rule {
    code: "table-rewrite",
    severity: Severity::Error,
    summary: "the table is copied while nobody can read it",
    help: "add the column without a default, set the default, fill it in batches; change a type through a second column; online::add_column and DualColumn do so",
    page: include_str!("table_rewrite.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    let Some((table, actions)) = step.alteration() else {
        return Vec::new();
    };
    let findings = actions.iter().filter_map(|action| {
        let cause = match action {
            Action::AddColumn {
                column,
                if_not_exists,
            } if !step.is_there(table, &column.name, *if_not_exists) => rewrite::by_column(step, column),
            Action::ChangeType {
                column, to, using, ..
            } => rewrite::by_type(step, table, column, to, using),
            Action::Rewrite(what) => Some(Cause::new((*what).to_owned())),
            _ => None,
        }?;
        let finding = Finding::on(
            table,
            format!(
                "{table} is copied while nobody can read or write it: {}",
                cause.text
            ),
        );
        let is_sure = !cause.is_possible || step.is_strict;
        Some(if is_sure { finding } else { finding.warned() })
    });
    findings.collect()
}
