//! What a recorded statement does to what is known, and what it is told.

use std::collections::BTreeMap;

use sea_orm::sea_query::Value;
use sea_orm::{QueryResult, Statement};

use super::known::{Known, State, Wanted};
use super::row::Cell;
use super::rows::{Found, Inserted, Key, Pieces, bound};
use super::schema::fold;
use super::{Answer, Column};
use crate::script::reading::{
    Cursor, Delete, Insert, Item, Kind, Update, Word, is_constant, span, statements, words, words_of,
};
use crate::session::dialect_of;
use crate::sql::Dialect;

/// What a statement is told.
#[derive(Debug)]
pub(in crate::script) struct Reply {
    /// The rows of `RETURNING`.
    pub(in crate::script) rows: Vec<QueryResult>,
    pub(in crate::script) affected: Affected,
    /// The number that stands for the key of the last row, on SQLite.
    pub(in crate::script) last_insert_id: u64,
    /// What it should have been told and nobody knows.
    pub(in crate::script) gap: Option<String>,
}

/// How many rows a statement changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::script) enum Affected {
    /// As many as it gives.
    Given(u64),
    /// Nobody knows; no more than this, where the statement says so.
    AtMost(Option<u64>),
    /// It is no statement that changes rows.
    None,
}

impl Reply {
    fn nothing(affected: Affected) -> Self {
        Self {
            rows: Vec::new(),
            affected,
            last_insert_id: 0,
            gap: None,
        }
    }

    fn gap(affected: Affected, reason: String) -> Self {
        Self {
            gap: Some(reason),
            ..Self::nothing(affected)
        }
    }

    fn answered(affected: Affected, answer: Answer) -> Self {
        match answer {
            Answer::Rows(rows) => Self {
                rows,
                ..Self::nothing(affected)
            },
            Answer::NotKnown { reason } => Self::gap(affected, reason),
            Answer::Is(_) => Self::nothing(affected),
        }
    }
}

/// Statements that change neither the schema nor rows.
const HARMLESS: [&str; 25] = [
    "analyze",
    "begin",
    "checkpoint",
    "cluster",
    "comment",
    "commit",
    "deallocate",
    "discard",
    "end",
    "explain",
    "grant",
    "listen",
    "lock",
    "notify",
    "pragma",
    "reindex",
    "release",
    "reset",
    "revoke",
    "savepoint",
    "security",
    "set",
    "show",
    "start",
    "vacuum",
];

/// Words of a definition by which a table may have rows that no statement has put into it itself: those of its children and parts,
/// and what triggers and rules insert.
const BRINGS_ROWS: [&str; 6] = ["trigger", "rule", "inherits", "inherit", "partition", "attach"];

impl Known {
    /// Takes note of statements that are recorded, and says what the last of them is told.
    pub(in crate::script) fn sent(&self, statement: &Statement) -> Reply {
        let words = words_of(statement);
        let mut reply = Reply::nothing(Affected::None);
        let mut state = self.state();
        for one in statements(&words) {
            reply = self.sent_one(&mut state, statement, one);
        }
        reply
    }

    fn sent_one(&self, state: &mut State, statement: &Statement, words: &[Word]) -> Reply {
        if let Some(insert) = Insert::read(words) {
            state.catch_up();
            return self.insert(state, statement, &insert);
        }
        if let Some(update) = Update::read(words) {
            state.catch_up();
            let reply = self.updated(state, statement, &update, words);
            state.rows.update(statement, &update);
            return reply;
        }
        if let Some(delete) = Delete::read(words) {
            state.catch_up();
            let reply = self.deleted(state, statement, &delete, words);
            state.rows.delete(statement, &delete);
            return reply;
        }
        let text = span(words).map_or("", |span| &statement.sql[span]);
        let first = words.first().map_or("", |word| word.text.as_str());
        if HARMLESS.contains(&first) {
            // Except where it decides where names are looked up.
            state.pending.push_back_mut(text.to_owned());
            return Reply::nothing(Affected::None);
        }
        let calls = words.iter().zip(words.iter().skip(1));
        let mut called = calls.filter(|(name, open)| name.is_name() && open.is_symbol("("));
        match first {
            "create" | "alter" | "drop" => {
                let brings_rows = |word: &Word| BRINGS_ROWS.iter().any(|other| word.is(other));
                if words.iter().any(brings_rows) {
                    state.rows.expect_from_elsewhere();
                }
                state.pending.push_back_mut(text.to_owned());
            }
            "refresh" | "copy" | "merge" => {
                state.catch_up();
                let mut cursor = Cursor::new(words);
                cursor.next();
                cursor.skip(&["materialized", "view", "concurrently", "into"]);
                if let Some(table) = cursor.name() {
                    state.rows.fill(&table.name);
                }
            }
            "select" if called.all(|(name, _)| ["set_config", "setval"].contains(&name.text.as_str())) => {
                state.pending.push_back_mut(text.to_owned());
            }
            _ => {
                state.rows.lose(&format!("this may have changed rows: {text}"));
                if !["with", "truncate"].contains(&first) {
                    state
                        .schema
                        .lose(&format!("this may have changed the schema: {text}"));
                }
            }
        }
        match first {
            "merge" | "with" | "copy" => Reply::nothing(Affected::AtMost(limit(words, statement))),
            _ => Reply::nothing(Affected::None),
        }
    }

