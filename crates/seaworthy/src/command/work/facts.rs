//! What running a step depends on in the SQL that was recorded of it: everything that the runner knows of SQL is decided here.

use sea_orm::DbBackend;

use super::statement::{Statement, Token, statements};
use crate::runner::ForeignKeys;
use crate::script::{Script, checksum};

/// A part of a step without a transaction, before it is decided how it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PartText {
    pub(super) sql: String,
    /// The checksum of the step's parts up to and including this one.
    pub(super) checksum: String,
}

/// Returns whether all that a revision sends is known beforehand.
pub(super) fn is_known(script: &Script) -> bool {
    script.incomplete.is_none() && script.reads.is_empty() && script.portable.is_empty()
}

/// Returns the first statement that begins or ends a transaction by itself; savepoints do neither.
pub(super) fn transaction_control(script: &Script, backend: DbBackend) -> Option<String> {
    all(script, backend)
        .into_iter()
        .find(controls_transaction)
        .map(|statement| statement.text.to_owned())
}

/// Returns what becomes of foreign keys on SQLite during a step in a transaction.
pub(super) fn foreign_keys(script: &Script, backend: DbBackend) -> ForeignKeys {
    if backend != DbBackend::Sqlite {
        return ForeignKeys::Enforced;
    }
    let statements = all(script, backend);
    if statements.iter().any(switches_keys_off) {
        return ForeignKeys::SwitchedOff;
    }
    if !is_known(script) {
        return ForeignKeys::Unknown;
    }
    keys_of(&statements)
}

/// Returns what becomes of foreign keys on SQLite during a part of a step, which is sent as it is.
pub(super) fn foreign_keys_of_part(sql: &str, backend: DbBackend) -> ForeignKeys {
    if backend != DbBackend::Sqlite {
        return ForeignKeys::Enforced;
    }
    let statements = statements(sql, backend);
    let dropped: Vec<String> = statements.iter().filter_map(dropped_table).collect();
    match dropped.is_empty() || statements.iter().any(switches_keys_off) {
        true => ForeignKeys::Enforced,
        false => ForeignKeys::DroppedWith(dropped),
    }
}

/// Returns what becomes of foreign keys on SQLite while a revision runs of which not everything is known, without a transaction.
pub(super) fn foreign_keys_of_opaque(script: &Script, backend: DbBackend) -> ForeignKeys {
    if backend != DbBackend::Sqlite {
        return ForeignKeys::Enforced;
    }
    let statements = all(script, backend);
    let drops = statements
        .iter()
        .any(|statement| dropped_table(statement).is_some());
    // What it switches off is off, for there is no transaction in the way.
    match drops && !statements.iter().any(switches_keys_off) {
        true => ForeignKeys::SwitchedOff,
        false => ForeignKeys::Enforced,
    }
}

/// Returns whether a step may change the connection for what follows, on SQLite; PostgreSQL is put back in any case.
pub(super) fn changes_connection(script: &Script, backend: DbBackend) -> bool {
    if backend != DbBackend::Sqlite {
        return false;
    }
    let is_lasting = |token: &Token| {
        let words = ["pragma", "temp", "temporary", "attach", "detach", "begin"];
        token
            .value()
            .is_some_and(|value| words.iter().any(|word| value.eq_ignore_ascii_case(word)))
    };
    !is_known(script)
        || all(script, backend)
            .iter()
            .any(|statement| statement.tokens.iter().any(is_lasting))
}

/// Returns whether a part sets something for the parts after it.
pub(super) fn sets_session(sql: &str, backend: DbBackend) -> bool {
    statements(sql, backend).iter().any(|statement| {
        let makes_temporary =
            statement.begins_with(&["create", "temp"]) || statement.begins_with(&["create", "temporary"]);
        let first = ["set", "reset", "pragma", "attach"];
        first.iter().any(|word| statement.begins_with(&[word]))
            || makes_temporary
            || (statement.begins_with(&["select"]) && statement.has_word("set_config"))
    })
}

/// Returns whether a part may run in a transaction with others, on SQLite.
pub(super) fn fits_transaction(sql: &str, backend: DbBackend) -> bool {
    let refused = ["pragma", "vacuum", "attach", "detach"];
    backend == DbBackend::Sqlite
        && statements(sql, backend).iter().all(|statement| {
            !controls_transaction(statement) && !refused.iter().any(|word| statement.begins_with(&[word]))
        })
}

/// Returns the parts that a step without a transaction is sent in.
///
/// SQLite commits each statement of a string, so each is a part. PostgreSQL makes a transaction of a string, so it stays
/// together unless one of its statements refuses to run in one. What stands between BEGIN and COMMIT stays together.
pub(super) fn parts(script: &Script, backend: DbBackend) -> Vec<PartText> {
    let recorded = script.parts();
    let mut parts = Vec::with_capacity(recorded.len());
    for (index, sql) in recorded.iter().enumerate() {
        let pieces = pieces(sql, backend);
        for count in 1..pieces.len() {
            let sent: Vec<String> = recorded[..index]
                .iter()
                .chain(&pieces[..count])
                .cloned()
                .collect();
            parts.push(PartText {
                sql: pieces[count - 1].clone(),
                checksum: checksum(&sent),
            });
        }
        parts.push(PartText {
            sql: pieces.last().unwrap_or(sql).clone(),
            // The last piece ends the recorded statement, however that is cut into pieces.
            checksum: checksum(&recorded[..=index]),
        });
    }
    parts
}

