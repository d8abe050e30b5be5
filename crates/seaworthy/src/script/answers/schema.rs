//! What recorded statements have made of a schema: an overlay over one that somebody else knows.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::DbBackend;

use super::Column;
use crate::script::reading::{Cursor, Kind, Word, between_commas, span, statements, words};
use crate::session::dialect_of;
use crate::sql::{Dialect, SharedMap};
use column::{alter_column, column};

mod column;

/// The tables, columns and indexes that statements have made, changed and removed.
#[derive(Clone, Debug)]
pub(super) struct SchemaSoFar {
    backend: DbBackend,
    tables: SharedMap<String, Table>,
    /// The table of each index, or nothing where the index was removed.
    indexes: SharedMap<String, Option<String>>,
    /// Why nothing is known any more, if so.
    unclear: Option<String>,
    has_changed: bool,
}

/// What is known of a table.
#[derive(Clone, Debug, Default)]
struct Table {
    is_there: bool,
    /// Where its columns that are not listed here are found.
    others: Others,
    columns: BTreeMap<String, Option<Column>>,
    /// The names of constraints, which PostgreSQL gives to indexes.
    constraints: BTreeSet<String>,
}

/// Where the columns are found that statements say nothing of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Others {
    /// In the schema below, under the same name.
    #[default]
    Below,
    /// In the schema below, under the name that the table had.
    BelowAs(String),
    /// There are none.
    None,
    /// There are none unless the table was there before.
    NoneIfNew,
    /// Nobody knows.
    Unclear,
}

/// A table whose rows a statement about the schema may have something to do with, as its name is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Touched {
    /// It is there now, without rows.
    Made(String),
    /// It has other columns, and as many rows as before.
    Altered(String),
    /// It has another name, and is one that a statement has made.
    Renamed(String, String),
    /// Its rows may be any.
    Other(String),
}

/// What the statements say about something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// Whether it is there.
    Is(bool),
    /// Nothing: the schema below knows, under this name of the table.
    Below(String),
    /// Whether it is there, if the table was not there before.
    IfNew(bool),
    /// It cannot be said.
    Unclear(String),
}

impl SchemaSoFar {
    pub(super) fn new(backend: DbBackend) -> Self {
        Self {
            backend,
            tables: SharedMap::default(),
            indexes: SharedMap::default(),
            unclear: None,
            has_changed: false,
        }
    }

    /// Returns whether a statement has made a table that was not there before.
    pub(super) fn is_new(&self, name: &str) -> Says {
        match self.tables.get(&self.fold(name)).map(|table| &table.others) {
            Some(Others::None) => Says::Is(true),
            Some(Others::NoneIfNew) => Says::IfNew(true),
            _ => Says::Is(false),
        }
    }

    /// Returns whether a statement has changed the schema.
    pub(super) fn has_changed(&self) -> bool {
        self.has_changed
    }

    /// Returns why nothing is known any more, if so.
    pub(super) fn why_unclear(&self) -> Option<&str> {
        self.unclear.as_deref()
    }

    /// Gives up knowing anything.
    pub(super) fn lose(&mut self, reason: &str) {
        self.has_changed = true;
        self.unclear.get_or_insert_with(|| reason.to_owned());
    }

    pub(super) fn table(&self, name: &str) -> Says {
        if let Some(reason) = &self.unclear {
            return Says::Unclear(reason.clone());
        }
        match self.tables.get(&self.fold(name)) {
            Some(table) if table.others == Others::Unclear => unclear(name),
            Some(table) => Says::Is(table.is_there),
            None => Says::Below(name.to_owned()),
        }
    }

