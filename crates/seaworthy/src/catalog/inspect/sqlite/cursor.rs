//! Walks over the tokens of a statement.

use crate::catalog::expression::closing;
use crate::catalog::token::{Kind, Token, tokens};

/// A place in a list of tokens.
pub(super) struct Cursor<'a> {
    sql: &'a str,
    tokens: Vec<Token>,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(sql: &'a str) -> Self {
        Self {
            sql,
            tokens: tokens(sql),
            at: 0,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.at >= self.tokens.len()
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    pub(super) fn skip(&mut self) {
        self.at += 1;
    }

    /// Goes over a word when it is the next token.
    pub(super) fn word(&mut self, word: &str) -> bool {
        let is_next = self.peek().is_some_and(|token| token.is_word(word));
        self.at += usize::from(is_next);
        is_next
    }

    /// Goes over two words when they are the next tokens.
    pub(super) fn words(&mut self, first: &str, second: &str) -> bool {
        let is_second = self
            .tokens
            .get(self.at + 1)
            .is_some_and(|token| token.is_word(second));
        is_second && self.word(first) && self.word(second)
    }

    /// Goes over a name.
    pub(super) fn name(&mut self) -> Option<String> {
        let token = self.peek()?;
        // SQLite takes a string for a name where only a name can stand.
        let name = (token.is_name() || token.kind == Kind::Text).then(|| token.text.clone())?;
        self.at += 1;
        Some(name)
    }

    /// Goes over what stands in parentheses and returns its text.
    pub(super) fn parentheses(&mut self) -> Option<&'a str> {
        if !self.peek()?.is_symbol("(") {
            return None;
        }
        let close = closing(&self.tokens, self.at)?;
        let inside = self.tokens[self.at].range.end..self.tokens[close].range.start;
        self.at = close + 1;
        Some(self.sql[inside].trim())
    }

    /// Goes on until something in parentheses opens.
    pub(super) fn until_parentheses(&mut self) {
        while self.peek().is_some_and(|token| !token.is_symbol("(")) {
            self.at += 1;
        }
    }

    /// Returns the text that is left.
    pub(super) fn rest(&self) -> &'a str {
        self.peek()
            .map_or("", |token| self.sql[token.range.start..].trim())
    }
}

/// Splits a text at the commas that stand in no parentheses.
pub(super) fn list(sql: &str) -> Vec<&str> {
    let mut items = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for token in tokens(sql) {
        if token.is_symbol("(") {
            depth += 1;
        } else if token.is_symbol(")") {
            depth = depth.saturating_sub(1);
        } else if token.is_symbol(",") && depth == 0 {
            items.push(sql[start..token.range.start].trim());
            start = token.range.end;
        }
    }
    items.push(sql[start..].trim());
    items
}
