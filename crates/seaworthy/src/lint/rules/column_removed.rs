//! `column-removed`: running code may still name the column.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{Action, AttributeAction, Parsed, TypeAction};

pub(super) const RULE: Rule = Rule {
    code: "column-removed",
    severity: Severity::Error,
    summary: "running code may still name the column",
    help: "stop using the column first, and drop it one deployment later",
    page: include_str!("column_removed.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    let gone = |table: &str, column: &str| {
        Finding::on(table, format!("running code may still name {table}.{column}"))
    };
    match step.statement {
        Parsed::AlterType {
            name,
            action: TypeAction::Attributes(actions),
        } if actions.contains(&AttributeAction::Drop) => {
            vec![Finding::new(format!(
                "running code may still name the attribute of {name}"
            ))]
        }
        Parsed::Drop(drop) if drop.kind == crate::sql::ObjectKind::Type && drop.cascade => {
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
        // One that is there again under its name is not missed, but may be of another type.
        _ => dropped(step)
            .into_iter()
            .filter(|(table, column)| step.at_commit.column(table, column).is_none())
            .map(|(table, column)| gone(table, column))
            .collect(),
    }
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
