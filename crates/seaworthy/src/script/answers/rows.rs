//! What recorded statements have done to rows, as far as it can be followed: rows that are looked up by a key.

use std::collections::BTreeMap;

use sea_orm::sea_query::Value;
use sea_orm::{DbBackend, Statement};

use super::row::Cell;
use super::schema::fold;
use crate::script::reading::{Delete, Kind, Update, Word, is_constant, key_of, span};
use crate::session::dialect_of;
use crate::sql::{Dialect, SharedMap};

/// The rows that statements have inserted, updated and deleted.
#[derive(Clone, Debug)]
pub(super) struct RowsSoFar {
    backend: DbBackend,
    tables: SharedMap<String, Table>,
    /// Why nothing is known of the rows of other tables than this one, if so.
    unclear: Option<(Option<String>, String)>,
    /// Whether tables may have rows that no statement has put into them itself, as a trigger does.
    may_come_from_elsewhere: bool,
}

#[derive(Clone, Debug, Default)]
struct Table {
    is_unclear: bool,
    /// Whether a statement has made it, so that it has no rows but those inserted since.
    is_made: bool,
    inserted: Vec<Inserted>,
    key: Vec<String>,
    changed: BTreeMap<Vec<String>, Change>,
}

/// A row that a statement has inserted.
#[derive(Clone, Debug)]
pub(super) struct Inserted {
    /// What is known of it, by column.
    pub(super) cells: BTreeMap<String, Cell>,
    /// The number that stands for the key which the database will give it.
    pub(super) number: Option<i64>,
}

#[derive(Clone, Debug)]
enum Change {
    Set(BTreeMap<String, Pieces>),
    Deleted,
    Unclear,
}

/// The columns that tell a row, in order, each with the text of its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key(Vec<(String, String)>);

