//! One statement: its text, and what the reader made of it.

use std::fmt;

use super::cursor::Cursor;
use super::parsed::{self, ObjectKind, Parsed};
use super::token::{Kind, Remark, Token, tokens_and_remarks};
use super::{Dialect, block};

/// How a text is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Whose SQL it is.
    pub dialect: Dialect,
    /// The schema that names without one are in; a name in it stands without it.
    pub home: String,
}

impl From<Dialect> for Reading {
    /// Takes the schema that a session has unless it says otherwise: `public` on PostgreSQL, `main` on SQLite.
    fn from(dialect: Dialect) -> Self {
        let home = match dialect {
            Dialect::Postgresql => "public",
            Dialect::Sqlite => "main",
        };
        let home = home.to_owned();
        Self { dialect, home }
    }
}

/// One SQL statement.
#[derive(Clone, Debug)]
pub struct Statement {
    text: String,
    pub(crate) line: usize,
    pub(crate) tokens: Vec<Token>,
    /// What is opened in it and never closed.
    pub(crate) unclosed: Option<&'static str>,
    /// The comments before it and inside of it that begin with `seaworthy:`, without that.
    pub(crate) remarks: Vec<Remark>,
    pub(crate) parsed: Parsed,
    /// The statements of the code that it runs, as a `DO` block does.
    pub(crate) inner: Vec<Self>,
    /// Whether it is part of such code, which may not come to it.
    pub(crate) is_inner: bool,
}

impl Statement {
    /// Returns its text, from its first word to its last, without a closing semicolon.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns whether it makes a foreign key.
    #[must_use]
    pub fn makes_references(&self) -> bool {
        self.tokens.iter().any(|token| token.is_word("references"))
    }

    /// Returns whether it calls a procedure.
    #[must_use]
    pub fn is_call(&self) -> bool {
        matches!(self.parsed, Parsed::Call { .. })
    }

    /// Returns whether it is a command of psql, which no server takes.
    #[must_use]
    pub fn is_for_client(&self) -> bool {
        self.tokens
            .first()
            .is_some_and(|token| token.kind == Kind::Client)
    }

    /// Returns whether it puts rows into a table that come from a file or follow it in the text.
    #[must_use]
    pub fn is_copy(&self) -> bool {
        matches!(self.parsed, Parsed::Copy { .. })
    }

    /// Returns whether it makes a table that SQLite makes by itself, as its shell prints them among the others.
    #[must_use]
    pub fn makes_internal_table(&self) -> bool {
        matches!(&self.parsed, Parsed::CreateTable(create) if create.name.starts_with("sqlite_"))
    }

    /// Returns whether it changes more than the database that it is sent to: other databases, the server, files.
    #[must_use]
    pub fn reaches_further(&self) -> bool {
        let is_further = match &self.parsed {
            Parsed::Outside { .. } | Parsed::Attach => true,
            Parsed::Drop(drop) => drop.kind == ObjectKind::Database,
            Parsed::AlterOther { kind, .. } => *kind == ObjectKind::Database,
            _ => false,
        };
        is_further || self.inner.iter().any(Self::reaches_further)
    }

    /// Returns whether it makes a schema of this name.
    #[must_use]
    pub fn makes_schema(&self, schema: &str) -> bool {
        matches!(&self.parsed, Parsed::CreateOther { kind: ObjectKind::Schema, name, .. } if name == schema)
    }

    /// Returns whether it says who may do what, whose something is, or who there is.
    #[must_use]
    pub fn is_about_roles(&self) -> bool {
        let mut cursor = Cursor::new(&self.tokens);
        if cursor.accept_any(&["grant", "revoke", "reassign"]).is_some() {
            return true;
        }
        let Some(verb) = cursor.accept_any(&["create", "alter", "drop"]) else {
            return false;
        };
        cursor.accept_any(&["role", "user", "group"]).is_some()
            || verb == "alter" && (cursor.accept("default privileges") || self.ends_with_owner())
    }

    fn ends_with_owner(&self) -> bool {
        let last = self.tokens.len().saturating_sub(3);
        let [owner, to, _] = &self.tokens[last..] else {
            return false;
        };
        owner.is_word("owner") && to.is_word("to")
    }

    /// Returns the name of what it makes, or of the table that it alters or indexes.
    #[must_use]
    pub fn made_or_altered_name(&self) -> Option<&str> {
        match &self.parsed {
            Parsed::CreateTable(create) => Some(&create.name),
            Parsed::CreateView(create) => Some(&create.name),
            Parsed::CreateType { name, .. }
            | Parsed::CreateFunction { name, .. }
            | Parsed::CreateOther { name, .. } => Some(name),
            Parsed::AlterTable { table, .. } => Some(table),
            Parsed::CreateIndex(create) => Some(&create.table),
            _ => None,
        }
    }

    /// Returns the names of what it drops, but for indexes.
    #[must_use]
    pub fn dropped_names(&self) -> &[String] {
        match &self.parsed {
            Parsed::Drop(drop) => &drop.names,
            _ => &[],
        }
    }

