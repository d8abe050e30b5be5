//! Renames that somebody has agreed to: applied to the live catalog before it is compared.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::DiffError;
use crate::autogenerate::Operation;
use crate::catalog::Catalog;

/// A table or column under another name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "rename", rename_all = "snake_case")]
pub enum Rename {
    /// A table.
    Table {
        /// Its name in the database.
        from: String,
        /// Its declared name.
        to: String,
    },
    /// A column.
    Column {
        /// The declared name of its table.
        table: String,
        /// Its name in the database.
        from: String,
        /// Its declared name.
        to: String,
    },
}

/// A rename that may be meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// The rename.
    pub rename: Rename,
    /// How likely it is, from 0 to 100.
    pub score: u8,
}

/// A rename is written wrongly.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{text:?} names no rename; write `table.old=new` for a column, `old=new` for a table")]
pub struct RenameError {
    text: String,
}

impl FromStr for Rename {
    type Err = RenameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || RenameError {
            text: text.to_owned(),
        };
        let (from, to) = text.split_once('=').ok_or_else(wrong)?;
        let rename = match from.split_once('.') {
            // `tasks.old=tasks.new` says the same.
            Some((table, from)) => Self::Column {
                table: table.to_owned(),
                from: from.to_owned(),
                to: to.strip_prefix(&format!("{table}.")).unwrap_or(to).to_owned(),
            },
            None => Self::Table {
                from: from.to_owned(),
                to: to.to_owned(),
            },
        };
        let is_whole = match &rename {
            Self::Table { from, to } => ![from, to].iter().any(|name| name.is_empty()),
            Self::Column { table, from, to } => ![table, from, to].iter().any(|name| name.is_empty()),
        };
        if is_whole { Ok(rename) } else { Err(wrong()) }
    }
}

impl fmt::Display for Rename {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table { from, to } => write!(formatter, "the rename of the table {from} to {to}"),
            Self::Column { table, from, to } => {
                write!(formatter, "the rename of the column {table}.{from} to {to}")
            }
        }
    }
}

/// Gives tables and columns of a declaration the spelling of the database where only upper and lower case differ, which
/// SQLite does not tell apart.
pub(super) fn adopt_spelling(live: &Catalog, declared: &mut Catalog) {
    let other = |name: &str, wanted: &str| name != wanted && name.eq_ignore_ascii_case(wanted);
    for table in &live.tables {
        let found = declared
            .tables
            .iter()
            .find(|found| other(&found.name, &table.name));
        if let Some(from) = found.map(|found| found.name.clone()) {
            declared.rename_table(&from, &table.name);
        }
        for column in &table.columns {
            let found = declared.table(&table.name).and_then(|found| {
                found
                    .columns
                    .iter()
                    .find(|found| other(&found.name, &column.name))
            });
            if let Some(from) = found.map(|found| found.name.clone()) {
                declared.rename_column(&table.name, &from, &column.name);
            }
        }
    }
}

/// Returns renames with the spelling that a database has, where only upper and lower case differ.
pub(super) fn as_spelled(live: &Catalog, renames: &[Rename]) -> Vec<Rename> {
    let table_name = |name: &str| {
        let mut tables = live.tables.iter();
        let found = tables.find(|table| table.name.eq_ignore_ascii_case(name));
        found.map_or_else(|| name.to_owned(), |table| table.name.clone())
    };
    let renames = renames.iter().map(|rename| match rename {
        Rename::Table { from, to } => Rename::Table {
            from: table_name(from),
            to: to.clone(),
        },
        Rename::Column { table, from, to } => Rename::Column {
            table: table_name(table),
            from: from.clone(),
            to: to.clone(),
        },
    });
    renames.collect()
}

/// Renames in the live catalog what was agreed to and what declarations say, and returns the operations.
pub(super) fn apply(
    live: &mut Catalog,
    declared: &Catalog,
    agreed: &[Rename],
) -> Result<Vec<Operation>, DiffError> {
    let mut operations = Vec::new();
    let tables: Vec<Rename> = agreed
        .iter()
        .filter(|rename| matches!(rename, Rename::Table { .. }))
        .cloned()
        .collect();
    for rename in tables.into_iter().chain(declared_tables(live, declared, agreed)?) {
        let Rename::Table { from, to } = &rename else {
            continue;
        };
        let refuse = |reason: String| DiffError::Rename {
            rename: rename.clone(),
            reason,
        };
        if live.table(from).is_none() {
            return Err(refuse(format!("the database has no table {from}")));
        }
        if live.table(to).is_some() {
            return Err(refuse(format!("the database has a table {to} already")));
        }
        if declared.table(to).is_none() {
            return Err(refuse(format!("no table {to} is declared")));
        }
        live.rename_table(from, to);
        operations.push(Operation::RenameTable {
            from: from.clone(),
            to: to.clone(),
        });
    }
    let columns: Vec<Rename> = agreed
        .iter()
        .filter(|rename| matches!(rename, Rename::Column { .. }))
        .cloned()
        .collect();
    for rename in columns
        .into_iter()
        .chain(declared_columns(live, declared, agreed)?)
    {
        let Rename::Column { table, from, to } = &rename else {
            continue;
        };
        let refuse = |reason: String| DiffError::Rename {
            rename: rename.clone(),
            reason,
        };
        let column = |catalog: &Catalog, name: &str| {
            catalog
                .table(table)
                .is_some_and(|table| table.column(name).is_some())
        };
        if !column(live, from) {
            return Err(refuse(format!("the database has no column {table}.{from}")));
        }
        if column(live, to) {
            return Err(refuse(format!("the database has a column {table}.{to} already")));
        }
        if !column(declared, to) {
            return Err(refuse(format!("no column {table}.{to} is declared")));
        }
        live.rename_column(table, from, to);
        operations.push(Operation::RenameColumn {
            table: table.clone(),
            from: from.clone(),
            to: to.clone(),
        });
    }
    Ok(operations)
}

