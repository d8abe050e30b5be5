//! What is known while revisions are recorded: what the statements so far have done, and below it what somebody else answers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rpds::VectorSync;
use sea_orm::{DbBackend, QueryResult, Statement};

use super::live::Asker;
use super::made_up::MadeUp;
use super::row::{Cell, build};
use super::rows::{Found, Key, Pieces, RowsSoFar};
use super::schema::{Says, SchemaSoFar, Touched};
use super::{Answer, Answers, Column, Question, Subject};
use crate::script::reading::{self, Item, Select, Word, words_of};
use crate::sql::SharedMap;

/// What a run knows while its revisions are recorded one after the other.
///
/// A clone goes on by itself: what is recorded with it is not known to the other.
#[derive(Debug)]
pub struct Known {
    pub(super) backend: DbBackend,
    below: Arc<dyn Answers>,
    /// An empty SQLite database in memory, which makes rows.
    scratch: Arc<Asker>,
    /// Whether it was asked below since somebody wanted to know.
    has_asked: AtomicBool,
    state: Mutex<State>,
}

/// What the recorded statements have done.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) schema: SchemaSoFar,
    pub(super) rows: RowsSoFar,
    pub(super) made_up: MadeUp,
    /// Statements that may change the schema and were not looked at yet: most revisions ask nothing.
    pub(super) pending: VectorSync<String>,
    columns: SharedMap<String, Option<Vec<Column>>>,
}

impl Known {
    /// Returns what is known where these answers are given.
    #[must_use]
    pub fn over(below: Arc<dyn Answers>, backend: DbBackend) -> Self {
        let url = "sqlite::memory:".parse().expect("the address is a constant");
        let state = State {
            schema: SchemaSoFar::new(backend),
            rows: RowsSoFar::new(backend),
            made_up: MadeUp::default(),
            pending: VectorSync::default(),
            columns: SharedMap::default(),
        };
        Self {
            backend,
            below,
            scratch: Arc::new(Asker::new(url, crate::session::Settings::default())),
            has_asked: AtomicBool::new(false),
            state: Mutex::new(state),
        }
    }

    /// Gives up knowing anything: what a revision sends is not known.
    pub fn lose(&self, reason: &str) {
        let mut state = self.state();
        state.schema.lose(reason);
        state.rows.lose(reason);
    }

    /// Gives up knowing rows, as after a backfill.
    pub(in crate::script) fn lose_rows(&self, reason: &str) {
        self.state().rows.lose(reason);
    }

    /// Forgets the rows that statements have left: since then others may have written.
    pub fn forget_rows(&self) {
        let mut state = self.state();
        state.catch_up();
        state.rows = RowsSoFar::new(self.backend);
    }

    /// Answers a question.
    pub(in crate::script) fn ask(&self, question: &Question) -> Answer {
        let mut state = self.state();
        state.catch_up();
        match &question.subject {
            Subject::Table { table } => {
                let says = state.schema.table(table);
                self.settle(says, question, table, |table| Subject::Table { table })
            }
            Subject::Column { table, column } => {
                let says = state.schema.column(table, column);
                let column = column.clone();
                self.settle(says, question, table, |table| Subject::Column { table, column })
            }
            Subject::Index { table, index } => {
                let says = state.schema.index(table, index);
                let index = index.clone();
                self.settle(says, question, table, |table| Subject::Index { table, index })
            }
            Subject::Schema if state.schema.has_changed() => {
                not_known("statements before have changed the schema that it asks for")
            }
            Subject::Schema => self.ask_below(question),
            Subject::Rows { tables } => self.rows(&mut state, question, tables),
        }
    }

    /// Returns what a statement or question uses that was made up while recording.
    pub(in crate::script) fn made_up_in(&self, sql: &str) -> Option<String> {
        self.state().made_up.used_in(sql).map(str::to_owned)
    }

    fn settle(
        &self,
        says: Says,
        question: &Question,
        table: &str,
        about: impl FnOnce(String) -> Subject,
    ) -> Answer {
        match says {
            Says::Is(is_there) => Answer::Is(is_there),
            Says::Unclear(reason) => Answer::NotKnown { reason },
            Says::Below(name) if name == table => self.ask_below(question),
            Says::Below(name) => match Question::about(about(name), self.backend) {
                Some(question) => self.ask_below(&question),
                None => not_known("the table had another name before"),
            },
            Says::IfNew(is_there) => match self.has_table(table) {
                Answer::Is(false) => Answer::Is(is_there),
                Answer::Is(true) => self.ask_below(question),
                other => other,
            },
        }
    }

