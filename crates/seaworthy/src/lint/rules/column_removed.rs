//! `column-removed`: running code may still name the column.

use super::{Finding, Rule, rewrite};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{Action, AttributeAction, ObjectKind, Parsed, Schema, TypeAction};

pub(super) const RULE: Rule = Rule {
    code: "column-removed",
    severity: Severity::Error,
    summary: "running code may still name the column",
    help: "stop using the column first, and drop it one deployment later",
    page: include_str!("column_removed.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    match step.statement {
        Parsed::AlterType {
            name,
            action: TypeAction::Attributes(actions),
        } if actions.contains(&AttributeAction::Drop) => {
            vec![Finding::new(format!(
                "running code may still name the attribute of {name}"
            ))]
        }
        Parsed::Drop(drop) if drop.kind == ObjectKind::Type && drop.cascade => {
            let mut found = Vec::new();
            for name in drop.names.iter().filter(|name| !step.before.is_new_type(name)) {
                let users = step.before.users_of_type(name);
                if users.is_empty() && !step.before.is_complete() {
                    found.push(Finding::new(format!(
                        "every column of the type {name} is dropped with it"
                    )));
                }
                let live = users
                    .into_iter()
                    .filter(|(table, column)| step.before.is_live_column(table, column));
                found.extend(live.map(|(table, column)| gone(table, column)));
            }
            found
        }
        Parsed::Drop(drop) if drop.kind == ObjectKind::Table => {
            let names = drop.names.iter().filter(|name| step.before.is_live(name));
            names.flat_map(|name| not_made_again(step, name)).collect()
        }
        _ => {
            let dropped = dropped(step).into_iter();
            dropped
                .filter_map(|(table, column)| missed(step, table, column))
                .collect()
        }
    }
}

fn gone(table: &str, column: &str) -> Finding {
    Finding::on(table, format!("running code may still name {table}.{column}"))
}

/// Returns what is missed when a column is dropped; one that is there again under its name, with its type, is not.
fn missed(step: &Step<'_>, table: &str, column: &str) -> Option<Finding> {
    let after = step.at_commit.column(table, column);
    let Some(after) = after.filter(|after| !after.is_perhaps) else {
        return Some(gone(table, column));
    };
    match step.column(table, column) {
        Some(before) if rewrite::is_same(&before.data_type, &after.data_type) => None,
        Some(_) => Some(gone(table, column)),
        None => {
            let message =
                format!("running code may still name {table}.{column}, unless it was of the same type");
            let finding = Finding::on(table, message);
            Some(if step.is_strict { finding } else { finding.warned() })
        }
    }
}

/// Returns the columns that a table does not have any more when it is made again under its name.
fn not_made_again(step: &Step<'_>, table: &str) -> Vec<Finding> {
    let known = |of: &Schema| of.table(table).is_some_and(|found| found.is_known);
    if !known(step.before) || !known(step.at_commit) {
        return Vec::new();
    }
    let columns = step
        .before
        .table(table)
        .into_iter()
        .flat_map(|found| found.columns.keys());
    let is_there = |column: &&String| {
        let after = step.at_commit.column(table, column);
        after.is_some_and(|after| !after.is_perhaps)
    };
    let missing = columns.filter(|column| !is_there(column));
    missing.map(|column| gone(table, column)).collect()
}

/// Returns the columns in use that an `ALTER TABLE` drops.
pub(super) fn dropped<'a>(step: &Step<'a>) -> Vec<(&'a str, &'a str)> {
    let Some((table, actions)) = step.alteration() else {
        return Vec::new();
    };
    let names = actions.iter().filter_map(|action| match action {
        Action::DropColumn { name, if_exists, .. } => {
            let known = step.before.table(table);
            let is_missing = known.is_some_and(|known| known.is_known && !known.columns.contains_key(name));
            (step.before.is_live_column(table, name) && !(*if_exists && is_missing))
                .then_some((table, name.as_str()))
        }
        _ => None,
    });
    names.collect()
}
