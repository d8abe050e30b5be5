//! `opaque-sql`: what the statement does cannot be read from it.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{Action, Parsed};

pub(in crate::lint) const CODE: &str = "opaque-sql";

pub(super) const RULE: Rule = Rule {
    code: CODE,
    severity: Severity::Warn,
    summary: "what the statement does cannot be read from it",
    help: "write the statements out, or have a person vouch for them",
    page: include_str!("opaque_sql.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    if let Some(what) = step.unclosed {
        return vec![Finding::new(format!("{what} is opened and never closed"))];
    }
    match step.statement {
        // The block that it is part of says so.
        Parsed::Opaque { .. } if step.is_inner => Vec::new(),
        Parsed::Opaque { what } => vec![Finding::new(what.clone())],
        Parsed::Block { .. } => {
            let mut hidden: Vec<&str> = Vec::new();
            for statement in &step.code {
                if let Parsed::Opaque { what } = statement
                    && !hidden.contains(&what.as_str())
                {
                    hidden.push(what);
                }
            }
            let message = format!("a DO block hides what it does: {}", hidden.join("; "));
            (!hidden.is_empty())
                .then(|| Finding::new(message))
                .into_iter()
                .collect()
        }
        Parsed::Call { .. } => vec![Finding::new("a procedure hides its statements".to_owned())],
        Parsed::AlterTable { table, actions, .. } => {
            let unknown = actions.iter().filter_map(|action| match action {
                Action::Unknown(text) => Some(Finding::on(table, format!("{text} is not understood"))),
                _ => None,
            });
            unknown.collect()
        }
        Parsed::Select { functions } => {
            let changes = functions.iter().find(|name| {
                step.before
                    .function(name)
                    .is_some_and(|function| function.is_volatile && function.changes_things)
            });
            let found =
                changes.map(|name| Finding::new(format!("the function {name} hides what it changes")));
            found.into_iter().collect()
        }
        _ => Vec::new(),
    }
}