/// A row that is looked up.
#[derive(Clone, Debug)]
pub(super) enum Found<'a> {
    /// As the database has it.
    Below,
    /// As the database has it, but for these columns.
    Changed(&'a BTreeMap<String, Pieces>),
    /// As it was inserted.
    Inserted(&'a Inserted),
    /// Nowhere.
    Gone,
    /// Nobody knows.
    Unclear,
}

/// SQL with its values in it, to be put together with more of the kind.
#[derive(Clone, Debug, Default)]
pub(super) struct Pieces(Vec<Piece>);

#[derive(Clone, Debug)]
enum Piece {
    Sql(String),
    Value(Value),
}

impl Key {
    /// Returns the key that a condition names; `None` where it is another condition.
    pub(super) fn of(statement: &Statement, condition: &[Word]) -> Option<Self> {
        let backend = statement.db_backend;
        let values = bound(statement);
        let mut key: Vec<(String, String)> = key_of(condition)?
            .into_iter()
            .map(|(column, value)| {
                let text = match Cell::of(value, values).value() {
                    Some(value) => written(value),
                    None => Pieces::of(statement, value).build(backend).to_string(),
                };
                (fold(backend, &column), text)
            })
            .collect();
        key.sort();
        Some(Self(key))
    }

    fn columns(&self) -> Vec<String> {
        self.0.iter().map(|(column, _)| column.clone()).collect()
    }

    fn values(&self) -> Vec<String> {
        self.0.iter().map(|(_, value)| value.clone()).collect()
    }
}

impl RowsSoFar {
    pub(super) fn new(backend: DbBackend) -> Self {
        Self {
            backend,
            tables: SharedMap::default(),
            unclear: None,
            may_come_from_elsewhere: false,
        }
    }

    /// Takes note that tables may have rows from now on that no statement has put into them itself.
    pub(super) fn expect_from_elsewhere(&mut self) {
        self.may_come_from_elsewhere = true;
    }

    /// Gives up knowing any rows.
    pub(super) fn lose(&mut self, reason: &str) {
        self.lose_others(None, reason.to_owned());
    }

    /// Takes note that a table's rows are changed in a way that nobody follows.
    pub(super) fn touch(&mut self, table: &str) {
        self.table_mut(table).is_unclear = true;
    }

    /// Takes note that a statement writes rows that nobody follows.
    pub(super) fn fill(&mut self, table: &str) {
        self.expect_triggers_of(table);
        self.touch(table);
    }

    /// Takes note that a table was made.
    pub(super) fn make(&mut self, table: &str) {
        *self.table_mut(table) = Table {
            is_made: true,
            ..Table::default()
        };
    }

    /// Takes note that a table has another name: its rows are known by that.
    pub(super) fn rename(&mut self, table: &str, to: &str) {
        let (table, to) = (fold(self.backend, table), fold(self.backend, to));
        let known = self.tables.remove(&table).unwrap_or(Table {
            is_unclear: true,
            ..Table::default()
        });
        if let Some((Some(kept), _)) = &mut self.unclear
            && *kept == table
        {
            kept.clone_from(&to);
        }
        self.tables.insert(to, known);
        self.touch(&table);
    }

    /// Takes note that a table has other columns: where there are rows, they have other values.
    pub(super) fn alter(&mut self, table: &str) {
        if !self.is_empty(table) {
            self.touch(table);
        }
    }

    /// Whether a table was made and has no rows yet.
    pub(super) fn is_empty(&self, table: &str) -> bool {
        let table = self.tables.get(&fold(self.backend, table));
        self.unclear.is_none()
            && !self.may_come_from_elsewhere
            && table.is_some_and(|table| {
                table.is_made && !table.is_unclear && table.inserted.is_empty() && table.changed.is_empty()
            })
    }

    /// Whether a table was made by a statement, as far as these know.
    pub(super) fn is_made(&self, table: &str) -> bool {
        let table = self.tables.get(&fold(self.backend, table));
        table.is_some_and(|table| table.is_made)
    }

    /// Takes note that a statement writes rows of a table: one that was there before may have triggers, which put rows anywhere.
    fn expect_triggers_of(&mut self, table: &str) {
        self.may_come_from_elsewhere |= !self.is_made(table);
    }

    pub(super) fn insert(&mut self, table: &str, rows: Vec<Inserted>) {
        self.expect_triggers_of(table);
        self.table_mut(table).inserted.extend(rows);
    }

    /// Takes note of an update.
    pub(super) fn update(&mut self, statement: &Statement, update: &Update<'_>) {
        self.expect_triggers_of(&update.table);
        if self.is_empty(&update.table) {
            return;
        }
        let backend = self.backend;
        let key = Key::of(statement, update.condition).filter(|_| !update.is_involved);
        let is_constant = update.sets.iter().all(|(_, expression)| is_constant(expression));
        let Some(key) = key.filter(|key| {
            // A row that gets another key is another row afterwards.
            is_constant
                && !update
                    .sets
                    .iter()
                    .any(|(column, _)| key.columns().contains(&fold(backend, column)))
        }) else {
            return self.touch(&update.table);
        };
        let values = bound(statement);
        let table = self.table_mut(&update.table);
        if let Some(row) = table.inserted.iter_mut().find(|row| row.has(&key) == Some(true)) {
            for (column, expression) in &update.sets {
                row.cells
                    .insert(fold(backend, column), Cell::of(expression, values));
            }
            return;
        }
        let sets = update
            .sets
            .iter()
            .map(|(column, expression)| (fold(backend, column), Pieces::of(statement, expression)));
        match table.change(&key) {
            Some(Change::Set(known)) => known.extend(sets),
            Some(_) => {}
            None => table.is_unclear = true,
        }
    }

    /// Takes note of a deletion, which may delete rows of other tables as well.
    pub(super) fn delete(&mut self, statement: &Statement, delete: &Delete<'_>) {
        self.expect_triggers_of(&delete.table);
        if self.is_empty(&delete.table) {
            return;
        }
        let key = Key::of(statement, delete.condition).filter(|_| !delete.is_involved);
        let table = self.table_mut(&delete.table);
        match key.as_ref().and_then(|key| table.change(key)) {
            Some(change) => *change = Change::Deleted,
            None => table.is_unclear = true,
        }
        if key.is_some_and(|key| table.inserted.iter().any(|row| row.has(&key) != Some(false))) {
            table.is_unclear = true;
        }
        let reason = format!(
            "rows of {} were deleted before, and others may have gone with them",
            delete.table
        );
        self.lose_others(Some(fold(self.backend, &delete.table)), reason);
    }

    fn lose_others(&mut self, table: Option<String>, reason: String) {
        match &mut self.unclear {
            Some((known, _)) if *known != table => *known = None,
            Some(_) => {}
            none => *none = Some((table, reason)),
        }
    }

    /// Returns whether any rows have changed.
    pub(super) fn has_changed(&self) -> bool {
        self.unclear.is_some() || !self.tables.is_empty()
    }

    /// Returns why the rows of tables are not those of the database any more, if so.
    pub(super) fn why_not_below(&self, tables: &[String]) -> Option<String> {
        let changed = tables
            .iter()
            .find(|table| self.tables.contains_key(&fold(self.backend, table)));
        match (changed, &self.unclear) {
            (Some(table), _) if self.is_made(table) => Some(format!(
                "the statements before have made {table}, and nobody can say what this finds in it"
            )),
            (Some(table), _) => Some(format!("statements before have changed rows of {table}")),
            (None, Some((_, reason))) if !tables.is_empty() => Some(reason.clone()),
            (None, _) => None,
        }
    }

    /// Looks a row up by its key.
    pub(super) fn find(&self, table: &str, key: &Key) -> Found<'_> {
        let name = fold(self.backend, table);
        if self
            .unclear
            .as_ref()
            .is_some_and(|(known, _)| known.as_ref() != Some(&name))
        {
            return Found::Unclear;
        }
        let Some(table) = self.tables.get(&name) else {
            return Found::Below;
        };
        if table.is_unclear {
            return Found::Unclear;
        }
        for row in &table.inserted {
            match row.has(key) {
                Some(true) => return Found::Inserted(row),
                // The database may give the very value that is looked for.
                Some(false) if table.is_made && !row.gives(key) => return Found::Unclear,
                Some(false) => {}
                None => return Found::Unclear,
            }
        }
        if table.is_made {
            return if self.may_come_from_elsewhere {
                Found::Unclear
            } else {
                Found::Gone
            };
        }
        if table.changed.is_empty() {
            return Found::Below;
        }
        if table.key != key.columns() {
            return Found::Unclear;
        }
        match table.changed.get(&key.values()) {
            None => Found::Below,
            Some(Change::Set(sets)) => Found::Changed(sets),
            Some(Change::Deleted) => Found::Gone,
            Some(Change::Unclear) => Found::Unclear,
        }
    }

    fn table_mut(&mut self, table: &str) -> &mut Table {
        self.tables.get_or_default(&fold(self.backend, table))
    }
}

