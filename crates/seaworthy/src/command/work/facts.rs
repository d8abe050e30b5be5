//! What running a step depends on in the statements that were recorded of it.

use crate::command::state::UnfinishedStep;
use crate::runner::ForeignKeys;
use crate::script::{Script, checksum};
use crate::sql::{Dialect, Object, Statement, TransactionControl, bare, read};

/// A part of a step without a transaction, before it is decided how it runs.
#[derive(Clone, Debug)]
pub(super) struct PartText {
    pub(super) sql: String,
    /// With those inside of blocks of code.
    pub(super) statements: Vec<Statement>,
    /// The checksum of the step's parts up to and including this one.
    pub(super) checksum: String,
}

/// Returns whether all that a revision sends is known beforehand.
pub(super) fn is_known(script: &Script) -> bool {
    script.incomplete.is_none() && script.reads.is_empty() && script.portable.is_empty()
}

/// Returns the first statement that begins or ends a transaction by itself; savepoints do neither.
pub(super) fn transaction_control(script: &Script) -> Option<String> {
    let found = script
        .statements
        .iter()
        .find(|statement| controls_transaction(statement));
    found.map(|statement| statement.text().to_owned())
}

/// Returns what becomes of foreign keys on SQLite during a step in a transaction.
pub(super) fn foreign_keys(script: &Script, dialect: Dialect) -> ForeignKeys {
    if dialect == Dialect::Postgresql {
        return ForeignKeys::Enforced;
    }
    if script.statements.iter().any(switches_keys_off) {
        return ForeignKeys::SwitchedOff;
    }
    if !is_known(script) {
        return ForeignKeys::Unknown;
    }
    let dropped = dropped(&script.statements);
    if dropped.is_empty() {
        return ForeignKeys::Enforced;
    }
    // What the step itself makes references is not in the database yet.
    if script.statements.iter().any(Statement::makes_references) {
        return ForeignKeys::SwitchedOff;
    }
    let renamed = renamed(&script.statements);
    ForeignKeys::DroppedWith(dropped.into_iter().chain(renamed).collect())
}

/// Returns what becomes of foreign keys on SQLite during a part of a step, which is sent as it is.
pub(super) fn foreign_keys_of_part(statements: &[Statement], dialect: Dialect) -> ForeignKeys {
    if dialect == Dialect::Postgresql {
        return ForeignKeys::Enforced;
    }
    let dropped = dropped(statements);
    match dropped.is_empty() || statements.iter().any(switches_keys_off) {
        true => ForeignKeys::Enforced,
        false => ForeignKeys::DroppedWith(dropped),
    }
}

/// Returns what becomes of foreign keys on SQLite while a revision runs of which not everything is known, without a transaction.
pub(super) fn foreign_keys_of_opaque(script: &Script, dialect: Dialect) -> ForeignKeys {
    if dialect == Dialect::Postgresql {
        return ForeignKeys::Enforced;
    }
    // What it switches off is off, for there is no transaction in the way.
    match !dropped(&script.statements).is_empty() && !script.statements.iter().any(switches_keys_off) {
        true => ForeignKeys::SwitchedOff,
        false => ForeignKeys::Enforced,
    }
}

/// Returns whether a step may change the connection for what follows, on SQLite; PostgreSQL is put back in any case.
pub(super) fn changes_connection(script: &Script, dialect: Dialect) -> bool {
    match dialect {
        Dialect::Postgresql => false,
        Dialect::Sqlite => {
            let lasts = |statement: &Statement| {
                let facts = statement.facts();
                facts.changes_session || facts.transaction == Some(TransactionControl::Begin)
            };
            !is_known(script) || script.statements.iter().any(lasts)
        }
    }
}

/// Returns whether a part sets something for the parts after it.
pub(super) fn sets_session(statements: &[Statement]) -> bool {
    statements
        .iter()
        .any(|statement| statement.facts().changes_session)
}

/// Returns whether a part may run in a transaction.
pub(super) fn fits_transaction(statements: &[Statement], dialect: Dialect) -> bool {
    let fits = |statement: &Statement| {
        let facts = statement.facts();
        // SQLite ignores a pragma there.
        let is_ignored = dialect == Dialect::Sqlite && facts.changes_session;
        !(controls_transaction(statement) || is_ignored || refuses_transaction(statement))
    };
    statements.iter().all(fits)
}

/// Returns how many statements of a step are behind those parts that an earlier run has got through.
pub(super) fn statements_done(script: &Script, step: &UnfinishedStep, dialect: Dialect) -> usize {
    // Nothing of a stale step counts as done.
    let done = if step.is_stale { 0 } else { step.parts_done };
    let parts = parts(script, dialect).into_iter().take(done);
    parts.map(|part| part.statements.len()).sum()
}

/// Returns the parts that a step without a transaction is sent in.
///
/// SQLite commits each statement of a string, so each is a part. PostgreSQL makes a transaction of a string, so it stays
/// together unless one of its statements refuses to run in one. What stands between BEGIN and COMMIT stays together.
pub(super) fn parts(script: &Script, dialect: Dialect) -> Vec<PartText> {
    let part = |sql: &str, sent: &[String]| PartText {
        sql: sql.to_owned(),
        statements: read(sql, dialect)
            .into_iter()
            .flat_map(|statement| statement.flattened(0))
            .collect(),
        checksum: checksum(sent),
    };
    let recorded = script.parts();
    let mut parts = Vec::with_capacity(recorded.len());
    for (index, sql) in recorded.iter().enumerate() {
        let pieces = pieces(sql, dialect);
        for count in 1..pieces.len() {
            let sent: Vec<String> = recorded[..index]
                .iter()
                .chain(&pieces[..count])
                .cloned()
                .collect();
            parts.push(part(&pieces[count - 1], &sent));
        }
        // The last piece ends what was recorded, however that is cut into pieces.
        parts.push(part(pieces.last().unwrap_or(sql), &recorded[..=index]));
    }
    parts
}