    fn ask_below(&self, question: &Question) -> Answer {
        let answer = self.below.answer(question);
        if !matches!(answer, Answer::NotKnown { .. }) {
            self.has_asked.store(true, Ordering::Relaxed);
        }
        answer
    }

    /// Returns whether something below the statements was answered since this was last asked.
    pub(in crate::script) fn take_asked(&self) -> bool {
        self.has_asked.swap(false, Ordering::Relaxed)
    }

    fn has_table(&self, table: &str) -> Answer {
        let subject = Subject::Table {
            table: table.to_owned(),
        };
        match Question::about(subject, self.backend) {
            Some(question) => self.ask_below(&question),
            None => not_known("it is no question about a table"),
        }
    }

    /// Whether a table that statements have made was not there before them.
    pub(super) fn is_new(&self, state: &State, table: &str) -> bool {
        match state.schema.is_new(table) {
            // A view is no table, and has columns.
            Says::IfNew(_) => {
                matches!(self.has_table(table), Answer::Is(false)) && self.below.columns(table).is_none()
            }
            says => says == Says::Is(true),
        }
    }

    fn rows(&self, state: &mut State, question: &Question, tables: &[String]) -> Answer {
        let used = state.made_up.used_in(&question.statement.to_string());
        let used = used.map(|used| format!("it uses {used}"));
        if !state.rows.has_changed() {
            return self.ask_below(question);
        }
        let Some(reason) = state.rows.why_not_below(tables) else {
            // A view may read what has changed.
            let is_table = |table: &String| matches!(self.has_table(table), Answer::Is(true));
            return match (used, tables.iter().find(|table| !is_table(table))) {
                (Some(used), _) => not_known(&used),
                (None, None) => self.ask_below(question),
                (None, Some(other)) => {
                    not_known(&format!("rows have changed before, and {other} may read them"))
                }
            };
        };
        if let Some(table) = tables.iter().find(|table| state.rows.is_made(table))
            && !self.is_new(state, table)
        {
            return not_known(&format!("{table} may have been there before"));
        }
        let words = words_of(&question.statement);
        if let Some(answer) = self.found_in_nothing(state, &question.statement, &words) {
            return answer;
        }
        let Some(select) = Select::read(&words) else {
            return not_known(&reason);
        };
        let Some(key) = Key::of(&question.statement, select.condition) else {
            return not_known(&reason);
        };
        let found = state.rows.find(&select.table, &key);
        if let (Some(used), false) = (used, matches!(found, Found::Inserted(_))) {
            return not_known(&used);
        }
        let wanted = Wanted {
            statement: &question.statement,
            table: &select.table,
            target: select.target,
            items: &select.items,
            condition: select.condition,
        };
        match self.row_of(&found, &wanted) {
            Ok(answer) => answer,
            Err(why) => not_known(&why.unwrap_or(reason)),
        }
    }

    /// Returns the row that was found, or the rows; why not, if there is more to say than that they have changed.
    pub(super) fn row_of(&self, found: &Found<'_>, wanted: &Wanted<'_>) -> Result<Answer, Option<String>> {
        let sets = match found {
            Found::Gone => return Ok(Answer::Rows(Vec::new())),
            Found::Unclear => return Err(None),
            Found::Inserted(row) => {
                let mut cells = Vec::new();
                for item in wanted.items {
                    let column = item.column.as_ref().ok_or(None)?;
                    let column = super::schema::fold(self.backend, column);
                    let cell = match (row.cells.get(&column), row.number) {
                        (Some(cell), _) if cell.value().is_some() => cell.clone(),
                        (None, Some(number)) if wanted.names(&column) => Cell::Untyped(number.into()),
                        _ => return Err(Some(format!("the database decides about {column}"))),
                    };
                    cells.push((item.name.clone(), cell));
                }
                return build(self.backend, &self.scratch, &cells)
                    .map(Answer::Rows)
                    .map_err(Some);
            }
            Found::Below => None,
            Found::Changed(sets) => Some(*sets),
        };
        let statement = wanted.query(sets.unwrap_or(&BTreeMap::new())).ok_or(None)?;
        let subject = Subject::Rows {
            tables: vec![wanted.table.to_owned()],
        };
        Ok(self.ask_below(&Question { statement, subject }))
    }