/// Returns the renames of tables that declarations speak of and that have not happened yet.
fn declared_tables(live: &Catalog, declared: &Catalog, agreed: &[Rename]) -> Result<Vec<Rename>, DiffError> {
    let old = live.tables.iter().map(|table| table.name.as_str());
    let wanted = declared
        .tables
        .iter()
        .map(|table| (table.name.as_str(), table.renamed_from.as_deref()));
    let rename = |from: &str, to: &str| Rename::Table {
        from: from.to_owned(),
        to: to.to_owned(),
    };
    let mut renames = open_renames(old.collect(), &wanted.collect::<Vec<_>>(), rename)?;
    renames.retain(|rename| !agreed.contains(rename));
    Ok(renames)
}

/// Returns the renames of columns that declarations speak of and that have not happened yet.
fn declared_columns(live: &Catalog, declared: &Catalog, agreed: &[Rename]) -> Result<Vec<Rename>, DiffError> {
    let mut renames = Vec::new();
    for table in &declared.tables {
        let Some(found) = live.table(&table.name) else {
            continue;
        };
        let old = found.columns.iter().map(|column| column.name.as_str());
        let wanted = table
            .columns
            .iter()
            .map(|column| (column.name.as_str(), column.renamed_from.as_deref()));
        let rename = |from: &str, to: &str| Rename::Column {
            table: table.name.clone(),
            from: from.to_owned(),
            to: to.to_owned(),
        };
        renames.extend(open_renames(old.collect(), &wanted.collect::<Vec<_>>(), rename)?);
    }
    renames.retain(|rename| !agreed.contains(rename));
    Ok(renames)
}

/// Returns the renames that are open, one that makes room for another before it. Names that change hands in a circle are refused:
/// the database would look the same afterwards, and the next comparison would change them back.
fn open_renames<'a>(
    mut names: BTreeSet<&'a str>,
    wanted: &[(&'a str, Option<&'a str>)],
    rename: impl Fn(&str, &str) -> Rename,
) -> Result<Vec<Rename>, DiffError> {
    let old_of = |name: &str| {
        wanted
            .iter()
            .find(|(to, _)| *to == name)
            .and_then(|(_, from)| *from)
    };
    for (to, from) in wanted {
        let Some(first) = from.filter(|from| from != to) else {
            continue;
        };
        let mut olds = std::iter::successors(Some(first), |name| old_of(name)).take(wanted.len());
        if olds.any(|old| old == *to) {
            return Err(DiffError::Rename {
                rename: rename(first, to),
                reason: format!(
                    "{to} was called {first}, which was called by a name that leads back to {to}, and nothing would tell afterwards \
                     that they were renamed: rename them over a third name in a revision of your own, without `renamed_from`"
                ),
            });
        }
    }
    let mut renames = Vec::new();
    loop {
        let open = wanted.iter().find_map(|(to, from)| {
            let from = (*from)?;
            (names.contains(from) && !names.contains(to)).then_some((from, *to))
        });
        let Some((from, to)) = open else {
            return Ok(renames);
        };
        names.remove(from);
        names.insert(to);
        renames.push(rename(from, to));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Rename, open_renames};

    fn renames(names: &[&'static str], wanted: &[(&'static str, Option<&'static str>)]) -> Vec<String> {
        let rename = |from: &str, to: &str| Rename::Table {
            from: from.to_owned(),
            to: to.to_owned(),
        };
        match open_renames(names.iter().copied().collect::<BTreeSet<_>>(), wanted, rename) {
            Ok(renames) => renames.iter().map(ToString::to_string).collect(),
            Err(error) => vec![error.to_string()],
        }
    }

    #[test]
    fn a_name_is_given_up_before_it_is_taken() {
        let wanted = [("b", Some("a")), ("c", Some("b"))];
        let both = ["the rename of the table b to c", "the rename of the table a to b"];
        assert_eq!(renames(&["a", "b"], &wanted), both);
        assert_eq!(renames(&["b", "c"], &wanted), [""; 0]);
    }

    #[test]
    fn names_that_change_hands_are_refused() {
        let refused = renames(&["a", "b"], &[("b", Some("a")), ("a", Some("b"))]);
        assert!(
            refused[0].starts_with("the rename of the table a to b cannot be: "),
            "{refused:?}"
        );
        assert_eq!(renames(&["a"], &[("a", Some("a"))]), [""; 0]);
    }
}
