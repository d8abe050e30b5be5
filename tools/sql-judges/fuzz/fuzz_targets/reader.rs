//! Any text at all: the reader neither panics nor loops, and the statements that it finds are found again in their own texts.

#![no_main]

use libfuzzer_sys::fuzz_target;
use seaworthy_sql::sql::{Dialect, Statement, read};

fuzz_target!(|text: &str| {
    for dialect in [Dialect::Postgresql, Dialect::Sqlite] {
        let statements = read(text, dialect);
        let texts = texts(&statements);
        // A comment before each keeps it from the beginning of a line, where the shell of SQLite takes a dot for a command.
        let joined = format!("/**/{}", texts.join("\n;/**/"));
        // Commands of psql end statements without a semicolon, or stand in the middle of others.
        if dialect == Dialect::Sqlite || !text.contains('\\') {
            assert_eq!(texts, self::texts(&read(&joined, dialect)), "{dialect:?}");
        }
        for statement in statements {
            drop(statement.made_columns());
            let inner = statement.body().unwrap_or_default();
            for part in statement.flattened(0).into_iter().chain(inner) {
                drop(part.facts());
            }
        }
    }
});

fn texts(statements: &[Statement]) -> Vec<String> {
    let texts = statements.iter().map(|statement| statement.text().to_owned());
    texts.collect()
}
