//! Which tables and columns of the database the names of a script stand for, statement by statement.

use std::collections::{BTreeMap, BTreeSet};

use super::Kept;
use crate::sql::{ColumnCopy, Naming, Object, Rename, Statement, WholeCopy};

/// What the statements so far have made of the names.
#[derive(Clone, Debug, Default)]
pub(super) struct Trace {
    tables: BTreeMap<String, Known>,
    /// By the name of the table and the column as they are now.
    columns: BTreeMap<(String, String), ColumnOrigin>,
    /// The tables that hold all rows of a table of the database.
    copies: BTreeMap<String, Copy>,
    /// The columns that hold what a column of the database held, by that one's table and name.
    column_copies: BTreeMap<(String, String), (String, String)>,
    functions: BTreeMap<String, Vec<Statement>>,
    made: BTreeSet<Object>,
}

/// Where a table comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The database has it, under this name; perhaps, where it is not certain.
    Live { name: String, is_certain: bool },
    /// The script has made it, or it is gone.
    Made,
}

#[derive(Clone, Debug)]
struct Known {
    origin: Origin,
    /// The columns that the script made it with.
    columns: BTreeSet<String>,
}

#[derive(Clone, Debug)]
enum ColumnOrigin {
    Live(String),
    /// It was added where it is missing.
    Perhaps,
    Made,
}

#[derive(Clone, Debug)]
struct Copy {
    source: String,
    columns: BTreeSet<String>,
    is_whole: bool,
}

impl Trace {
    pub(super) fn table(&self, name: &str) -> Origin {
        let live = || Origin::Live {
            name: name.to_owned(),
            is_certain: true,
        };
        self.tables
            .get(name)
            .map_or_else(live, |known| known.origin.clone())
    }

    pub(super) fn make(&mut self, naming: &Naming, statement: &Statement) {
        self.made.insert(naming.object.clone());
        match &naming.object {
            Object::Table { name } => {
                let origin = match self.table(name) {
                    Origin::Live { name, .. } if naming.if_not_exists => Origin::Live {
                        name,
                        is_certain: false,
                    },
                    _ => Origin::Made,
                };
                let columns = statement.made_columns();
                self.tables.insert(name.clone(), Known { origin, columns });
            }
            Object::Column { table, column } => {
                let origin = match self.live_column(table, column) {
                    Some(_) if naming.if_not_exists => ColumnOrigin::Perhaps,
                    _ => ColumnOrigin::Made,
                };
                self.columns.insert((table.clone(), column.clone()), origin);
            }
            Object::Function { name } => {
                if let Some(body) = statement.body() {
                    self.functions.insert(name.clone(), body);
                }
            }
            _ => {}
        }
    }

    pub(super) fn rename(&mut self, rename: &Rename) {
        match &rename.object {
            Object::Table { name } => self.rename_table(name, &rename.to),
            Object::Column { table, column } => {
                let old = (table.clone(), column.clone());
                let origin = self.columns.remove(&old);
                let origin = origin.unwrap_or_else(|| ColumnOrigin::Live(column.clone()));
                let new = (table.clone(), rename.to.clone());
                for copy in self.column_copies.values_mut().filter(|copy| **copy == old) {
                    copy.clone_from(&new);
                }
                self.columns.insert(old, ColumnOrigin::Made);
                self.columns.insert(new, origin);
            }
            _ => {}
        }
    }

    fn rename_table(&mut self, name: &str, to: &str) {
        let known = self.tables.remove(name).unwrap_or_else(|| Known {
            origin: self.table(name),
            columns: BTreeSet::new(),
        });
        let gone = Known {
            origin: Origin::Made,
            columns: BTreeSet::new(),
        };
        self.tables.insert(name.to_owned(), gone);
        self.tables.insert(to.to_owned(), known);
        let columns = std::mem::take(&mut self.columns);
        self.columns = columns
            .into_iter()
            .map(|((table, column), origin)| match table == name {
                true => ((to.to_owned(), column), origin),
                false => ((table, column), origin),
            })
            .collect();
        if let Some(copy) = self.copies.remove(name) {
            self.copies.insert(to.to_owned(), copy);
        }
    }

    /// Forgets a table that goes; returns where it came from.
    pub(super) fn remove_table(&mut self, name: &str) -> Origin {
        let origin = self.table(name);
        let gone = Known {
            origin: Origin::Made,
            columns: BTreeSet::new(),
        };
        self.tables.insert(name.to_owned(), gone);
        self.columns.retain(|(table, _), _| table != name);
        self.copies.remove(name);
        origin
    }

