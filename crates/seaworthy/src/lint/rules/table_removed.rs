//! `table-removed`: running code may still name what is dropped.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{Action, Drop, ObjectKind, Parsed};

pub(super) const RULE: Rule = Rule {
    code: "table-removed",
    severity: Severity::Error,
    summary: "running code may still name what is dropped",
    help: "stop using it first, and drop it one deployment later",
    page: include_str!("table_removed.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    if let Some((table, actions)) = step.alteration() {
        let cascaded = actions.iter().flat_map(|action| match action {
            Action::DropColumn {
                name, cascade: true, ..
            } => step.before.readers(table, Some(name)),
            _ => Vec::new(),
        });
        let views = cascaded.filter(|view| !step.at_commit.has_relation(view));
        return views
            .map(|view| Finding::on(view, format!("the view {view} is dropped with the column")))
            .collect();
    }
    let Parsed::Drop(drop) = step.statement else {
        return Vec::new();
    };
    let called = called(step, drop).into_iter();
    let removed = drop.names.iter().filter_map(|name| removed(step, drop, name));
    removed.chain(called).collect()
}

/// Returns what is missed when functions, sequences or extensions are dropped; whether running code calls them nobody can tell.
fn called(step: &Step<'_>, drop: &Drop) -> Option<Finding> {
    let word = match drop.kind {
        ObjectKind::Function => "call the function",
        ObjectKind::Sequence => "use the sequence",
        ObjectKind::Extension => "use what belongs to the extension",
        ObjectKind::Collation => "use the collation",
        _ => return None,
    };
    let is_used = |name: &&String| {
        step.before.is_live_object(drop.kind, name)
            && !step.at_commit.has_object(drop.kind, name)
            && !(drop.kind == ObjectKind::Function && step.before.is_of_triggers(name))
    };
    let used: Vec<&String> = drop.names.iter().filter(is_used).collect();
    let (first, others) = used.split_first()?;
    let others = match others.len() {
        0 => String::new(),
        count => format!(", and {count} more"),
    };
    Some(Finding::on(first, format!("running code may still {word} {first}{others}")).warned())
}

/// Returns what is missed when an object is dropped.
fn removed(step: &Step<'_>, drop: &Drop, name: &str) -> Option<Finding> {
    let finding = Finding::on(name, format!("running code may still name {name}"));
    match drop.kind {
        ObjectKind::Table | ObjectKind::View => {
            // Whoever gave it this name in the same script took away the one that running code uses.
            let is_renamed = step.before.table(name).is_some_and(|table| table.is_renamed);
            let is_skipped = drop.if_exists && step.before.lacks(name);
            if !step.before.is_live(name) || is_renamed || is_skipped || step.at_commit.has_relation(name) {
                return None;
            }
            if step.at_end.has_relation(name) {
                let message = format!("running code does not find {name} until it is made again");
                return Some(Finding::on(name, message).warned());
            }
            Some(finding)
        }
        // A name that the script itself gave it is none that running code uses.
        ObjectKind::Type
            if step.before.is_new_type(name) || step.before.is_new_object(ObjectKind::Type, name) =>
        {
            None
        }
        ObjectKind::Type if step.at_commit.type_definition(name).is_some() => None,
        ObjectKind::Type | ObjectKind::Schema | ObjectKind::Database => Some(finding),
        ObjectKind::Function
        | ObjectKind::Sequence
        | ObjectKind::Extension
        | ObjectKind::Collation
        | ObjectKind::OfTable
        | ObjectKind::Policy
        | ObjectKind::Other => None,
    }
}
