//! Sequences: those that belong to no column, and how those count that number one.

use serde::{Deserialize, Serialize};

use super::is_false;
use super::written::or_default;

/// A sequence.
///
/// What is absent is at PostgreSQL's default (manual, "CREATE SEQUENCE").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequence {
    /// Its name.
    pub name: String,
    /// The type of its numbers; absent for `bigint`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub data_type: Option<String>,
    /// The first number, unless the lowest, or the highest of one that counts down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<i64>,
    /// The step, unless 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub increment: Option<i64>,
    /// The lowest number, unless 1, or that of the type where it counts down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<i64>,
    /// The highest number, unless that of the type, or -1 where it counts down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<i64>,
    /// Whether it begins again at the end.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_false")]
    pub cycle: bool,
    /// How many numbers a session takes at once, unless 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<i64>,
    /// The column that takes it along when it is dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owned_by: Option<SequenceOwner>,
}

/// The column that a sequence is dropped with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SequenceOwner {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
}

impl Sequence {
    /// Returns a sequence of `bigint` that starts at 1.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            data_type: None,
            start: None,
            increment: None,
            minimum: None,
            maximum: None,
            cycle: false,
            cache: None,
            owned_by: None,
        }
    }

    /// Returns the name that PostgreSQL thinks of for the sequence of a column.
    #[must_use]
    pub fn usual_name(table: &str, column: &str) -> String {
        format!("{table}_{column}_seq")
    }

    /// Returns the sequence that numbers a column of this type when nothing else is said.
    #[must_use]
    pub fn usual(table: &str, column: &str, column_type: &str) -> Self {
        let mut usual = Self::new(Self::usual_name(table, column));
        usual.set_type(column_type);
        usual
    }

    /// Returns whether two count alike, whatever they are called and whoever owns them.
    #[must_use]
    pub fn counts_as(&self, other: &Self) -> bool {
        let numbers = |sequence: &Self| {
            (
                sequence.bounds(),
                sequence.first(),
                sequence.step(),
                sequence.cycle,
                sequence.cache.unwrap_or(1),
            )
        };
        self.type_name() == other.type_name() && numbers(self) == numbers(other)
    }

    /// Returns the type of its numbers.
    #[must_use]
    pub fn type_name(&self) -> &str {
        self.data_type.as_deref().unwrap_or("bigint")
    }

    /// Returns how far apart two numbers are; negative when it counts down.
    #[must_use]
    pub fn step(&self) -> i64 {
        self.increment.unwrap_or(1)
    }

    /// Returns the lowest and the highest number.
    #[must_use]
    pub fn bounds(&self) -> (i64, i64) {
        let highest = highest(self.type_name());
        let usual = match self.step() > 0 {
            true => (1, highest),
            false => (-highest - 1, -1),
        };
        (self.minimum.unwrap_or(usual.0), self.maximum.unwrap_or(usual.1))
    }

    /// Returns the first number.
    #[must_use]
    pub fn first(&self) -> i64 {
        let (lowest, highest) = self.bounds();
        self.start
            .unwrap_or(if self.step() > 0 { lowest } else { highest })
    }

    /// Counts in the numbers of a column of this type; in `bigint` where that is no type of a sequence.
    pub(crate) fn set_type(&mut self, column_type: &str) {
        self.data_type = ["smallint", "integer"]
            .contains(&column_type)
            .then(|| column_type.to_owned());
    }
}

/// Returns the highest number of a type (manual, "Numeric Types").
fn highest(data_type: &str) -> i64 {
    match data_type {
        "smallint" => i64::from(i16::MAX),
        "integer" => i64::from(i32::MAX),
        _ => i64::MAX,
    }
}
