//! `forbidden-type`: a column gets a type that the project does not want.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{Action, Parsed, Type};

pub(super) const RULE: Rule = Rule {
    code: "forbidden-type",
    severity: Severity::Error,
    summary: "a column gets a type that the project does not want",
    help: "use a type that lint.require.forbidden-types in seaworthy.toml does not list",
    page: include_str!("forbidden_type.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    let finding = |table: &str, column: &str, data_type: &Type| {
        let mut forbidden = step.required.forbidden_types.iter();
        let met = forbidden.find(|forbidden| forbidden.is_met_by(data_type))?;
        let message = format!(
            "the column {table}.{column} is of the forbidden type {}",
            met.text()
        );
        Some(Finding::on(table, message))
    };
    match step.statement {
        Parsed::CreateTable(create) if !create.is_special => {
            let columns = create.columns.iter();
            columns
                .filter_map(|column| finding(&create.name, &column.name, &column.data_type))
                .collect()
        }
        Parsed::AlterTable { table, actions, .. } => {
            let found = actions.iter().filter_map(|action| match action {
                Action::AddColumn {
                    column,
                    if_not_exists,
                } if !step.is_there(table, &column.name, *if_not_exists) => {
                    finding(table, &column.name, &column.data_type)
                }
                Action::ChangeType { column, to, .. } => finding(table, column, to),
                _ => None,
            });
            found.collect()
        }
        _ => Vec::new(),
    }
}
