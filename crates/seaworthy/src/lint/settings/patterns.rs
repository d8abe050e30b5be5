//! The patterns of names: one for tables and columns, one with placeholders for constraints and indexes.

use regex::Regex;

use super::SettingsError;

/// What a table or column is called.
#[derive(Clone, Debug)]
pub struct NamePattern {
    text: String,
    regex: Regex,
}

/// What a constraint or index is called: a regular expression in which `{table}` and `{columns}` stand for those that it is on.
#[derive(Clone, Debug)]
pub struct ConstraintPattern {
    text: String,
}

impl NamePattern {
    /// Reads `snake_case` or a regular expression that the whole name has to match.
    ///
    /// # Errors
    ///
    /// Fails when it is no regular expression.
    pub fn new(text: &str) -> Result<Self, SettingsError> {
        const SNAKE_CASE: &str = "[a-z][a-z0-9]*(_[a-z0-9]+)*";
        let expression = if text == "snake_case" { SNAKE_CASE } else { text };
        Ok(Self {
            text: text.to_owned(),
            regex: whole(expression, text)?,
        })
    }

    /// Returns the pattern as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(in crate::lint) fn is_met_by(&self, name: &str) -> bool {
        self.regex.is_match(name)
    }
}

impl ConstraintPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// Fails when it is no regular expression, or has another placeholder.
    pub fn new(text: &str) -> Result<Self, SettingsError> {
        if let Some(placeholder) = unknown_placeholder(text) {
            return Err(SettingsError::Placeholder {
                pattern: text.to_owned(),
                placeholder,
            });
        }
        let pattern = Self {
            text: text.to_owned(),
        };
        whole(&pattern.filled("t", "c"), text)?;
        Ok(pattern)
    }

    /// Returns the name or the names that it asks for, on a table and columns; an expression may be called anything.
    pub(in crate::lint) fn wanted(&self, table: &str, columns: &[String]) -> String {
        self.filled(table, &joined(columns, |column| column.to_owned(), "..."))
    }

    pub(in crate::lint) fn is_met_by(&self, name: &str, table: &str, columns: &[String]) -> bool {
        let columns = joined(columns, regex::escape, ".+");
        let expression = self.filled(&regex::escape(table), &columns);
        // It was compiled once, with other names in it.
        whole(&expression, &self.text).is_ok_and(|regex| regex.is_match(name))
    }

    fn filled(&self, table: &str, columns: &str) -> String {
        self.text.replace("{table}", table).replace("{columns}", columns)
    }
}

/// Joins names as they stand in the name of a constraint; an expression, or that nothing is known, is what `any` says.
fn joined(columns: &[String], each: impl Fn(&str) -> String, any: &str) -> String {
    if columns.is_empty() {
        return any.to_owned();
    }
    let parts = columns.iter().map(|column| match column.as_str() {
        "" => any.to_owned(),
        column => each(column),
    });
    parts.collect::<Vec<_>>().join("_")
}

/// Returns the first placeholder that is neither known nor a count of a regular expression.
fn unknown_placeholder(text: &str) -> Option<String> {
    let names = text.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    let is_word = |name: &str| name.chars().next().is_some_and(char::is_alphabetic);
    let unknown = |name: &str| is_word(name) && !["table", "columns"].contains(&name);
    names
        .map(|(name, _)| name)
        .find(|name| unknown(name))
        .map(str::to_owned)
}

/// Returns an expression for the whole of a text.
fn whole(expression: &str, written: &str) -> Result<Regex, SettingsError> {
    Regex::new(&format!("^(?:{expression})$")).map_err(|error| SettingsError::Pattern {
        pattern: written.to_owned(),
        problem: problem(&error),
    })
}

/// Returns what is wrong with an expression, in one line: the last of those that the crate prints.
fn problem(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim();
    last.trim_start_matches("error: ").to_owned()
}
