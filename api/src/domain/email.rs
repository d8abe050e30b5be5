//! The e-mail address of a local account.

use super::{Rule, Violation};

/// An address in ASCII, as it was written; two that differ in case are the same.
///
/// ASCII because databases disagree on the lower case of anything else, and the address is what an account is found by.
#[derive(Clone, Debug)]
pub(crate) struct Email(String);

impl Email {
    pub(crate) fn parse(text: &str) -> Result<Self, Violation> {
        let text = text.trim();
        let is_address = text.len() <= 254
            && text
                .split_once('@')
                .is_some_and(|(local, domain)| is_local(local) && is_domain(domain));
        match is_address {
            true => Ok(Self(text.to_owned())),
            false => Err(Violation::new(
                Rule::General,
                "an e-mail address like ada@example.org is wanted here, in ASCII, with at most 254 characters",
            )),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns what is the same however the address is written.
    pub(crate) fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

fn is_local(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte))
}

fn is_domain(text: &str) -> bool {
    text.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_name_and_a_domain() {
        for text in ["ada@example.org", " a+b@x ", "A.B@SUB.example.org"] {
            assert!(Email::parse(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "ada",
            "@x",
            "ada@",
            "a b@x",
            "a@b@c",
            "a@b..c",
            "a\0@x",
            "ä@x.org",
            "a@x\n.org",
        ] {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
        assert!(Email::parse(&format!("{}@x.org", "a".repeat(65))).is_err());
    }

    #[test]
    fn case_makes_no_other_address() {
        let folded = |text| Email::parse(text).unwrap().folded();
        assert_eq!(folded("Ada@Example.ORG"), folded("ada@example.org"));
    }
}
