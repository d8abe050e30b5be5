//! Disagreements that are known and have a reason.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::compare::Disagreement;

/// The contents of the file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Allowed {
    #[serde(default)]
    allowed: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    reader: String,
    /// A piece of the statement, in any case and with any white space.
    statement: String,
    /// Whether nothing may be missed all the same.
    #[serde(default)]
    is_only_invented: bool,
    /// Why the reader may differ. Nobody reads it but people, and it may not be empty.
    reason: String,
}

impl Allowed {
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))?;
        let found: Self =
            toml::from_str(&text).with_context(|| format!("could not parse {}", file.display()))?;
        let without = found.allowed.iter().find(|entry| entry.reason.trim().is_empty());
        anyhow::ensure!(
            without.is_none(),
            "an entry of {} has an empty reason",
            file.display()
        );
        Ok(found)
    }

    /// Returns whether a disagreement of a reader is one of those.
    pub(crate) fn has(&self, reader: &str, found: &Disagreement) -> bool {
        let statement = plain(&found.sql);
        self.allowed.iter().any(|entry| {
            entry.reader == reader
                && statement.contains(&plain(&entry.statement))
                && (found.missed.is_empty() || !entry.is_only_invented)
        })
    }
}

fn plain(sql: &str) -> String {
    let words: Vec<_> = sql.split_whitespace().collect();
    words.concat().to_lowercase()
}
