//! `data-loss`: rows or values are destroyed, and a downgrade does not bring them back.

use super::{Finding, Rule};
use super::{bulk_dml, column_removed};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{ObjectKind, Parsed};

pub(super) const RULE: Rule = Rule {
    code: "data-loss",
    severity: Severity::Warn,
    summary: "rows or values are destroyed, and a downgrade does not bring them back",
    help: "keep a copy, or be sure that nobody needs them",
    page: include_str!("data_loss.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    let lost = |name: &str| Finding::on(name, format!("what {name} holds is destroyed"));
    match step.statement {
        Parsed::Truncate { tables, cascade } => {
            let tables = tables.iter().filter(|table| step.before.is_live(table));
            let others = if *cascade {
                ", and what every table that refers to it holds"
            } else {
                ""
            };
            tables
                .map(|table| Finding::on(table, format!("what {table} holds is destroyed{others}")))
                .collect()
        }
        Parsed::Drop(drop) => match drop.kind {
            ObjectKind::Table => {
                let names = drop.names.iter().filter(|name| step.before.is_live(name));
                let names = names.filter(|name| !(drop.if_exists && step.before.lacks(name)));
                names.map(|name| lost(name)).collect()
            }
            ObjectKind::Schema if drop.cascade => drop.names.iter().map(|name| lost(name)).collect(),
            ObjectKind::Database => drop.names.iter().map(|name| lost(name)).collect(),
            ObjectKind::Type if drop.cascade => {
                let names = drop.names.iter().filter(|name| !step.before.is_new_type(name));
                let is_used = |name: &&String| {
                    !step.before.is_complete() || !step.before.users_of_type(name).is_empty()
                };
                names.filter(is_used).map(|name| lost(name)).collect()
            }
            _ => Vec::new(),
        },
        Parsed::Data(changes) => {
            let deletes = changes
                .iter()
                .filter(|change| change.verb == "DELETE" && bulk_dml::is_unbounded(step, change));
            let rows = |table: &str| Finding::on(table, format!("rows of {table} are destroyed"));
            deletes.map(|change| rows(&change.table)).collect()
        }
        _ => {
            let columns = column_removed::dropped(step).into_iter();
            columns
                .map(|(table, column)| {
                    Finding::on(table, format!("the values of {table}.{column} are destroyed"))
                })
                .collect()
        }
    }
}
