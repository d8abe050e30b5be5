//! Who somebody is.

use std::fmt;

use super::version::moments;
use super::{Instant, Version, Versioned, Zone};

/// The subject of a token: 1 to 255 characters without controls and slashes, and no word that the routes use.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct UserId(String);

/// A person known to the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) email: String,
    pub(crate) name: Option<String>,
    /// The name of the zone that their days are in; UTC where there is none.
    pub(crate) time_zone: Option<String>,
    pub(crate) created_at: Option<Instant>,
}

/// What to change of a person: nothing where it is `None`; `Some(None)` clears.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct UserPatch {
    pub(crate) name: Option<Option<String>>,
    pub(crate) time_zone: Option<Option<Zone>>,
}

/// Words that stand where a user's id may stand in a path.
const RESERVED: [&str; 16] = [
    "me",
    "v1",
    "v2",
    "auth",
    "tasks",
    "tags",
    "conversations",
    "messages",
    "schema",
    "chat",
    "events",
    "changes",
    "webhooks",
    "jobs",
    "mcp",
    "admin",
];

impl Versioned for User {
    fn version(&self, revision: &str) -> Version {
        let texts = [self.name.as_deref(), self.time_zone.as_deref()];
        Version::of([
            revision.as_bytes(),
            self.id.as_str().as_bytes(),
            self.email.as_bytes(),
            &texts.map(|text| u8::from(text.is_some())),
            texts[0].unwrap_or_default().as_bytes(),
            texts[1].unwrap_or_default().as_bytes(),
            moments([self.created_at]).as_flattened(),
        ])
    }
}

impl User {
    /// Returns the zone that their days are in. One that this build does not know is as good as none.
    pub(crate) fn zone(&self) -> Zone {
        self.time_zone
            .as_deref()
            .and_then(Zone::named)
            .unwrap_or_default()
    }
}

impl UserId {
    /// Takes a subject, unless it is reserved or malformed.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_well_formed = (1..=255).contains(&text.chars().count())
            && text.trim() == text
            // Clients take these out of a path before they send it (RFC 3986, 5.2.4).
            && !matches!(text, "." | "..")
            && !text.contains(|letter: char| letter.is_control() || letter == '/');
        (is_well_formed && !Self::is_reserved(text)).then(|| Self(text.to_owned()))
    }

    /// Whether a text stands for something else where a user's id may stand.
    fn is_reserved(text: &str) -> bool {
        RESERVED.iter().any(|word| text.eq_ignore_ascii_case(word))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_can_be_a_segment_of_a_path_and_is_no_word_of_ours() {
        for text in [
            "",
            ".",
            "..",
            "me",
            "TASKS",
            "a/b",
            " a",
            "a ",
            "a\nb",
            &"x".repeat(256),
        ] {
            assert_eq!(UserId::parse(text), None, "{text:?}");
        }
        for text in [
            "usr_ada",
            "...",
            ".a",
            "a.b@example.org",
            "auth0|5f7",
            "ß",
            "a b",
            &"x".repeat(255),
        ] {
            assert!(UserId::parse(text).is_some(), "{text:?}");
        }
    }
}
