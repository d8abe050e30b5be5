//! Which tables and columns of the database the names of a script stand for, statement by statement.

use std::collections::{BTreeMap, BTreeSet};

use super::{Form, Kept, PossibleLoss};
use crate::sql::{
    ColumnCopy, Expression, Naming, Object, Rename, RowVerb, Rows, Statement, Template, Which, bare,
    name_parts,
};
use held::{Held, Holds, made_of};
use table::{Column, ColumnOrigin, Heir, Table};

pub(super) use table::Origin;

mod copies;
mod held;
mod table;

/// What the statements so far have made of the names.
#[derive(Clone, Debug, Default)]
pub(super) struct Trace {
    /// The tables that a statement was about; every other name stands for the table of the database that has it.
    tables: BTreeMap<String, Table>,
    functions: BTreeMap<String, Vec<Statement>>,
    made: BTreeSet<Object>,
    /// The tables, without their schemas, whose rows or names are not those of the database any more.
    touched: BTreeSet<String>,
    /// Functions that were made and could not be read.
    unread: BTreeSet<String>,
    /// The schemas that have another name now, by that name.
    schemas: BTreeMap<String, String>,
    /// The enums that the script has made.
    enums: BTreeSet<String>,
}

/// What becomes of a table of the database that goes: what takes its place.
pub(super) struct Successor {
    /// The columns of the table that it holds.
    pub(super) kept: Kept,
    /// What may be lost of columns that it holds: as another type, in another form, or without the rest of their rows.
    pub(super) changed: Vec<PossibleLoss>,
}

impl Trace {
    pub(super) fn table(&self, name: &str) -> Origin {
        match self.tables.get(name) {
            Some(table) => table.origin.clone(),
            None => Table::live(name).origin,
        }
    }

    fn table_mut(&mut self, name: &str) -> &mut Table {
        let table = self.tables.entry(name.to_owned());
        table.or_insert_with(|| Table::live(name))
    }

    pub(super) fn make(&mut self, naming: &Naming, statement: &Statement, is_temporary: bool) {
        self.made.insert(naming.object.clone());
        match &naming.object {
            Object::Table { name } => {
                let columns = statement.made_columns().into_iter();
                let columns = columns.map(|(name, of)| (name, self.known_type(of)));
                let mut made = Table::made(columns.collect(), is_temporary);
                made.is_lossy = statement.makes_table_that_skips_rows();
                let made = match self.table(name) {
                    Origin::Live { name, .. } if naming.if_not_exists || statement.is_inner => {
                        made.unless_there(name)
                    }
                    _ => made,
                };
                self.touched.insert(bare(name));
                // It is reached without its schema as well, before any other of that name.
                if is_temporary {
                    self.tables.insert(bare(name), made.clone());
                }
                self.tables.insert(name.clone(), made);
            }
            Object::Column { table, column } => {
                let may_be_there = (naming.if_not_exists || statement.is_inner)
                    && !self.live_columns(table, column).is_empty();
                let columns = statement.made_columns().into_iter();
                let data_type = columns
                    .filter(|(name, _)| name == column)
                    .map(|(_, of)| self.known_type(of))
                    .next();
                let made = Column {
                    origin: match may_be_there {
                        true => ColumnOrigin::Perhaps,
                        false => ColumnOrigin::Made,
                    },
                    data_type,
                    is_made: !may_be_there,
                    is_empty: !may_be_there
                        && !statement.columns_made_with_values().contains(&column.as_str()),
                    ..Column::gone()
                };
                let table = self.table_mut(table);
                table.changed.insert(column.clone());
                table.columns.insert(column.clone(), made);
            }
            Object::Function { name } => match statement.body() {
                Some(body) => drop(self.functions.insert(name.clone(), body)),
                None => drop(self.unread.insert(name.clone())),
            },
            // What is deleted by its name is deleted from a table, whichever.
            Object::View { name } => {
                self.touched.insert(bare(name));
                let view = Table {
                    has_other_values: true,
                    is_view: true,
                    is_temporary,
                    ..Table::live(name)
                };
                self.tables.insert(name.clone(), view);
            }
            Object::Type { name } if statement.makes_enum() => {
                self.enums.insert(name.clone());
            }
            _ => {}
        }
    }

