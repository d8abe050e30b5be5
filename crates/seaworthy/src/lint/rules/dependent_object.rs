//! `dependent-object`: the statement fails because something else needs what it changes.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{Action, ConstraintKind, ObjectKind, Parsed, Schema, bare};

pub(super) const RULE: Rule = Rule {
    code: "dependent-object",
    severity: Severity::Error,
    summary: "the statement fails because something else needs what it changes",
    help: "drop the view before, and create it again in the same transaction",
    page: include_str!("dependent_object.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    match step.statement {
        Parsed::Drop(drop) if !drop.cascade => {
            let found = drop.names.iter().filter_map(|name| {
                let needs = users(step.before, drop.kind, name, &drop.names)?;
                let message = format!("the server refuses to drop {name}: {needs} needs it");
                Some(Finding::on(name, message))
            });
            found.collect()
        }
        Parsed::DropIndex { names, .. } => {
            let found = names.iter().filter_map(|name| index_of_constraint(step, name));
            found.collect()
        }
        Parsed::AlterTable { table, actions, .. } => {
            let is_dropping = |action: &&Action| {
                matches!(action, Action::DropColumn { .. } | Action::DropConstraint { .. })
            };
            let concerns =
                |action: &Action| is_dropping(&action) || matches!(action, Action::ChangeType { .. });
            if !actions.iter().any(concerns) {
                return Vec::new();
            }
            // The server drops what an ALTER TABLE drops first, one after the other.
            let (drops, others): (Vec<_>, Vec<_>) = actions.iter().partition(is_dropping);
            let mut schema = step.before.clone();
            let mut found = Vec::new();
            for action in drops.into_iter().chain(others) {
                let refused = refused(&schema, table, action);
                found.extend(refused.map(|message| Finding::on(table, message)));
                schema.alter(&mut table.clone(), action);
            }
            found
        }
        _ => Vec::new(),
    }
}

/// Returns what the server says of an action that something else stands in the way of.
fn refused(schema: &Schema, table: &str, action: &Action) -> Option<String> {
    let (column, what) = match action {
        Action::DropColumn {
            name, cascade: false, ..
        } => (name, "drop"),
        Action::ChangeType { column, .. } => (column, "change the type of"),
        Action::DropConstraint {
            name, cascade: false, ..
        } => {
            let (of, reference) = schema.reference_that_needs(table, name)?;
            return Some(format!(
                "the server refuses to drop {name}: the foreign key {reference} of {of} needs it"
            ));
        }
        _ => return None,
    };
    let view = schema
        .readers(table, Some(column))
        .first()
        .map(|view| (*view).to_owned());
    let generated = || {
        let columns = schema.table(table)?.columns.iter();
        let needing = columns.filter(|(_, known)| !known.is_perhaps && known.generated_from.contains(column));
        needing.map(|(name, _)| name.clone()).next()
    };
    if let Some(reader) = view.or_else(generated) {
        return Some(format!(
            "the server refuses to {what} {table}.{column}: {reader} reads it"
        ));
    }
    let references = schema.references_to(table);
    let mut pointing = references.iter().filter(|(of, constraint, columns)| {
        columns.contains(column) && !goes_along(table, column, (of, &constraint.kind))
    });
    let (of, reference, _) = pointing.next().filter(|_| what == "drop")?;
    let name = reference.name.as_deref().unwrap_or_default();
    Some(format!(
        "the server refuses to drop {table}.{column}: the foreign key {name} of {of} points to it"
    ))
}

/// Returns whether a foreign key is dropped with a column of its own.
fn goes_along(table: &str, column: &String, (of, kind): (&str, &ConstraintKind)) -> bool {
    matches!(kind, ConstraintKind::ForeignKey { columns, .. } if of == table && columns.contains(column))
}

/// Returns that an index cannot be dropped without its constraint.
fn index_of_constraint(step: &Step<'_>, name: &str) -> Option<Finding> {
    let (known, index) = step.before.named_index(name)?;
    let constraint = index.of_constraint.then(|| bare(known))?;
    step.before.constraint(&index.table, &constraint)?;
    let table = &index.table;
    let message =
        format!("the server refuses to drop {name}: the constraint {constraint} of {table} needs it");
    Some(Finding::on(table, message))
}

/// Returns what keeps an object from being dropped.
fn users(schema: &Schema, kind: ObjectKind, name: &str, dropped: &[String]) -> Option<String> {
    let is_kept = |user: &&str| !dropped.iter().any(|name| name == user);
    let view = || {
        let readers = schema.readers(name, None).into_iter();
        { readers }.find(is_kept).map(str::to_owned)
    };
    match kind {
        ObjectKind::Table => view().or_else(|| {
            let tables = schema.references_to(name).into_iter().map(|(table, ..)| table);
            { tables }.find(is_kept).map(str::to_owned)
        }),
        ObjectKind::View => view(),
        ObjectKind::Type => {
            let users = schema.users_of_type(name);
            users.first().map(|(table, column)| format!("{table}.{column}"))
        }
        _ => None,
    }
}
