//! Reading on along the words of a statement.

use std::ops::Range;

use super::Word;

/// A place among the words of a statement.
#[derive(Clone, Debug)]
pub(in crate::script) struct Cursor<'w> {
    words: &'w [Word],
    at: usize,
}

/// The name of a table as written: with or without a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::script) struct Qualified {
    pub(in crate::script) schema: Option<String>,
    pub(in crate::script) name: String,
}

impl<'w> Cursor<'w> {
    pub(in crate::script) fn new(words: &'w [Word]) -> Self {
        Self { words, at: 0 }
    }

    pub(in crate::script) fn peek(&self) -> Option<&'w Word> {
        self.words.get(self.at)
    }

    pub(in crate::script) fn next(&mut self) -> Option<&'w Word> {
        let word = self.words.get(self.at)?;
        self.at += 1;
        Some(word)
    }

    pub(in crate::script) fn rest(&self) -> &'w [Word] {
        &self.words[self.at..]
    }

    /// Steps over bare words, if they all stand here.
    pub(in crate::script) fn take(&mut self, words: &[&str]) -> bool {
        let stand_here = words
            .iter()
            .enumerate()
            .all(|(index, word)| self.words.get(self.at + index).is_some_and(|here| here.is(word)));
        if stand_here {
            self.at += words.len();
        }
        stand_here
    }

    /// Steps over those of these words that stand here, in this order.
    pub(in crate::script) fn skip(&mut self, words: &[&str]) {
        for word in words {
            self.take(&[word]);
        }
    }

    pub(in crate::script) fn take_symbol(&mut self, symbol: &str) -> bool {
        let stands_here = self.peek().is_some_and(|word| word.is_symbol(symbol));
        self.at += usize::from(stands_here);
        stands_here
    }

    /// Reads a name that may stand behind a schema.
    pub(in crate::script) fn name(&mut self) -> Option<Qualified> {
        let mut name = self.part()?;
        let mut schema = None;
        while self.take_symbol(".") {
            schema = Some(std::mem::replace(&mut name, self.part()?));
        }
        Some(Qualified { schema, name })
    }

    /// Returns the words that a reading steps over.
    pub(in crate::script) fn words_of<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<(T, &'w [Word])> {
        let start = self.at;
        let read = read(self)?;
        Some((read, &self.words[start..self.at]))
    }

    fn part(&mut self) -> Option<String> {
        let word = self.peek().filter(|word| word.is_name())?;
        self.at += 1;
        Some(word.text.clone())
    }

    /// Reads what stands in parentheses here, without them.
    pub(in crate::script) fn parenthesised(&mut self) -> Option<&'w [Word]> {
        if !self.peek()?.is_symbol("(") {
            return None;
        }
        let start = self.at + 1;
        let mut depth = 0_usize;
        while let Some(word) = self.next() {
            match word {
                word if word.is_symbol("(") => depth += 1,
                word if word.is_symbol(")") => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some(&self.words[start..self.at - 1]);
            }
        }
        None
    }

    /// Reads up to one of these bare words outside of parentheses, or to the end.
    pub(in crate::script) fn until(&mut self, ends: &[&str]) -> &'w [Word] {
        let start = self.at;
        let mut depth = 0_usize;
        while let Some(word) = self.peek() {
            match word {
                word if word.is_symbol("(") => depth += 1,
                word if word.is_symbol(")") => depth = depth.saturating_sub(1),
                word if depth == 0 && ends.iter().any(|end| word.is(end)) => break,
                _ => {}
            }
            self.at += 1;
        }
        &self.words[start..self.at]
    }
}

/// Returns the parts between commas that stand outside of parentheses.
pub(in crate::script) fn between_commas(words: &[Word]) -> Vec<&[Word]> {
    let mut parts = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    for (index, word) in words.iter().enumerate() {
        match word {
            word if word.is_symbol("(") => depth += 1,
            word if word.is_symbol(")") => depth = depth.saturating_sub(1),
            word if depth == 0 && word.is_symbol(",") => {
                parts.push(&words[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    if start < words.len() {
        parts.push(&words[start..]);
    }
    parts
}

/// Returns where words stand in their text.
pub(in crate::script) fn span(words: &[Word]) -> Option<Range<usize>> {
    Some(words.first()?.span.start..words.last()?.span.end)
}
