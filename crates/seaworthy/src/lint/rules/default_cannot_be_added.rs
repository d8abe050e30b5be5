//! `default-cannot-be-added`: SQLite refuses the column as soon as the table has rows.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::Kind;
use crate::sql::{Action, Column, ConstraintKind};

pub(super) const RULE: Rule = Rule {
    code: "default-cannot-be-added",
    severity: Severity::Error,
    summary: "SQLite refuses the column as soon as the table has rows",
    help: "give it a constant default, or none and no NOT NULL, and fill it afterwards",
    page: include_str!("default_cannot_be_added.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    let Some((table, actions)) = step.alteration() else {
        return Vec::new();
    };
    let problems = actions.iter().filter_map(|action| match action {
        Action::AddColumn { column, .. } => problem(column).map(|problem| (&column.name, problem)),
        _ => None,
    });
    problems
        .map(|(column, problem)| {
            Finding::on(
                table,
                format!("{table}.{column} cannot be added to a table with rows: {problem}"),
            )
        })
        .collect()
}

/// Returns why rows could not get the column (SQLite's manual, "ALTER TABLE ADD COLUMN").
fn problem(column: &Column) -> Option<&'static str> {
    if column.generated.is_some() {
        return None;
    }
    let has_value = column.has_value();
    if column.not_null && !has_value {
        return Some("it is NOT NULL and has no default");
    }
    let is_computed =
        column.default.iter().flatten().any(|token| {
            token.kind == Kind::Word && !["null", "true", "false"].contains(&token.text.as_str())
        });
    if is_computed {
        return Some("its default is not a constant");
    }
    let refers = column
        .constraints
        .iter()
        .any(|constraint| matches!(constraint.kind, ConstraintKind::ForeignKey { .. }));
    (refers && has_value).then_some("it refers to another table and its default is not NULL")
}
