//! `heavy-maintenance`: the whole relation is rewritten or rebuilt under a lock.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{IndexAction, Parsed};

pub(super) const RULE: Rule = Rule {
    code: "heavy-maintenance",
    severity: Severity::Error,
    summary: "the whole relation is rewritten or rebuilt under a lock",
    help: "use the CONCURRENTLY form, or pg_repack for a table",
    page: include_str!("heavy_maintenance.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    let (what, name) = match step.statement {
        Parsed::Maintenance(work) if work.blocks => (work.what, work.name.as_deref()),
        Parsed::AlterIndex {
            name,
            action: IndexAction::SetTablespace,
        } => ("SET TABLESPACE", Some(name.as_str())),
        _ => return Vec::new(),
    };
    let index = name.and_then(|name| step.before.index(name));
    let relation = index.map_or(name, |index| Some(index.table.as_str()));
    match relation {
        Some(relation) if !step.before.is_live(relation) => Vec::new(),
        Some(relation) => vec![Finding::on(
            relation,
            format!("{what} blocks {relation} for its whole run"),
        )],
        None => vec![Finding::new(format!(
            "{what} blocks one table after the other for its whole run"
        ))],
    }
}