    pub(super) fn build(&self, cells: &[(String, Cell)]) -> Result<Vec<QueryResult>, String> {
        build(self.backend, &self.scratch, cells)
    }

    /// Returns the columns of a table, as far as anybody knows.
    pub(super) fn columns(&self, state: &mut State, table: &str) -> Option<Vec<Column>> {
        state.catch_up();
        if let Some(columns) = state.schema.columns(table) {
            return Some(columns);
        }
        if !state.columns.contains_key(table) {
            state.columns.insert(table.to_owned(), self.below.columns(table));
        }
        let below = state.columns.get(table).cloned().flatten()?;
        Some(state.schema.with_changes(table, below))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // Whoever panics has changed nothing halfway.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clone for Known {
    fn clone(&self) -> Self {
        Self {
            backend: self.backend,
            below: Arc::clone(&self.below),
            scratch: Arc::clone(&self.scratch),
            has_asked: AtomicBool::new(false),
            state: Mutex::new(self.state().clone()),
        }
    }
}

impl State {
    /// Looks at the statements that nobody has asked about so far.
    pub(super) fn catch_up(&mut self) {
        for sql in &std::mem::take(&mut self.pending) {
            for touched in self.schema.apply(sql) {
                match touched {
                    Touched::Made(table) => self.rows.make(&table),
                    Touched::Altered(table) => self.rows.alter(&table),
                    Touched::Renamed(table, to) => self.rows.rename(&table, &to),
                    Touched::Other(table) => self.rows.touch(&table),
                }
            }
        }
        // Rows may be those of another table of the name then.
        if let Some(reason) = self.schema.why_unclear() {
            self.rows.lose(reason);
        }
    }
}

/// The columns that a statement wants of the rows of one table.
pub(super) struct Wanted<'w> {
    pub(super) statement: &'w Statement,
    pub(super) table: &'w str,
    pub(super) target: &'w [Word],
    pub(super) items: &'w [Item<'w>],
    pub(super) condition: &'w [Word],
}

impl Wanted<'_> {
    /// Returns whether the rows are told by this column.
    fn names(&self, column: &str) -> bool {
        let backend = self.statement.db_backend;
        let key = reading::key_of(self.condition).unwrap_or_default();
        key.iter()
            .any(|(name, _)| super::schema::fold(backend, name) == column)
    }

    /// Returns the query that asks for the rows with these values in place of those that they have.
    fn query(&self, sets: &BTreeMap<String, Pieces>) -> Option<Statement> {
        let backend = self.statement.db_backend;
        let mut query = Pieces::sql("SELECT ");
        for (index, item) in self.items.iter().enumerate() {
            if index > 0 {
                query.push(Pieces::sql(", "));
            }
            let column = item
                .column
                .as_ref()
                .map(|name| super::schema::fold(backend, name));
            match column.as_ref().and_then(|column| sets.get(column)) {
                Some(set) => query.push(cast(self.statement, item, set.clone())),
                None if column.is_none() && !sets.is_empty() => return None,
                None => query.push(Pieces::of(self.statement, item.expression)),
            }
            if !item.name.is_empty() {
                query.push(Pieces::sql(&format!(
                    " AS \"{}\"",
                    item.name.replace('"', "\"\"")
                )));
            }
        }
        query.push(Pieces::sql(" FROM "));
        query.push(Pieces::of(self.statement, self.target));
        if !self.condition.is_empty() {
            query.push(Pieces::sql(" WHERE "));
            query.push(Pieces::of(self.statement, self.condition));
        }
        Some(query.build(backend))
    }
}

/// Returns a value as an item wants it: cast as the item casts the column.
fn cast(statement: &Statement, item: &Item<'_>, value: Pieces) -> Pieces {
    let cast = item.expression.first().filter(|word| word.is("cast"));
    let kind = item.expression.iter().position(|word| word.is("as"));
    let (Some(_), Some(kind)) = (cast, kind) else {
        return value;
    };
    let mut pieces = Pieces::sql("CAST(");
    pieces.push(value);
    pieces.push(Pieces::sql(" "));
    // With the parenthesis that closes.
    pieces.push(Pieces::of(statement, &item.expression[kind..]));
    pieces
}

pub(super) fn not_known(reason: &str) -> Answer {
    Answer::NotKnown {
        reason: reason.to_owned(),
    }
}
