//! Titles and descriptions. Lengths count Unicode scalar values, as PostgreSQL's `varchar(n)` does.

use super::{Rule, Violation};

/// One line of 1 to 200 characters without white space around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Title(String);

/// Up to 1000 characters on any number of lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Description(String);

impl Title {
    pub(crate) fn parse(text: &str) -> Result<Self, Violation> {
        let text = text.trim();
        let violation = |detail: &str| Err(Violation::new(Rule::Title, detail));
        match text.chars().count() {
            _ if is_invisible(text) => violation("a title needs at least one character that can be seen"),
            1..=200 if !is_one_line(text) => violation("a title is one line without control characters"),
            1..=200 => Ok(Self(text.to_owned())),
            _ => violation("a title has at most 200 characters"),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Description {
    pub(crate) fn parse(text: &str) -> Result<Self, Violation> {
        if text.chars().count() > 1000 {
            return Err(Violation::new(
                Rule::Description,
                "a description has at most 1000 characters",
            ));
        }
        no_controls(text)
            .map_err(|detail| Violation::new(Rule::General, detail))
            .map(|()| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
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

/// Whether nothing of a text can be seen: white space, and what takes no room.
pub(super) fn is_invisible(text: &str) -> bool {
    let takes_no_room = |letter: char| {
        // The common ones of Unicode's Default_Ignorable_Code_Point.
        matches!(letter, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{3164}' | '\u{feff}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
    };
    text.chars()
        .all(|letter| letter.is_whitespace() || takes_no_room(letter))
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
