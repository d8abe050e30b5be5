//! What stands around statements in a script, so that it may stop anywhere: transactions, foreign keys, the session.

use super::Client;
use super::client::{FeedError, beginning};
use super::facts::Facts;
use super::spans::Spans;
use crate::script::Script;
use crate::session::search_path;
use crate::sql::quoted;

/// Statements of one schema.
#[derive(Clone, Debug)]
pub(in crate::command) struct Group<'a> {
    /// The schema; none where statements name whatever they speak of in full.
    pub(in crate::command) schema: &'a str,
    /// The statements.
    pub(in crate::command) statements: Vec<String>,
}

impl Group<'_> {
    /// Returns statements that stand in no schema.
    pub(in crate::command) fn outside(statements: Vec<String>) -> Self {
        Self {
            schema: "",
            statements,
        }
    }
}

fn set_local_path(schema: &str) -> String {
    format!("SET LOCAL search_path TO {}", quoted(schema))
}

/// What surrounds the statements of a script.
#[derive(Clone, Debug)]
pub(in crate::command) struct Frame {
    pub(super) client: Client,
    /// The statements that give the session the settings of a run.
    settings: String,
}

/// Fails, inside of a transaction, when more rows reference nothing than before. `sqlite3` has no statement that fails on a
/// condition but a constraint, whose name it shows.
const REMEMBER_KEYS: &str = "CREATE TEMP TABLE seaworthy_keys (broken_before integer, broken_after integer, \
     CONSTRAINT \"rows reference rows that are gone\" CHECK (broken_after <= broken_before));\n\
     INSERT INTO temp.seaworthy_keys (broken_before) SELECT count(*) FROM pragma_foreign_key_check;\n";
const CHECK_KEYS: &str = "UPDATE temp.seaworthy_keys SET broken_after = (SELECT count(*) FROM pragma_foreign_key_check);\n\
     DROP TABLE temp.seaworthy_keys;\n";

/// `RESET ALL` touches neither role (manual, "RESET"), and forgets a search path that was set before the script.
const RESET_SESSION: &str = "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL;\n";
const REMEMBER_PATH: &str = "SELECT pg_catalog.current_setting('search_path') AS seaworthy_path \\gset\n";
const RESTORE_PATH: &str =
    "SELECT pg_catalog.set_config('search_path', :'seaworthy_path', false) AS seaworthy_path \\gset\n";

impl Frame {
    /// `search_path` is the statement that enters the schema of a run on PostgreSQL, where one is configured.
    pub(in crate::command) fn new(client: Client, search_path: Option<&str>) -> Self {
        let settings = match client {
            // As the driver of a run has them: a conversion between times with and without a zone depends on them.
            Client::Psql => {
                let driver =
                    "SET client_encoding = 'UTF8'; SET DateStyle = 'ISO, MDY'; SET TimeZone = 'UTC';\n";
                let schema = search_path.map(|sql| format!("{sql};\n"));
                format!("{driver}{}", schema.unwrap_or_default())
            }
            Client::Sqlite3 => "PRAGMA foreign_keys = ON;\n".to_owned(),
        };
        Self { client, settings }
    }

    /// Returns the first lines of a script.
    pub(in crate::command) fn opening(&self, version: &str, verb: &str) -> String {
        format!(
            "{}-- seaworthy {version}: {verb}. Feed it to: {}\n{}",
            self.client.stop_at_errors(),
            self.client.name(),
            self.settings
        )
    }

    /// Returns statements in a transaction of their own.
    pub(super) fn transaction(&self, statements: &str) -> String {
        format!("{}{statements}COMMIT;\n", self.client.begin())
    }

    /// Returns the statements of a step and those that record it. `precondition` fails where the step may not run.
    pub(super) fn step(
        &self,
        script: &Script,
        precondition: &str,
        record: &str,
    ) -> Result<String, FeedError> {
        let facts = Facts::of(self.client, &script.sent);
        let body = match script.transaction {
            true => self.shared(&script.sent)?,
            false => self.apart(script)?,
        };
        let body = format!(
            "{precondition}{}",
            self.guarded(&body, &facts, script.transaction)
        );
        let text = match script.transaction {
            true => self.transaction(&format!("{body}{record}")),
            false => format!("{body}{}", self.transaction(record)),
        };
        Ok(self.without_keys(text, &facts))
    }

    /// Returns statements that belong to no revision: in one transaction, except for those that no transaction may hold.
    pub(in crate::command) fn statements(&self, statements: &[String]) -> Result<String, FeedError> {
        let mut text = String::new();
        let mut shared = Vec::new();
        let mut behind = Vec::new();
        for sql in statements {
            match place(self.client, sql, &shared) {
                Place::Before => text.push_str(&self.client.statement(sql)?),
                Place::Inside => shared.push(sql.clone()),
                Place::Behind => behind.push(sql),
            }
        }
        if !shared.is_empty() {
            let facts = Facts::of(self.client, &shared);
            let body = self.guarded(&self.shared(&shared)?, &facts, true);
            text.push_str(&self.without_keys(self.transaction(&body), &facts));
        }
        for sql in behind {
            text.push_str(&self.client.statement(sql)?);
        }
        Ok(text)
    }

