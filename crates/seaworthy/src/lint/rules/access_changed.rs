//! `access-changed`: the running version may see or do less than before.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{Action, ObjectKind, Parsed};

pub(super) const RULE: Rule = Rule {
    code: "access-changed",
    severity: Severity::Error,
    summary: "the running version may see or do less than before",
    help: "create the policies first, test them with the role of the application, and say so",
    page: include_str!("access_changed.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    if let Some((table, actions)) = step.alteration() {
        let changed = actions.iter().filter_map(|action| match action {
            Action::RowSecurity { what, .. } => Some(*what),
            Action::Owner => Some("the table changes its owner"),
            _ => None,
        });
        return changed
            .map(|what| Finding::on(table, format!("{what}: {table}")))
            .collect();
    }
    let policies = |table: &str| {
        let is_on = step
            .before
            .table(table)
            .is_none_or(|known| known.has_row_security || !known.is_known);
        let message = format!("a policy decides which rows of {table} the running version sees");
        if is_on && step.before.is_live(table) {
            vec![Finding::on(table, message)]
        } else {
            Vec::new()
        }
    };
    match step.statement {
        Parsed::CreatePolicy { table } => policies(table),
        Parsed::Drop(drop) if drop.kind == ObjectKind::Policy => {
            drop.names.iter().flat_map(|table| policies(table)).collect()
        }
        Parsed::DropOwned => vec![Finding::new("a role loses what it has".to_owned())],
        Parsed::Restrict {
            what,
            tables,
            objects,
        } if tables.is_empty() && objects.is_empty() => vec![Finding::new(what.clone())],
        Parsed::Restrict {
            what,
            tables,
            objects,
        } => {
            let tables = tables.iter().filter(|table| step.before.is_live(table));
            // What the script itself made nobody uses yet.
            let objects = objects
                .iter()
                .filter(|(kind, name)| !step.before.is_new_object(*kind, name));
            let names = tables.chain(objects.map(|(_, name)| name));
            names
                .map(|name| Finding::on(name, format!("{what}: {name}")))
                .collect()
        }
        _ => Vec::new(),
    }
}
