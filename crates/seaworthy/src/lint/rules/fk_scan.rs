//! `fk-scan`: writes to both tables stop while all rows are checked.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{Action, ConstraintKind};

pub(super) const RULE: Rule = Rule {
    code: "fk-scan",
    severity: Severity::Error,
    summary: "writes to both tables stop while all rows are checked",
    help: "add the foreign key NOT VALID, commit, then VALIDATE CONSTRAINT in a transaction of its own; online::add_foreign_key does so",
    page: include_str!("fk_scan.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    let Some((table, actions)) = step.alteration() else {
        return Vec::new();
    };
    // PostgreSQL trusts references of new columns only where no column of the statement has a default and no other foreign key
    // is added (parse_utilcmd.c, transformAlterTableStmt).
    let is_checked = actions.iter().any(|action| match action {
        Action::AddColumn { column, .. } => column.default.is_some(),
        Action::AddConstraint(constraint) => matches!(constraint.kind, ConstraintKind::ForeignKey { .. }),
        _ => false,
    });
    let mut findings = Vec::new();
    for action in actions {
        let constraints = match action {
            Action::AddConstraint(constraint) => std::slice::from_ref(constraint),
            Action::AddColumn {
                column,
                if_not_exists,
            } if is_checked && !step.is_there(table, &column.name, *if_not_exists) => {
                column.constraints.as_slice()
            }
            _ => &[],
        };
        for constraint in constraints {
            if let ConstraintKind::ForeignKey { parent, .. } = &constraint.kind
                && constraint.is_valid
                && constraint.is_enforced
            {
                let tables = match parent == table {
                    true => table.to_owned(),
                    false => format!("{table} and {parent}"),
                };
                let message = format!("writes to {tables} wait while all rows of {table} are checked");
                findings.push(Finding::on(table, message));
            }
        }
    }
    findings
}
