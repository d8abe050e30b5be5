//! `uniqueness-removed`: running upserts may name what is dropped.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{Action, Constraint, Parsed, bare};

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
        let removed = names
            .iter()
            .filter_map(|name| match step.before.named_index(name) {
                Some((known, index)) => {
                    let is_lost = index.unique && step.before.is_live(&index.table) && !index.is_new;
                    (is_lost && !is_replaced(step, &index.table, known)).then(|| removed(&index.table, name))
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
        Action::DropConstraint { name, if_exists, .. } => lost(step, table, name, *if_exists),
        _ => None,
    });
    dropped.collect()
}

/// Returns what is missed when a constraint is dropped.
fn lost(step: &Step<'_>, table: &str, name: &str, if_exists: bool) -> Option<Finding> {
    let known = step.before.table(table);
    let named = |constraint: &&Constraint| constraint.name.as_deref() == Some(name);
    let before = known.and_then(|known| known.constraints.iter().find(named));
    let index = step.before.index(name).filter(|index| index.table == table);
    let is_old = index.is_none_or(|index| !index.is_new);
    if !is_old {
        return None;
    }
    if let Some(constraint) = before {
        let is_lost = constraint.unique_columns().is_some() && !is_replaced(step, table, name);
        return is_lost.then(|| removed(table, name));
    }
    if known.is_some_and(|known| known.is_known) {
        return (!if_exists && sounds_unique(name)).then(|| removed(table, name));
    }
    if is_told_and_replaced(step, table, name) {
        return None;
    }
    let after = step.at_commit.table(table);
    let after = after.and_then(|after| after.constraints.iter().find(named));
    match after.map(Constraint::unique_columns) {
        // Nobody knows which columns it had.
        Some(Some(columns)) => {
            let columns = columns.join(", ");
            let message = format!(
                "INSERT ... ON CONFLICT fails where it relies on {name}, unless it was on ({columns})"
            );
            Some(Finding::on(table, message).warned())
        }
        Some(None) => None,
        None if sounds_unique(name) => Some(removed(table, name)),
        None if sounds_harmless(name) => None,
        None => {
            let message = format!(
                "nobody knows what {name} guards; INSERT ... ON CONFLICT fails where it relies on it"
            );
            Some(Finding::on(table, message).warned())
        }
    }
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

/// Returns whether the name of a constraint that is not known is the one that PostgreSQL gives to a unique constraint on columns
/// which something else keeps unique when the transaction ends.
fn is_told_and_replaced(step: &Step<'_>, table: &str, name: &str) -> bool {
    let bare_table = bare(table);
    let columns = name
        .strip_prefix(&bare_table)
        .and_then(|rest| rest.strip_prefix('_'));
    let Some(columns) = columns.and_then(|rest| rest.strip_suffix("_key")) else {
        return false;
    };
    let after = step.at_commit.table(table);
    let mut unique = after
        .into_iter()
        .flat_map(|after| &after.constraints)
        .filter_map(Constraint::unique_columns);
    unique.any(|unique| unique.join("_") == columns)
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

/// Returns whether a constraint that is not known has the name of a reference, a check or a NOT NULL, on which no upsert relies.
fn sounds_harmless(name: &str) -> bool {
    let name = name.to_lowercase();
    [
        "_fkey",
        "_fk",
        "_foreign",
        "_check",
        "_chk",
        "_ck",
        "_not_null",
        "_nn",
    ]
    .iter()
    .any(|end| name.ends_with(end))
        || ["fk_", "fk-", "fk", "ck_", "chk_", "check_", "nn_"]
            .iter()
            .any(|start| name.starts_with(start))
        || ["_fkey", "_fk_", "-fk-"]
            .iter()
            .any(|middle| name.contains(middle))
}
