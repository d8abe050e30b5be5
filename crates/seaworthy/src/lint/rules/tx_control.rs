//! `tx-control`: the script ends or begins a transaction that is not its own.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::Surrounding;
use crate::lint::step::Step;
use crate::sql::{Parsed, TransactionVerb};

pub(super) const RULE: Rule = Rule {
    code: "tx-control",
    severity: Severity::Error,
    summary: "the script ends or begins a transaction that is not its own",
    help: "leave BEGIN and COMMIT to the runner; let the revision opt out of its transaction where it has to",
    page: include_str!("tx_control.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    let Parsed::Transaction(verb) = step.statement else {
        return Vec::new();
    };
    let is_foreign =
        step.state.surrounding == Surrounding::Transaction && *verb != TransactionVerb::Savepoint;
    if is_foreign {
        return vec![Finding::new("the transaction belongs to the runner".to_owned())];
    }
    if step.is_left_open {
        return vec![Finding::new("the transaction is never ended".to_owned())];
    }
    Vec::new()
}
