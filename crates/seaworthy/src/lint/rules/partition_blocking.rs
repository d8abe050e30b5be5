//! `partition-blocking`: a partition is attached or detached while the table is blocked.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{Action, Parsed};

pub(super) const RULE: Rule = Rule {
    code: "partition-blocking",
    severity: Severity::Error,
    summary: "a partition is attached or detached while the table is blocked",
    help: "create the table by itself, add a check that matches the bound, NOT VALID, validate it, then attach; detach with CONCURRENTLY",
    page: include_str!("partition_blocking.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    if let Parsed::CreateTable(create) = step.statement {
        let parent = create.partition_of.as_ref().map(|(parent, _)| parent);
        let found = parent.and_then(|parent| created(step, parent, &create.name));
        return found.into_iter().collect();
    }
    let Parsed::AlterTable { table, actions, .. } = step.statement else {
        return Vec::new();
    };
    let found = actions.iter().filter_map(|action| match action {
        Action::Attach { child, bound } => {
            let has_default = step.before.is_live(table)
                && step
                    .before
                    .table(table)
                    .is_some_and(|known| known.has_default_partition);
            if has_default {
                return Some(Finding::on(
                    table,
                    format!("the default partition of {table} is searched for rows of {child}"),
                ));
            }
            let is_read = step.before.is_live(child) && !step.before.fits(child, table, bound);
            is_read.then(|| {
                Finding::on(
                    child,
                    format!("nobody can use {child} while all its rows are checked against the bound"),
                )
            })
        }
        Action::Detach {
            child,
            concurrently: false,
        } if step.before.is_live(table) => Some(Finding::on(
            table,
            format!("detaching {child} needs {table} for itself"),
        )),
        Action::Detach { child, .. } if step.version < 14 => Some(Finding::on(
            table,
            format!("{child} cannot be detached concurrently before PostgreSQL 14"),
        )),
        _ => None,
    });
    found.collect()
}

/// Returns what a partition that is created does to its table.
fn created(step: &Step<'_>, parent: &str, child: &str) -> Option<Finding> {
    if !step.before.is_live(parent) {
        return None;
    }
    // What is only known from a partition of it says nothing of the others.
    match step.before.table(parent) {
        Some(known) if known.has_default_partition => {
            let message =
                format!("the default partition of {parent} is searched for rows that belong into {child}");
            Some(Finding::on(parent, message))
        }
        Some(known) if known.is_known => None,
        _ => {
            let message = format!(
                "creating {child} needs {parent} for itself, and a default partition is searched, if there is one"
            );
            Some(Finding::on(parent, message).warned())
        }
    }
}