    fn insert(&self, state: &mut State, statement: &Statement, insert: &Insert<'_>) -> Reply {
        let Some(rows) = &insert.rows else {
            if self.finds_nothing(state, insert.query) {
                state.rows.insert(&insert.table, Vec::new());
                return Reply::nothing(Affected::Given(0));
            }
            state.rows.fill(&insert.table);
            let affected = Affected::AtMost(None);
            return match insert.returning.is_empty() {
                true => Reply::nothing(affected),
                false => Reply::gap(affected, format!("a query gives the rows of {}", insert.table)),
            };
        };
        let affected = Affected::Given(u64::try_from(rows.len()).unwrap_or(u64::MAX));
        let is_default = |row: &Vec<&[Word]>| {
            row.iter()
                .all(|value| matches!(value, [word] if word.is("default")))
        };
        if insert.columns.is_empty() && !rows.iter().all(is_default) {
            // Which values belong to which columns is written nowhere.
            state.rows.fill(&insert.table);
            if !insert.returning.is_empty() {
                return Reply::gap(affected, format!("the columns of {} are not named", insert.table));
            }
        }
        let columns = match insert.returning.is_empty() {
            true => None,
            false => self.columns(state, &insert.table),
        };
        let mut reply = Reply::nothing(affected);
        let mut inserted = Vec::new();
        for row in rows {
            let mut cells: BTreeMap<String, Cell> = BTreeMap::new();
            for (column, expression) in insert.columns.iter().zip(row) {
                cells.insert(fold(self.backend, column), Cell::of(expression, bound(statement)));
            }
            if insert.returning.is_empty() {
                let meaning = format!("the id that the database gives to {}", insert.table);
                let number = state.made_up.number(meaning);
                if dialect_of(self.backend) == Dialect::Sqlite {
                    reply.last_insert_id =
                        u64::try_from(own_number(&cells).unwrap_or(number)).unwrap_or_default();
                }
                inserted.push(Inserted {
                    cells,
                    number: Some(number),
                });
                continue;
            }
            match self.returned(state, insert, &mut cells, columns.as_deref()) {
                Ok(rows) => reply.rows.extend(rows),
                Err(reason) => reply.gap = Some(reason),
            }
            inserted.push(Inserted { cells, number: None });
        }
        match insert.may_conflict {
            true => state.rows.fill(&insert.table),
            false => state.rows.insert(&insert.table, inserted),
        }
        reply
    }

    /// Returns what an inserted row gives back: what was given, what is known of defaults, and for the rest what is made up.
    fn returned(
        &self,
        state: &mut State,
        insert: &Insert<'_>,
        cells: &mut BTreeMap<String, Cell>,
        columns: Option<&[Column]>,
    ) -> Result<Vec<QueryResult>, String> {
        let all: Vec<(String, String)> = match (insert.returning.as_slice(), columns) {
            ([all], Some(columns)) if is_all(all) => columns
                .iter()
                .map(|column| (column.name.clone(), column.name.clone()))
                .collect(),
            (items, _) => {
                let named = items
                    .iter()
                    .map(|item| Some((item.column.clone()?, item.name.clone())));
                let named: Option<Vec<_>> = named.collect();
                named.ok_or_else(|| format!("it computes something of the new rows of {}", insert.table))?
            }
        };
        let mut row = Vec::new();
        for (name, alias) in all {
            let key = fold(self.backend, &name);
            let column = columns.and_then(|columns| {
                let mut columns = columns.iter();
                columns.find(|column| fold(self.backend, &column.name) == key)
            });
            let given = cells.get(&key).filter(|cell| **cell != Cell::Default);
            let cell = match given.cloned().or_else(|| default(column)) {
                Some(cell) if cell.value().is_some() => cell,
                _ => {
                    let made_up = state.made_up.value(&insert.table, &name, column);
                    made_up
                        .ok_or_else(|| format!("the {name} that the database gives to {}", insert.table))?
                }
            };
            cells.insert(key, cell.clone());
            row.push((alias, cell));
        }
        self.build(&row)
    }