    pub(super) fn is_certain_column(&self, table: &str, column: &str) -> bool {
        let key = (table.to_owned(), column.to_owned());
        !matches!(self.columns.get(&key), Some(ColumnOrigin::Perhaps))
    }

    /// Returns the table and the column of the database that names stand for now.
    pub(super) fn live_column(&self, table: &str, column: &str) -> Option<(String, String)> {
        let Origin::Live { name, .. } = self.table(table) else {
            return None;
        };
        let key = (table.to_owned(), column.to_owned());
        match self.columns.get(&key) {
            None | Some(ColumnOrigin::Perhaps) => Some((name, column.to_owned())),
            Some(ColumnOrigin::Live(column)) => Some((name, column.clone())),
            Some(ColumnOrigin::Made) => None,
        }
    }

    /// Forgets a column that goes; returns what it was in the database.
    pub(super) fn remove_column(&mut self, table: &str, column: &str) -> Option<(String, String)> {
        let live = self.live_column(table, column);
        let key = (table.to_owned(), column.to_owned());
        self.column_copies.retain(|_, copy| *copy != key);
        self.columns.insert(key, ColumnOrigin::Made);
        if let Some(copy) = self.copies.get_mut(table) {
            copy.columns.remove(column);
        }
        live
    }

    /// Notes that a table of the script holds all rows of another.
    pub(super) fn copy(&mut self, target: &str, copy: &WholeCopy, named: &[String]) {
        let Origin::Live { name: source, .. } = self.table(&copy.source) else {
            return;
        };
        let made = self
            .tables
            .get(target)
            .map(|known| known.columns.clone())
            .unwrap_or_default();
        let columns: BTreeSet<String> = match (&copy.columns, named) {
            (Some(columns), _) => columns.iter().cloned().collect(),
            (None, []) => made,
            (None, named) => named.iter().cloned().collect(),
        };
        let copy = Copy {
            source,
            is_whole: columns.is_empty(),
            columns,
        };
        self.copies.insert(target.to_owned(), copy);
    }

    /// Notes that columns are filled with what others hold.
    pub(super) fn copy_columns(&mut self, table: &str, copies: &[ColumnCopy]) {
        for copy in copies {
            let live = copy.from.iter().filter_map(|from| self.live_column(table, from));
            for live in live.collect::<Vec<_>>() {
                self.column_copies
                    .insert(live, (table.to_owned(), copy.to.clone()));
            }
        }
    }

    /// Returns whether a column of the script holds what a column of the database held.
    pub(super) fn is_copied(&self, live: &(String, String)) -> bool {
        let copy = self
            .column_copies
            .get(live)
            .and_then(|copy| self.columns.get(copy));
        matches!(copy, Some(ColumnOrigin::Made))
    }

    /// Notes that rows of a table go, so that it holds all rows of another no more.
    pub(super) fn spoil(&mut self, target: &str) {
        self.copies.remove(target);
    }

    /// Returns what lives on of a table of the database, in a copy that is still there.
    pub(super) fn kept_of(&self, live: &str) -> Option<Kept> {
        let copy = self.copies.values().find(|copy| copy.source == live)?;
        Some(match copy.is_whole {
            true => Kept::All,
            false => Kept::Columns(copy.columns.clone()),
        })
    }

    /// Lets a table that holds the rows of one that is gone stand for it in the scripts that follow: what they take from it, they take
    /// from the database.
    pub(super) fn succeed(&mut self, live: &str) {
        let Some(name) = self
            .copies
            .iter()
            .find_map(|(name, copy)| (copy.source == live).then(|| name.clone()))
        else {
            return;
        };
        let (Some(copy), Some(known)) = (self.copies.remove(&name), self.tables.get_mut(&name)) else {
            return;
        };
        known.origin = Origin::Live {
            name: live.to_owned(),
            is_certain: true,
        };
        for column in known.columns.difference(&copy.columns).filter(|_| !copy.is_whole) {
            self.columns
                .insert((name.clone(), column.clone()), ColumnOrigin::Made);
        }
    }

    pub(super) fn function(&self, name: &str) -> Option<Vec<Statement>> {
        self.functions.get(name).cloned()
    }

    pub(super) fn has_made(&self, object: &Object) -> bool {
        self.made.contains(object)
    }
}
