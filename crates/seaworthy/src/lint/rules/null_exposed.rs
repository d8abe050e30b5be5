//! `null-exposed`: running code may meet a NULL that it does not expect.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{Action, ConstraintKind, DomainAction, Parsed};

pub(super) const RULE: Rule = Rule {
    code: "null-exposed",
    severity: Severity::Warn,
    summary: "running code may meet a NULL that it does not expect",
    help: "deploy code that can read NULL first",
    page: include_str!("null_exposed.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    if let Parsed::AlterDomain {
        name,
        action: DomainAction::DropNotNull,
    } = step.statement
    {
        return vec![Finding::new(format!(
            "running code may not expect NULL in a column of {name}"
        ))];
    }
    let Some((table, actions)) = step.alteration() else {
        return Vec::new();
    };
    let columns = actions.iter().filter_map(|action| match action {
        Action::DropNotNull(column) => Some(column.clone()),
        Action::DropConstraint { name, .. } => {
            let constraints = &step.before.table(table)?.constraints;
            let dropped = constraints
                .iter()
                .find(|constraint| constraint.name.as_ref() == Some(name))?;
            match &dropped.kind {
                ConstraintKind::NotNull(column) => Some(column.clone()),
                _ => None,
            }
        }
        _ => None,
    });
    let exposed = columns.filter(|column| {
        let was_nullable = step.column(table, column).is_some_and(|known| !known.not_null);
        let is_nullable = step
            .at_commit
            .column(table, column)
            .is_none_or(|known| !known.not_null);
        !was_nullable && is_nullable && step.before.is_live_column(table, column)
    });
    let found = exposed.map(|column| {
        Finding::on(
            table,
            format!("running code may not expect NULL in {table}.{column}"),
        )
    });
    found.collect()
}
