//! The text of an API token: `todo_`, 32 random bytes and 4 bytes of checksum in hex.
//!
//! A scanner knows a leaked one by `todo_[0-9a-f]{72}`, and whether it is one at all by its checksum, as does the service
//! before it asks the database.

use std::fmt;

use sha2::{Digest, Sha256};

/// The secret of an API token; shown to its owner once and never kept.
#[derive(Clone)]
pub(crate) struct Key(String);

const PREFIX: &str = "todo_";
const SECRET_DIGITS: usize = 64;
const CHECKSUM_DIGITS: usize = 8;

impl Key {
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut secret = [0_u8; SECRET_DIGITS / 2];
        getrandom::fill(&mut secret)?;
        let secret = hex(&secret);
        let checksum = checksum(&secret);
        Ok(Self(format!("{PREFIX}{secret}{checksum}")))
    }

    /// Whether a bearer token is meant to be an API token.
    pub(crate) fn is_meant(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// Takes a text whose checksum is right.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(PREFIX)?;
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if rest.len() != SECRET_DIGITS + CHECKSUM_DIGITS || !rest.bytes().all(is_hex) {
            return None;
        }
        let (secret, given) = rest.split_at(SECRET_DIGITS);
        (checksum(secret) == given).then(|| Self(text.to_owned()))
    }

    /// Returns what is kept instead of the token. Its 256 random bits need no slow hash.
    pub(crate) fn hash(&self) -> String {
        hex(&Sha256::digest(self.0.as_bytes()))
    }

    /// Returns what tells it from its owner's others.
    pub(crate) fn last_four(&self) -> &str {
        &self.0[self.0.len() - 4..]
    }

    /// Returns the token: for its owner alone.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key")
    }
}

fn checksum(secret: &str) -> String {
    let digest = Sha256::digest(secret.as_bytes());
    hex(&digest[..CHECKSUM_DIGITS / 2])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_checksum() {
        let key = Key::random().unwrap();
        assert_eq!(key.reveal().len(), 77);
        assert!(Key::parse(key.reveal()).is_some());
        let mut wrong = key.reveal().to_owned();
        let last = if wrong.ends_with('0') { "1" } else { "0" };
        wrong.replace_range(76.., last);
        assert!(Key::parse(&wrong).is_none());
        assert!(Key::parse(&key.reveal().to_uppercase()).is_none());
        assert!(Key::parse(&format!("{} ", key.reveal())).is_none());
    }

    #[test]
    fn no_two_tokens_are_alike_and_none_is_shown() {
        let (one, other) = (Key::random().unwrap(), Key::random().unwrap());
        assert_ne!(one.reveal(), other.reveal());
        assert_ne!(one.hash(), other.hash());
        assert_eq!(format!("{one:?}"), "Key");
    }
}
