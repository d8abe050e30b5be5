//! The program that a script is fed to, and SQL text as that program passes it on unchanged.

use sea_orm::DbBackend;
use thiserror::Error;

use super::spans::{Kind, Spans, Words, is_identifier};
use crate::session::dialect_of;
use crate::sql::Dialect;

/// A program that reads SQL text and sends it to a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::command) enum Client {
    /// PostgreSQL's.
    Psql,
    /// SQLite's.
    Sqlite3,
}

/// A statement that cannot be fed to the client.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum FeedError {
    /// Both clients end a line at a NUL character.
    #[error("a statement contains a NUL character: {statement}")]
    Nul {
        /// How the statement begins.
        statement: String,
    },
    /// It would swallow the statements after it.
    #[error("a {what} is not closed: {statement}")]
    Unclosed {
        /// A quote or a comment.
        what: &'static str,
        /// How the statement begins.
        statement: String,
    },
    /// The client would execute it instead of sending it.
    #[error("{client} would read a command of its own: {statement}")]
    ClientCommand {
        /// The client.
        client: &'static str,
        /// How the statement begins.
        statement: String,
    },
    /// `psql` would take the statements after it for rows.
    #[error("COPY reads its rows from standard input, which is the script: {statement}")]
    CopyFromStdin {
        /// How the statement begins.
        statement: String,
    },
    /// It would end the transaction that the step and its version row share.
    #[error("a statement controls the transaction of its step: {statement}")]
    TransactionControl {
        /// How the statement begins.
        statement: String,
    },
}

impl Client {
    pub(in crate::command) fn of_backend(backend: DbBackend) -> Self {
        Self::of_dialect(dialect_of(backend))
    }

    pub(in crate::command) fn of_dialect(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Postgresql => Self::Psql,
            Dialect::Sqlite => Self::Sqlite3,
        }
    }

    pub(super) fn dialect(self) -> Dialect {
        match self {
            Self::Psql => Dialect::Postgresql,
            Self::Sqlite3 => Dialect::Sqlite,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Psql => "psql",
            Self::Sqlite3 => "sqlite3",
        }
    }

    /// Returns the lines with which the client stops at the first error, whatever its own settings are.
    pub(super) fn stop_at_errors(self) -> &'static str {
        match self {
            Self::Psql => {
                "\\set ON_ERROR_STOP on\n\\set AUTOCOMMIT on \\set ON_ERROR_ROLLBACK off \\set SINGLELINE off\n"
            }
            Self::Sqlite3 => ".bail on\n",
        }
    }

    pub(super) fn begin(self) -> &'static str {
        match self {
            Self::Psql => "BEGIN;\n",
            // A deferred one fails when it turns into a writer behind another one.
            Self::Sqlite3 => "BEGIN IMMEDIATE;\n",
        }
    }

    /// Returns a statement so that the client sends it as it is, closed and with the end of its line.
    pub(super) fn statement(self, sql: &str) -> Result<String, FeedError> {
        let spans = Spans::read(self, sql);
        let statements = spans.statements();
        self.refuse(sql, &spans, &statements)?;
        let mut text = match self {
            Self::Psql => without_variables(&spans),
            Self::Sqlite3 => without_terminators(&spans).replace("\r\n", "\r\r\n"),
        };
        let is_open = statements.last().is_some_and(|last| !last.0.is_empty());
        let is_empty = statements.iter().all(|statement| statement.0.is_empty());
        let has_comment = spans.all.iter().any(|span| span.kind == Kind::Comment);
        if is_empty && !has_comment {
            return Ok(String::new());
        }
        if is_open {
            let last = spans.all.iter().rfind(|span| !span.text.trim().is_empty());
            let ends_in_comment =
                last.is_some_and(|last| last.kind == Kind::Comment && last.text.starts_with("--"));
            text.push_str(if ends_in_comment { "\n;" } else { ";" });
        }
        text.push('\n');
        Ok(text)
    }

    fn refuse(self, sql: &str, spans: &Spans<'_>, statements: &[Words]) -> Result<(), FeedError> {
        let statement = beginning(sql);
        if sql.contains('\0') {
            return Err(FeedError::Nul { statement });
        }
        if let Some(what) = spans.unclosed {
            return Err(FeedError::Unclosed { what, statement });
        }
        let is_command = match self {
            // SQL has no backslash outside of quotes.
            Self::Psql => spans
                .all
                .iter()
                .any(|span| span.kind == Kind::Code && span.text.contains('\\')),
            // A line that begins a statement with one of them is a command to `sqlite3`, and none is SQL.
            Self::Sqlite3 => statements
                .iter()
                .any(|words| words.begin_with(&["."]) || words.begin_with(&["#"])),
        };
        if is_command {
            let client = self.name();
            return Err(FeedError::ClientCommand { client, statement });
        }
        let reads_rows = |words: &Words| words.begin_with(&["COPY"]) && words.contain(&["FROM", "STDIN"]);
        if self == Self::Psql && statements.iter().any(reads_rows) {
            return Err(FeedError::CopyFromStdin { statement });
        }
        Ok(())
    }
}

