//! What questions are told about tables that statements have made and put no rows into.

use sea_orm::Statement;
use sea_orm::sea_query::Value;

use super::Answer;
use super::known::{Known, State};
use super::row::Cell;
use super::rows::bound;
use super::sent::limit;
use crate::script::reading::{Item, Nothing, ValueOfNothing, Word, over_nothing, span, value_of_nothing};
use crate::session::dialect_of;
use crate::sql::Dialect;

impl Known {
    /// Answers a question of tables without rows; nothing for any other.
    pub(super) fn found_in_nothing(
        &self,
        state: &State,
        statement: &Statement,
        words: &[Word],
    ) -> Option<Answer> {
        let is_empty = |table: &str| self.is_empty(state, table);
        let items = match over_nothing(words, &is_empty)? {
            Nothing::NoRows => return Some(Answer::Rows(Vec::new())),
            Nothing::OneRow(items) => items,
        };
        let limits = words.iter().enumerate().filter(|(_, word)| word.is("limit"));
        for (place, _) in limits {
            // One that nobody can read may be zero.
            limit(&words[place..], statement).filter(|rows| *rows > 0)?;
        }
        let mut cells = Vec::new();
        for item in &items {
            let cell = match value_of_nothing(item.expression, &is_empty)? {
                ValueOfNothing::Number(number) => Cell::Untyped(number.into()),
                ValueOfNothing::Truth(is_true) => Cell::Untyped(is_true.into()),
                ValueOfNothing::Null => Cell::Untyped(Value::String(None)),
                ValueOfNothing::Constant(words) => Cell::of(words, bound(statement)),
            };
            cell.value()?;
            cells.push((self.name_of(statement, item), cell));
        }
        self.build(&cells).ok().map(Answer::Rows)
    }

    /// Returns whether a query finds no rows, since the tables that it reads have none.
    pub(super) fn finds_nothing(&self, state: &State, words: &[Word]) -> bool {
        over_nothing(words, &|table| self.is_empty(state, table)) == Some(Nothing::NoRows)
    }

    /// Whether a table was made by a statement, was not there before, and has no rows.
    fn is_empty(&self, state: &State, table: &str) -> bool {
        state.rows.is_empty(table) && self.is_new(state, table)
    }

    /// Returns the name that the database gives a column of an answer.
    fn name_of(&self, statement: &Statement, item: &Item<'_>) -> String {
        if !item.name.is_empty() {
            return item.name.clone();
        }
        let called = item.expression.first().filter(|word| word.is_name());
        match (dialect_of(self.backend), called) {
            (Dialect::Sqlite, _) => span(item.expression)
                .map_or("", |span| &statement.sql[span])
                .to_owned(),
            (Dialect::Postgresql, Some(function)) if !function.is("not") => function.text.clone(),
            (Dialect::Postgresql, _) => "?column?".to_owned(),
        }
    }
}