    /// Returns the statements of the function that it makes, where they can be read.
    #[must_use]
    pub fn body(&self) -> Option<Vec<Self>> {
        let Parsed::CreateFunction { language, code, .. } = &self.parsed else {
            return None;
        };
        let statements = block::body_of(code.as_ref()?, language, &Reading::from(Dialect::Postgresql));
        Some(
            statements
                .into_iter()
                .flat_map(|statement| statement.flattened(0))
                .map(|statement| Self {
                    is_inner: true,
                    ..statement
                })
                .collect(),
        )
    }

    /// Returns a statement that is known without reading it.
    pub(super) fn known(text: &str, parsed: Parsed) -> Self {
        Self {
            text: text.to_owned(),
            line: 1,
            tokens: Vec::new(),
            is_inner: false,
            unclosed: None,
            remarks: Vec::new(),
            parsed,
            inner: Vec::new(),
        }
    }

    /// Reads the tokens of one statement; `source` is the text that they were read from.
    pub(super) fn of(source: &str, mut tokens: Vec<Token>, reading: &Reading) -> Self {
        let (start, line) = tokens
            .first()
            .map_or((0, 1), |token| (token.span.start, token.line));
        let end = tokens.last().map_or(start, |token| token.span.end);
        for token in &mut tokens {
            token.span = token.span.start - start..token.span.end - start;
        }
        let parsed = parsed::read(&tokens);
        let inner = block::inner(&parsed, &tokens, &source[start..end], reading);
        Self {
            line,
            tokens,
            inner,
            ..Self::known(&source[start..end], parsed)
        }
    }

    /// Returns this statement and, behind it, all that it runs; their lines are counted from `line` on.
    #[must_use]
    pub fn flattened(mut self, line: usize) -> Vec<Self> {
        self.line += line;
        let (inner, first) = (std::mem::take(&mut self.inner), self.line);
        let mut all = vec![self];
        for mut inner in inner {
            inner.is_inner = true;
            all.extend(inner.flattened(first - 1));
        }
        all
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// Returns the statements of a text, without empty ones.
#[must_use]
pub fn read(sql: &str, dialect: Dialect) -> Vec<Statement> {
    read_in(sql, &Reading::from(dialect))
}

/// Returns the statements of a text, read in a certain way.
#[must_use]
pub(crate) fn read_in(sql: &str, reading: &Reading) -> Vec<Statement> {
    read_with_remarks(sql, reading).0
}

/// Returns the statements of a text, without empty ones, and the remarks behind the last one.
///
/// A remark belongs to the statement that it stands before or in, or at the end of whose line it stands.
pub(crate) fn read_with_remarks(sql: &str, reading: &Reading) -> (Vec<Statement>, Vec<Remark>) {
    let mut lexed = tokens_and_remarks(sql, reading.dialect);
    let unclosed = lexed.unclosed;
    let mut splitter = Splitter {
        sql,
        reading,
        statements: Vec::new(),
        current: Open::default(),
        last_line: 0,
    };
    let mut remarks = std::mem::take(&mut lexed.remarks).into_iter().peekable();
    let mut read = lexed.tokens.into_iter().enumerate().peekable();
    let mut is_qualified = false;
    while let Some((index, token)) = read.next() {
        while let Some((_, remark)) = remarks.next_if(|(before, _)| *before <= index) {
            splitter.remark(remark);
        }
        let is_home = token.is_name() && !is_qualified && token.text == reading.home;
        is_qualified = token.is_symbol(".");
        if is_home && read.next_if(|(_, next)| next.is_symbol(".")).is_some() {
            continue;
        }
        splitter.token(token);
    }
    for (_, remark) in remarks {
        splitter.remark(remark);
    }
    splitter.end(unclosed)
}

/// A statement whose end has not been seen.
#[derive(Default)]
struct Open {
    tokens: Vec<Token>,
    remarks: Vec<Remark>,
    /// How many parentheses are open.
    depth: usize,
    /// How many blocks are open that have statements of their own: `BEGIN ATOMIC`, the body of a trigger, `CASE` in them.
    blocks: usize,
}

struct Splitter<'a> {
    sql: &'a str,
    reading: &'a Reading,
    statements: Vec<Statement>,
    current: Open,
    last_line: usize,
}

impl Splitter<'_> {
    fn remark(&mut self, remark: Remark) {
        match self.statements.last_mut() {
            Some(last) if self.current.tokens.is_empty() && remark.line == self.last_line => {
                last.remarks.push(remark);
            }
            _ => self.current.remarks.push(remark),
        }
    }

