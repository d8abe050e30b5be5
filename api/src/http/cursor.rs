//! Where a page begins, as text that a client can carry but not change.
//!
//! The signature covers the owner, the list and its filter: a cursor is good for nothing else.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::codes::Code;
use super::problem::Problem;
use crate::domain::{Cursor, CursorValue, Instant, UserId};

/// What a cursor is good for.
pub(super) struct Binding<'a> {
    pub(super) key: &'a [u8],
    pub(super) owner: &'a UserId,
    /// The list with its filter and order.
    pub(super) list: String,
}

/// Bytes of the signature that are kept.
const SIGNATURE: usize = 16;

impl Binding<'_> {
    pub(super) fn seal(&self, cursor: &Cursor) -> String {
        let values: Vec<Value> = cursor.0.iter().map(written).collect();
        let payload = Value::Array(values).to_string();
        let mut bytes = self.signature(payload.as_bytes());
        bytes.extend_from_slice(payload.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    pub(super) fn open(&self, text: &str) -> Result<Cursor, Problem> {
        let invalid = || Problem::new(Code::CursorInvalid);
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        let (signature, payload) = bytes.split_at_checked(SIGNATURE).ok_or_else(invalid)?;
        self.mac(payload)
            .verify_truncated_left(signature)
            .map_err(|_| invalid())?;
        let values: Vec<Value> = serde_json::from_slice(payload).map_err(|_| invalid())?;
        let values: Option<Vec<CursorValue>> = values.iter().map(read).collect();
        values.map(Cursor).ok_or_else(invalid)
    }

    fn signature(&self, payload: &[u8]) -> Vec<u8> {
        self.mac(payload).finalize().into_bytes()[..SIGNATURE].to_vec()
    }

    fn mac(&self, payload: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key).expect("HMAC takes a key of any length");
        for part in [self.owner.as_str().as_bytes(), self.list.as_bytes(), payload] {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        mac
    }
}

fn written(value: &CursorValue) -> Value {
    match value {
        CursorValue::Missing => Value::Null,
        CursorValue::Number(number) => json!(number),
        CursorValue::Text(text) => json!(text),
        CursorValue::Moment(moment) => json!({ "at": moment.to_string() }),
    }
}

fn read(value: &Value) -> Option<CursorValue> {
    match value {
        Value::Null => Some(CursorValue::Missing),
        Value::Number(number) => number.as_i64().map(CursorValue::Number),
        Value::String(text) => Some(CursorValue::Text(text.clone())),
        Value::Object(members) => {
            let text = members.get("at")?.as_str()?;
            Instant::parse(text).map(CursorValue::Moment)
        }
        _ => None,
    }
}