    fn updated(&self, state: &State, statement: &Statement, update: &Update<'_>, words: &[Word]) -> Reply {
        let affected = Affected::AtMost(limit(words, statement).or(one_row(statement, update.condition)));
        if update.returning.is_empty() {
            return Reply::nothing(affected);
        }
        let unclear = || format!("rows of {} that it changes are not known", update.table);
        if update.is_involved {
            return Reply::gap(affected, unclear());
        }
        let sets = update
            .sets
            .iter()
            .map(|(column, expression)| (fold(self.backend, column), Pieces::of(statement, expression)));
        let mut sets: BTreeMap<String, Pieces> = sets.collect();
        let found = find(state, statement, &update.table, update.condition);
        let is_constant = update.sets.iter().all(|(_, expression)| is_constant(expression));
        let wanted = Wanted {
            statement,
            table: &update.table,
            target: update.target,
            items: &update.returning,
            condition: update.condition,
        };
        let answer = match found {
            Found::Below => self.row_of(&Found::Changed(&sets), &wanted),
            Found::Changed(known) if is_constant => {
                for (column, set) in known {
                    sets.entry(column.clone()).or_insert_with(|| set.clone());
                }
                self.row_of(&Found::Changed(&sets), &wanted)
            }
            Found::Inserted(row) if is_constant => {
                let mut row = row.clone();
                for (column, expression) in &update.sets {
                    row.cells
                        .insert(fold(self.backend, column), Cell::of(expression, bound(statement)));
                }
                self.row_of(&Found::Inserted(&row), &wanted)
            }
            Found::Gone => self.row_of(&Found::Gone, &wanted),
            Found::Changed(_) | Found::Inserted(_) | Found::Unclear => Err(None),
        };
        match answer {
            Ok(answer) => Reply::answered(affected, answer),
            Err(why) => Reply::gap(affected, why.unwrap_or_else(unclear)),
        }
    }

    fn deleted(&self, state: &State, statement: &Statement, delete: &Delete<'_>, words: &[Word]) -> Reply {
        let affected = Affected::AtMost(limit(words, statement).or(one_row(statement, delete.condition)));
        if delete.returning.is_empty() {
            return Reply::nothing(affected);
        }
        let found = match delete.is_involved {
            true => Found::Unclear,
            false => find(state, statement, &delete.table, delete.condition),
        };
        let wanted = Wanted {
            statement,
            table: &delete.table,
            target: delete.target,
            items: &delete.returning,
            condition: delete.condition,
        };
        match self.row_of(&found, &wanted) {
            Ok(answer) => Reply::answered(affected, answer),
            Err(why) => {
                let reason =
                    why.unwrap_or_else(|| format!("rows of {} that it deletes are not known", delete.table));
                Reply::gap(affected, reason)
            }
        }
    }
}

/// Looks rows up by any condition, as far as the database still has them as they are.
fn find<'s>(state: &'s State, statement: &Statement, table: &str, condition: &[Word]) -> Found<'s> {
    match Key::of(statement, condition) {
        Some(key) => state.rows.find(table, &key),
        None if !state.rows.has_changed() => Found::Below,
        None => match state.rows.why_not_below(&[table.to_owned()]) {
            // What the condition reads besides may have changed.
            None if !condition.iter().any(|word| word.is("select")) => Found::Below,
            _ => Found::Unclear,
        },
    }
}

/// Returns the default of a column that is left out, where the statements or the database say it.
fn default(column: Option<&Column>) -> Option<Cell> {
    let column = column.filter(|column| !column.is_generated)?;
    let Some(default) = &column.default else {
        return column.is_nullable.then_some(Cell::Untyped(Value::String(None)));
    };
    let words = words(default, Dialect::Postgresql);
    let cell = Cell::of(&words, &[]);
    cell.value().is_some().then_some(cell)
}

/// Returns the number that a row brings along as its key.
fn own_number(cells: &BTreeMap<String, Cell>) -> Option<i64> {
    match cells.get("id")?.value()? {
        Value::Int(Some(id)) => Some((*id).into()),
        Value::BigInt(id) => *id,
        _ => None,
    }
}

fn is_all(item: &Item<'_>) -> bool {
    matches!(item.expression, [word] if word.is_symbol("*"))
}

/// Returns one where a condition names a key, which most likely is that of one row.
fn one_row(statement: &Statement, condition: &[Word]) -> Option<u64> {
    Key::of(statement, condition).map(|_| 1)
}

/// Returns the number after the first `LIMIT`.
pub(super) fn limit(words: &[Word], statement: &Statement) -> Option<u64> {
    let place = words.iter().position(|word| word.is("limit"))?;
    let number = words.get(place + 1)?;
    match number.kind {
        Kind::Value(index) => {
            let values = bound(statement);
            let text = Pieces::of(statement, std::slice::from_ref(number)).build(statement.db_backend);
            values.get(index)?;
            text.to_string().parse().ok()
        }
        _ => number.text.parse().ok(),
    }
}