/// Returns the pieces of a text that have to be sent one by one; nothing where it is sent as it is.
fn pieces(sql: &str, dialect: Dialect) -> Vec<String> {
    let statements = read(sql, dialect);
    let is_cut = match dialect {
        Dialect::Sqlite => true,
        Dialect::Postgresql => statements.iter().any(refuses_transaction),
    };
    if !is_cut || statements.len() < 2 {
        return Vec::new();
    }
    let mut pieces: Vec<String> = Vec::new();
    let mut is_open = false;
    for statement in &statements {
        match pieces.last_mut() {
            Some(piece) if is_open => {
                piece.push_str(";\n");
                piece.push_str(statement.text());
            }
            _ => pieces.push(statement.text().to_owned()),
        }
        is_open = match statement.facts().transaction {
            Some(TransactionControl::Begin) => true,
            Some(TransactionControl::End) => false,
            Some(TransactionControl::Savepoint) | None => is_open,
        };
    }
    pieces
}

fn controls_transaction(statement: &Statement) -> bool {
    matches!(
        statement.facts().transaction,
        Some(TransactionControl::Begin | TransactionControl::End)
    )
}

/// Returns whether PostgreSQL refuses to run a statement in a transaction, and therefore with others in one string; a procedure
/// may end its transaction.
fn refuses_transaction(statement: &Statement) -> bool {
    statement.facts().needs_no_transaction || statement.is_call()
}

/// Returns the tables that statements drop, without their schema.
fn dropped(statements: &[Statement]) -> Vec<String> {
    let removals = statements.iter().flat_map(|statement| statement.facts().removes);
    let tables = removals.filter_map(|removal| match removal.object {
        Object::Table { name } => Some(bare(&name)),
        _ => None,
    });
    tables.collect()
}

/// Returns the tables that statements give another name, without their schema.
fn renamed(statements: &[Statement]) -> Vec<String> {
    let renames = statements.iter().flat_map(|statement| statement.facts().renames);
    let tables = renames.filter_map(|rename| match rename.object {
        Object::Table { name } => Some(bare(&name)),
        _ => None,
    });
    tables.collect()
}

/// Returns whether a statement switches foreign keys off on SQLite, in any spelling: `PRAGMA foreign_keys = OFF`,
/// `PRAGMA main.foreign_keys(0)`. What is not one of the words for yes is a no (manual, "Pragma statements").
fn switches_keys_off(statement: &Statement) -> bool {
    let mut settings = statement.facts().settings.into_iter();
    settings.any(|setting| {
        let value = setting.value.unwrap_or_default();
        let is_on = ["on", "yes", "true"].contains(&value.as_str())
            || value.parse::<i64>().is_ok_and(|number| number != 0);
        setting.name == "foreign_keys" && !is_on
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQLITE: Dialect = Dialect::Sqlite;
    const POSTGRESQL: Dialect = Dialect::Postgresql;

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
            let keys = foreign_keys(&Script::of(&[off], SQLITE), SQLITE);
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
            let keys = foreign_keys(&Script::of(&[on], SQLITE), SQLITE);
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
        let expected = ["old users", "users_old", "users"].map(str::to_owned).to_vec();
        let keys = foreign_keys(&Script::of(&statements, SQLITE), SQLITE);
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
                transaction_control(&Script::of(&[control], POSTGRESQL)).is_some(),
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
                transaction_control(&Script::of(&[other], POSTGRESQL)),
                None,
                "{other}"
            );
        }
        let trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET b = 1; END";
        assert_eq!(transaction_control(&Script::of(&[trigger], SQLITE)), None);
    }

    #[test]
    fn a_string_is_cut_where_its_statements_have_to_be_sent_one_by_one() {
        let texts = |sql: &str, dialect| -> Vec<String> {
            parts(&Script::of(&[sql], dialect), dialect)
                .into_iter()
                .map(|part| part.sql)
                .collect()
        };
        let plain = "CREATE TABLE a (id int); CREATE TABLE b (id int)";
        assert_eq!(texts(plain, POSTGRESQL), [plain]);
        assert_eq!(texts(plain, SQLITE).len(), 2);
        let built = "CREATE TABLE a (id int); CREATE INDEX CONCURRENTLY i ON a (id); -- done";
        assert_eq!(
            texts(built, POSTGRESQL),
            ["CREATE TABLE a (id int)", "CREATE INDEX CONCURRENTLY i ON a (id)"]
        );
        let own = "BEGIN; INSERT INTO a VALUES (1); COMMIT; VACUUM a";
        assert_eq!(
            texts(own, POSTGRESQL),
            ["BEGIN;\nINSERT INTO a VALUES (1);\nCOMMIT", "VACUUM a"]
        );
    }

    #[test]
    fn the_last_piece_of_a_string_has_the_checksum_of_the_whole() {
        let statements = [
            "CREATE TABLE a (id int); VACUUM a".to_owned(),
            "VACUUM".to_owned(),
        ];
        let script = Script::of(&[&statements[0], &statements[1]], POSTGRESQL);
        let checksums: Vec<String> = parts(&script, POSTGRESQL)
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
