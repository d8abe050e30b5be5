//! What is copied: all rows of a table, which is how one is built again, and the values of a column.

use serde::Serialize;

use crate::sql::cursor::Cursor;
use crate::sql::parsed::DataChange;
use crate::sql::token::{Kind, Token};

/// An insert of every row of one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WholeCopy {
    /// The table whose rows are taken.
    pub source: String,
    /// The columns of the new table that are filled with what a column held; all of them where nothing is said.
    pub columns: Option<Vec<String>>,
}

/// A column that an update fills with what others held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ColumnCopy {
    /// The column that is filled.
    pub to: String,
    /// The names in the expression.
    pub from: Vec<String>,
}

/// Returns the columns that an update fills from others, in every row or where they are not filled yet.
pub(super) fn column_copies(tokens: &[Token]) -> Vec<ColumnCopy> {
    let (_, mut set) = Cursor::new(tokens).before(&["set"]);
    set.step();
    let (assignments, rest) = set.before(&["from", "where", "returning"]);
    let (_, condition) = rest.before(&["where"]);
    let mut copies = Vec::new();
    for mut assignment in assignments.split(",") {
        let Some(to) = assignment.name() else { continue };
        if !assignment.accept_symbol("=") {
            continue;
        }
        let names_it = |token: &Token| token.is_name() && token.text == to;
        if condition.is_done() || condition.tokens().iter().any(names_it) {
            let names = assignment.tokens().iter().filter(|token| token.is_name());
            let from = names.map(|token| token.text.clone()).collect();
            copies.push(ColumnCopy { to, from });
        }
    }
    copies
}

/// Words after which a query no longer gives every row once.
const RESTRICTIONS: [&str; 16] = [
    "where",
    "join",
    "limit",
    "offset",
    "fetch",
    "group",
    "having",
    "union",
    "intersect",
    "except",
    "distinct",
    "tablesample",
    "window",
    "natural",
    "cross",
    "values",
];

/// Returns what an insert copies, if it copies a whole table.
pub(super) fn whole_copy(change: &DataChange, tokens: &[Token]) -> Option<WholeCopy> {
    let range = change.pieces.query.as_ref()?;
    let inside: Vec<Token> = tokens
        .iter()
        .filter(|token| range.start <= token.span.start && token.span.end <= range.end)
        .cloned()
        .collect();
    let mut query = Cursor::new(&inside);
    if query.accept("table") {
        let source = query.qualified()?;
        return query.is_done().then_some(WholeCopy {
            source,
            columns: None,
        });
    }
    if RESTRICTIONS.iter().any(|word| query.has(word)) || !query.accept("select") {
        return None;
    }
    let (list, mut rest) = query.before(&["from"]);
    if !rest.accept("from") {
        return None;
    }
    rest.accept("only");
    let source = rest.qualified()?;
    rest.accept("as");
    if !rest.sees("order by") {
        rest.name();
    }
    let (rest, _) = rest.before(&["order by"]);
    if !rest.is_done() {
        return None;
    }
    Some(WholeCopy {
        source,
        columns: filled(list, &change.columns),
    })
}

/// Returns the columns that get what a column held.
fn filled(list: Cursor<'_>, columns: &[String]) -> Option<Vec<String>> {
    let items = list.split(",");
    if columns.is_empty()
        || items
            .iter()
            .any(|item| item.tokens().iter().any(|token| token.is_symbol("*")))
    {
        return None;
    }
    let filled = columns
        .iter()
        .zip(items)
        .filter(|(_, item)| names_a_column(item.tokens()));
    Some(filled.map(|(column, _)| column.clone()).collect())
}

fn names_a_column(tokens: &[Token]) -> bool {
    const NO_COLUMNS: [&str; 8] = [
        "null",
        "true",
        "false",
        "default",
        "cast",
        "as",
        "current_timestamp",
        "current_date",
    ];
    tokens.iter().enumerate().any(|(index, token)| {
        let is_function = tokens.get(index + 1).is_some_and(|next| next.is_symbol("("));
        let is_type = index > 0 && tokens[index - 1].is_symbol("::");
        let is_word = token.kind == Kind::Word && !NO_COLUMNS.contains(&token.text.as_str());
        (is_word || token.kind == Kind::Quoted) && !is_function && !is_type
    })
}
