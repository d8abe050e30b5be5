//! Where statements come from: the repository's own fixtures, pages and revisions, and folders of SQL files.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

/// A piece of SQL, of one statement or many, and where it stands.
pub(crate) struct Text {
    pub(crate) origin: String,
    pub(crate) sql: String,
}

/// Places in the repository that hold SQL.
const OWN: [&str; 6] = [
    "README.md",
    "docs",
    "crates/seaworthy/src",
    "crates/seaworthy/tests",
    "migration/src",
    "migration/tests",
];

/// Words that a statement begins with.
const VERBS: [&str; 37] = [
    "abort",
    "alter",
    "analyze",
    "begin",
    "call",
    "checkpoint",
    "cluster",
    "comment",
    "commit",
    "copy",
    "create",
    "deallocate",
    "delete",
    "discard",
    "do",
    "drop",
    "end",
    "execute",
    "explain",
    "grant",
    "insert",
    "lock",
    "merge",
    "prepare",
    "reassign",
    "refresh",
    "reindex",
    "release",
    "reset",
    "revoke",
    "rollback",
    "savepoint",
    "select",
    "set",
    "truncate",
    "update",
    "with",
];

/// Reads all SQL of the repository.
pub(crate) fn of_repository(root: &Path) -> Result<Vec<Text>> {
    let mut texts = Vec::new();
    for place in OWN {
        for file in files(&root.join(place))? {
            let Some(extension) = file.extension().and_then(|it| it.to_str()) else {
                continue;
            };
            let pieces = match extension {
                "sql" => vec![read(&file)?],
                "md" => blocks(&read(&file)?),
                "json" => strings_of_json(&read(&file)?),
                "rs" => literals(&read(&file)?),
                _ => continue,
            };
            let origin = file.strip_prefix(root).unwrap_or(&file).display().to_string();
            texts.extend(pieces.into_iter().map(|sql| Text {
                origin: origin.clone(),
                sql,
            }));
        }
    }
    Ok(texts)
}

/// Reads the SQL files of a folder, without what `psql` takes for itself.
pub(crate) fn of_folder(folder: &Path) -> Result<Vec<Text>> {
    let found = files(folder)?
        .into_iter()
        .filter(|file| file.extension().is_some_and(|it| it == "sql"));
    found
        .map(|file| {
            Ok(Text {
                origin: file.strip_prefix(folder).unwrap_or(&file).display().to_string(),
                sql: without_psql(&read(&file)?),
            })
        })
        .collect()
}

/// Returns the number of lines of the toolkit's reader, without what follows the schema that its statements make.
pub(crate) fn lines_of_reader(root: &Path) -> Result<usize> {
    let room = root.join("crates/seaworthy/src/sql");
    let mut count = 0;
    for file in files(&room)? {
        if !file.starts_with(room.join("schema")) && !file.ends_with("schema.rs") {
            count += read(&file)?.lines().count();
        }
    }
    Ok(count)
}

fn read(file: &Path) -> Result<String> {
    let bytes = fs::read(file).with_context(|| format!("could not read {}", file.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns the file itself, or all files below a folder, in the order of their names.
fn files(place: &Path) -> Result<Vec<PathBuf>> {
    if place.is_file() {
        return Ok(vec![place.to_owned()]);
    }
    let entries = fs::read_dir(place).with_context(|| format!("could not read {}", place.display()))?;
    let paths: BTreeSet<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    let mut found = Vec::new();
    for path in paths {
        found.extend(files(&path)?);
    }
    Ok(found)
}

/// Returns the contents of the fenced blocks of SQL.
fn blocks(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Option<String> = None;
    for line in page.lines() {
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(block), None) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, Some(language)) if language.starts_with("sql") => open = Some(String::new()),
            (None, _) => {}
        }
    }
    found
}

fn strings_of_json(text: &str) -> Vec<String> {
    fn walk(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::String(text) if begins_with_verb(text) => found.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
            Value::Object(members) => members.values().for_each(|member| walk(member, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    if let Ok(value) = serde_json::from_str(text) {
        walk(&value, &mut found);
    }
    found
}

/// Returns the string literals of a Rust file that begin as a statement does. What turns out to be English is nothing
/// that the server can read, and falls out later.
fn literals(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(quote) = rest.find('"') {
        let (before, after) = rest.split_at(quote);
        let hashes = before.len() - before.trim_end_matches('#').len();
        let is_raw = before[..quote - hashes].ends_with('r');
        let end = match is_raw {
            true => after[1..].find(&format!("\"{}", "#".repeat(hashes))),
            false => end_of_literal(&after[1..]),
        };
        let Some(end) = end else { break };
        let inner = &after[1..=end];
        let text = if is_raw {
            inner.to_owned()
        } else {
            unescaped(inner)
        };
        if begins_with_verb(&text) {
            found.push(text);
        }
        rest = &after[end + 2..];
    }
    found
}

fn end_of_literal(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.char_indices().find_map(|(index, letter)| {
        let is_end = letter == '"' && !is_escaped;
        is_escaped = letter == '\\' && !is_escaped;
        is_end.then_some(index)
    })
}

/// Resolves the escapes that occur in SQL; a backslash before a line's end swallows the white space that follows.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, if letter == '\\' { letters.next() } else { None }) {
            ('\\', Some('n')) => plain.push('\n'),
            ('\\', Some('t')) => plain.push('\t'),
            ('\\', Some('\n')) => while letters.next_if(|next| next.is_whitespace()).is_some() {},
            ('\\', Some(other)) => plain.push(other),
            (letter, _) => plain.push(letter),
        }
    }
    plain
}

fn begins_with_verb(text: &str) -> bool {
    let word: String = text
        .trim_start()
        .chars()
        .take_while(char::is_ascii_alphabetic)
        .collect();
    text.trim_start().len() > word.len() && VERBS.contains(&word.to_lowercase().as_str())
}

/// Leaves out the commands of `psql` and the rows that follow `COPY ... FROM stdin`: they never reach the parser.
fn without_psql(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut is_rows = false;
    for line in text.lines() {
        if is_rows {
            is_rows = line.trim_end() != "\\.";
            continue;
        }
        if line.starts_with('\\') {
            continue;
        }
        let lower = line.to_lowercase();
        is_rows =
            lower.starts_with("copy ") && lower.contains("from stdin") && lower.trim_end().ends_with(';');
        kept.push_str(line);
        kept.push('\n');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::{blocks, literals, without_psql};

    #[test]
    fn statements_are_found_in_rust_literals_and_pages() {
        let source = r##"run("DROP TABLE \"a\""); log("dropped"); run(r#"DELETE FROM "b""#); run("SELECT \
            1");"##;
        let expected = ["DROP TABLE \"a\"", "DELETE FROM \"b\"", "SELECT 1"];
        assert_eq!(literals(source), expected);
        assert_eq!(
            blocks("text\n```sql transaction\nDROP TABLE a;\n```\n"),
            ["DROP TABLE a;\n"]
        );
    }

    #[test]
    fn commands_of_psql_and_rows_of_copy_are_left_out() {
        let dump = "\\connect shop\nCOPY items (id) FROM stdin;\n1\nDROP TABLE x;\n\\.\nDROP TABLE y;\n";
        assert_eq!(without_psql(dump), "COPY items (id) FROM stdin;\nDROP TABLE y;\n");
    }
}
