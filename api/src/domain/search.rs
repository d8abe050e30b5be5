//! What somebody looks for in texts: words, phrases, what must not be there, and choices between them.

use unicode_normalization::UnicodeNormalization;

use super::composed;
use super::text::folded;

/// What a text must have: all terms of any of several groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TextSearch {
    pub(crate) any_of: Vec<Vec<TextTerm>>,
}

/// A part of a text, in any case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TextTerm {
    pub(crate) text: String,
    /// Whether it must not be there.
    pub(crate) is_excluded: bool,
    /// Whether a word of the text must begin with it; otherwise it may be anywhere.
    pub(crate) begins_a_word: bool,
}

impl TextSearch {
    /// Most terms of a search.
    const MOST_TERMS: usize = 10;
    /// Most characters of a search.
    const LONGEST: usize = 200;

    /// Reads `word "a phrase" -not begin* this OR that`. Terms beside each other belong closer together than those with an OR
    /// between them. Whatever makes no sense as such is a word like any other.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.chars().count() > Self::LONGEST {
            return None;
        }
        let text = composed(text);
        let mut any_of = vec![Vec::new()];
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (piece, after) = next_piece(rest);
            rest = after.trim_start();
            let group = any_of.last_mut().expect("there is a group from the first");
            if piece == "OR" && !group.is_empty() && !rest.is_empty() {
                any_of.push(Vec::new());
            } else {
                group.push(TextTerm::of(piece));
            }
        }
        let terms = any_of.iter().map(Vec::len).sum::<usize>();
        (1..=Self::MOST_TERMS).contains(&terms).then_some(Self { any_of })
    }
}

impl TextTerm {
    /// Returns what to look for: the text as folded texts have it, and as it is in those that nobody has folded yet, where accents
    /// may be apart from their letters.
    pub(crate) fn spellings(&self) -> impl Iterator<Item = String> {
        let mut spellings = vec![self.text.clone()];
        if !self.text.is_ascii() {
            spellings.extend([self.text.nfd().collect(), folded(&self.text)]);
            spellings.dedup();
        }
        spellings.into_iter()
    }

    fn of(piece: &str) -> Self {
        let is_said = |text: &&str| !text.is_empty();
        let (is_excluded, piece) = match piece.strip_prefix('-').filter(is_said) {
            Some(rest) => (true, rest),
            None => (false, piece),
        };
        let phrase = piece.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let beginning = piece.strip_suffix('*').filter(is_said);
        let (text, begins_a_word) = match (phrase.filter(is_said), beginning) {
            (Some(phrase), _) => (phrase, false),
            (None, Some(beginning)) => (beginning, true),
            (None, None) => (piece, false),
        };
        Self {
            text: text.to_owned(),
            is_excluded,
            begins_a_word,
        }
    }
}

/// Returns the word or the phrase that a text begins with, and what follows it.
fn next_piece(text: &str) -> (&str, &str) {
    let sign = usize::from(text.starts_with('-'));
    let is_phrase = text[sign..].starts_with('"');
    let end = match is_phrase.then(|| text[sign + 1..].find('"')).flatten() {
        Some(closing) => sign + closing + 2,
        None => text.find(char::is_whitespace).unwrap_or(text.len()),
    };
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a search down: `-` before what is excluded, `*` behind beginnings, `|` between groups.
    fn read(text: &str) -> Option<String> {
        let search = TextSearch::parse(text)?;
        let term = |term: &TextTerm| {
            let sign = if term.is_excluded { "-" } else { "" };
            let star = if term.begins_a_word { "*" } else { "" };
            format!("{sign}<{}>{star}", term.text)
        };
        let group = |group: &Vec<TextTerm>| group.iter().map(term).collect::<Vec<_>>().join(" ");
        Some(search.any_of.iter().map(group).collect::<Vec<_>>().join(" | "))
    }

    #[test]
    fn terms_are_words_phrases_and_what_must_not_be_there() {
        for (text, expected) in [
            ("milk", "<milk>"),
            ("  milk   bread ", "<milk> <bread>"),
            ("\"oat milk\" bread", "<oat milk> <bread>"),
            ("-milk", "-<milk>"),
            ("-\"oat milk\" bread", "-<oat milk> <bread>"),
            ("car*", "<car>*"),
            ("-car*", "-<car>*"),
            ("milk OR bread", "<milk> | <bread>"),
            ("oat milk OR rye -bread", "<oat> <milk> | <rye> -<bread>"),
            ("milk or bread", "<milk> <or> <bread>"),
            ("\"milk OR bread\"", "<milk OR bread>"),
            ("cafe\u{301}", "<caf\u{e9}>"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_makes_no_sense_as_a_sign_is_a_word() {
        for (text, expected) in [
            ("-", "<->"),
            ("*", "<*>"),
            ("\"", "<\">"),
            ("\"\"", "<\"\">"),
            ("\"oat milk", "<\"oat> <milk>"),
            ("OR", "<OR>"),
            ("OR milk", "<OR> <milk>"),
            ("milk OR", "<milk> <OR>"),
            ("milk OR OR bread", "<milk> | <OR> <bread>"),
            ("e-mail", "<e-mail>"),
            ("--milk", "-<-milk>"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_search_is_bounded() {
        assert_eq!(read(" "), None);
        assert_eq!(read(&"x ".repeat(11)), None);
        assert_eq!(read(&"x".repeat(201)), None);
        assert!(read(&"x".repeat(200)).is_some());
    }
}