    /// Returns the names that temporary tables and views have, so that others of these names are reached by their schema only.
    pub(super) fn hidden_names(&self) -> impl Iterator<Item = &String> {
        let temporary = self.tables.iter().filter(|(_, table)| table.is_temporary);
        temporary.map(|(name, _)| name)
    }

    /// Forgets a view that goes: what it hid comes to light.
    pub(super) fn remove_view(&mut self, name: &str) {
        match self.tables.get(name) {
            Some(view) if view.is_view && view.is_temporary => drop(self.tables.remove(name)),
            Some(view) if view.is_view => drop(self.tables.insert(name.to_owned(), Table::gone())),
            Some(_) | None => {}
        }
    }

    /// Notes that rows which are put into a table may be left out.
    pub(super) fn distrust(&mut self, table: &str) {
        self.table_mut(table).is_lossy = true;
    }

    /// Returns whether the script has made an enum of this name.
    fn is_made_enum(&self, name: &str) -> bool {
        self.enums.contains(&name.trim().replace('"', ""))
    }

    /// Returns a type that the database knows as well: an enum of the script has the text of each of its labels.
    pub(super) fn known_type(&self, data_type: String) -> String {
        match self.is_made_enum(&data_type) {
            true => "text".to_owned(),
            false => data_type,
        }
    }

    /// Returns what the database has of an expression over a column that it has as well: what shows that the values are in it.
    pub(super) fn form(&self, table: &str, column: &str, expression: &Expression) -> Form {
        let value = |name: &str| {
            let mut columns = self.live_columns(table, name).into_iter();
            let (Some((_, name)), None) = (columns.next(), columns.next()) else {
                return None;
            };
            Some(Template::column(&name))
        };
        let known = expression.without_cast_to(|name| self.is_made_enum(name));
        let checks = known.checks_of(column).into_iter();
        let checks = checks.map(|check| check.with_columns(value));
        Form {
            text: expression.text.clone(),
            checks: checks.collect(),
        }
    }

    /// Follows a rename; one that may not happen leaves both names for what they may be.
    pub(super) fn rename(&mut self, rename: &Rename, may_not_happen: bool) {
        match &rename.object {
            Object::Table { name } if may_not_happen || rename.if_exists => {
                let known = self
                    .tables
                    .get(name)
                    .cloned()
                    .unwrap_or_else(|| Table::live(name));
                self.touched.extend([bare(name), bare(&rename.to)]);
                self.table_mut(name).doubt();
                let there = self.table_mut(&rename.to);
                match &known.origin {
                    Origin::Live { name, .. } => drop(there.also.insert(name.clone())),
                    Origin::Made => {}
                }
                there.doubt();
            }
            Object::Type { name } if self.enums.contains(name) => {
                self.enums.remove(name);
                self.enums.insert(rename.to.clone());
            }
            Object::Schema { name } => {
                let old = self.schemas.remove(name).unwrap_or_else(|| name.clone());
                self.schemas.insert(rename.to.clone(), old);
            }
            Object::Table { name } => {
                let table = self.tables.insert(name.clone(), Table::gone());
                let table = table.unwrap_or_else(|| Table::live(name));
                self.touched.extend([bare(name), bare(&rename.to)]);
                self.tables.insert(rename.to.clone(), table);
            }
            Object::Column { table, column } => {
                self.touched.insert(bare(table));
                self.table_mut(table).rename_column(column, &rename.to);
            }
            _ => {}
        }
    }

    /// Forgets a table that goes; returns where it came from.
    pub(super) fn remove_table(&mut self, name: &str) -> Origin {
        let origin = self.table(name);
        match self.tables.get(name) {
            // What it hid comes to light.
            Some(table) if table.is_temporary => {
                self.tables.remove(&bare(name));
                self.tables.remove(name)
            }
            _ => self.tables.insert(name.to_owned(), Table::gone()),
        };
        self.touched.insert(bare(name));
        origin
    }