    pub(super) fn column(&self, table: &str, column: &str) -> Says {
        if let Some(reason) = &self.unclear {
            return Says::Unclear(reason.clone());
        }
        let Some(known) = self.tables.get(&self.fold(table)) else {
            return Says::Below(table.to_owned());
        };
        if !known.is_there {
            return Says::Is(false);
        }
        let listed = known.columns.get(&self.fold(column)).map(Option::is_some);
        match (listed, &known.others) {
            (Some(is_there), Others::NoneIfNew) => Says::IfNew(is_there),
            (None, Others::NoneIfNew) => Says::IfNew(false),
            (Some(is_there), _) => Says::Is(is_there),
            (None, Others::None) => Says::Is(false),
            (None, Others::Below) => Says::Below(table.to_owned()),
            (None, Others::BelowAs(name)) => Says::Below(name.clone()),
            (None, Others::Unclear) => unclear(table),
        }
    }

    pub(super) fn index(&self, table: &str, index: &str) -> Says {
        if let Some(reason) = &self.unclear {
            return Says::Unclear(reason.clone());
        }
        let known = self.tables.get(&self.fold(table));
        if known.is_some_and(|table| !table.is_there) {
            return Says::Is(false);
        }
        if let Some(of) = self.indexes.get(&self.fold(index)) {
            return Says::Is(of.as_ref() == Some(&self.fold(table)));
        }
        match known.map(|known| (known, &known.others)) {
            None | Some((_, Others::Below)) => Says::Below(table.to_owned()),
            Some((_, Others::BelowAs(name))) => Says::Below(name.clone()),
            Some((known, Others::None | Others::NoneIfNew)) => {
                // Keys and constraints have indexes whose names the database makes up.
                let is_of_constraint = ["_pkey", "_key", "_excl"].iter().any(|end| index.ends_with(end))
                    || index.starts_with("sqlite_autoindex_")
                    || known.constraints.contains(&self.fold(index));
                match (is_of_constraint, &known.others) {
                    (true, _) => unclear(index),
                    (false, Others::NoneIfNew) => Says::IfNew(false),
                    (false, _) => Says::Is(false),
                }
            }
            Some((_, Others::Unclear)) => unclear(table),
        }
    }

    /// Returns the columns of a table that the statements have made; nothing where they have not, or not wholly.
    pub(super) fn columns(&self, table: &str) -> Option<Vec<Column>> {
        let known = self.tables.get(&self.fold(table))?;
        let is_whole = matches!(known.others, Others::None | Others::NoneIfNew);
        is_whole.then(|| known.columns.values().flatten().cloned().collect())
    }

    /// Returns the columns of a table with what the statements have changed of them.
    pub(super) fn with_changes(&self, table: &str, columns: Vec<Column>) -> Vec<Column> {
        let Some(known) = self.tables.get(&self.fold(table)) else {
            return columns;
        };
        let is_changed = |column: &Column| known.columns.contains_key(&self.fold(&column.name));
        let kept = columns.into_iter().filter(|column| !is_changed(column));
        kept.chain(known.columns.values().flatten().cloned()).collect()
    }

    /// Takes note of statements, and returns the tables whose rows they have something to do with, and what.
    pub(super) fn apply(&mut self, sql: &str) -> Vec<Touched> {
        let words = words(sql, dialect_of(self.backend));
        let mut touched = Vec::new();
        for statement in statements(&words) {
            self.apply_one(sql, statement, &mut touched);
        }
        touched
    }

    fn apply_one(&mut self, sql: &str, words: &[Word], touched: &mut Vec<Touched>) {
        let mut cursor = Cursor::new(words);
        let Some(first) = cursor.next().filter(|word| word.kind == Kind::Bare) else {
            return;
        };
        let text = span(words).map_or("", |span| &sql[span]);
        // Where names are looked up is another question then.
        if words.iter().any(|word| word.text.contains("search_path")) {
            return self.lose(&format!(
                "this may have changed where tables are looked up: {text}"
            ));
        }
        let known = match first.text.as_str() {
            "create" => self.create(sql, &mut cursor, touched),
            "drop" => self.drop(&mut cursor, touched),
            "alter" => self.alter(sql, &mut cursor, touched),
            "rollback" | "do" | "call" | "execute" | "import" | "attach" | "detach" => None,
            "pragma" if words.iter().any(|word| word.is("writable_schema")) => None,
            "select" if words.iter().any(|word| word.is("into")) => None,
            _ => Some(()),
        };
        match (known, first.text.as_str()) {
            (None, _) => self.lose(&format!("this may have changed the schema: {text}")),
            (Some(()), "create" | "drop" | "alter") => self.has_changed = true,
            (Some(()), _) => {}
        }
    }

