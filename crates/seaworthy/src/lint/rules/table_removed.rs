//! `table-removed`: running code may still name what is dropped.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{Action, ObjectKind, Parsed};

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
    let is_gone = |name: &&String| match drop.kind {
        ObjectKind::Table => step.before.is_live(name),
        // A view that the same transaction creates again is never missed.
        ObjectKind::View => step.before.is_live(name) && !step.at_commit.has_relation(name),
        ObjectKind::Type => !step.before.is_new_type(name),
        ObjectKind::Schema | ObjectKind::Database => true,
        _ => false,
    };
    let is_skipped = |name: &str| {
        drop.if_exists && matches!(drop.kind, ObjectKind::Table | ObjectKind::View) && step.before.lacks(name)
    };
    let names = drop.names.iter().filter(is_gone).filter(|name| !is_skipped(name));
    names
        .map(|name| Finding::on(name, format!("running code may still name {name}")))
        .collect()
}