    pub(super) fn is_certain_column(&self, table: &str, column: &str) -> bool {
        let table = self.tables.get(table);
        let column = table.and_then(|table| table.columns.get(column));
        !column.is_some_and(|column| matches!(column.origin, ColumnOrigin::Perhaps))
    }

    /// Returns the table of the database and its columns that names stand for now; none where the script has made it.
    pub(super) fn live_columns(&self, table: &str, column: &str) -> Vec<(String, String)> {
        let live = Table::live(table);
        let table = self.tables.get(table).unwrap_or(&live);
        let Origin::Live { name, .. } = &table.origin else {
            return Vec::new();
        };
        let columns = table.live_columns(column).into_iter();
        columns.map(|column| (name.clone(), column)).collect()
    }

    /// Forgets a column that goes; returns what it was in the database, and what is not held by another column.
    pub(super) fn remove_column(&mut self, table: &str, column: &str) -> Vec<GoneColumn> {
        let live = self.live_columns(table, column);
        self.touched.insert(bare(table));
        let known = self.table_mut(table);
        known.remove_column(column);
        let mut gone: Vec<GoneColumn> = live
            .into_iter()
            .map(|(table, column)| GoneColumn {
                heir: known.succeed_column(&column),
                kept: None,
                table,
                column,
            })
            .collect();
        let left = known.clone();
        for gone in gone.iter_mut().filter(|gone| gone.heir.is_none()) {
            gone.kept = self.keep_elsewhere(&left, &gone.table, &gone.column);
        }
        gone
    }

    /// Notes that a column of the script gets another type.
    pub(super) fn retype(&mut self, table: &str, column: &str, to: &str, using: Option<&Expression>) {
        self.touched.insert(bare(table));
        let to = self.known_type(to.to_owned());
        let using = using
            .cloned()
            .map(|using| using.without_cast_to(|name| self.is_made_enum(name)).clone());
        self.table_mut(table).retype_column(column, &to, using.as_ref());
    }

    /// Follows what happens to rows, and to what copies hold of them.
    pub(super) fn write(&mut self, rows: &Rows) {
        match rows.verb {
            RowVerb::Insert => {
                if let Some(copy) = &rows.copy_of {
                    self.copy(&rows.table, copy, &rows.columns);
                }
                if let Some(part) = &rows.part_of {
                    self.copy_part(&rows.table, part, &rows.columns);
                }
            }
            RowVerb::Update => self.update(&rows.table, &rows.columns, &rows.column_copies),
            RowVerb::Upsert | RowVerb::Replace | RowVerb::Merge | RowVerb::Delete | RowVerb::Truncate => {
                self.table_mut(&rows.table).spoil();
            }
        }
        self.touched.insert(bare(&rows.table));
        let table = self.table_mut(&rows.table);
        match rows.verb {
            RowVerb::Insert | RowVerb::Delete | RowVerb::Truncate => {}
            RowVerb::Update if !rows.columns.is_empty() => table.changed.extend(rows.columns.iter().cloned()),
            RowVerb::Update | RowVerb::Upsert | RowVerb::Replace | RowVerb::Merge => {
                table.has_other_values = true;
            }
        }
    }

    /// Returns what finds the rows of a statement, if it finds the same in the database now.
    pub(super) fn found_now(&self, rows: &Rows) -> Option<Which> {
        let which = rows.which.clone()?;
        let is_itself = match self.tables.get(&rows.table) {
            Some(table) => table.is_as_in_database(&rows.table, &which.names),
            None => true,
        };
        let reads_touched = self
            .touched
            .iter()
            .any(|name| which.reads.contains(&name.to_lowercase()));
        (is_itself && !reads_touched).then_some(which)
    }

