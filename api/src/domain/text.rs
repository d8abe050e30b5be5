//! Titles and descriptions. Lengths count Unicode scalar values, as PostgreSQL's `varchar(n)` does.

use std::borrow::Cow;

use icu_casemap::CaseMapper;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::{Rule, Violation};

/// One line of 1 to 200 characters without white space around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Title(String);

/// Up to 1000 characters on any number of lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Description(String);

impl Title {
    pub(crate) fn parse(text: &str) -> Result<Self, Violation> {
        let text = composed(text.trim());
        let violation = |detail: &str| Err(Violation::new(Rule::Title, detail));
        match text.chars().count() {
            _ if is_invisible(&text) => violation("a title needs at least one character that can be seen"),
            1..=200 if !is_one_line(&text) => violation("a title is one line without control characters"),
            1..=200 => Ok(Self(text.into_owned())),
            _ => violation("a title has at most 200 characters"),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Description {
    pub(crate) fn parse(text: &str) -> Result<Self, Violation> {
        let text = composed(text);
        if text.chars().count() > 1000 {
            return Err(Violation::new(
                Rule::Description,
                "a description has at most 1000 characters",
            ));
        }
        no_controls(&text)
            .map_err(|detail| Violation::new(Rule::General, detail))
            .map(|()| Self(text.into_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns a text with each letter and its accents as one character where there is one (Unicode's form NFC): what looks the
/// same is the same.
pub(crate) fn composed(text: &str) -> Cow<'_, str> {
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        IsNormalized::No | IsNormalized::Maybe => Cow::Owned(text.nfc().collect()),
    }
}

/// Returns a text as searches compare it: letters of either case are the same in every script, and `ß` is `ss` (Unicode 5.18,
/// "Default Case Folding").
pub(crate) fn folded(text: &str) -> String {
    CaseMapper::new().fold_string(&composed(text)).into_owned()
}

/// Returns the same where a database's `LIKE` would not find it: of ASCII letters every database knows the case.
pub(crate) fn folded_unless_ascii(text: &str) -> Option<String> {
    (!text.is_ascii()).then(|| folded(text))
}

/// Refuses control characters other than tabs and line ends.
pub(crate) fn no_controls(text: &str) -> Result<(), &'static str> {
    match text
        .chars()
        .any(|letter| is_control(letter) && !matches!(letter, '\n' | '\r' | '\t'))
    {
        true => Err("control characters other than tab and line end are not allowed"),
        false => Ok(()),
    }
}

/// C0 and DEL.
fn is_control(letter: char) -> bool {
    letter.is_ascii_control()
}

/// Whether a text has neither control characters nor ends of lines, those of Unicode among them.
pub(super) fn is_one_line(text: &str) -> bool {
    !text
        .chars()
        .any(|letter| letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}'))
}

/// Whether nothing of a text can be seen.
pub(crate) fn is_invisible(text: &str) -> bool {
    text.chars().all(cannot_be_seen)
}

/// Returns a text without what cannot be seen at its ends.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(cannot_be_seen)
}

/// White space, and what takes no room.
fn cannot_be_seen(letter: char) -> bool {
    // The common ones of Unicode's Default_Ignorable_Code_Point.
    letter.is_whitespace()
        || matches!(letter, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{3164}' | '\u{feff}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_trimmed_and_counted_in_characters() {
        assert_eq!(
            Title::parse("  caulk the hull ").unwrap().as_str(),
            "caulk the hull"
        );
        // Joiners are part of what is seen.
        assert!(Title::parse("👩\u{200d}🔧 and नमस्\u{200d}ते").is_ok());
        assert!(Title::parse(&"ß".repeat(200)).is_ok());
        assert!(Title::parse(&"ß".repeat(201)).is_err());
    }

    #[test]
    fn what_looks_the_same_is_the_same() {
        let apart = "Cafe\u{301}";
        assert_eq!(Title::parse(apart).unwrap().as_str(), "Caf\u{e9}");
        assert_eq!(Description::parse(apart).unwrap().as_str(), "Caf\u{e9}");
        // 200 letters with an accent each.
        assert!(Title::parse(&"e\u{301}".repeat(200)).is_ok());
        // One character that is only ever written as two.
        assert!(Title::parse(&"\u{958}".repeat(101)).is_err());
    }

    #[test]
    fn letters_of_either_case_are_folded_in_every_script() {
        for (text, other) in [
            ("\u{dc}BER", "\u{fc}ber"),
            (
                "\u{427}\u{415}\u{420}\u{412}\u{41e}\u{41d}\u{418}\u{419}",
                "\u{447}\u{435}\u{440}\u{432}\u{43e}\u{43d}\u{438}\u{439}",
            ),
            ("\u{39f}\u{394}\u{39f}\u{3a3}", "\u{3bf}\u{3b4}\u{3bf}\u{3c2}"),
            ("Stra\u{df}e", "STRASSE"),
            ("U\u{308}ber", "\u{fc}BER"),
        ] {
            assert_eq!(folded(text), folded(other));
        }
        assert_eq!(folded_unless_ascii("Plain"), None);
    }

    #[test]
    fn a_title_is_one_line_without_controls() {
        for text in [
            "",
            " \t ",
            "a\nb",
            "a\0b",
            "a\u{7f}b",
            "a\u{85}b",
            "a\u{2028}b",
            "\u{200b}",
            "\u{feff} \u{2060}",
        ] {
            assert!(Title::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_description_may_have_lines_but_no_nul() {
        assert!(Description::parse("a\r\n\tb").is_ok());
        assert!(Description::parse("a\0b").is_err());
        assert!(Description::parse(&"x".repeat(1001)).is_err());
    }
}
