//! The statements inside of a block of code, as `DO` and functions have it: PL/pgSQL as far as its statements can be told apart.
//!
//! Conditions and expressions count as queries, for they call functions. A text that is put together as it runs is not
//! understood, and says so. Source: PostgreSQL manual, "PL/pgSQL".

use super::cursor::Cursor;
use super::parsed::{self, Parsed};
use super::statement::{Reading, Statement, read_in};
use super::token::{Kind, Token, tokens_and_remarks};

/// Words that stand before a statement of the block and are none themselves.
const OPENINGS: [&str; 4] = ["begin", "else", "loop", "exception"];

/// Words that begin a query whose rows a loop goes through.
const QUERIES: [&str; 9] = [
    "select", "with", "insert", "update", "delete", "merge", "values", "table", "explain",
];

/// Returns the statements inside of a statement: those of a `DO` block, and those that write below a query.
pub(super) fn inner(parsed: &Parsed, tokens: &[Token], text: &str, reading: &Reading) -> Vec<Statement> {
    match parsed {
        Parsed::Block { body, language } => body_of(body, language, reading),
        Parsed::CreateTable(_) | Parsed::Select { .. } => written(tokens, text, reading),
        _ => Vec::new(),
    }
}

/// Returns the statements that write in a `WITH` of a query: `CREATE TABLE t AS WITH d AS (DELETE ...) SELECT ...`.
fn written(tokens: &[Token], text: &str, reading: &Reading) -> Vec<Statement> {
    let mut found = Vec::new();
    let mut cursor = Cursor::new(tokens);
    while !cursor.is_done() {
        if !cursor.accept("as") {
            cursor.step();
            continue;
        }
        cursor.accept_any(&["materialized", "not materialized"]);
        let inside = cursor.peek_group().unwrap_or(Cursor::new(&[]));
        if WRITES.iter().any(|words| inside.sees(words)) {
            found.push(Statement::of(text, inside.tokens().to_vec(), reading));
        }
    }
    found
}

/// Words that begin a statement that writes.
const WRITES: [&str; 4] = ["insert into", "update", "delete from", "merge into"];

/// Returns the statements of a body of code; one that is not understood where its language is not.
#[must_use]
pub fn body_of(body: &str, language: &str, reading: &Reading) -> Vec<Statement> {
    match language {
        "sql" => read_in(body, reading),
        "plpgsql" => {
            let lexed = tokens_and_remarks(body, reading.dialect);
            let mut block = Block {
                body,
                reading,
                tokens: &lexed.tokens,
                at: 0,
                found: Vec::new(),
            };
            block.run();
            if let Some(what) = lexed.unclosed {
                let what = format!("{what} is opened and never closed");
                block
                    .found
                    .push(Statement::known(body.trim(), Parsed::Opaque { what }));
            }
            block.found
        }
        _ => {
            let what = format!("code in {language} is not understood");
            vec![Statement::known(body.trim(), Parsed::Opaque { what })]
        }
    }
}

struct Block<'a> {
    body: &'a str,
    reading: &'a Reading,
    tokens: &'a [Token],
    at: usize,
    found: Vec<Statement>,
}

