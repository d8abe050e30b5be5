//! `not-null-scan`: all rows are read while nobody can use the table.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{Action, Constraint, ConstraintKind, DomainAction, Parsed};

pub(super) const RULE: Rule = Rule {
    code: "not-null-scan",
    severity: Severity::Error,
    summary: "all rows are read while nobody can use the table",
    help: "add CHECK (column IS NOT NULL) NOT VALID, commit, VALIDATE it, then SET NOT NULL, and drop the check; online::set_not_null does so",
    page: include_str!("not_null_scan.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    if let Parsed::AlterDomain {
        name,
        action: DomainAction::SetNotNull,
    } = step.statement
    {
        let is_used = !step.before.users_of_type(name).is_empty() || !step.before.is_complete();
        let message = format!("every table with a column of {name} is read while nobody can write it");
        return if is_used {
            vec![Finding::new(message)]
        } else {
            Vec::new()
        };
    }
    let Some((table, actions)) = step.alteration() else {
        return Vec::new();
    };
    let columns = actions.iter().flat_map(|action| match action {
        Action::SetNotNull(column) => vec![column.clone()],
        Action::AddConstraint(constraint) => required_by(step, table, constraint),
        Action::AddColumn { column, .. } if column.not_null => {
            let is_virtual = column
                .generated
                .as_ref()
                .is_some_and(|generated| !generated.is_stored);
            if is_virtual {
                vec![column.name.clone()]
            } else {
                Vec::new()
            }
        }
        _ => Vec::new(),
    });
    let scanned = columns.filter(|column| !step.before.is_never_null(table, column));
    let found = scanned.map(|column| {
        Finding::on(
            table,
            format!("nobody can use {table} while all its rows are searched for a NULL in {column}"),
        )
    });
    found.collect()
}

/// Returns the columns that a constraint makes NOT NULL, when rows have to be read for it.
fn required_by(step: &Step<'_>, table: &str, constraint: &Constraint) -> Vec<String> {
    match (&constraint.kind, &constraint.using_index) {
        (ConstraintKind::NotNull(column), _) if constraint.is_valid => vec![column.clone()],
        (ConstraintKind::PrimaryKey(_), Some(index)) => {
            let columns = step.before.index(index).map_or(&[][..], |index| &index.columns);
            let is_known = |column: &&String| step.column(table, column).is_some();
            columns.iter().filter(is_known).cloned().collect()
        }
        _ => Vec::new(),
    }
}