    fn token(&mut self, token: Token) {
        let open = &mut self.current;
        if token.kind == Kind::Client {
            // psql reads its commands in the middle of a statement, too; `\g` and its like end it.
            let ends = token.text.starts_with("\\g");
            let line = token.line;
            if ends {
                self.close(line);
            }
            if parsed::is_opaque_command(&token.text) {
                let interrupted = std::mem::take(&mut self.current);
                self.current.tokens.push(token);
                self.close(line);
                self.current = interrupted;
            }
            return;
        }
        match token.text.as_str() {
            "(" if token.kind == Kind::Symbol => open.depth += 1,
            ")" if token.kind == Kind::Symbol => open.depth = open.depth.saturating_sub(1),
            "atomic" if follows(&open.tokens, "begin") => open.blocks += 1,
            "begin"
                if token.kind == Kind::Word
                    && open.blocks == 0
                    && is_sqlite_trigger(open, self.reading.dialect) =>
            {
                open.blocks += 1;
            }
            "case" if open.blocks > 0 && token.kind == Kind::Word => open.blocks += 1,
            "end" if open.blocks > 0 && token.kind == Kind::Word => open.blocks -= 1,
            _ => {}
        }
        if token.is_symbol(";") && open.depth == 0 && open.blocks == 0 {
            self.close(token.line);
        } else {
            self.current.tokens.push(token);
        }
    }

    /// Ends the current statement, if it has begun.
    fn close(&mut self, line: usize) {
        if self.current.tokens.is_empty() {
            self.current.depth = 0;
            self.current.blocks = 0;
            return;
        }
        self.last_line = line;
        let open = std::mem::take(&mut self.current);
        let statement = self.statement(open);
        self.statements.push(statement);
    }

    fn end(mut self, unclosed: Option<&'static str>) -> (Vec<Statement>, Vec<Remark>) {
        let unclosed = match self.current.depth {
            0 => unclosed,
            _ => unclosed.or(Some("a parenthesis")),
        };
        let open = std::mem::take(&mut self.current);
        let mut behind = Vec::new();
        if open.tokens.is_empty() {
            behind = open.remarks;
        } else {
            let statement = self.statement(open);
            self.statements.push(statement);
        }
        if let Some(last) = self.statements.last_mut() {
            last.unclosed = unclosed;
        }
        (self.statements, behind)
    }

    fn statement(&self, open: Open) -> Statement {
        Statement {
            remarks: open.remarks,
            ..Statement::of(self.sql, open.tokens, self.reading)
        }
    }
}

/// Returns whether the statement is a trigger of SQLite, whose body has statements of its own.
fn is_sqlite_trigger(open: &Open, dialect: Dialect) -> bool {
    if dialect == Dialect::Postgresql {
        return false;
    }
    let mut cursor = Cursor::new(&open.tokens);
    cursor.accept("create") && {
        cursor.accept_any(&["temp", "temporary"]);
        cursor.accept("trigger")
    }
}

fn follows(tokens: &[Token], word: &str) -> bool {
    tokens.last().is_some_and(|token| token.is_word(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str, dialect: Dialect) -> Vec<String> {
        let statements = read(sql, dialect).into_iter();
        statements.map(|statement| statement.text().to_owned()).collect()
    }

    #[test]
    fn a_semicolon_inside_of_something_ends_no_statement() {
        for (sql, dialect, expected) in [
            (
                "SELECT 1; -- a; b\n SELECT 2 /* ; */ ;",
                Dialect::Postgresql,
                vec!["SELECT 1", "SELECT 2"],
            ),
            (
                "SELECT ';'; SELECT E'\\';'",
                Dialect::Postgresql,
                vec!["SELECT ';'", "SELECT E'\\';'"],
            ),
            (
                "DO $x$ BEGIN; COMMIT; END $x$; SELECT $1",
                Dialect::Postgresql,
                vec!["DO $x$ BEGIN; COMMIT; END $x$", "SELECT $1"],
            ),
            ("/* /* ; */ ; */ SELECT 1", Dialect::Postgresql, vec!["SELECT 1"]),
            (
                "/* /* */ SELECT 1; SELECT 2",
                Dialect::Sqlite,
                vec!["SELECT 1", "SELECT 2"],
            ),
            (
                "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN SELECT CASE WHEN 1 THEN 2 END; SELECT 3; END; SELECT 4",
                Dialect::Sqlite,
                vec![
                    "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN SELECT CASE WHEN 1 THEN 2 END; SELECT 3; END",
                    "SELECT 4",
                ],
            ),
            (
                "SELECT [a;b], `c;d`, \"e;\"\"f\"; SELECT 2",
                Dialect::Sqlite,
                vec!["SELECT [a;b], `c;d`, \"e;\"\"f\"", "SELECT 2"],
            ),
            (
                "CREATE RULE r AS ON INSERT TO a DO (SELECT 1; SELECT 2); SELECT 3",
                Dialect::Postgresql,
                vec![
                    "CREATE RULE r AS ON INSERT TO a DO (SELECT 1; SELECT 2)",
                    "SELECT 3",
                ],
            ),
            ("-- nothing", Dialect::Sqlite, vec![]),
            (
                "SELECT 'never closed; SELECT 2",
                Dialect::Sqlite,
                vec!["SELECT 'never closed; SELECT 2"],
            ),
        ] {
            assert_eq!(texts(sql, dialect), expected, "{sql}");
        }
    }
}