impl Table {
    /// Returns the change of a row, to be written to; `None` where rows were told by other columns before.
    fn change(&mut self, key: &Key) -> Option<&mut Change> {
        if self.changed.is_empty() {
            self.key = key.columns();
        }
        let is_told = self.key == key.columns();
        is_told.then(|| {
            let change = self.changed.entry(key.values());
            let change = change.or_insert_with(|| Change::Set(BTreeMap::new()));
            if matches!(change, Change::Deleted) {
                *change = Change::Unclear;
            }
            change
        })
    }
}

impl Inserted {
    /// Whether the statement says what the columns of a key are.
    fn gives(&self, key: &Key) -> bool {
        let is_given =
            |(column, _): &(String, String)| self.cells.get(column).and_then(Cell::value).is_some();
        key.0.iter().all(is_given)
    }

    /// Returns whether the row has a key; `None` where nobody knows.
    fn has(&self, key: &Key) -> Option<bool> {
        let mut is_sure = true;
        for (column, text) in &key.0 {
            let known = self.cells.get(column).and_then(Cell::value);
            match (known, self.number) {
                (Some(value), _) if &written(value) == text => {}
                (Some(_), _) => return Some(false),
                // The database gives no number that a row has already.
                (None, Some(number)) if key.0.len() == 1 => return Some(number.to_string() == *text),
                (None, _) => is_sure = false,
            }
        }
        is_sure.then_some(true)
    }
}

/// Returns the bound values of a statement.
pub(super) fn bound(statement: &Statement) -> &[Value] {
    statement.values.as_ref().map_or(&[], |values| &values.0)
}

fn written(value: &Value) -> String {
    Pieces(vec![Piece::Value(value.clone())])
        .build(DbBackend::Sqlite)
        .to_string()
}

impl Pieces {
    pub(super) fn sql(text: &str) -> Self {
        Self(vec![Piece::Sql(text.to_owned())])
    }

    /// Returns a part of a statement.
    pub(super) fn of(statement: &Statement, words: &[Word]) -> Self {
        let mut pieces = Vec::new();
        let Some(span) = span(words) else {
            return Self::default();
        };
        let mut from = span.start;
        for word in words {
            let value = match word.kind {
                Kind::Value(index) => bound(statement).get(index),
                _ => None,
            };
            if let Some(value) = value {
                pieces.push(Piece::Sql(statement.sql[from..word.span.start].to_owned()));
                pieces.push(Piece::Value(value.clone()));
                from = word.span.end;
            }
        }
        pieces.push(Piece::Sql(statement.sql[from..span.end].to_owned()));
        Self(pieces)
    }

    pub(super) fn push(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Returns the statement.
    pub(super) fn build(self, backend: DbBackend) -> Statement {
        let (mut sql, mut values) = (String::new(), Vec::new());
        for piece in self.0 {
            match piece {
                Piece::Sql(text) => sql.push_str(&text),
                Piece::Value(value) => {
                    values.push(value);
                    match dialect_of(backend) {
                        Dialect::Postgresql => sql.push_str(&format!("${}", values.len())),
                        Dialect::Sqlite => sql.push('?'),
                    }
                }
            }
        }
        Statement::from_sql_and_values(backend, sql, values)
    }
}
