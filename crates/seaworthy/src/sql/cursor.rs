//! Reads tokens from left to right.

use std::ops::Range;

use super::name::joined;
use super::token::{Kind, Token};

/// A place in a run of tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    tokens: &'a [Token],
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(tokens: &'a [Token]) -> Self {
        Self { tokens }
    }

    pub(crate) fn tokens(&self) -> &'a [Token] {
        self.tokens
    }

    pub(crate) fn is_done(&self) -> bool {
        self.tokens.is_empty()
    }

    pub(crate) fn peek(&self) -> Option<&'a Token> {
        self.tokens.first()
    }

    pub(crate) fn step(&mut self) -> Option<&'a Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    /// Returns whether these words, written with spaces, come next.
    pub(crate) fn sees(&self, words: &str) -> bool {
        let mut tokens = self.tokens.iter();
        words
            .split(' ')
            .all(|word| tokens.next().is_some_and(|token| token.is_word(word)))
    }

    /// Goes past these words if they come next.
    pub(crate) fn accept(&mut self, words: &str) -> bool {
        let is_next = self.sees(words);
        if is_next {
            self.tokens = &self.tokens[words.split(' ').count()..];
        }
        is_next
    }

    /// Goes past the first of these that comes next, and returns it.
    pub(crate) fn accept_any<'w>(&mut self, choices: &[&'w str]) -> Option<&'w str> {
        choices.iter().copied().find(|words| self.accept(words))
    }

    pub(crate) fn sees_symbol(&self, symbol: &str) -> bool {
        self.peek().is_some_and(|token| token.is_symbol(symbol))
    }

    pub(crate) fn accept_symbol(&mut self, symbol: &str) -> bool {
        let is_next = self.sees_symbol(symbol);
        if is_next {
            self.step();
        }
        is_next
    }

    /// Reads one identifier.
    pub(crate) fn name(&mut self) -> Option<String> {
        let name = self.peek()?.name()?;
        self.step();
        Some(name)
    }

    /// Reads a name with or without a schema, as [`super::name`] puts it.
    pub(crate) fn qualified(&mut self) -> Option<String> {
        let mut parts = vec![self.name()?];
        while self.sees_symbol(".") {
            self.step();
            parts.push(self.name()?);
        }
        Some(joined(&parts))
    }

    /// Reads the name of a table, with `ONLY` before it or not; `ONLY (t)` is an old spelling of `ONLY t`.
    pub(crate) fn relation(&mut self) -> Option<String> {
        match self.accept("only").then(|| self.group()).flatten() {
            Some(mut inside) => inside.qualified(),
            None => self.qualified(),
        }
    }

    /// Reads names with commas between them; a star behind one means its descendants and changes nothing.
    pub(crate) fn names(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        loop {
            names.extend(self.relation());
            self.accept_symbol("*");
            if !self.accept_symbol(",") {
                return names;
            }
        }
    }

    /// Reads the names of functions with commas between them, without their arguments.
    pub(crate) fn signatures(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        loop {
            names.extend(self.qualified());
            self.group();
            if !self.accept_symbol(",") {
                return names;
            }
        }
    }

    /// Reads what stands in parentheses.
    pub(crate) fn group(&mut self) -> Option<Self> {
        if !self.sees_symbol("(") {
            return None;
        }
        let mut depth = 0_usize;
        for (index, token) in self.tokens.iter().enumerate() {
            depth = depth_after(depth, token);
            if depth == 0 {
                let inside = Self::new(&self.tokens[1..index]);
                self.tokens = &self.tokens[index + 1..];
                return Some(inside);
            }
        }
        let inside = Self::new(&self.tokens[1..]);
        self.tokens = &[];
        Some(inside)
    }

    /// Returns what stands in the parentheses that come next, without going past them.
    pub(crate) fn peek_group(&self) -> Option<Self> {
        let mut ahead = *self;
        ahead.group()
    }

    /// Reads identifiers in parentheses; an expression counts as the empty name.
    pub(crate) fn columns(&mut self) -> Option<Vec<String>> {
        let inside = self.group()?;
        let names = inside.split(",").into_iter().map(|mut part| {
            let name = part.name().unwrap_or_default();
            if part.sees_symbol("(") {
                String::new()
            } else {
                name
            }
        });
        Some(names.collect())
    }

    /// Returns the parts between separators that are not inside of parentheses.
    pub(crate) fn split(self, separator: &str) -> Vec<Self> {
        let mut parts = Vec::new();
        let (mut depth, mut start) = (0_usize, 0);
        for (index, token) in self.tokens.iter().enumerate() {
            depth = depth_after(depth, token);
            if depth == 0 && (token.is_symbol(separator) || token.is_word(separator)) {
                parts.push(Self::new(&self.tokens[start..index]));
                start = index + 1;
            }
        }
        parts.push(Self::new(&self.tokens[start..]));
        parts
    }

    /// Returns what stands before and from the first of these words, outside of parentheses.
    pub(crate) fn before(self, words: &[&str]) -> (Self, Self) {
        let mut depth = 0_usize;
        for (index, token) in self.tokens.iter().enumerate() {
            let rest = Self::new(&self.tokens[index..]);
            if depth == 0 && words.iter().any(|word| rest.sees(word)) {
                return (Self::new(&self.tokens[..index]), rest);
            }
            depth = depth_after(depth, token);
        }
        (self, Self::new(&[]))
    }

    /// Returns whether these words stand anywhere outside of parentheses.
    pub(crate) fn has(self, words: &str) -> bool {
        !self.before(&[words]).1.is_done()
    }

    /// Returns whether these words stand anywhere.
    pub(crate) fn has_within(self, words: &str) -> bool {
        (0..self.tokens.len()).any(|index| Self::new(&self.tokens[index..]).sees(words))
    }

    /// Returns whether parentheses stand in each other so often that reading them might not end in time.
    pub(crate) fn is_deep(self) -> bool {
        const DEEPEST: usize = 256;
        let depths = self.tokens.iter().scan(0, |depth, token| {
            *depth = depth_after(*depth, token);
            Some(*depth)
        });
        depths.max().is_some_and(|depth| depth > DEEPEST)
    }

    /// Returns where these tokens stand in their statement, in bytes.
    pub(crate) fn span(&self) -> Range<usize> {
        let start = self.tokens.first().map_or(0, |token| token.span.start);
        start..self.tokens.last().map_or(start, |token| token.span.end)
    }

    /// Returns the tokens as text, for messages.
    pub(crate) fn text(self) -> String {
        let words: Vec<String> = self
            .tokens
            .iter()
            .map(|token| match token.kind {
                Kind::Text => format!("'{}'", token.text),
                Kind::Quoted => format!("\"{}\"", token.text),
                _ => token.text.clone(),
            })
            .collect();
        words.join(" ")
    }
}

fn depth_after(depth: usize, token: &Token) -> usize {
    match token.text.as_str() {
        "(" | "[" if token.kind == Kind::Symbol => depth + 1,
        ")" | "]" if token.kind == Kind::Symbol => depth.saturating_sub(1),
        _ => depth,
    }
}
