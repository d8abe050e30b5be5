//! `dependent-object`: the statement fails because something else needs what it changes.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{Action, ObjectKind, Parsed};

pub(super) const RULE: Rule = Rule {
    code: "dependent-object",
    severity: Severity::Error,
    summary: "the statement fails because something else needs what it changes",
    help: "drop the view before, and create it again in the same transaction",
    page: include_str!("dependent_object.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    if let Parsed::Drop(drop) = step.statement {
        if drop.cascade {
            return Vec::new();
        }
        let found = drop.names.iter().filter_map(|name| {
            let needs = users(step, drop.kind, name, &drop.names)?;
            Some(Finding::on(
                name,
                format!("the server refuses to drop {name}: {needs} needs it"),
            ))
        });
        return found.collect();
    }
    let Parsed::AlterTable { table, actions, .. } = step.statement else {
        return Vec::new();
    };
    let found = actions.iter().filter_map(|action| {
        let (column, what) = match action {
            Action::DropColumn {
                name, cascade: false, ..
            } => (name, "drop"),
            Action::ChangeType { column, .. } => (column, "change the type of"),
            _ => return None,
        };
        let view = step
            .before
            .readers(table, Some(column))
            .first()
            .map(|view| (*view).to_owned());
        let generated = || {
            let columns = step.before.table(table)?.columns.iter();
            let needing = columns.filter(|(_, known)| known.generated_from.contains(column));
            needing.map(|(name, _)| name.clone()).next()
        };
        let needs = view.or_else(generated)?;
        Some(Finding::on(
            table,
            format!("the server refuses to {what} {table}.{column}: {needs} reads it"),
        ))
    });
    found.collect()
}

/// Returns what keeps an object from being dropped.
fn users(step: &Step<'_>, kind: ObjectKind, name: &str, dropped: &[String]) -> Option<String> {
    let is_kept = |user: &&str| !dropped.iter().any(|name| name == user);
    let first = |users: Vec<&str>| users.into_iter().find(is_kept).map(str::to_owned);
    match kind {
        ObjectKind::Table => {
            first(step.before.readers(name, None)).or_else(|| first(step.before.children(name)))
        }
        ObjectKind::View => first(step.before.readers(name, None)),
        ObjectKind::Type => {
            let users = step.before.users_of_type(name);
            users.first().map(|(table, column)| format!("{table}.{column}"))
        }
        _ => None,
    }
}
