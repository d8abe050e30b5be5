//! What a command would destroy, with what the live database says about it.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::CommandError;
use crate::revision::RevisionId;
use crate::script::Losses;
use crate::session::Session;
use crate::sql::Taken;

pub(super) use catalog::{has_tables, taken_along};

mod catalog;
mod count;
mod form;
mod retype;

/// Counting stops here: more rows than this are "more than".
pub(super) const COUNTED: i64 = 100_000;

/// What a command would destroy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stakes {
    /// Tables, columns, rows and values that would go.
    pub losses: Vec<CountedLoss>,
    /// Statements that may destroy something which this tool does not understand, or which names what is not there.
    pub unclear: Vec<String>,
    /// Rows of the applied set that would be forgotten.
    pub version_rows: usize,
    /// The schema that would lose everything in it, whether it has rows or not; on PostgreSQL.
    pub emptied_schema: Option<String>,
    /// Revisions of other branches than the one that is to be undone.
    pub other_branches: Vec<RevisionId>,
    /// What else would go: things of other schemas that hold no rows, and tables whose rows cannot be counted.
    pub uncounted: Vec<String>,
    /// Tables of which rows would go, and none were found.
    #[serde(skip)]
    pub(crate) found_empty: BTreeSet<String>,
    /// Columns that would go and hold nothing, each behind its table.
    #[serde(skip)]
    pub(crate) empty_columns: BTreeSet<(String, String)>,
}

/// Something that would go, and how many rows hold something of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CountedLoss {
    /// What would go.
    #[serde(flatten)]
    pub loss: Loss,
    /// The rows that are lost, or that lose a value; counting stops at 100,000.
    pub rows: i64,
}

/// One thing that would go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "what", rename_all = "lowercase")]
pub enum Loss {
    /// A table goes with all its rows.
    Table {
        /// Its name, with its schema where the statement has one.
        table: String,
    },
    /// A column goes.
    Column {
        /// The table's name.
        table: String,
        /// The column's name.
        column: String,
    },
    /// Rows are deleted, and the table stays.
    Rows {
        /// The table's name.
        table: String,
        /// All rows of the table; counting stops at 100,000.
        total: i64,
        /// Whether it is known which rows; if not, `rows` is the most that it can be.
        exact: bool,
    },
    /// Values are overwritten.
    Values {
        /// The table's name.
        table: String,
        /// The columns; none where they are not known.
        columns: Vec<String>,
        /// Whether it is known which rows; if not, `rows` is the most that it can be.
        exact: bool,
    },
    /// Values change with the type of their column.
    Type {
        /// The table's name.
        table: String,
        /// The column's name.
        column: String,
        /// The new type.
        to: String,
    },
    /// A column goes, and what is kept of its values does not give them back.
    Form {
        /// The table's name.
        table: String,
        /// The column's name.
        column: String,
        /// The expression that is kept.
        form: String,
    },
}

impl Stakes {
    /// Counts what is at stake.
    pub(super) async fn count(session: &Session, losses: Losses) -> Result<Self, CommandError> {
        count::Counter::new(session).count(losses).await
    }

    /// Returns whether nothing would be lost.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.losses.is_empty()
            && self.unclear.is_empty()
            && self.version_rows == 0
            && self.other_branches.is_empty()
            && self.uncounted.is_empty()
    }

    /// Refuses to go on where something is at stake that consent was not given for.
    ///
    /// More rows of what was named are no such thing: whoever writes them may do so at any moment.
    pub(super) fn refuse_more_than(&self, agreed: &Self) -> Result<(), CommandError> {
        let is_named =
            |counted: &CountedLoss| agreed.losses.iter().any(|one| one.loss.is_same(&counted.loss));
        let is_more = !self.losses.iter().all(is_named)
            || !self.unclear.iter().all(|what| agreed.unclear.contains(what))
            || !self.uncounted.iter().all(|what| agreed.uncounted.contains(what));
        match is_more {
            true => Err(CommandError::ChangedMeanwhile),
            false => Ok(()),
        }
    }

    /// Returns the tables, columns and rows that would go.
    pub(super) fn taken(&self) -> Taken {
        let mut taken = Taken::default();
        for counted in &self.losses {
            match counted.loss.clone() {
                Loss::Table { table } => drop(taken.tables.insert(table)),
                Loss::Column { table, column } => drop(taken.columns.insert((table, column))),
                Loss::Rows { table, .. } => drop(taken.rows.insert(table)),
                Loss::Values { .. } | Loss::Type { .. } | Loss::Form { .. } => {}
            }
        }
        taken
    }

    /// Returns this without values that are overwritten: what a revision writes on its way up is why it was written.
    pub(super) fn without_overwritten(mut self) -> Self {
        self.losses
            .retain(|counted| !matches!(counted.loss, Loss::Values { .. }));
        self
    }
}

