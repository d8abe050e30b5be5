//! `json-column`: rows with a json column cannot be compared.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::Action;

pub(super) const RULE: Rule = Rule {
    code: "json-column",
    severity: Severity::Warn,
    summary: "rows with a json column cannot be compared",
    help: "use jsonb",
    page: include_str!("json_column.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    let Some((table, actions)) = step.alteration() else {
        return Vec::new();
    };
    let columns = actions.iter().filter_map(|action| match action {
        Action::AddColumn {
            column,
            if_not_exists,
        } if !step.is_there(table, &column.name, *if_not_exists) => {
            (column.data_type.name == "json").then_some(&column.name)
        }
        Action::ChangeType { column, to, .. } => {
            let was_json = step
                .column(table, column)
                .is_some_and(|known| known.data_type.name == "json");
            (to.name == "json" && !was_json).then_some(column)
        }
        _ => None,
    });
    let found = columns.map(|column| {
        Finding::on(
            table,
            format!("SELECT DISTINCT, GROUP BY and UNION over {table} fail because of {column}"),
        )
    });
    found.collect()
}
