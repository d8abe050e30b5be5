//! `table-renamed`: running code may still use the old name.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{Action, DomainAction, ObjectAction, ObjectKind, Parsed, TypeAction};

pub(super) const RULE: Rule = Rule {
    code: "table-renamed",
    severity: Severity::Error,
    summary: "running code may still use the old name",
    help: "rename it and create a view of the old name in the same transaction; drop the view one deployment later",
    page: include_str!("table_renamed.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    let renamed = |name: &str| {
        vec![Finding::on(
            name,
            format!("running code may still use the name {name}"),
        )]
    };
    match step.statement {
        Parsed::AlterTable { table, actions, .. } => {
            let moves = actions
                .iter()
                .any(|action| matches!(action, Action::RenameTable(_) | Action::SetSchema(_)));
            // A view of the old name that comes with the same transaction takes its place.
            let is_live = step.alteration().is_some() && !step.at_commit.has_relation(table);
            if moves && is_live {
                renamed(table)
            } else {
                Vec::new()
            }
        }
        Parsed::AlterView {
            name,
            action: ObjectAction::Rename(_) | ObjectAction::SetSchema(_),
        } if step.before.is_live(name) && !step.at_commit.has_relation(name) => renamed(name),
        Parsed::AlterType {
            name,
            action: TypeAction::Rename(_) | TypeAction::SetSchema(_),
        }
        | Parsed::AlterDomain {
            name,
            action: DomainAction::Rename(_) | DomainAction::SetSchema(_),
        } if !step.before.is_new_type(name) && step.at_commit.type_definition(name).is_none() => {
            renamed(name)
        }
        Parsed::AlterSchema { name, .. } => renamed(name),
        // Whether running code calls it nobody can tell.
        Parsed::AlterOther {
            kind: ObjectKind::Function,
            name,
            action: ObjectAction::Rename(_) | ObjectAction::SetSchema(_),
        } if !step.before.is_of_triggers(name)
            && step.before.is_live_object(ObjectKind::Function, name)
            && !step.at_commit.has_object(ObjectKind::Function, name) =>
        {
            let message = format!("running code may still call the function {name}");
            vec![Finding::on(name, message).warned()]
        }
        _ => Vec::new(),
    }
}