/// Returns the pieces of a text that have to be sent one by one; nothing where it is sent as it is.
fn pieces(sql: &str, backend: DbBackend) -> Vec<String> {
    let statements = statements(sql, backend);
    let is_cut = backend == DbBackend::Sqlite || statements.iter().any(refuses_transaction);
    if !is_cut || statements.len() < 2 {
        return Vec::new();
    }
    let mut pieces: Vec<String> = Vec::new();
    let mut is_open = false;
    for statement in &statements {
        match pieces.last_mut() {
            Some(piece) if is_open => {
                piece.push_str(";\n");
                piece.push_str(statement.text);
            }
            _ => pieces.push(statement.text.to_owned()),
        }
        let begins = statement.begins_with(&["begin"]) || statement.begins_with(&["start"]);
        is_open = begins || (is_open && !controls_transaction(statement));
    }
    pieces
}

fn all(script: &Script, backend: DbBackend) -> Vec<Statement<'_>> {
    script
        .statements
        .iter()
        .flat_map(|sql| statements(sql, backend))
        .collect()
}

fn keys_of(all: &[Statement<'_>]) -> ForeignKeys {
    let dropped: Vec<String> = all.iter().filter_map(dropped_table).collect();
    if dropped.is_empty() {
        return ForeignKeys::Enforced;
    }
    // What the step itself makes references is not in the database yet.
    if all.iter().any(|statement| statement.has_word("references")) {
        return ForeignKeys::SwitchedOff;
    }
    let renamed = all.iter().filter_map(renamed_table);
    ForeignKeys::DroppedWith(dropped.into_iter().chain(renamed).collect())
}

fn controls_transaction(statement: &Statement<'_>) -> bool {
    let begins = |words: &[&str]| statement.begins_with(words);
    let ends = begins(&["commit"]) || begins(&["end"]) || begins(&["abort"]);
    begins(&["begin"])
        || begins(&["start", "transaction"])
        || ends
        || (begins(&["rollback"]) && !statement.has_word("to"))
        || begins(&["prepare", "transaction"])
}

/// Returns whether PostgreSQL refuses to run a statement in a transaction, and therefore with others in one string.
fn refuses_transaction(statement: &Statement<'_>) -> bool {
    let refused: [&[&str]; 14] = [
        &["vacuum"],
        &["cluster"],
        &["call"],
        &["reindex"],
        &["alter", "system"],
        &["create", "database"],
        &["drop", "database"],
        &["alter", "database"],
        &["create", "tablespace"],
        &["drop", "tablespace"],
        &["create", "subscription"],
        &["alter", "subscription"],
        &["drop", "subscription"],
        &["discard", "all"],
    ];
    statement.has_word("concurrently") || refused.iter().any(|words| statement.begins_with(words))
}

/// Returns the table that a statement drops, on SQLite, without its schema.
fn dropped_table(statement: &Statement<'_>) -> Option<String> {
    if !statement.begins_with(&["drop", "table"]) {
        return None;
    }
    let is_conditional = statement.begins_with(&["drop", "table", "if", "exists"]);
    name(&statement.tokens[if is_conditional { 4 } else { 2 }..])
}

/// Returns the table that a statement gives another name, on SQLite, without its schema.
fn renamed_table(statement: &Statement<'_>) -> Option<String> {
    if !statement.begins_with(&["alter", "table"]) {
        return None;
    }
    let mut words = statement
        .tokens
        .iter()
        .skip_while(|token| !token.is_word("rename"));
    words.next()?;
    words
        .next()?
        .is_word("to")
        .then(|| name(&statement.tokens[2..]))?
}

/// Returns the last part of the name at the beginning of some tokens.
fn name(tokens: &[Token]) -> Option<String> {
    let is_qualified = tokens.get(1).is_some_and(|token| token.is_symbol('.'));
    let name = tokens.get(if is_qualified { 2 } else { 0 })?;
    name.value().map(str::to_owned)
}

/// Returns whether a statement switches foreign keys off on SQLite, in any spelling: `PRAGMA foreign_keys = OFF`,
/// `PRAGMA main.foreign_keys(0)`. What is not one of the words for yes is a no (manual, "Pragma statements").
fn switches_keys_off(statement: &Statement<'_>) -> bool {
    if !statement.begins_with(&["pragma"]) {
        return false;
    }
    let tokens = &statement.tokens[1..];
    let is_it = name(tokens).is_some_and(|name| name.eq_ignore_ascii_case("foreign_keys"));
    let mut rest = tokens
        .iter()
        .skip_while(|token| !token.is_symbol('=') && !token.is_symbol('('));
    if !is_it || rest.next().is_none() {
        return false;
    }
    let value = rest.next().and_then(Token::value).unwrap_or_default();
    let is_on = ["on", "yes", "true"]
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word))
        || value.parse::<i64>().is_ok_and(|number| number != 0);
    !is_on
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(statements: &[&str]) -> Script {
        Script {
            statements: statements.iter().map(|&sql| sql.to_owned()).collect(),
            reads: Vec::new(),
            transaction: true,
            incomplete: None,
            portable: Vec::new(),
        }
    }

    #[test]
    fn keys_are_switched_off_however_it_is_written() {
        for off in [
            "PRAGMA foreign_keys = OFF",
            "pragma foreign_keys=0;",
            "PRAGMA foreign_keys(0)",
            "PRAGMA main.foreign_keys = 'off'",
            "/* first */ PRAGMA \"foreign_keys\" = no -- last",
            "SELECT 1; PRAGMA foreign_keys = false; SELECT 2",
            "PRAGMA Foreign_Keys(\"False\")",
        ] {
            let keys = foreign_keys(&script(&[off]), DbBackend::Sqlite);
            assert_eq!(keys, ForeignKeys::SwitchedOff, "{off}");
        }
        for on in [
            "PRAGMA foreign_keys",
            "PRAGMA foreign_keys = ON",
            "PRAGMA foreign_keys(1)",
            "PRAGMA foreign_key_check",
            "PRAGMA recursive_triggers = OFF",
            "SELECT 'PRAGMA foreign_keys = OFF'",
            "-- PRAGMA foreign_keys = OFF",
        ] {
            let keys = foreign_keys(&script(&[on]), DbBackend::Sqlite);
            assert_eq!(keys, ForeignKeys::Enforced, "{on}");
        }
    }

    #[test]
    fn dropped_and_renamed_tables_are_found_however_they_are_written() {
        let statements = [
            "DROP TABLE IF EXISTS main.\"Old Users\"",
            "alter table users rename to users_old; drop table [users_old]",
            "ALTER TABLE notes RENAME COLUMN a TO b",
        ];
        let expected = ["Old Users", "users_old", "users"].map(str::to_owned).to_vec();
        let keys = foreign_keys(&script(&statements), DbBackend::Sqlite);
        assert_eq!(keys, ForeignKeys::DroppedWith(expected));
    }

    #[test]
    fn transaction_control_is_found_in_any_spelling_and_savepoints_are_none() {
        for control in [
            "COMMIT",
            "commit work",
            "SELECT 1; Rollback",
            "-- so be it\nEND",
            "begin immediate",
            "START TRANSACTION",
            "PREPARE TRANSACTION 'x'",
            "/* now */ ABORT",
        ] {
            assert!(
                transaction_control(&script(&[control]), DbBackend::Postgres).is_some(),
                "{control}"
            );
        }
        for other in [
            "SAVEPOINT step_1",
            "RELEASE SAVEPOINT step_1",
            "ROLLBACK TO SAVEPOINT step_1",
            "ROLLBACK WORK TO step_1",
            "DO $$ BEGIN PERFORM 1; END $$",
            "PREPARE plan AS SELECT 1",
            "SELECT 'COMMIT'; -- COMMIT",
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END",
        ] {
            assert_eq!(
                transaction_control(&script(&[other]), DbBackend::Postgres),
                None,
                "{other}"
            );
        }
        let trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET b = 1; END";
        assert_eq!(transaction_control(&script(&[trigger]), DbBackend::Sqlite), None);
    }

    #[test]
    fn a_string_is_cut_where_its_statements_have_to_be_sent_one_by_one() {
        let texts = |sql: &str, backend| -> Vec<String> {
            parts(&script(&[sql]), backend)
                .into_iter()
                .map(|part| part.sql)
                .collect()
        };
        let plain = "CREATE TABLE a (id int); CREATE TABLE b (id int)";
        assert_eq!(texts(plain, DbBackend::Postgres), [plain]);
        assert_eq!(texts(plain, DbBackend::Sqlite).len(), 2);
        let built = "CREATE TABLE a (id int); CREATE INDEX CONCURRENTLY i ON a (id); -- done";
        assert_eq!(
            texts(built, DbBackend::Postgres),
            ["CREATE TABLE a (id int)", "CREATE INDEX CONCURRENTLY i ON a (id)"]
        );
        let own = "BEGIN; INSERT INTO a VALUES (1); COMMIT; VACUUM a";
        assert_eq!(
            texts(own, DbBackend::Postgres),
            ["BEGIN;\nINSERT INTO a VALUES (1);\nCOMMIT", "VACUUM a"]
        );
    }

    #[test]
    fn the_last_piece_of_a_string_has_the_checksum_of_the_whole() {
        let statements = [
            "CREATE TABLE a (id int); VACUUM a".to_owned(),
            "VACUUM".to_owned(),
        ];
        let script = script(&[&statements[0], &statements[1]]);
        let checksums: Vec<String> = parts(&script, DbBackend::Postgres)
            .into_iter()
            .map(|part| part.checksum)
            .collect();
        assert_eq!(
            checksums[1..],
            [checksum(&statements[..1]), checksum(&statements)]
        );
        assert_ne!(checksums[0], checksums[1]);
    }
}