impl CountedLoss {
    /// Adds what another statement takes of the same table: perhaps the same rows.
    fn take_in(&mut self, other: Self) {
        let sum = self.rows.saturating_add(other.rows).min(COUNTED + 1);
        match (&mut self.loss, other.loss) {
            (Loss::Rows { total, exact, .. }, Loss::Rows { total: others, .. }) => {
                *total = (*total).max(others);
                self.rows = sum.min(*total);
                // All of them are as many as there are.
                *exact = false;
            }
            (Loss::Values { columns, exact, .. }, Loss::Values { columns: others, .. }) => {
                self.rows = sum;
                *exact = false;
                match columns.is_empty() || others.is_empty() {
                    true => columns.clear(),
                    false => columns.extend(others),
                }
                columns.sort();
                columns.dedup();
            }
            _ => {}
        }
    }
}

impl Loss {
    /// Returns whether the same goes, however many rows there are.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Rows { table, .. }, Self::Rows { table: named, .. }) => table == named,
            (
                Self::Values { table, columns, .. },
                Self::Values {
                    table: named,
                    columns: agreed,
                    ..
                },
            ) => {
                let are_agreed =
                    || !columns.is_empty() && columns.iter().all(|column| agreed.contains(column));
                table == named && (agreed.is_empty() || are_agreed())
            }
            _ => self == other,
        }
    }

    /// Returns what it is about, in words.
    pub(super) fn what(&self) -> String {
        match self {
            Self::Table { table } => format!("table {table}"),
            Self::Column { table, column }
            | Self::Type { table, column, .. }
            | Self::Form { table, column, .. } => {
                format!("column {table}.{column}")
            }
            Self::Rows { table, .. } | Self::Values { table, .. } => format!("rows of table {table}"),
        }
    }
}

impl fmt::Display for Stakes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = self.losses.iter().map(ToString::to_string).collect();
        if let Some(schema) = &self.emptied_schema {
            let other = if parts.is_empty() { "" } else { " else" };
            parts.push(format!("everything{other} in schema {schema}"));
        }
        parts.extend(self.uncounted.iter().cloned());
        match self.version_rows {
            0 => {}
            1 => parts.push("the record that 1 revision is applied".to_owned()),
            rows => parts.push(format!("the record that {rows} revisions are applied")),
        }
        if !self.other_branches.is_empty() {
            let revisions: Vec<&str> = self.other_branches.iter().map(RevisionId::as_str).collect();
            parts.push(format!(
                "what {} of other branches {} made",
                revisions.join(", "),
                if revisions.len() == 1 { "has" } else { "have" }
            ));
        }
        match self.unclear.as_slice() {
            [] => {}
            [one] => parts.push(format!("what this statement removes: {one}")),
            [one, rest @ ..] => {
                parts.push(format!(
                    "what these statements remove: {one} (and {} more)",
                    rest.len()
                ));
            }
        }
        formatter.write_str(&parts.join(", "))
    }
}

impl fmt::Display for CountedLoss {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changed = rows(self.rows);
        match &self.loss {
            Loss::Table { table } => write!(formatter, "table {table} ({changed})"),
            Loss::Column { table, column } => write!(formatter, "column {table}.{column} ({changed})"),
            Loss::Rows { table, total, exact } => {
                let most = if *exact { "" } else { "up to " };
                let (some, total) = (number(self.rows), rows(*total));
                write!(formatter, "{most}{some} of {total} of {table}")
            }
            Loss::Values {
                table,
                columns,
                exact,
            } => {
                let most = if *exact { "" } else { "up to " };
                let what: Vec<String> = columns.iter().map(|column| format!("{table}.{column}")).collect();
                match what.as_slice() {
                    [] => write!(formatter, "values of {table} ({most}{changed} overwritten)"),
                    what => write!(
                        formatter,
                        "values of {} ({most}{changed} overwritten)",
                        what.join(", ")
                    ),
                }
            }
            Loss::Type { table, column, to } => {
                write!(
                    formatter,
                    "values of {table}.{column} ({changed} changed by the type {to})"
                )
            }
            Loss::Form { table, column, form } => {
                write!(
                    formatter,
                    "values of {table}.{column} ({changed}, kept only as {form})"
                )
            }
        }
    }
}

fn rows(rows: i64) -> String {
    match rows {
        1 => "1 row".to_owned(),
        rows => format!("{} rows", number(rows)),
    }
}

fn number(rows: i64) -> String {
    if rows > COUNTED {
        "more than 100,000".to_owned()
    } else {
        rows.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_statements_take_of_a_table_is_named_once() {
        let rows = |rows, exact| CountedLoss {
            loss: Loss::Rows {
                table: "crew".to_owned(),
                total: 4,
                exact,
            },
            rows,
        };
        let mut all = rows(1, true);
        all.take_in(rows(4, false));
        assert_eq!(all.to_string(), "up to 4 of 4 rows of crew");
        let values = |column: &str| CountedLoss {
            loss: Loss::Values {
                table: "crew".to_owned(),
                columns: vec![column.to_owned()],
                exact: true,
            },
            rows: 2,
        };
        let mut both = values("rank");
        both.take_in(values("name"));
        assert_eq!(
            both.to_string(),
            "values of crew.name, crew.rank (up to 4 rows overwritten)"
        );
        assert!(values("rank").loss.is_same(&both.loss) && !both.loss.is_same(&values("rank").loss));
    }
}