    fn create(&mut self, sql: &str, cursor: &mut Cursor<'_>, touched: &mut Vec<Touched>) -> Option<()> {
        cursor.take(&["or", "replace"]);
        cursor.skip(&["global", "local"]);
        let is_temporary = ["temp", "temporary"].iter().any(|word| cursor.take(&[word]));
        // Its rows are somewhere else.
        let is_shown = ["foreign", "virtual"]
            .iter()
            .any(|word| cursor.peek().is_some_and(|next| next.is(word)));
        cursor.skip(&[
            "unlogged",
            "unique",
            "materialized",
            "virtual",
            "recursive",
            "foreign",
        ]);
        if cursor.take(&["index"]) {
            cursor.take(&["concurrently"]);
            cursor.take(&["if", "not", "exists"]);
            let name = match cursor.take(&["on"]) {
                true => None,
                false => Some(cursor.name()?.name),
            };
            cursor.take(&["on"]);
            cursor.take(&["only"]);
            let table = cursor.name()?.name;
            if let Some(name) = name {
                let table = self.fold(&table);
                self.indexes.insert(self.fold(&name), Some(table));
            }
            return Some(());
        }
        let is_table = cursor.take(&["table"]);
        if !is_table && !cursor.take(&["view"]) {
            // Schemas, types, functions, triggers, sequences: nothing that the questions ask for.
            return Some(());
        }
        let if_not_exists = cursor.take(&["if", "not", "exists"]);
        let name = cursor.name()?;
        let is_elsewhere = name
            .schema
            .is_some_and(|schema| schema != "public" && schema != "main");
        let body = cursor
            .parenthesised()
            .filter(|_| is_table && !is_temporary && !is_elsewhere);
        let key = self.fold(&name.name);
        let was_gone = self.tables.get(&key).is_some_and(|table| !table.is_there);
        let was_there = self.tables.get(&key).is_some_and(|table| table.is_there);
        if was_there && if_not_exists {
            touched.push(Touched::Altered(key));
            return Some(());
        }
        let is_filled = cursor.rest().iter().any(|word| word.is("as"));
        touched.push(match body {
            Some(_) if !is_filled && !was_there && !is_shown => Touched::Made(key.clone()),
            _ => Touched::Other(key.clone()),
        });
        let table = match body {
            Some(body) => self.created(sql, body, if_not_exists && !was_gone),
            None => Table {
                is_there: true,
                others: Others::Unclear,
                ..Table::default()
            },
        };
        self.tables.insert(key, table);
        Some(())
    }

    fn created(&self, sql: &str, body: &[Word], may_be_there: bool) -> Table {
        let mut table = Table {
            is_there: true,
            others: if may_be_there {
                Others::NoneIfNew
            } else {
                Others::None
            },
            ..Table::default()
        };
        for part in between_commas(body) {
            let mut cursor = Cursor::new(part);
            if cursor.take(&["like"]) {
                table.others = Others::Unclear;
            } else if cursor.take(&["constraint"]) {
                let name = cursor.name().map(|name| self.fold(&name.name));
                table.constraints.extend(name);
                self.constrain(&mut table, cursor);
            } else if let Some(column) = column(sql, part) {
                table.columns.insert(self.fold(&column.name), Some(column));
            } else {
                self.constrain(&mut table, cursor);
            }
        }
        table
    }

    fn constrain(&self, table: &mut Table, mut cursor: Cursor<'_>) {
        if !cursor.take(&["primary", "key"]) {
            return;
        }
        for part in between_commas(cursor.parenthesised().unwrap_or_default()) {
            let name = Cursor::new(part).name().map(|name| self.fold(&name.name));
            let column = name.and_then(|name| table.columns.get_mut(&name)?.as_mut());
            if let Some(column) = column {
                column.is_key = true;
                column.is_nullable = false;
            }
        }
    }

