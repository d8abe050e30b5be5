//! `seaworthy.toml`: finds the file, and turns it into the settings of the linter and of comparisons.
//!
//! What a key means say `seaworthy::lint` and [`Environment::exclude`](seaworthy::environment::Environment::exclude); here is only
//! how it is written, and what is wrong with what was written.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use seaworthy::lint::{
    ConstraintNames, ConstraintPattern, ForbiddenType, Level, NamePattern, Settings, SettingsError, nearest,
};
use serde::Deserialize;
use toml::Spanned;

use crate::exit::Failure;

/// The name of the file.
const NAME: &str = "seaworthy.toml";

/// What a project asks for.
#[derive(Default)]
pub(crate) struct Configuration {
    /// What it asks of the linter.
    pub(crate) lint: Arc<Settings>,
    /// Names and patterns of what is left out of every comparison.
    pub(crate) exclude: Vec<String>,
}

/// Returns what a file says, or the nearest `seaworthy.toml` where none is named; nothing is asked where there is none.
pub(crate) fn read_configuration(named: Option<&Path>) -> Result<Configuration, Failure> {
    let found = match named {
        Some(file) => Some(file.to_owned()),
        None => nearest_file()?,
    };
    found.map_or_else(|| Ok(Configuration::default()), |file| read(&file))
}

/// Looks in the working folder and, within a repository, in those above it up to its root.
fn nearest_file() -> Result<Option<PathBuf>, Failure> {
    let here = std::env::current_dir().map_err(|source| Failure::File {
        path: PathBuf::from("."),
        source,
    })?;
    let root = here.ancestors().find(|folder| folder.join(".git").exists());
    let root = root.unwrap_or(&here);
    let mut folders = here.ancestors().take_while(|folder| folder.starts_with(root));
    Ok(folders
        .find(|folder| folder.join(NAME).is_file())
        .map(|folder| match folder == here {
            true => PathBuf::from(NAME),
            false => folder.join(NAME),
        }))
}

fn read(file: &Path) -> Result<Configuration, Failure> {
    let text = fs::read_to_string(file).map_err(|source| Failure::File {
        path: file.to_owned(),
        source,
    })?;
    let source = Source { file, text: &text };
    let written: Written = toml::from_str(&text).map_err(|error| source.unreadable(&error))?;
    Ok(Configuration {
        lint: Arc::new(source.settings(&written.lint)?),
        exclude: source.exclude(&written.compare)?,
    })
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    lint: WrittenLint,
    compare: WrittenCompare,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenCompare {
    exclude: Vec<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenLint {
    rules: BTreeMap<Spanned<String>, WrittenLevel>,
    require: WrittenRequire,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WrittenLevel {
    Error,
    Warning,
    Off,
}

type Text = Option<Spanned<String>>;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct WrittenRequire {
    table_names: Text,
    column_names: Text,
    primary_key: bool,
    forbidden_types: Vec<Spanned<String>>,
    names: WrittenNames,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct WrittenNames {
    primary_key: Text,
    foreign_key: Text,
    unique: Text,
    check: Text,
    index: Text,
    unique_index: Text,
}

/// A file and what it holds, for messages.
struct Source<'a> {
    file: &'a Path,
    text: &'a str,
}

impl Source<'_> {
    fn settings(&self, written: &WrittenLint) -> Result<Settings, Failure> {
        let mut settings = Settings::default();
        for (category, level) in &written.rules {
            let level = match level {
                WrittenLevel::Error => Level::Error,
                WrittenLevel::Warning => Level::Warning,
                WrittenLevel::Off => Level::Off,
            };
            let said = settings.set_level(category.get_ref(), level);
            said.map_err(|error| self.wrong("lint.rules", category, &error))?;
        }
        let require = &written.require;
        let required = &mut settings.required;
        required.table_names = self.parsed("table-names", &require.table_names, NamePattern::new)?;
        required.column_names = self.parsed("column-names", &require.column_names, NamePattern::new)?;
        required.primary_key = require.primary_key;
        let types = require.forbidden_types.iter().map(|text| {
            let key = "lint.require.forbidden-types";
            ForbiddenType::new(text.get_ref()).map_err(|error| self.wrong(key, text, &error))
        });
        required.forbidden_types = types.collect::<Result<_, _>>()?;
        let names = &require.names;
        let pattern =
            |key: &str, text: &Text| self.parsed(&format!("names.{key}"), text, ConstraintPattern::new);
        required.constraint_names = ConstraintNames {
            primary_key: pattern("primary-key", &names.primary_key)?,
            foreign_key: pattern("foreign-key", &names.foreign_key)?,
            unique: pattern("unique", &names.unique)?,
            check: pattern("check", &names.check)?,
            index: pattern("index", &names.index)?,
            unique_index: pattern("unique-index", &names.unique_index)?,
        };
        Ok(settings)
    }

    fn exclude(&self, written: &WrittenCompare) -> Result<Vec<String>, Failure> {
        let patterns = written
            .exclude
            .iter()
            .map(|pattern| match pattern.get_ref().trim() {
                "" => Err(Failure::Configuration {
                    place: self.place(Some(pattern.span())),
                    message: "compare.exclude: an empty text is no name".to_owned(),
                    hint: "write the name of a table, view, type or sequence; * stands for any text"
                        .to_owned(),
                }),
                pattern => Ok(pattern.to_owned()),
            });
        patterns.collect()
    }

    /// Reads the value of a key of `lint.require`.
    fn parsed<T>(
        &self,
        key: &str,
        text: &Text,
        parse: impl Fn(&str) -> Result<T, SettingsError>,
    ) -> Result<Option<T>, Failure> {
        let parsed = text.as_ref().map(|text| {
            let key = format!("lint.require.{key}");
            parse(text.get_ref()).map_err(|error| self.wrong(&key, text, &error))
        });
        parsed.transpose()
    }

    fn wrong(&self, key: &str, at: &Spanned<String>, error: &SettingsError) -> Failure {
        Failure::Configuration {
            place: self.place(Some(at.span())),
            message: format!("{key}: {error}"),
            hint: error.hint(),
        }
    }

    /// Says what the parser has found, with the word that was probably meant.
    fn unreadable(&self, error: &toml::de::Error) -> Failure {
        let message = error.message();
        // `unknown field `a`, expected one of `b`, `c``: every second piece is a word.
        let mut words = message.split('`').skip(1).step_by(2);
        let written = words.next().unwrap_or_default();
        let known: Vec<&str> = words.collect();
        let meant = nearest(written, known.iter().copied());
        let hint = match meant {
            Some(meant) => format!("did you mean {meant}?"),
            None if !known.is_empty() => format!("there are {}", known.join(", ")),
            None => "see docs/cli.md, \"seaworthy.toml\"".to_owned(),
        };
        let message = match known.is_empty() {
            true => message.to_owned(),
            false if message.starts_with("unknown field") => format!("there is no key {written} here"),
            false => format!("{written} is none of {}", known.join(", ")),
        };
        Failure::Configuration {
            place: self.place(error.span()),
            message,
            hint,
        }
    }

    fn place(&self, span: Option<Range<usize>>) -> String {
        let file = self.file.display();
        match span.and_then(|span| self.text.get(..span.start)) {
            Some(before) => format!("{file}:{}", before.matches('\n').count() + 1),
            None => file.to_string(),
        }
    }
}
