//! What the statements of a step do to its transaction, to the session and to foreign keys.

use super::Client;
use super::spans::{Spans, Words};

/// The statements of a step as far as a script has to know them.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    statements: Vec<Words>,
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
        let statements = statements
            .into_iter()
            .flat_map(|sql| Spans::read(client, sql).statements())
            .filter(|words| !words.0.is_empty())
            .collect();
        Self { statements }
    }

    /// Returns how many statements there are.
    pub(super) fn count(&self) -> usize {
        self.statements.len()
    }

    /// Returns whether a statement begins or ends a transaction; savepoints do not.
    pub(super) fn control_transaction(&self) -> bool {
        self.statements
            .iter()
            .any(|words| begins_transaction(words) || ends_transaction(words))
    }

    /// Returns whether a transaction is open behind the statements.
    pub(super) fn leave_transaction_open(&self, was_open: bool) -> bool {
        self.statements.iter().fold(was_open, |is_open, words| {
            begins_transaction(words) || (is_open && !ends_transaction(words))
        })
    }

    /// Returns whether SQLite has to leave foreign keys alone: a table that is dropped deletes its rows first, which deletes the
    /// rows that reference them (manual, "Foreign Key Support", 5).
    pub(super) fn is_rebuild(&self) -> bool {
        self.statements.iter().any(|words| {
            words.begin_with(&["DROP", "TABLE"])
                || (words.begin_with(&["ALTER", "TABLE"]) && words.contain(&["RENAME", "TO"]))
                || (is_pragma(words, "FOREIGN_KEYS") && is_off(words))
        })
    }

    /// Returns whether the statements may leave a PostgreSQL session with another role or other settings; those of `SET LOCAL`
    /// last as long as the transaction does.
    pub(super) fn set_session_state(&self, in_transaction: bool) -> bool {
        self.statements.iter().any(|words| {
            let sets = ["SET", "RESET", "DISCARD", "CALL"];
            let is_over = words.begin_with(&["SET", "LOCAL"]) && !in_transaction;
            (sets.iter().any(|keyword| words.begin_with(&[keyword])) && !is_over)
                || words.contain(&["SET_CONFIG"])
                || (words.begin_with(&["DO"]) && mention(words, "SET"))
        })
    }

    /// Returns whether the statements may leave temporary tables behind on PostgreSQL.
    pub(super) fn make_temporary_tables(&self) -> bool {
        self.statements.iter().any(|words| {
            let is_temporary = |keyword: &str| {
                words.begin_with(&["CREATE", keyword])
                    || words.begin_with(&["CREATE", "LOCAL", keyword])
                    || words.contain(&["INTO", keyword])
            };
            is_temporary("TEMP")
                || is_temporary("TEMPORARY")
                || words.contain(&["PG_TEMP"])
                || (words.begin_with(&["DO"]) && mention(words, "TEMP"))
        })
    }

    /// Returns the statements that give SQLite's settings their defaults where the statements leave them otherwise.
    pub(super) fn pragmas_put_back(&self) -> String {
        let is_left = |name: &str| {
            let name = name.to_ascii_uppercase();
            let last = self.statements.iter().rfind(|words| is_pragma(words, &name));
            last.is_some_and(|words| !is_off(words))
        };
        PRAGMAS
            .iter()
            .filter(|(name, _)| is_left(name))
            .map(|(name, default)| format!("PRAGMA {name} = {default};\n"))
            .collect()
    }
}

fn begins_transaction(words: &Words) -> bool {
    words.begin_with(&["BEGIN"]) || words.begin_with(&["START", "TRANSACTION"])
}

fn ends_transaction(words: &Words) -> bool {
    let ends = ["COMMIT", "END", "ABORT", "ROLLBACK"];
    let is_end = ends.iter().any(|keyword| words.begin_with(&[keyword]))
        || words.begin_with(&["PREPARE", "TRANSACTION"]);
    is_end && !words.contain(&["TO"])
}

fn is_pragma(words: &Words, name: &str) -> bool {
    words.begin_with(&["PRAGMA"]) && words.0.iter().any(|word| word.text == name)
}

fn is_off(words: &Words) -> bool {
    let last = words.0.iter().rfind(|word| word.text != ")");
    last.is_some_and(|word| ["OFF", "0", "FALSE", "NO", "RESET"].contains(&word.text.as_str()))
}

fn mention(words: &Words, keyword: &str) -> bool {
    words.0.iter().any(|word| word.text.contains(keyword))
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
        for sql in ["COMMIT", "SELECT 1; begin", "START TRANSACTION", "ROLLBACK"] {
            assert!(facts(Client::Psql, sql).control_transaction(), "{sql}");
        }
        for sql in [
            "SAVEPOINT a; ROLLBACK TO SAVEPOINT a; RELEASE SAVEPOINT a",
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END",
            "DO $$ BEGIN COMMIT; END $$",
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