    /// Returns what a column holds of the database, its own or as a copy.
    fn held(&self, table: &str, column: &str) -> Holds {
        let live = Table::live(table);
        let table = self.tables.get(table).unwrap_or(&live);
        let known = table.columns.get(column);
        let mut held = known.map(|known| known.holds.clone()).unwrap_or_default();
        let is_copied = known.is_none() && table.copy_of.as_ref().is_some_and(|copy| copy.is_whole);
        let own = table.live_columns(column).into_iter();
        let own = own.chain(is_copied.then(|| column.to_owned()));
        held.extend(own.map(|column| (column, Held::AsItIs)));
        held
    }

    /// Notes what columns hold after an update.
    fn update(&mut self, table: &str, columns: &[String], copies: &[ColumnCopy]) {
        let held = |copy: &ColumnCopy| {
            let value = copy.value.without_cast_to(|name| self.is_made_enum(name));
            made_of(value, |from| self.held(table, from))
        };
        let filled: Vec<(&ColumnCopy, Holds)> = copies.iter().map(|copy| (copy, held(copy))).collect();
        let table = self.table_mut(table);
        for column in columns {
            match filled.iter().find(|(copy, _)| copy.to == *column) {
                Some((copy, held)) => table.update_column(copy, held.clone()),
                None => table.fill_column(column, Holds::new()),
            }
        }
    }

    /// Returns the temporary tables that are all that is left of one of the database.
    pub(super) fn temporary_heirs(&self) -> Vec<String> {
        let is_one = |table: &Table| {
            table.is_temporary && !table.is_view && matches!(table.origin, Origin::Live { .. })
        };
        let heirs = self.tables.iter().filter(|(_, table)| is_one(table));
        heirs.map(|(name, _)| name.clone()).collect()
    }

    /// Forgets the temporary tables: their names stand for the tables of the database again.
    pub(super) fn end_session(&mut self) {
        self.tables.retain(|_, table| !table.is_temporary);
    }

    pub(super) fn function(&self, name: &str) -> Option<Vec<Statement>> {
        self.functions.get(name).cloned()
    }

    /// Returns whether no statement was about a table yet.
    pub(super) fn is_untouched(&self) -> bool {
        self.tables.is_empty()
    }

    /// Returns whether a function was made whose code could not be read.
    pub(super) fn is_unread(&self, function: &str) -> bool {
        self.unread.contains(function)
    }

    /// Notes that rows of a table are reached by the name of another one, too.
    pub(super) fn join(&mut self, child: &str, parent: &str) {
        if let Origin::Live { name, .. } = self.table(child) {
            self.table_mut(parent).also.insert(name);
        }
    }

    /// Returns the further tables of the database whose rows a name reaches.
    pub(super) fn also(&self, table: &str) -> BTreeSet<String> {
        let table = self.tables.get(table);
        table.map(|table| table.also.clone()).unwrap_or_default()
    }

    /// Returns what a schema was called before the first script, and the tables that have been moved into it.
    pub(super) fn schema(&self, name: &str) -> (String, Vec<String>) {
        let before = self.schemas.get(name).cloned();
        let is_inside = |table: &&String| name_parts(table).first().is_some_and(|schema| schema == name);
        let moved = self
            .tables
            .keys()
            .filter(is_inside)
            .filter(|table| name_parts(table).len() > 1);
        (
            before.unwrap_or_else(|| name.to_owned()),
            moved.cloned().collect(),
        )
    }

    /// Returns whether a statement was about a table of this name, so that what its rows hold may not be what the database has now.
    pub(super) fn is_touched(&self, table: &str) -> bool {
        self.touched.contains(&bare(table))
    }

    pub(super) fn has_made(&self, object: &Object) -> bool {
        self.made.contains(object)
    }
}

/// A column of the database that goes.
pub(super) struct GoneColumn {
    pub(super) table: String,
    pub(super) column: String,
    /// The column that holds its values from now on.
    pub(super) heir: Option<Heir>,
    /// What may be lost of its values where another table holds them.
    pub(super) kept: Option<Vec<PossibleLoss>>,
}
