//! What the statements of a step do to its transaction, to the session and to foreign keys.

use super::Client;
use crate::sql::{Facts as Known, Object, TransactionControl, read};

/// The statements of a step as far as a script has to know them.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    statements: Vec<Known>,
    count: usize,
}

/// Settings of a SQLite connection that change what later statements do, each with its default.
const PRAGMAS: [(&str, &str); 7] = [
    ("case_sensitive_like", "OFF"),
    ("ignore_check_constraints", "OFF"),
    ("legacy_alter_table", "OFF"),
    ("query_only", "OFF"),
    ("recursive_triggers", "OFF"),
    ("reverse_unordered_selects", "OFF"),
    ("writable_schema", "OFF"),
];

impl Facts {
    pub(super) fn of<'a>(client: Client, statements: impl IntoIterator<Item = &'a String>) -> Self {
        let mut facts = Self::default();
        for statement in statements.into_iter().flat_map(|sql| read(sql, client.dialect())) {
            facts.count += 1;
            let flattened = statement.flattened(0);
            facts
                .statements
                .extend(flattened.iter().map(crate::sql::Statement::facts));
        }
        facts
    }

    /// Returns how many statements there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Returns whether a statement begins or ends a transaction; savepoints do not.
    pub(super) fn control_transaction(&self) -> bool {
        let mut controls = self.statements.iter().filter_map(|facts| facts.transaction);
        controls.any(|control| control != TransactionControl::Savepoint)
    }

    /// Returns whether a transaction is open behind the statements.
    pub(super) fn leave_transaction_open(&self, was_open: bool) -> bool {
        self.statements
            .iter()
            .fold(was_open, |is_open, facts| match facts.transaction {
                Some(TransactionControl::Begin) => true,
                Some(TransactionControl::End) => false,
                Some(TransactionControl::Savepoint) | None => is_open,
            })
    }

    /// Returns whether SQLite has to leave foreign keys alone: a table that is dropped deletes its rows first, which deletes the
    /// rows that reference them (manual, "Foreign Key Support", 5).
    pub(super) fn is_rebuild(&self) -> bool {
        self.statements.iter().any(|facts| {
            let drops = facts
                .removes
                .iter()
                .any(|removal| matches!(removal.object, Object::Table { .. }));
            let renames = facts
                .renames
                .iter()
                .any(|rename| matches!(rename.object, Object::Table { .. }));
            let switches_off = facts
                .settings
                .iter()
                .any(|setting| setting.name == "foreign_keys" && is_off(setting.value.as_deref()));
            drops || renames || switches_off
        })
    }

    /// Returns whether the statements may leave a PostgreSQL session with another role or other settings; those of `SET LOCAL`
    /// last as long as the transaction does. Code that is not read may do so as well.
    pub(super) fn set_session_state(&self, in_transaction: bool) -> bool {
        self.statements.iter().any(|facts| {
            let sets = facts
                .settings
                .iter()
                .any(|setting| in_transaction || !setting.is_local);
            sets || !facts.not_understood.is_empty()
        })
    }

    /// Returns whether the statements may leave temporary tables behind on PostgreSQL.
    pub(super) fn make_temporary_tables(&self) -> bool {
        let temporary = |facts: &Known| facts.changes_session && facts.settings.is_empty();
        self.statements
            .iter()
            .any(|facts| temporary(facts) || !facts.not_understood.is_empty())
    }

    /// Returns the statements that give SQLite's settings their defaults where the statements leave them otherwise.
    pub(super) fn pragmas_put_back(&self) -> String {
        let is_left = |name: &str| {
            let mut settings = self.statements.iter().flat_map(|facts| &facts.settings);
            let last = settings.rfind(|setting| setting.name == name);
            last.is_some_and(|setting| !is_off(setting.value.as_deref()))
        };
        PRAGMAS
            .iter()
            .filter(|(name, _)| is_left(name))
            .map(|(name, default)| format!("PRAGMA {name} = {default};\n"))
            .collect()
    }
}

fn is_off(value: Option<&str>) -> bool {
    value.is_some_and(|value| ["off", "0", "false", "no", "reset"].contains(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(client: Client, sql: &str) -> Facts {
        Facts::of(client, &[sql.to_owned()])
    }

    #[test]
    fn a_rebuild_is_seen_in_every_spelling() {
        for sql in [
            "drop table if exists a",
            "SELECT 1; /* b */ DROP /* c */ TABLE a",
            "ALTER TABLE \"a\" RENAME TO b",
            "PRAGMA foreign_keys(0)",
            "-- off\nPRAGMA main.foreign_keys = 'off'",
        ] {
            assert!(facts(Client::Sqlite3, sql).is_rebuild(), "{sql}");
        }
        for sql in [
            "SELECT 'DROP TABLE a'",
            "ALTER TABLE a RENAME b TO c",
            "PRAGMA foreign_keys = ON",
            "CREATE TRIGGER t AFTER DELETE ON a BEGIN SELECT 1; END",
        ] {
            assert!(!facts(Client::Sqlite3, sql).is_rebuild(), "{sql}");
        }
    }

    #[test]
    fn a_savepoint_controls_no_transaction() {
        for sql in [
            "COMMIT",
            "SELECT 1; begin",
            "START TRANSACTION",
            "ROLLBACK",
            "DO $$ BEGIN COMMIT; END $$",
        ] {
            assert!(facts(Client::Psql, sql).control_transaction(), "{sql}");
        }
        for sql in [
            "SAVEPOINT a; ROLLBACK TO SAVEPOINT a; RELEASE SAVEPOINT a",
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END",
        ] {
            assert!(!facts(Client::Psql, sql).control_transaction(), "{sql}");
        }
    }

    #[test]
    fn what_is_left_of_a_session_is_seen() {
        for sql in [
            "SET search_path = tenant",
            "SELECT pg_catalog.set_config('search_path', '', false)",
            "DO $$ BEGIN SET ROLE ada; END $$",
        ] {
            assert!(facts(Client::Psql, sql).set_session_state(true), "{sql}");
        }
        assert!(!facts(Client::Psql, "UPDATE a SET b = 1").set_session_state(true));
        let local = facts(Client::Psql, "SET LOCAL role = ada");
        assert!(local.set_session_state(true));
        assert!(!local.set_session_state(false));
        assert!(facts(Client::Psql, "SELECT 1 AS a INTO TEMP b").make_temporary_tables());
        let pragmas =
            "PRAGMA legacy_alter_table = ON; PRAGMA legacy_alter_table = OFF; PRAGMA recursive_triggers(1)";
        assert_eq!(
            facts(Client::Sqlite3, pragmas).pragmas_put_back(),
            "PRAGMA recursive_triggers = OFF;\n"
        );
    }
}
