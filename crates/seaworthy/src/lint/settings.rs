//! What a project says about the linter: how much each category counts, and the names and types that it asks for.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

pub use patterns::{ConstraintPattern, NamePattern};

use super::{Hazard, RULES, Severity, rule};
use crate::sql::{Type, read_type};

mod patterns;

/// What a project says; the default says nothing, so that the rules are as they are and no name is asked for.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    levels: BTreeMap<&'static str, Level>,
    /// What is asked of new tables, columns and constraints.
    pub required: Required,
}

/// How much the hazards of a category count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Each is an error.
    Error,
    /// Each is a warning.
    Warning,
    /// None is reported.
    Off,
}

/// What is asked of new tables, columns and constraints.
#[derive(Clone, Debug, Default)]
pub struct Required {
    /// What tables are called.
    pub table_names: Option<NamePattern>,
    /// What columns are called.
    pub column_names: Option<NamePattern>,
    /// What constraints and indexes are called.
    pub constraint_names: ConstraintNames,
    /// The types that no column may have.
    pub forbidden_types: Vec<ForbiddenType>,
    /// Whether every new table needs a primary key.
    pub primary_key: bool,
}

/// What constraints and indexes are called, by kind.
#[derive(Clone, Debug, Default)]
pub struct ConstraintNames {
    /// Primary keys.
    pub primary_key: Option<ConstraintPattern>,
    /// Foreign keys.
    pub foreign_key: Option<ConstraintPattern>,
    /// Unique constraints.
    pub unique: Option<ConstraintPattern>,
    /// Checks.
    pub check: Option<ConstraintPattern>,
    /// Indexes.
    pub index: Option<ConstraintPattern>,
    /// Unique indexes; they are named as other indexes where nothing is said.
    pub unique_index: Option<ConstraintPattern>,
}

/// A type that no column may have.
#[derive(Clone, Debug)]
pub struct ForbiddenType {
    text: String,
    data_type: Type,
}

/// Settings that make no sense.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// There is no such category.
    #[error("there is no category {category}")]
    UnknownCategory {
        /// What was written.
        category: String,
        /// The category that is probably meant.
        meant: Option<&'static str>,
    },
    /// A pattern is no regular expression.
    #[error("{pattern} is no regular expression: {problem}")]
    Pattern {
        /// What was written.
        pattern: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A pattern has a placeholder that stands for nothing.
    #[error("{pattern} has the placeholder {{{placeholder}}}, which stands for nothing")]
    Placeholder {
        /// What was written.
        pattern: String,
        /// The placeholder.
        placeholder: String,
    },
    /// A type cannot be read.
    #[error("\"{text}\" is no type")]
    NoType {
        /// What was written.
        text: String,
    },
}

impl Settings {
    /// Says how much the hazards of a category count.
    ///
    /// # Errors
    ///
    /// Fails when there is no such category.
    pub fn set_level(&mut self, category: &str, level: Level) -> Result<(), SettingsError> {
        let Some(found) = rule(category) else {
            return Err(SettingsError::UnknownCategory {
                category: category.to_owned(),
                meant: nearest(category, RULES.iter().map(|rule| rule.code)),
            });
        };
        self.levels.insert(found.code, level);
        Ok(())
    }

    /// Gives hazards the level that is said of their category, and takes away those that are switched off.
    pub fn apply_levels(&self, hazards: &mut Vec<Hazard>) {
        hazards.retain(|hazard| self.levels.get(hazard.category) != Some(&Level::Off));
        for hazard in hazards {
            match self.levels.get(hazard.category) {
                Some(Level::Error) => hazard.severity = Severity::Error,
                Some(Level::Warning) => hazard.severity = Severity::Warn,
                Some(Level::Off) | None => {}
            }
        }
    }
}

impl SettingsError {
    /// Returns the way out.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::UnknownCategory {
                meant: Some(meant), ..
            } => format!("did you mean {meant}?"),
            Self::UnknownCategory { .. } => {
                let codes: BTreeSet<&str> = RULES.iter().map(|rule| rule.code).collect();
                format!("there are {}", codes.into_iter().collect::<Vec<_>>().join(", "))
            }
            Self::Pattern { .. } => {
                "write \"snake_case\" or a regular expression for the whole name, and a backslash before \
                 a character that is to stand for itself"
                    .to_owned()
            }
            Self::Placeholder { .. } => "there are {table} and {columns}".to_owned(),
            Self::NoType { .. } => "write a type as SQL does: \"timestamp\", \"varchar(255)\"".to_owned(),
        }
    }
}

impl ForbiddenType {
    /// Reads a type; one without a length stands for those with one as well.
    ///
    /// # Errors
    ///
    /// Fails when it is no type.
    pub fn new(text: &str) -> Result<Self, SettingsError> {
        let data_type = read_type(text).ok_or_else(|| SettingsError::NoType {
            text: text.to_owned(),
        })?;
        Ok(Self {
            text: text.trim().to_owned(),
            data_type,
        })
    }

    /// Returns the type as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn is_met_by(&self, data_type: &Type) -> bool {
        let wanted = &self.data_type;
        wanted.name == data_type.name
            && (wanted.arguments.is_empty() || wanted.arguments == data_type.arguments)
            && (!wanted.is_array || data_type.is_array)
    }
}

/// Returns the word that somebody who wrote another one probably meant.
#[must_use]
pub fn nearest<'a>(written: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let closeness = |word: &str| strsim::jaro_winkler(word, &written.to_lowercase());
    let close = words.filter(|word| closeness(word) > 0.85);
    close.max_by(|one, other| closeness(one).total_cmp(&closeness(other)))
}
