//! What tokens say whose signature was found to be good, so that it is worked out once.
//!
//! Only the signature and the form are taken as read. The time and the sign-in are looked at for each request.

use std::sync::Arc;

use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

/// Contents of tokens by the SHA-256 of the token; the tokens themselves are not kept.
pub(super) struct Verified<T>(Cache<[u8; 32], Arc<T>>);

/// How many are remembered.
const MOST: usize = 10_000;

impl<T> Verified<T> {
    pub(super) fn get(&self, token: &str) -> Option<Arc<T>> {
        self.0.get(&digest(token))
    }

    pub(super) fn remember(&self, token: &str, content: T) {
        self.0.insert(digest(token), Arc::new(content));
    }
}

impl<T> Default for Verified<T> {
    fn default() -> Self {
        Self(Cache::new(MOST))
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_token_is_another_one() {
        let verified = Verified::default();
        verified.remember("a.b.c", 1);
        assert_eq!(verified.get("a.b.c").as_deref(), Some(&1));
        assert_eq!(verified.get("a.b.d"), None);
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let verified = Verified::default();
        for number in 0..2 * MOST {
            verified.remember(&number.to_string(), ());
        }
        assert!(verified.0.len() <= MOST);
    }
}
