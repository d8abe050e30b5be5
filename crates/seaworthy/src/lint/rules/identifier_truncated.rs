//! `identifier-truncated`: the server cuts the name off.

use super::{Finding, Rule};
use crate::lint::Severity;
use crate::lint::step::Step;
use crate::sql::{LONGEST_NAME, Token};

pub(super) const RULE: Rule = Rule {
    code: "identifier-truncated",
    severity: Severity::Warn,
    summary: "the server cuts the name off",
    help: "choose a name of at most 63 bytes",
    page: include_str!("identifier_truncated.md"),
    check,
};

fn check(step: &Step<'_>) -> Vec<Finding> {
    let mut long: Vec<&Token> = step
        .tokens
        .iter()
        .filter(|token| token.is_name() && token.text.len() > LONGEST_NAME)
        .collect();
    long.dedup_by(|left, right| left.text == right.text);
    let found = long.first().map(|token| {
        Finding::new(format!(
            "{} has {} bytes, and the server keeps {LONGEST_NAME}",
            token.text,
            token.text.len()
        ))
    });
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use crate::lint::{Context, lint};

    #[test]
    fn bytes_count_and_not_letters() {
        let sql = format!("CREATE TABLE {} (id integer)", "é".repeat(32));
        assert_eq!(lint(&sql, &Context::default()).len(), 1);
    }
}
