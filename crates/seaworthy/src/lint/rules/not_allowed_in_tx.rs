//! `not-allowed-in-tx`: the server refuses the statement inside a transaction.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::Kind;
use crate::sql::{Action, Parsed};

pub(super) const RULE: Rule = Rule {
    code: "not-allowed-in-tx",
    severity: Severity::Error,
    summary: "the server refuses the statement inside a transaction",
    help: "let the revision opt out of its transaction, or move the statement into a revision of its own",
    page: include_str!("not_allowed_in_tx.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    if !step.in_transaction {
        return Vec::new();
    }
    let outside = |what: &str| vec![Finding::new(format!("{what} cannot run inside a transaction"))];
    match step.statement {
        Parsed::CreateIndex(create) if create.concurrently => outside("CREATE INDEX CONCURRENTLY"),
        Parsed::DropIndex {
            concurrently: true, ..
        } => outside("DROP INDEX CONCURRENTLY"),
        Parsed::Maintenance(work) if work.needs_no_transaction => outside(work.what),
        Parsed::Outside { what } => outside(what),
        Parsed::Drop(drop) if drop.kind == crate::sql::ObjectKind::Database => outside("DROP DATABASE"),
        Parsed::AlterTable { actions, .. }
            if actions.iter().any(|action| {
                matches!(
                    action,
                    Action::Detach {
                        concurrently: true,
                        ..
                    }
                )
            }) =>
        {
            outside("DETACH PARTITION CONCURRENTLY")
        }
        Parsed::Harmless => Vec::new(),
        _ => {
            let used = step
                .tokens
                .iter()
                .find(|token| token.kind == Kind::Text && step.state.enum_values.contains(&token.text));
            let is_adding = matches!(step.statement, Parsed::AlterType { .. });
            let used = used.filter(|_| !is_adding).map(|value| {
                Finding::new(format!(
                    "the enum value '{}' cannot be used before its transaction is committed",
                    value.text
                ))
            });
            used.into_iter().collect()
        }
    }
}
