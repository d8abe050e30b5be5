//! `uniqueness-removed`: running upserts may name what is dropped.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{Action, Parsed};

pub(super) const RULE: Rule = Rule {
    code: "uniqueness-removed",
    severity: Severity::Error,
    summary: "running upserts may name what is dropped",
    help: "build the replacement first, or deploy code without the upsert first",
    page: include_str!("uniqueness_removed.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    if let Parsed::DropIndex { names, if_exists, .. } = step.statement {
        let removed = names.iter().filter_map(|name| match step.before.index(name) {
            Some(index) => {
                let is_lost = index.unique && step.before.is_live(&index.table) && !index.is_new;
                (is_lost && !is_replaced(step, &index.table, name)).then(|| removed(&index.table, name))
            }
            None if *if_exists && step.before.lacks(name) => None,
            None => sounds_unique(name).then(|| removed("its table", name)),
        });
        return removed.collect();
    }
    let Some((table, actions)) = step.alteration() else {
        return Vec::new();
    };
    let dropped = actions.iter().filter_map(|action| match action {
        Action::DropConstraint { name, if_exists } => Some((name, *if_exists)),
        _ => None,
    });
    let lost = dropped.filter(|(name, if_exists)| {
        let known = step.before.table(table);
        let constraint = known.into_iter().flat_map(|known| &known.constraints);
        let constraint = constraint
            .into_iter()
            .find(|constraint| constraint.name.as_ref() == Some(name));
        let is_unique = match constraint {
            Some(constraint) => constraint.unique_columns().is_some(),
            None if known.is_some_and(|known| known.is_known) => !if_exists && sounds_unique(name),
            None => sounds_unique(name),
        };
        let is_old = step.before.index(name).is_none_or(|index| !index.is_new);
        is_unique && is_old && !is_replaced(step, table, name)
    });
    lost.map(|(name, _)| removed(table, name)).collect()
}

fn removed(table: &str, name: &str) -> Finding {
    Finding::on(
        table,
        format!("INSERT ... ON CONFLICT fails where it relies on {name}"),
    )
}

/// Returns whether something else keeps the same columns unique when the transaction ends.
fn is_replaced(step: &Step<'_>, table: &str, name: &str) -> bool {
    let before = step.before.unique_sets(table);
    let Some((_, columns)) = before.iter().find(|(of, _)| of == name) else {
        return false;
    };
    step.at_commit
        .unique_sets(table)
        .iter()
        .any(|(_, other)| other == columns)
}

/// Returns whether a constraint or index that is not known has the name of a unique one.
fn sounds_unique(name: &str) -> bool {
    let name = name.rsplit('.').next().unwrap_or_default();
    ["_key", "_pkey", "_unique", "_uq", "_uniq", "_pk"]
        .iter()
        .any(|end| name.ends_with(end))
        || ["uq_", "ux_", "uniq", "unq_", "pk_", "uk_"]
            .iter()
            .any(|start| name.starts_with(start))
}