/// `psql` replaces `:name`, `:'name'`, `:"name"` and `:{?name}` outside of quotes where it has such a variable. What can
/// stand there in SQL is the upper bound of a slice, which may be set apart by a space.
fn without_variables(spans: &Spans<'_>) -> String {
    let mut text = String::new();
    for (index, span) in spans.all.iter().enumerate() {
        if span.kind != Kind::Code {
            text.push_str(span.text);
            continue;
        }
        let next_span = spans.all.get(index + 1).and_then(|next| next.text.chars().next());
        let mut letters = span.text.chars().peekable();
        while let Some(letter) = letters.next() {
            text.push(letter);
            if letter != ':' {
                continue;
            }
            // A cast, or an argument by name.
            if let Some(other) = letters.next_if(|next| [':', '='].contains(next)) {
                text.push(other);
                continue;
            }
            let next = letters.peek().copied().or(next_span);
            if next.is_some_and(|next| is_identifier(next) || ['\'', '"', '{'].contains(&next)) {
                text.push(' ');
            }
        }
    }
    text
}

/// `sqlite3` takes a line that holds nothing but `/` or `go` for the end of a statement. A comment before it makes it a line
/// like any other.
fn without_terminators(spans: &Spans<'_>) -> String {
    let mut text = String::new();
    for span in &spans.all {
        if span.kind != Kind::Code {
            text.push_str(span.text);
            continue;
        }
        for line in span.text.split_inclusive('\n') {
            let begins_line = text.is_empty() || text.ends_with('\n');
            let code = line.trim().to_ascii_lowercase();
            let is_terminator = code
                .strip_prefix('/')
                .or_else(|| code.strip_prefix("go"))
                .is_some_and(|rest| !rest.starts_with(is_identifier));
            if begins_line && is_terminator {
                text.push_str("/**/");
            }
            text.push_str(line);
        }
    }
    text
}

/// Returns the first line of a statement that has one, shortened.
pub(super) fn beginning(sql: &str) -> String {
    let line = sql
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    let mut letters = line.trim().chars();
    let start: String = letters
        .by_ref()
        .take(100)
        .filter(|letter| !letter.is_control())
        .collect();
    match letters.next() {
        Some(_) => format!("{start}..."),
        None => start,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(client: Client, sql: &str) -> String {
        client.statement(sql).unwrap()
    }

    #[test]
    fn each_statement_is_closed_once() {
        for client in [Client::Psql, Client::Sqlite3] {
            for (sql, expected) in [
                ("SELECT 1", "SELECT 1;\n"),
                ("SELECT 1; -- end", "SELECT 1; -- end\n"),
                ("SELECT 1 -- end", "SELECT 1 -- end\n;\n"),
                ("SELECT 1 /* end */", "SELECT 1 /* end */;\n"),
                ("SELECT '--'", "SELECT '--';\n"),
                ("-- nothing here", "-- nothing here\n"),
                ("", ""),
                (" ;; ;", ""),
            ] {
                assert_eq!(fed(client, sql), expected);
            }
        }
    }

    #[test]
    fn a_slice_is_no_variable_of_psql() {
        for (sql, expected) in [
            ("SELECT a[1:n]", "SELECT a[1: n];\n"),
            ("SELECT a[1:\"n\"]", "SELECT a[1: \"n\"];\n"),
            (
                "SELECT a::int, f(b := 1), ':c'",
                "SELECT a::int, f(b := 1), ':c';\n",
            ),
            ("DO $$ BEGIN a:=b; END $$", "DO $$ BEGIN a:=b; END $$;\n"),
        ] {
            assert_eq!(fed(Client::Psql, sql), expected);
        }
        assert_eq!(fed(Client::Sqlite3, "SELECT :n"), "SELECT :n;\n");
    }

    #[test]
    fn a_line_of_its_own_ends_no_statement_of_sqlite3() {
        assert_eq!(fed(Client::Sqlite3, "SELECT 6\n/\n2"), "SELECT 6\n/**//\n2;\n");
        assert_eq!(
            fed(Client::Sqlite3, "SELECT 6 AS\n GO"),
            "SELECT 6 AS\n/**/ GO;\n"
        );
        assert_eq!(fed(Client::Sqlite3, "SELECT 6 AS\ngoal"), "SELECT 6 AS\ngoal;\n");
    }

    #[test]
    fn what_a_client_would_not_pass_on_is_refused() {
        let refused = |client: Client, sql| client.statement(sql).unwrap_err().to_string();
        insta::assert_snapshot!(
            [
                refused(Client::Psql, "\\! rm -r /"),
                refused(Client::Psql, "COPY notes (body) FROM stdin"),
                refused(Client::Psql, "SELECT 'a"),
                refused(Client::Psql, "SELECT 'a\0b'"),
                refused(Client::Sqlite3, "SELECT 1;\n.shell rm -r /"),
                refused(Client::Sqlite3, "SELECT 1 /* a"),
            ]
            .join("\n"),
            @r"
        psql would read a command of its own: \! rm -r /
        COPY reads its rows from standard input, which is the script: COPY notes (body) FROM stdin
        a quote is not closed: SELECT 'a
        a statement contains a NUL character: SELECT 'ab'
        sqlite3 would read a command of its own: SELECT 1;
        a comment is not closed: SELECT 1 /* a
        "
        );
    }
}
