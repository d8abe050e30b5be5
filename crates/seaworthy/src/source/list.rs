//! The migrator's source file: the modules it declares and the one list of its migrations.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

use super::SourceError;

/// The migrator's file, read.
pub(super) struct MigratorSource {
    /// The file.
    pub(super) path: PathBuf,
    /// The folder that revisions live in.
    pub(super) folder: PathBuf,
    text: String,
}

/// The pattern by which `sea-orm-cli` recognises a migration's module.
static MODULE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^[ \t]*((?:pub )?mod)\s+(m\d{8}_\d{6}_\w+);").expect("the pattern is well formed")
});

/// The pattern of modules beside which a new one belongs: projects also number their files in other ways, as in `m00079_...`.
static NEIGHBOUR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^[ \t]*((?:pub )?mod)\s+m\d+_\w+;").expect("the pattern is well formed")
});

impl MigratorSource {
    /// Finds the file as `sea-orm-cli` does: `src/lib.rs`, or `lib.rs` or `mod.rs` in the folder itself.
    pub(super) fn read(folder: &Path) -> Result<Self, SourceError> {
        let path = ["src/lib.rs", "src/mod.rs", "lib.rs", "mod.rs"]
            .into_iter()
            .map(|file| folder.join(file))
            .find(|path| path.is_file())
            .ok_or_else(|| SourceError::NoMigrator {
                folder: folder.display().to_string(),
            })?;
        let text = fs::read_to_string(&path).map_err(|source| SourceError::File {
            action: "read",
            path: path.display().to_string(),
            source,
        })?;
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Ok(Self { path, folder, text })
    }

    /// Returns the names of the declared migrations.
    pub(super) fn modules(&self) -> impl Iterator<Item = &str> {
        MODULE
            .captures_iter(&self.text)
            .filter_map(|found| found.get(2))
            .map(|name| name.as_str())
    }

    /// Returns whether the list takes revisions with headers.
    pub(super) fn has_headers(&self) -> bool {
        self.text.contains("revision_vec!") || self.text.contains("dyn Revision")
    }

    /// Returns the path as text.
    pub(super) fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// Returns the file's text with one more migration declared and listed last.
    pub(super) fn with(&self, name: &str) -> Result<String, SourceError> {
        let mut text = self
            .with_entry(name)
            .ok_or_else(|| SourceError::NoList { path: self.shown() })?;
        match NEIGHBOUR.captures_iter(&self.text).last() {
            Some(last) => {
                // The list stands behind the declarations, or before them; either way the declaration itself is unchanged.
                let declaration = &last[0];
                let end = text.find(declaration).unwrap_or_default() + declaration.len();
                text.insert_str(end, &format!("\n{} {name};", &last[1]));
            }
            None => text.push_str(&format!("\nmod {name};\n")),
        }
        Ok(text)
    }

    fn with_entry(&self, name: &str) -> Option<String> {
        let open = self.text.find("vec![")? + "vec![".len();
        let close = open + closing_bracket(&self.text[open..])?;
        let entries = self.text[open..close].trim_end();
        let outer = indentation(&self.text, open);
        let inner = entries
            .lines()
            .last()
            .filter(|_| entries.contains('\n'))
            .map_or_else(
                || format!("{outer}    "),
                |line| line.chars().take_while(|letter| letter.is_whitespace()).collect(),
            );
        let comma = if entries.trim().is_empty() || entries.ends_with(',') {
            ""
        } else {
            ","
        };
        let entries = match entries.contains('\n') {
            true => entries.to_owned(),
            false if entries.trim().is_empty() => String::new(),
            false => format!("\n{inner}{}", entries.trim()),
        };
        Some(format!(
            "{}{entries}{comma}\n{inner}Box::new({name}::Migration),\n{outer}{}",
            &self.text[..open],
            &self.text[close..]
        ))
    }
}

/// Returns where the bracket that was opened before the text is closed.
fn closing_bracket(text: &str) -> Option<usize> {
    let mut depth = 1_usize;
    for (position, letter) in text.char_indices() {
        match letter {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(position);
        }
    }
    None
}

/// Returns the white space that the line at this position begins with.
fn indentation(text: &str, position: usize) -> String {
    let start = text[..position].rfind('\n').map_or(0, |newline| newline + 1);
    text[start..]
        .chars()
        .take_while(|letter| *letter == ' ' || *letter == '\t')
        .collect()
}
