//! Which state of something a client has seen: what an entity tag says.

use sha2::{Digest, Sha256};

use super::Instant;

/// A strong hash over what is shown and the schema's revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version(String);

/// What must hold for a write to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Precondition {
    /// Nothing.
    None,
    /// The thing exists.
    Exists,
    /// The thing is in one of these states.
    AnyOf(Vec<Version>),
}

/// Something whose states are told apart.
pub(crate) trait Versioned {
    /// Returns the state that it is in on a revision of the schema. Whatever is shown of it counts.
    fn version(&self, revision: &str) -> Version;
}

impl Version {
    /// Hashes parts; where one ends and the next begins counts.
    pub(crate) fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        let mut text = String::with_capacity(32);
        for byte in &digest[..16] {
            text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
            text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
        }
        Self(text)
    }

    /// Takes a version that a client sends back.
    pub(crate) fn quoted(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Writes moments down as parts of a version; none at all is none that there can be.
pub(super) fn moments<const N: usize>(moments: [Option<Instant>; N]) -> [[u8; 8]; N] {
    moments.map(|moment| moment.map_or(i64::MIN, Instant::microseconds).to_le_bytes())
}

impl Precondition {
    /// Whether something in this state may be written; the state is worked out only when it counts.
    pub(crate) fn allows(&self, current: &Version) -> bool {
        match self {
            Self::None | Self::Exists => true,
            Self::AnyOf(versions) => versions.contains(current),
        }
    }

    /// Whether the state has to be read before it is written.
    pub(crate) fn needs_current(&self) -> bool {
        matches!(self, Self::AnyOf(_))
    }
}
