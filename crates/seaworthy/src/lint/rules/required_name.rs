//! `required-name`: a new table or column is not called as the project asks.

use super::{Finding, Rule};
use crate::lint::step::Step;
use crate::lint::{NamePattern, Severity};
use crate::sql::{Action, CreateTable, Parsed, bare};

pub(super) const RULE: Rule = Rule {
    code: "required-name",
    severity: Severity::Error,
    summary: "a new table or column is not called as the project asks",
    help: "give it a name that matches lint.require in seaworthy.toml",
    page: include_str!("required_name.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    match step.statement {
        Parsed::CreateTable(create) if !is_passed_over(step, create) => {
            let columns = create.columns.iter().map(|column| column.name.as_str());
            // A partition has the columns of its table.
            let columns = columns.filter(|_| create.partition_of.is_none());
            let found = table(step, &create.name).into_iter();
            found
                .chain(columns.filter_map(|name| column(step, &create.name, name)))
                .collect()
        }
        Parsed::AlterTable {
            table: altered,
            actions,
            ..
        } => {
            let found = actions.iter().filter_map(|action| match action {
                Action::AddColumn {
                    column: added,
                    if_not_exists,
                } if !step.is_there(altered, &added.name, *if_not_exists) => {
                    column(step, altered, &added.name)
                }
                Action::RenameColumn { to, .. } => column(step, altered, to),
                Action::RenameTable(to) => table(step, to),
                _ => None,
            });
            found.collect()
        }
        _ => Vec::new(),
    }
}

/// Returns whether a table is none that stays, or is there already.
fn is_passed_over(step: &Step<'_>, create: &CreateTable) -> bool {
    create.is_special || create.if_not_exists && step.before.table(&create.name).is_some()
}

fn table(step: &Step<'_>, name: &str) -> Option<Finding> {
    let pattern = step.required.table_names.as_ref()?;
    broken(pattern, &bare(name)).then(|| {
        Finding::on(
            name,
            format!("the name of the table {name} does not match {}", pattern.text()),
        )
    })
}

fn column(step: &Step<'_>, table: &str, name: &str) -> Option<Finding> {
    let pattern = step.required.column_names.as_ref()?;
    broken(pattern, name).then(|| {
        Finding::on(
            table,
            format!(
                "the name of the column {table}.{name} does not match {}",
                pattern.text()
            ),
        )
    })
}

fn broken(pattern: &NamePattern, name: &str) -> bool {
    !pattern.is_met_by(name)
}
