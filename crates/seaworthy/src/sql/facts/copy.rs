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
    /// The values that are taken, in their order; all columns under their own names where nothing is said.
    pub values: Option<Vec<CopiedValue>>,
}

/// A value that is made of what columns hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CopiedValue {
    /// The name that the query gives it, if any.
    pub name: Option<String>,
    /// The names of columns in its expression.
    pub from: Vec<String>,
    /// Whether it is what one column holds, as it is.
    pub is_plain: bool,
}

/// A column that an update fills.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ColumnCopy {
    /// The column that is filled.
    pub to: String,
    /// What it is filled with.
    pub value: CopiedValue,
    /// In which rows.
    pub filled: Filled,
}

/// The rows that an update fills a column in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Filled {
    /// Every row.
    Every,
    /// Every row where it is empty, or not yet what it shall be.
    Missing,
    /// Some rows.
    Some,
}

impl CopiedValue {
    fn of(expression: Cursor<'_>, name: Option<String>) -> Self {
        let from = column_names(expression.tokens());
        let mut rest = expression;
        Self {
            name,
            is_plain: rest.qualified().is_some() && rest.is_done() && from.len() == 1,
            from,
        }
    }
}

/// Returns the columns that an update fills, and with what.
pub(super) fn column_copies(tokens: &[Token]) -> Vec<ColumnCopy> {
    let (_, mut set) = Cursor::new(tokens).before(&["set"]);
    set.step();
    let (assignments, rest) = set.before(&["from", "where", "returning"]);
    let (_, mut condition) = rest.before(&["where"]);
    condition.step();
    let (condition, _) = condition.before(&["returning"]);
    let mut copies = Vec::new();
    for mut assignment in assignments.split(",") {
        let Some(to) = assignment.name() else { continue };
        if !assignment.accept_symbol("=") {
            continue;
        }
        let value = CopiedValue::of(assignment, None);
        let filled = match condition.is_done() {
            true => Filled::Every,
            false if leaves_nothing_out(condition, &to, &value.from) => Filled::Missing,
            false => Filled::Some,
        };
        copies.push(ColumnCopy { to, value, filled });
    }
    copies
}

/// Returns whether a condition finds every row that a column is not filled in yet: what it leaves out is filled, or there is nothing
/// to fill it with.
fn leaves_nothing_out(condition: Cursor<'_>, to: &str, from: &[String]) -> bool {
    let holds = |condition: Cursor<'_>| {
        let names = column_names(condition.tokens());
        let is_about_it = names.iter().any(|name| name == to);
        let is_about_source = names.iter().any(|name| from.contains(name));
        let mut last = condition.tokens().iter().rev().map(|token| token.text.as_str());
        let ending: Vec<&str> = last.by_ref().take(3).collect();
        match ending.as_slice() {
            ["null", "not", "is"] => names.len() == 1 && is_about_source,
            ["null", "is", _] => names.len() == 1 && is_about_it,
            _ => is_about_it && is_about_source,
        }
    };
    !condition.has("or") && condition.split("and").into_iter().all(holds)
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
        return query.is_done().then_some(WholeCopy { source, values: None });
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
        values: values(list),
    })
}

/// Returns the values that a query selects, unless it selects all columns.
fn values(list: Cursor<'_>) -> Option<Vec<CopiedValue>> {
    let items = list.split(",");
    let is_star = |item: &Cursor<'_>| item.tokens().last().is_some_and(|token| token.is_symbol("*"));
    if items.iter().any(is_star) {
        return None;
    }
    Some(items.into_iter().map(value).collect())
}

/// Reads one value of the list of a query: `expression`, `expression AS name`, `expression name`.
fn value(item: Cursor<'_>) -> CopiedValue {
    let tokens = item.tokens();
    let (expression, alias) = match tokens {
        [before @ .., mark, alias] if mark.is_word("as") => (before, Some(alias)),
        // Two names side by side: the second is what the first is called.
        [.., before, alias] if alias.is_name() && ends_a_value(before) => {
            (&tokens[..tokens.len() - 1], Some(alias))
        }
        _ => (tokens, None),
    };
    let last = alias.or(expression.last()).filter(|token| token.is_name());
    CopiedValue::of(Cursor::new(expression), last.map(|token| token.text.clone()))
}

fn ends_a_value(token: &Token) -> bool {
    const OPERATORS: [&str; 6] = ["is", "not", "and", "or", "like", "collate"];
    let is_operator = token.kind == Kind::Word && OPERATORS.contains(&token.text.as_str());
    token.is_symbol(")") || token.is_name() && !is_operator
}

/// Returns the names of columns in an expression; what stands before a point names their table.
fn column_names(tokens: &[Token]) -> Vec<String> {
    const NO_COLUMNS: [&str; 20] = [
        "null",
        "true",
        "false",
        "default",
        "cast",
        "as",
        "current_timestamp",
        "current_date",
        "is",
        "not",
        "and",
        "or",
        "distinct",
        "from",
        "case",
        "when",
        "then",
        "else",
        "end",
        "in",
    ];
    let is_column = |(index, token): &(usize, &Token)| {
        let has_after = |symbol: &str| tokens.get(index + 1).is_some_and(|next| next.is_symbol(symbol));
        let is_type = *index > 0 && (tokens[index - 1].is_symbol("::") || tokens[index - 1].is_word("as"));
        let is_word = token.kind == Kind::Word && !NO_COLUMNS.contains(&token.text.as_str());
        (is_word || token.kind == Kind::Quoted) && !has_after("(") && !has_after(".") && !is_type
    };
    let columns = tokens.iter().enumerate().filter(is_column);
    columns.map(|(_, token)| token.text.clone()).collect()
}
