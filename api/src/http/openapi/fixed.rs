//! A document whose members are always in the same order, so that it is the same text in every process.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::OpenApi;

/// A finished document.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Document(Ordered);

/// JSON that keeps the order of its members.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(untagged)]
enum Ordered {
    Object(IndexMap<String, Self>),
    Array(Vec<Self>),
    Other(Value),
}

impl Document {
    /// Returns it as text without white space.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Returns it as text for people.
    #[must_use]
    pub fn to_pretty_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

impl From<&OpenApi> for Document {
    fn from(document: &OpenApi) -> Self {
        let text = document.to_json().unwrap_or_default();
        let mut ordered = serde_json::from_str(&text).unwrap_or(Ordered::Other(Value::Null));
        ordered.settle();
        Self(ordered)
    }
}

fn extension(name: &str) -> Option<&str> {
    name.starts_with("x-").then_some(name)
}

impl Ordered {
    /// Puts extensions in the order of their names; everything else has an order.
    fn settle(&mut self) {
        match self {
            Self::Object(members) => {
                // Stable: what is no extension stays where it was, before them.
                members.sort_by_key(|name, _| extension(name).map(str::to_owned));
                members.values_mut().for_each(Self::settle);
            }
            Self::Array(items) => items.iter_mut().for_each(Self::settle),
            Self::Other(_) => {}
        }
    }
}
