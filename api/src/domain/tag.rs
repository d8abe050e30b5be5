//! Names that people put on their tasks.

use unicode_normalization::UnicodeNormalization;

use super::text::{composed, is_invisible, is_one_line, trimmed};
use super::{Rule, Version, Versioned, Violation};

/// A tag's name: 1 to 50 characters on one line. The case is kept and compared without regard to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TagName(String);

/// A tag as its user sees it: only their own tasks count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    /// The number of the name.
    pub(crate) id: i32,
    /// The name.
    pub(crate) name: String,
    /// How many of the user's tasks carry it.
    pub(crate) task_count: i64,
}

impl Versioned for Tag {
    fn version(&self, revision: &str) -> Version {
        let (id, count) = (self.id.to_le_bytes(), self.task_count.to_le_bytes());
        Version::of([revision.as_bytes(), &id, self.name.as_bytes(), &count])
    }
}

impl TagName {
    /// Takes a name that can be a segment of a path, without what cannot be seen around it; a space that does not break is a space.
    pub(crate) fn parse(text: &str) -> Result<Self, Violation> {
        let text = trimmed(text).replace('\u{a0}', " ");
        let text = composed(&text);
        let violation = |detail: &str| Err(Violation::new(Rule::General, detail));
        match text.chars().count() {
            _ if is_invisible(&text.replace('.', "")) => {
                violation("a tag's name needs at least one character that can be seen and is no dot")
            }
            // A comma separates names in a filter.
            1..=50 if text.contains(',') || !is_one_line(&text) => {
                violation("a tag's name is one line without commas and control characters")
            }
            1..=50 if leads_elsewhere(&text) => {
                violation("no part of a tag's name between slashes or backslashes is . or ..")
            }
            1..=50 => Ok(Self(text.into_owned())),
            _ => violation("a tag's name has at most 50 characters"),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes the name of a tag that is there as it is, also one from before a rule.
    pub(crate) fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Whether this is a tag's name in another case, or in another form of its letters.
    pub(crate) fn is(&self, name: &str) -> bool {
        fold(&self.0) == fold(name)
    }

    /// Returns the name as it is compared.
    pub(crate) fn folded(&self) -> String {
        fold(&self.0)
    }

    /// Returns what to look for the name by: tags from before names were composed may have accents apart from their letters.
    pub(crate) fn spellings(&self) -> impl Iterator<Item = String> {
        let folded = self.folded();
        // Each letter stands for itself then, and an ASCII one loses its case.
        let apart: String = folded.nfd().map(|letter| letter.to_ascii_lowercase()).collect();
        let is_another = apart != folded;
        [Some(folded), is_another.then_some(apart)].into_iter().flatten()
    }
}

/// Whether steps to another path stand in a name: clients take them out of a path before they send it (RFC 3986, 5.2.4), and a proxy that
/// undoes escapes may do so between slashes of the name.
fn leads_elsewhere(name: &str) -> bool {
    name.split(['/', '\\']).any(|part| matches!(part, "." | ".."))
}

/// Only ASCII letters lose their case: SQLite's `lower` knows no others, and both databases are to agree.
fn fold(name: &str) -> String {
    composed(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_around_a_name_is_dropped() {
        for text in [
            " a b ",
            "a\u{a0}b",
            "\u{a0}a\u{a0}b\u{2007}",
            "\u{200b}a b\u{feff}",
            "\u{200e} a b \u{200b} ",
        ] {
            assert_eq!(TagName::parse(text).unwrap().as_str(), "a b", "{text:?}");
        }
        // Inside of a word they can make a difference that is seen.
        let joined = "नमस्\u{200d}ते";
        assert_eq!(TagName::parse(joined).unwrap().as_str(), joined);
    }

    #[test]
    fn no_part_of_a_name_is_a_step_to_another_path() {
        for text in [
            ".",
            "..",
            "...",
            "a/../b",
            "../b",
            "a/..",
            "./a",
            "a/.",
            "a\\..\\b",
            "..\\a",
            "a/ b/..\u{200b}",
            "/..",
        ] {
            assert!(TagName::parse(text).is_err(), "{text:?}");
        }
        for text in [
            "a/b", "a\\b", "/", "a//b", ".a", "a.", "a..b", "a/.../b", "a/..b", "a/. ./b", "v1.0/rc",
        ] {
            assert!(TagName::parse(text).is_ok(), "{text:?}");
        }
    }
}
