//! `cannot-alter-in-place`: SQLite has no such change; the table has to be built anew.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{Action, Column, ConstraintKind, Parsed};

pub(super) const RULE: Rule = Rule {
    code: "cannot-alter-in-place",
    severity: Severity::Error,
    summary: "SQLite has no such change: the table has to be built anew",
    help: "create the table anew under another name, copy the rows, drop the old one and rename the new one, in one transaction",
    page: include_str!("cannot_alter_in_place.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    let Parsed::AlterTable { table, actions, .. } = step.statement else {
        return Vec::new();
    };
    if actions.len() > 1 {
        let message = format!("SQLite changes one thing of {table} in each statement");
        return vec![Finding::on(table, message)];
    }
    let problems = actions.iter().filter_map(|action| problem(step, table, action));
    problems.map(|problem| Finding::on(table, problem)).collect()
}

/// Returns why SQLite refuses a change (its manual, "ALTER TABLE").
fn problem(step: &Step<'_>, table: &str, action: &Action) -> Option<String> {
    match action {
        Action::AddColumn { column, .. } => {
            let what = refused_column(column)?;
            Some(format!("SQLite cannot add {}.{}: {what}", table, column.name))
        }
        Action::DropColumn { name, .. } => {
            let what = holder(step, table, name)?;
            Some(format!("SQLite cannot drop {table}.{name}: {what} needs it"))
        }
        Action::RenameColumn { .. } | Action::RenameTable(_) => None,
        _ => Some(format!(
            "SQLite cannot change a column or a constraint of {table} in place"
        )),
    }
}

fn refused_column(column: &Column) -> Option<&'static str> {
    let has = |is_meant: fn(&ConstraintKind) -> bool| {
        column
            .constraints
            .iter()
            .any(|constraint| is_meant(&constraint.kind))
    };
    if has(|kind| matches!(kind, ConstraintKind::PrimaryKey(_))) || column.data_type.is_serial() {
        return Some("it is a primary key");
    }
    if has(|kind| matches!(kind, ConstraintKind::Unique(_))) {
        return Some("it is unique");
    }
    let is_stored = column
        .generated
        .as_ref()
        .is_some_and(|generated| generated.is_stored);
    is_stored.then_some("it is generated and stored")
}

/// Returns what keeps a column from being dropped.
fn holder(step: &Step<'_>, table: &str, column: &str) -> Option<String> {
    let index = step
        .before
        .indexes_on(table, column)
        .first()
        .map(|(index, _)| *index);
    let view = step
        .before
        .readers(table, Some(column))
        .first()
        .map(|view| format!("the view {view}"));
    index.map(|index| format!("the index {index}")).or(view)
}