    fn drop(&mut self, cursor: &mut Cursor<'_>, touched: &mut Vec<Touched>) -> Option<()> {
        cursor.skip(&["materialized", "foreign"]);
        let is_index = cursor.take(&["index"]);
        if is_index {
            cursor.take(&["concurrently"]);
        } else if cursor.take(&["schema"]) || cursor.take(&["owned"]) {
            return None;
        } else if !cursor.take(&["table"]) && !cursor.take(&["view"]) {
            // A type takes columns with it.
            return (!cursor.rest().iter().any(|word| word.is("cascade"))).then_some(());
        }
        cursor.take(&["if", "exists"]);
        loop {
            let name = cursor.name()?.name;
            match is_index {
                true => self.indexes.insert(self.fold(&name), None),
                false => {
                    self.tables.insert(self.fold(&name), Table::default());
                    touched.push(Touched::Other(self.fold(&name)));
                }
            }
            if !cursor.take_symbol(",") {
                return Some(());
            }
        }
    }

    fn alter(&mut self, sql: &str, cursor: &mut Cursor<'_>, touched: &mut Vec<Touched>) -> Option<()> {
        if cursor.take(&["index"]) {
            cursor.take(&["if", "exists"]);
            let old = self.fold(&cursor.name()?.name);
            if cursor.take(&["rename", "to"]) {
                let new = self.fold(&cursor.name()?.name);
                let table = self.indexes.get(&old).cloned().flatten();
                self.indexes.insert(old, None);
                self.indexes.insert(new, Some(table?));
            }
            return Some(());
        }
        if !cursor.take(&["table"]) {
            return Some(());
        }
        cursor.take(&["if", "exists"]);
        cursor.take(&["only"]);
        let name = cursor.name()?.name;
        if cursor.take(&["rename", "to"]) {
            let new = cursor.name()?.name;
            let (old_key, new_key) = (self.fold(&name), self.fold(&new));
            touched.extend(match self.is_new(&name) {
                Says::Is(true) => vec![Touched::Renamed(old_key, new_key)],
                _ => vec![Touched::Altered(old_key), Touched::Other(new_key)],
            });
            self.rename(&name, &new);
            return Some(());
        }
        touched.push(Touched::Altered(self.fold(&name)));
        let key = self.fold(&name);
        let backend = self.backend;
        let mut table = self.tables.get(&key).cloned().unwrap_or(Table {
            is_there: true,
            ..Table::default()
        });
        for action in between_commas(cursor.rest()) {
            if alter_column(backend, &mut table, sql, action).is_none() {
                self.tables.insert(key, table);
                return None;
            }
        }
        self.tables.insert(key, table);
        Some(())
    }

    fn rename(&mut self, old: &str, new: &str) {
        let mut table = self.tables.remove(&self.fold(old)).unwrap_or(Table {
            is_there: true,
            ..Table::default()
        });
        if table.others == Others::Below {
            table.others = Others::BelowAs(old.to_owned());
        }
        let (old, new) = (self.fold(old), self.fold(new));
        self.indexes
            .change_where(|_, of| of.as_ref() == Some(&old), |_, of| *of = Some(new.clone()));
        self.tables.insert(old, Table::default());
        self.tables.insert(new, table);
    }

    /// Returns a name as the database compares it: SQLite knows no difference of case, quoted or not.
    fn fold(&self, name: &str) -> String {
        fold(self.backend, name)
    }
}

pub(super) fn fold(backend: DbBackend, name: &str) -> String {
    match dialect_of(backend) {
        Dialect::Sqlite => name.to_lowercase(),
        Dialect::Postgresql => name.to_owned(),
    }
}

fn unclear(name: &str) -> Says {
    Says::Unclear(format!(
        "what the recorded statements have made of {name} is not clear"
    ))
}