    /// Returns statements of several schemas: in one transaction where all of them may be in one, otherwise in one for each group.
    pub(in crate::command) fn statements_of_schemas(
        &self,
        groups: &[Group<'_>],
    ) -> Result<String, FeedError> {
        let mut all: Vec<String> = Vec::new();
        for group in groups {
            let enter = (!group.schema.is_empty()).then(|| set_local_path(group.schema));
            all.extend(enter.into_iter().chain(group.statements.iter().cloned()));
        }
        let is_inside =
            |(index, sql): (usize, &String)| place(self.client, sql, &all[..index]) == Place::Inside;
        if all.iter().enumerate().all(is_inside) {
            return self.statements(&all);
        }
        let mut text = String::new();
        for group in groups {
            if !group.schema.is_empty() {
                text.push_str(&self.client.statement(&search_path(&quoted(group.schema)))?);
            }
            text.push_str(&self.statements(&group.statements)?);
        }
        Ok(text)
    }

    /// Returns statements that share a transaction with others.
    fn shared(&self, statements: &[String]) -> Result<String, FeedError> {
        let mut text = String::new();
        for sql in statements {
            if Facts::of(self.client, [sql]).control_transaction() {
                let statement = beginning(sql);
                return Err(FeedError::TransactionControl { statement });
            }
            text.push_str(&self.client.statement(sql)?);
        }
        Ok(text)
    }

    /// Returns the statements of a revision that wants no transaction around them.
    fn apart(&self, script: &Script) -> Result<String, FeedError> {
        let mut text = String::new();
        let mut is_open = false;
        for (place, sql) in script.sent.iter().enumerate() {
            // What only says what is filled in batches has a form below it that needs no runner.
            if let Some((_, portable)) = script.portable.iter().find(|(index, _)| *index == place) {
                text.push_str(
                    &self
                        .client
                        .statement(&format!("{sql}\n{}", portable.trim_end()))?,
                );
                continue;
            }
            let facts = Facts::of(self.client, [sql]);
            let written = self.client.statement(sql)?;
            // PostgreSQL carries out together what arrives in one string (manual, "Multiple Statements in a Simple Query").
            let is_together =
                self.client == Client::Psql && facts.count() > 1 && !is_open && !facts.control_transaction();
            text.push_str(&match is_together {
                true => self.transaction(&written),
                false => written,
            });
            is_open = facts.leave_transaction_open(is_open);
        }
        Ok(text)
    }

    /// Returns statements with what gives the session back as it was, and with a check of the foreign keys that are not enforced
    /// meanwhile.
    fn guarded(&self, statements: &str, facts: &Facts, in_transaction: bool) -> String {
        match self.client {
            Client::Psql => {
                let mut text = statements.to_owned();
                if facts.set_session_state(in_transaction) {
                    text = format!(
                        "{REMEMBER_PATH}{text}{RESET_SESSION}{}{RESTORE_PATH}",
                        self.settings
                    );
                }
                if facts.make_temporary_tables() {
                    text.push_str("DISCARD TEMP;\n");
                }
                text
            }
            Client::Sqlite3 => {
                let settings = facts.pragmas_put_back();
                match facts.is_rebuild() {
                    true => format!("{REMEMBER_KEYS}{statements}{settings}{CHECK_KEYS}"),
                    false => format!("{statements}{settings}"),
                }
            }
        }
    }

    /// Lets foreign keys rest on SQLite, which cannot be said inside of a transaction.
    fn without_keys(&self, text: String, facts: &Facts) -> String {
        match self.client == Client::Sqlite3 && facts.is_rebuild() {
            true => format!("PRAGMA foreign_keys = OFF;\n{text}PRAGMA foreign_keys = ON;\n"),
            false => text,
        }
    }
}

/// Where a statement stands with regard to the transaction that holds the others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    Inside,
    Behind,
}

fn place(client: Client, sql: &str, earlier: &[String]) -> Place {
    if client == Client::Sqlite3 {
        return Place::Inside;
    }
    let statements = Spans::read(client, sql).statements();
    let Some(words) = statements.first() else {
        return Place::Inside;
    };
    if words.contain(&["CONCURRENTLY"]) || words.begin_with(&["VACUUM"]) {
        return Place::Behind;
    }
    // A value that is added to an enum cannot be used before the transaction has ended, unless the enum is made in it (manual,
    // "ALTER TYPE"). Nothing depends on the value not being there.
    let adds_value = words.begin_with(&["ALTER", "TYPE"]) && words.contain(&["ADD", "VALUE"]);
    let name = words.0.get(2);
    let is_new = |sql: &String| {
        let statements = Spans::read(client, sql).statements();
        statements
            .iter()
            .any(|words| words.begin_with(&["CREATE", "TYPE"]) && words.0.get(2) == name)
    };
    match adds_value && !earlier.iter().any(is_new) {
        true => Place::Before,
        false => Place::Inside,
    }
}
