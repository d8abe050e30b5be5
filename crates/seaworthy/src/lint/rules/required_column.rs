//! `required-column`: an INSERT of the running version fails.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{Action, Column};

pub(super) const RULE: Rule = Rule {
    code: "required-column",
    severity: Severity::Error,
    summary: "an INSERT of the running version fails",
    help: "give the column a default in the database, and keep it until no running version leaves the column out; online::add_column fills the rows that are there",
    page: include_str!("required_column.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    let Some((table, actions)) = step.alteration() else {
        return Vec::new();
    };
    let required = actions.iter().filter_map(|action| match action {
        Action::AddColumn {
            column,
            if_not_exists,
        } if !step.is_there(table, &column.name, *if_not_exists) => {
            is_required(column).then_some((&column.name, true))
        }
        Action::SetNotNull(column) => {
            let is_added_here = step.column(table, column).is_some_and(|known| known.is_new);
            let is_added_at_once = actions.iter().any(
                |action| matches!(action, Action::AddColumn { column: added, .. } if added.name == *column && !added.not_null),
            );
            ((is_added_here || is_added_at_once) && lacks_value(step, table, column)).then_some((column, false))
        }
        Action::DropDefault(column)
        | Action::DropIdentity(column)
        | Action::SetDefault {
            column,
            is_null: true,
        } => {
            let had_none = step.column(table, column).is_some_and(|known| !known.has_value);
            (!had_none && lacks_value(step, table, column)).then_some((column, false))
        }
        _ => None,
    });
    let found = required.map(|(column, is_added)| {
        let insert = format!("an INSERT into {table} that does not name {column} fails");
        let message = match is_added {
            true => format!("the statement fails as soon as {table} has a row, and {insert}"),
            false => insert,
        };
        Finding::on(table, message)
    });
    let generated = actions.iter().filter_map(|action| match action {
        Action::AlwaysIdentity(column) if step.before.is_live_column(table, column) => Some(
            Finding::on(
                table,
                format!("an INSERT into {table} that gives {column} a value fails"),
            )
            .warned(),
        ),
        _ => None,
    });
    found.chain(generated).collect()
}

fn is_required(column: &Column) -> bool {
    let is_key = column
        .constraints
        .iter()
        .any(|constraint| matches!(constraint.kind, crate::sql::ConstraintKind::PrimaryKey(_)));
    (column.not_null || is_key) && !column.has_value()
}

/// Returns whether a column ends up NOT NULL without a value of its own; one that nothing is known of may.
fn lacks_value(step: &Step<'_>, table: &str, column: &str) -> bool {
    match step.at_end.column(table, column) {
        Some(known) => known.not_null && !known.has_value,
        None => !step.at_end.table(table).is_some_and(|table| table.is_known),
    }
}
