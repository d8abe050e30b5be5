//! `enum-changed`: old and new code disagree about stored values.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{Parsed, TypeAction};

pub(super) const RULE: Rule = Rule {
    code: "enum-changed",
    severity: Severity::Error,
    summary: "old and new code disagree about stored values",
    help: "add the new label, write it from new code, and move the rows over in batches",
    page: include_str!("enum_changed.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    match step.statement {
        Parsed::AlterType {
            name,
            action: TypeAction::RenameValue,
        } if !step.before.is_new_type(name) => {
            vec![Finding::new(format!(
                "running code may still read and write the old label of {name}"
            ))]
        }
        _ => Vec::new(),
    }
}
