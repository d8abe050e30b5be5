//! What a `CREATE INDEX` says that no pragma does: its expressions and its condition.

use super::cursor::{Cursor, list};
use crate::catalog::expression::{split_order, without_parentheses};

/// The parts of an index and its condition, as text.
pub(super) struct IndexStatement {
    pub(super) parts: Vec<String>,
    pub(super) predicate: Option<String>,
}

impl IndexStatement {
    pub(super) fn read(sql: &str) -> Option<Self> {
        let mut cursor = Cursor::new(sql);
        cursor.until_parentheses();
        let parts = list(cursor.parentheses()?)
            .into_iter()
            .map(|part| without_parentheses(&split_order(part).0).to_owned())
            .collect();
        let predicate = cursor
            .word("where")
            .then(|| without_parentheses(cursor.rest()).to_owned());
        Some(Self { parts, predicate })
    }
}

#[cfg(test)]
mod tests {
    use super::IndexStatement;

    #[test]
    fn expressions_and_the_condition_are_found() {
        let sql = "CREATE UNIQUE INDEX \"a(b\" ON t (lower(name), \"x\" DESC, (a + b) ASC) WHERE (done = 0 AND x IN (1, 2))";
        let statement = IndexStatement::read(sql).unwrap();
        assert_eq!(statement.parts, ["lower(name)", "\"x\"", "a + b"]);
        assert_eq!(statement.predicate.as_deref(), Some("done = 0 AND x IN (1, 2)"));
    }
}
