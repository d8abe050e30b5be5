//! `column-renamed`: running code may still use the old name.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{Action, ObjectAction, Parsed, TypeAction};

pub(super) const RULE: Rule = Rule {
    code: "column-renamed",
    severity: Severity::Error,
    summary: "running code may still use the old name",
    help: "add a column with the new name, keep both in step, and drop the old one when nobody reads it; DualColumn does so, and revision --rename --online writes it",
    page: include_str!("column_renamed.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    if let Parsed::AlterType {
        name,
        action: TypeAction::RenameAttribute { .. },
    } = step.statement
    {
        return vec![Finding::new(format!(
            "running code may still use the old name of the attribute of {name}"
        ))];
    }
    if let Parsed::AlterView {
        name,
        action: ObjectAction::RenameColumn { from, .. },
    } = step.statement
    {
        let is_old = !step.before.lacks(name) && step.before.is_live(name);
        let message = format!("running code may still name {name}.{from}");
        return is_old.then(|| Finding::on(name, message)).into_iter().collect();
    }
    let Some((table, actions)) = step.alteration() else {
        return Vec::new();
    };
    let renamed = actions.iter().filter_map(|action| match action {
        Action::RenameColumn { from, .. } if step.before.is_live_column(table, from) => Some(from),
        _ => None,
    });
    renamed
        .map(|from| Finding::on(table, format!("running code may still name {table}.{from}")))
        .collect()
}