impl Block<'_> {
    fn run(&mut self) {
        while let Some(token) = self.tokens.get(self.at) {
            if token.kind == Kind::Symbol {
                if self.sees_angles("<") {
                    self.label();
                }
                // An option of the compiler has no semicolon: `#variable_conflict use_column`.
                if token.is_symbol("#") {
                    self.at += 2;
                }
                self.at += 1;
                continue;
            }
            if token.kind != Kind::Word {
                self.assignment();
                continue;
            }
            match token.text.as_str() {
                word if OPENINGS.contains(&word) => self.at += 1,
                "declare" => {
                    self.at += 1;
                    self.expression(&["begin"]);
                }
                "if" | "elsif" | "elseif" | "when" => self.condition(&["then"]),
                "case" => self.condition(&["when"]),
                "while" | "foreach" => self.condition(&["loop"]),
                "for" => self.for_loop(),
                "end" | "null" | "exit" | "continue" | "get" => {
                    self.slice(&[]);
                }
                "perform" | "raise" | "assert" | "return" | "open" | "fetch" | "move" | "close" => {
                    self.query();
                }
                "execute" => self.execute(),
                _ if self.is_assignment() => self.assignment(),
                _ => self.statement(&[]),
            }
        }
    }

    /// Returns where the tokens up to a semicolon or one of these words begin and end, and goes there.
    fn slice(&mut self, until: &[&str]) -> (usize, usize) {
        let start = self.at;
        // Inside of parentheses and of `CASE ... END` no word ends anything.
        let (mut depth, mut cases) = (0_usize, 0_usize);
        while let Some(token) = self.tokens.get(self.at) {
            let is_word = token.kind == Kind::Word && until.contains(&token.text.as_str());
            if depth == 0 && (token.is_symbol(";") || is_word && cases == 0) {
                break;
            }
            if token.is_symbol("(") {
                depth += 1;
            } else if token.is_symbol(")") {
                depth = depth.saturating_sub(1);
            } else if token.is_word("case") {
                cases += 1;
            } else if token.is_word("end") {
                cases = cases.saturating_sub(1);
            }
            self.at += 1;
        }
        (start, self.at)
    }

    fn sees_angles(&self, angle: &str) -> bool {
        let pair = self.tokens.get(self.at..self.at + 2);
        pair.is_some_and(|pair| pair.iter().all(|token| token.is_symbol(angle)))
    }

    /// Goes to the end of a label: `<<name>>`.
    fn label(&mut self) {
        while self.at < self.tokens.len() && !self.sees_angles(">") {
            self.at += 1;
        }
        self.at += 1;
    }

    fn condition(&mut self, until: &[&str]) {
        self.at += 1;
        self.expression(until);
        // The word that ends it opens what follows.
        let ends = |token: &Token| token.kind == Kind::Word && until.contains(&token.text.as_str());
        if self
            .tokens
            .get(self.at)
            .is_some_and(|token| ends(token) && !token.is_word("when"))
        {
            self.at += 1;
        }
    }

    /// Reads an expression as a query, for the functions that it calls.
    fn expression(&mut self, until: &[&str]) {
        let start = self.at;
        loop {
            self.slice(until);
            let is_end = |token: &Token| token.kind == Kind::Word && until.contains(&token.text.as_str());
            // Declarations are ended by semicolons, and the word comes after the last.
            let goes_on = until == ["begin"] && self.tokens.get(self.at).is_some_and(|token| !is_end(token));
            if !goes_on {
                break;
            }
            self.at += 1;
        }
        self.push_query(start, self.at);
    }

    fn query(&mut self) {
        self.at += 1;
        if self.word_is("query") {
            self.at += 1;
            if self.word_is("execute") {
                self.execute();
            } else {
                self.statement(&[]);
            }
            return;
        }
        let (start, end) = self.slice(&[]);
        self.push_query(start, end);
    }

    fn push_query(&mut self, start: usize, end: usize) {
        let functions = parsed::called(&self.tokens[start..end]);
        if !functions.is_empty() {
            let parsed = Parsed::Select { functions };
            self.found.push(Statement::known(self.text(start, end), parsed));
        }
    }

    fn for_loop(&mut self) {
        self.at += 1;
        self.slice(&["in"]);
        if self.word_is("in") {
            self.at += 1;
        }
        if self.word_is("execute") {
            self.execute_until(&["loop"]);
        } else if QUERIES.iter().any(|word| self.word_is(word)) {
            self.statement(&["loop"]);
        } else {
            // A range of numbers, or a cursor.
            self.expression(&["loop"]);
        }
    }

    /// Reads a statement of SQL.
    fn statement(&mut self, until: &[&str]) {
        let (start, end) = self.slice(until);
        if start == end {
            self.at += 1;
            return;
        }
        let tokens = self.tokens[start..end].to_vec();
        let mut statement = Statement::of(self.body, tokens, self.reading);
        // In a block `SELECT ... INTO` fills variables and makes no table.
        if matches!(statement.parsed, Parsed::CreateTable(_)) && !statement.tokens[0].is_word("create") {
            let functions = parsed::called(&statement.tokens);
            statement.parsed = Parsed::Select { functions };
        }
        self.found.push(statement);
    }

    /// Returns whether what comes next is `place := value`, where the place may be a field or an element.
    fn is_assignment(&self) -> bool {
        let mut rest = Cursor::new(&self.tokens[self.at..]);
        loop {
            let is_place = rest
                .step()
                .is_some_and(|token| token.is_name() || token.kind == Kind::Number);
            if !is_place {
                return false;
            }
            let mut open = 0_usize;
            while open > 0 || rest.sees_symbol("[") {
                match rest.step() {
                    Some(token) if token.is_symbol("[") => open += 1,
                    Some(token) if token.is_symbol("]") => open -= 1,
                    Some(_) => {}
                    None => return false,
                }
            }
            if !rest.accept_symbol(".") {
                return rest.sees_symbol(":=") || rest.sees_symbol("=");
            }
        }
    }

    fn assignment(&mut self) {
        let (start, end) = self.slice(&[]);
        self.push_query(start, end.max(start));
        if start == end {
            self.at += 1;
        }
    }

    fn execute(&mut self) {
        self.execute_until(&[]);
    }

    /// Reads `EXECUTE 'text'`: the text where it is one literal.
    fn execute_until(&mut self, until: &[&str]) {
        self.at += 1;
        let mut ends = vec!["into", "using"];
        ends.extend(until);
        let (start, end) = self.slice(&ends);
        match &self.tokens[start..end] {
            [text] if text.kind == Kind::Text => self.found.extend(read_in(&text.text, self.reading)),
            _ => {
                let what = "EXECUTE of a text that is put together as it runs".to_owned();
                let parsed = Parsed::Opaque { what };
                self.found.push(Statement::known(self.text(start, end), parsed));
            }
        }
        self.slice(until);
    }

    fn word_is(&self, word: &str) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.is_word(word))
    }

    fn text(&self, start: usize, end: usize) -> &str {
        let tokens = &self.tokens[start..end];
        match (tokens.first(), tokens.last()) {
            (Some(first), Some(last)) => &self.body[first.span.start..last.span.end],
            _ => "",
        }
    }
}
