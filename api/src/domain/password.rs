//! Passwords: what may be chosen, and what somebody says theirs is. Neither is ever shown.

use std::collections::HashSet;
use std::fmt;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

use super::{Rule, Violation};

/// A password; the same letters typed on another keyboard are the same password (NFKC, as NIST SP 800-63B has it).
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Password(String);

/// Longest text that is looked at, in characters.
const MOST_CHARACTERS: usize = 1024;

static COMMON: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    include_str!("password/common.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect()
});

impl Password {
    /// Takes a password that somebody chooses.
    pub(crate) fn choose(text: &str) -> Result<Self, Violation> {
        let password: String = text.nfkc().collect();
        // As it is typed, too: who reads the document counts that, and some letters become several or one with others.
        let lengths = [text, &password].map(|text| text.chars().count());
        let wrong = if lengths.iter().any(|length| *length < 8) {
            Some("a password has at least 8 characters")
        } else if lengths.iter().any(|length| *length > 128) {
            Some("a password has at most 128 characters")
        } else {
            flaw(&password)
        };
        match wrong {
            Some(detail) => Err(Violation::new(Rule::Password, detail)),
            None => Ok(Self(password)),
        }
    }

    /// Takes what somebody says their password is: any text, because it only has to be compared.
    pub(crate) fn claim(text: &str) -> Result<Self, Violation> {
        match text.chars().count() <= MOST_CHARACTERS {
            true => Ok(Self(text.nfkc().collect())),
            false => Err(Violation::new(Rule::General, "no password is that long")),
        }
    }

    /// Returns the bytes: for hashing alone.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password")
    }
}

fn flaw(password: &str) -> Option<&'static str> {
    let has = |test: fn(char) -> bool| password.chars().any(test);
    if has(char::is_control) {
        return Some("a password has no control characters");
    }
    if !has(char::is_lowercase) || !has(char::is_uppercase) || !has(|letter| letter.is_ascii_digit()) {
        return Some("a password has a lower-case letter, an upper-case letter and a digit");
    }
    COMMON
        .contains(password.to_lowercase().as_str())
        .then_some("the password is one of the commonest, which are tried first")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_count_as_they_are_typed_and_as_they_are_compared() {
        // A half becomes three letters.
        assert!(Password::choose("Hull7a\u{bd}").is_err());
        assert!(Password::choose("Hull7ab\u{bd}").is_ok());
        // A letter and its accent become one.
        for (accents, is_taken) in [(3, false), (4, true), (62, true), (63, false)] {
            let typed = format!("aB1x{}", "e\u{301}".repeat(accents));
            assert_eq!(Password::choose(&typed).is_ok(), is_taken, "{accents}");
        }
    }

    #[test]
    fn a_password_has_length_and_variety() {
        for text in [
            "Sturdy7hull",
            "Ärger5ßß",
            &format!("aB1{}", "x".repeat(125)),
            "Aa1 😀😀😀😀",
        ] {
            assert!(Password::choose(text).is_ok(), "{text}");
        }
        for text in [
            "aB1xxxx",
            &format!("aB1{}", "x".repeat(126)),
            "sturdy7hull",
            "STURDY7HULL",
            "Sturdyhull",
            "Sturdy7\0hull",
            "Sturdy7\nhull",
        ] {
            assert_eq!(
                Password::choose(text).unwrap_err().rule,
                Rule::Password,
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_common_password_is_refused_in_any_case() {
        assert!(COMMON.len() > 4000);
        for text in ["Password1", "pASSWORD123", "Trustno1", "1Qaz2wsx", "Qwerty123"] {
            let detail = Password::choose(text).unwrap_err().detail;
            assert!(detail.contains("commonest"), "{text}: {detail}");
        }
    }

    #[test]
    fn two_spellings_of_the_same_letters_are_one_password() {
        let composed = Password::choose("Caf\u{e9}5teria").unwrap();
        assert!(composed == Password::claim("Cafe\u{301}5teria").unwrap());
    }

    #[test]
    fn a_password_is_never_shown() {
        let shown = format!("{:?}", Password::choose("Sturdy7hull"));
        assert_eq!(shown, "Ok(Password)");
    }
}
