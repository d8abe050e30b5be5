//! What is copied: all rows of a table, which is how one is built again, and the values of a column.

use serde::Serialize;

use crate::sql::bare;
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
        let filled = match condition.is_done() && !rest.sees("from") {
            true => Filled::Every,
            // What another table has may not be there for every row.
            false if !rest.sees("from") && leaves_nothing_out(condition, &to, &value.from) => Filled::Missing,
            false => Filled::Some,
        };
        copies.push(ColumnCopy { to, value, filled });
    }
    copies
}

/// Returns whether a condition finds every row that a column is not filled in yet: what it leaves out is filled, or there is nothing
/// to fill it with.
fn leaves_nothing_out(condition: Cursor<'_>, to: &str, from: &[String]) -> bool {
    if let Some(inside) = condition.peek_group() {
        let mut behind = condition;
        behind.group();
        if behind.is_done() {
            return leaves_nothing_out(inside, to, from);
        }
    }
    let is_source = |name: &str| from.iter().any(|from| from == name);
    let holds = |mut term: Cursor<'_>| {
        if let Some(inside) = term.peek_group() {
            return leaves_nothing_out(inside, to, from);
        }
        let Some(name) = term.qualified().map(|name| bare(&name)) else {
            return false;
        };
        if term.accept("is null") {
            return term.is_done() && name == to;
        }
        if term.accept("is not null") {
            return term.is_done() && is_source(&name);
        }
        let is_compared = term.accept("is distinct from") || term.accept("is not");
        let others = column_names(term.tokens());
        is_compared && name == to && others.iter().any(|other| is_source(other))
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
    // The rows of a CTE are those of a query.
    if change.pieces.with.is_some() {
        return None;
    }
    if query.accept("table") {
        let source = query.qualified()?;
        return query.is_done().then_some(WholeCopy { source, values: None });
    }
    if RESTRICTIONS.iter().any(|word| query.has(word)) || !query.accept("select") {
        return None;
    }
    let (list, mut rest) = query.before(&["from"]);
    if makes_other_rows(list) || !rest.accept("from") {
        return None;
    }
    // Rows of tables that inherit from it are left where they are.
    if rest.accept("only") {
        return None;
    }
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

/// Returns whether values are worked out of several rows, or make several of one.
fn makes_other_rows(list: Cursor<'_>) -> bool {
    const FUNCTIONS: [&str; 24] = [
        "count",
        "sum",
        "min",
        "max",
        "avg",
        "total",
        "group_concat",
        "string_agg",
        "array_agg",
        "json_agg",
        "jsonb_agg",
        "json_object_agg",
        "jsonb_object_agg",
        "bool_and",
        "bool_or",
        "every",
        "unnest",
        "generate_series",
        "generate_subscripts",
        "json_array_elements",
        "jsonb_array_elements",
        "regexp_split_to_table",
        "string_to_table",
        "json_group_array",
    ];
    let tokens = list.tokens();
    tokens.iter().enumerate().any(|(index, token)| {
        let is_call = tokens.get(index + 1).is_some_and(|next| next.is_symbol("("));
        is_call && token.is_name() && FUNCTIONS.contains(&token.text.as_str())
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
    // What another table has is no value of a column of this one.
    if Cursor::new(tokens).has_within("select") {
        return Vec::new();
    }
    let is_column = |(index, token): &(usize, &Token)| {
        let after = tokens.get(index + 1);
        let has_after = |symbol: &str| after.is_some_and(|next| next.is_symbol(symbol));
        let before = index.checked_sub(1).and_then(|before| tokens.get(before));
        let is_type = before.is_some_and(|before| before.is_symbol("::") || before.is_word("as"));
        // `AT TIME ZONE`, `extract(year FROM x)`, `date '2026-01-01'`.
        let is_syntax = [0, 1, 2].iter().any(|back| {
            let start = index.checked_sub(*back).unwrap_or(*index);
            Cursor::new(&tokens[start..]).sees("at time zone")
        }) || after.is_some_and(|next| next.is_word("from") || next.kind == Kind::Text);
        let is_word = token.kind == Kind::Word && !NO_COLUMNS.contains(&token.text.as_str());
        (is_word || token.kind == Kind::Quoted)
            && !has_after("(")
            && !has_after(".")
            && !is_type
            && !is_syntax
    };
    let columns = tokens.iter().enumerate().filter(is_column);
    columns.map(|(_, token)| token.text.clone()).collect()
}
