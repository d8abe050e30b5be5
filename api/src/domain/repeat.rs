//! Requests that are carried out once however often they come: the caller's key, and the answer that is kept under it.

use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};

/// What a caller calls a request: 1 to 255 printable ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RepeatKey(String);

/// A request that is to be carried out once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keyed {
    /// Method and template of the path.
    pub(crate) route: String,
    pub(crate) key: RepeatKey,
    /// SHA-256 over path and body, in hex.
    pub(crate) fingerprint: String,
}

/// An answer as whoever gave it wants to find it when the same request comes again. What it says only they know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) kind: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl RepeatKey {
    /// How long an answer is kept.
    pub(crate) const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
    /// Most characters of a key.
    const LONGEST: usize = 255;

    /// Reads a string of structured fields (RFC 9651, 3.3.3), or the same without quotes where that is unambiguous.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let key = match text.strip_prefix('"') {
            Some(rest) => unescaped(rest.strip_suffix('"')?)?,
            None if text.bytes().all(is_bare) => text.to_owned(),
            None => return None,
        };
        (1..=Self::LONGEST).contains(&key.len()).then_some(Self(key))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a byte of a key needs no quotes: what tokens are made of, and what Base64 adds.
fn is_bare(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/=".contains(&byte)
}

/// Returns what stands between the quotes; only quotes and backslashes are escaped.
fn unescaped(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        plain.push(match letter {
            '\\' => letters.next().filter(|next| matches!(next, '"' | '\\'))?,
            '"' => return None,
            ' '..='~' => letter,
            _ => return None,
        });
    }
    Some(plain)
}

/// Returns the fingerprint of what is asked for: the same for two bodies that differ in white space or the order of members.
pub(crate) fn fingerprint(path: &str, body: Option<&Value>) -> String {
    let mut hash = Sha256::new();
    hash.update((path.len() as u64).to_le_bytes());
    hash.update(path);
    if let Some(body) = body {
        digest(&mut hash, body);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn digest(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            names.sort_unstable();
            hash.update(b"{");
            for name in names {
                digest(hash, &Value::String(name.clone()));
                digest(hash, &members[name]);
            }
            hash.update(b"}");
        }
        Value::Array(items) => {
            hash.update(b"[");
            items.iter().for_each(|item| digest(hash, item));
            hash.update(b"]");
        }
        // The text of a scalar ends where it says: a string with its quote, the others with this comma.
        scalar => {
            hash.update(scalar.to_string());
            hash.update(b",");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn key(text: &str) -> Option<String> {
        RepeatKey::parse(text).map(|key| key.0)
    }

    #[test]
    fn a_key_is_a_quoted_string_or_a_bare_word() {
        assert_eq!(key(r#""a key""#).unwrap(), "a key");
        assert_eq!(key(r#""say \"hi\" \\o/""#).unwrap(), r#"say "hi" \o/"#);
        let word = "8e03978e-40d5-43dd-bc93-6894a57f9324";
        assert_eq!(key(word).unwrap(), word);
        assert_eq!(key(&format!("\"{word}\"")).unwrap(), word);
        assert!(key(&"k".repeat(255)).is_some());
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "\"\"",
            "\"",
            "two words",
            "\"open",
            "a,b",
            "\"a\", \"b\"",
            "\"a\";p=1",
            r#""\a""#,
            "ключ",
            "\"ключ\"",
        ] {
            assert_eq!(key(text), None, "{text}");
        }
        assert_eq!(key(&"k".repeat(256)), None);
    }

    #[test]
    fn a_fingerprint_knows_what_is_said_and_not_how() {
        let of = |text: &str| fingerprint("/p", Some(&serde_json::from_str(text).unwrap()));
        assert_eq!(
            of(r#"{"a":1,"b":{"c":[1,2],"d":null}}"#),
            of(r#"{ "b": {"d": null, "c": [1, 2]}, "a": 1 }"#)
        );
        for (one, other) in [
            (r#"{"a":[1,2]}"#, r#"{"a":[12]}"#),
            (r#"{"a":"1"}"#, r#"{"a":1}"#),
            (r#"[["a"],"b"]"#, r#"[["a","b"]]"#),
            (r#"{"a":"b","c":"d"}"#, r#"{"a":"d","c":"b"}"#),
        ] {
            assert_ne!(of(one), of(other), "{one} {other}");
        }
        assert_ne!(fingerprint("/p", None), fingerprint("/q", None));
        assert_ne!(fingerprint("/p", Some(&json!(null))), fingerprint("/p", None));
    }
}
