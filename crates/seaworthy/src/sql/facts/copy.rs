//! What is copied: all rows of a table, which is how one is built again, and the values of a column.

use serde::Serialize;

use super::expression::{Expression, column_names};
use crate::sql::bare;
use crate::sql::cursor::Cursor;
use crate::sql::parsed::{Conflict, DataChange};
use crate::sql::token::{Kind, Token};

/// An insert of every row of one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WholeCopy {
    /// The table whose rows are taken.
    pub source: String,
    /// The values that are taken, in their order; all columns under their own names where nothing is said.
    pub values: Option<Vec<CopiedValue>>,
}

/// Rows that one statement takes from a table and puts into another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// The table that they are put into.
    pub to: String,
    /// The columns of it that are named.
    pub columns: Vec<String>,
    /// The values that are put there, in their order; all columns under their own names where nothing is said.
    pub values: Option<Vec<CopiedValue>>,
}

/// A value that a query selects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CopiedValue {
    /// The name that the query gives it, if any.
    pub name: Option<String>,
    /// What it is made of.
    pub expression: Expression,
}

/// A column that an update fills.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ColumnCopy {
    /// The column that is filled.
    pub to: String,
    /// What it is filled with.
    pub value: Expression,
    /// In which rows.
    pub filled: Filled,
}

/// The rows that an update fills a column in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Filled {
    /// Every row, or every one where there is something to fill it with.
    Every,
    /// Every row where it is empty and there is something to fill it with.
    Empty,
    /// Some rows.
    Some,
}

/// Returns the columns that an update fills, and with what.
pub(super) fn column_copies(change: &DataChange, tokens: &[Token], sql: &str) -> Vec<ColumnCopy> {
    let start = change.pieces.target.start;
    let first = tokens.iter().position(|token| token.span.start >= start);
    let update = until_closed(&tokens[first.unwrap_or(tokens.len())..]);
    let is_partial = update.sees("only") || change.conflict != Conflict::Keeps;
    let (_, mut set) = update.before(&["set"]);
    set.step();
    let (assignments, rest) = set.before(&["from", "where", "returning", "order by", "limit"]);
    let (_, mut condition) = rest.before(&["where"]);
    condition.step();
    let (condition, behind) = condition.before(&["returning", "order by", "limit"]);
    // What another table has may not be there for every row.
    let is_limited = is_partial || rest.sees("from") || rest.has("limit") || behind.has("limit");
    let mut copies = Vec::new();
    for (to, value) in assignments.split(",").into_iter().flat_map(assigned) {
        let missing = value_where_missing(value, &to);
        let rows = Condition {
            to: &to,
            value: missing.unwrap_or(value),
            sources: column_names(missing.unwrap_or(value).tokens()),
        };
        let filled = match (condition.is_done(), rows.filled(condition)) {
            _ if is_limited => Filled::Some,
            (true, _) if missing.is_some() => Filled::Empty,
            (true, _) => Filled::Every,
            (false, filled) if missing.is_none() || filled == Filled::Empty => filled,
            (false, _) => Filled::Some,
        };
        let value = Expression::of(rows.value, sql);
        copies.push(ColumnCopy { to, value, filled });
    }
    copies
}

/// Returns the tokens up to the parenthesis that closes what they stand in.
fn until_closed(tokens: &[Token]) -> Cursor<'_> {
    let depths = tokens.iter().scan(0_i32, |depth, token| {
        *depth += i32::from(token.is_symbol("(")) - i32::from(token.is_symbol(")"));
        Some(*depth)
    });
    let end = depths.take_while(|depth| *depth >= 0).count();
    Cursor::new(&tokens[..end])
}

/// Reads `to = value` and `(to, others) = (value, others)`.
fn assigned(mut assignment: Cursor<'_>) -> Vec<(String, Cursor<'_>)> {
    let several = assignment.group();
    let to: Vec<String> = match several {
        Some(several) => several
            .split(",")
            .into_iter()
            .filter_map(|mut one| one.name())
            .collect(),
        None => assignment.name().into_iter().collect(),
    };
    if !assignment.accept_symbol("=") {
        return Vec::new();
    }
    if several.is_none() {
        return to.into_iter().map(|to| (to, assignment)).collect();
    }
    assignment.accept("row");
    let values = assignment.group().filter(|inside| !inside.sees("select"));
    let values = values.map(|inside| inside.split(",")).unwrap_or_default();
    match values.len() == to.len() {
        true => to.into_iter().zip(values).collect(),
        false => Vec::new(),
    }
}

/// Returns what fills a column where it is empty: the `x` of `to = coalesce(to, x)`.
fn value_where_missing<'a>(value: Cursor<'a>, to: &str) -> Option<Cursor<'a>> {
    let mut call = value;
    call.accept_any(&["coalesce", "ifnull"])?;
    let arguments = call.group()?.split(",");
    let [own, other] = arguments.as_slice() else {
        return None;
    };
    let mut own = *own;
    let is_own = own.qualified().is_some_and(|name| bare(&name) == to) && own.is_done();
    (is_own && call.is_done()).then_some(*other)
}

/// What the condition of an update is held against.
struct Condition<'a> {
    to: &'a str,
    value: Cursor<'a>,
    /// The columns that the value is made of.
    sources: Vec<String>,
}

impl Condition<'_> {
    /// Returns which rows a condition finds: every one that is not filled yet and has something to fill it with, or some.
    fn filled(&self, condition: Cursor<'_>) -> Filled {
        if condition.has("or") {
            return Filled::Some;
        }
        let terms = condition
            .split("and")
            .into_iter()
            .map(|term| self.filled_by(term));
        terms.max().unwrap_or(Filled::Some)
    }

    fn filled_by(&self, mut term: Cursor<'_>) -> Filled {
        if let Some(inside) = term.group() {
            // Several columns may be compared at once.
            return if term.is_done() {
                self.filled(inside)
            } else {
                Filled::Some
            };
        }
        let Some(name) = term.qualified().map(|name| bare(&name)) else {
            return Filled::Some;
        };
        let is_source = matches!(self.sources.as_slice(), [only] if *only == name);
        if term.accept("is null") && term.is_done() && name == self.to {
            return Filled::Empty;
        }
        if term.accept("is not null")
            && term.is_done()
            && (is_source || name == self.to && self.fills_itself())
        {
            return Filled::Every;
        }
        let is_compared = term.accept("is distinct from") || term.accept("is not");
        let is_same = |(left, right): (&Token, &Token)| (left.kind, &left.text) == (right.kind, &right.text);
        let (found, value) = (unqualified(term), unqualified(self.value));
        let is_value = found.len() == value.len() && found.into_iter().zip(value).all(is_same);
        match is_compared && name == self.to && is_value {
            true => Filled::Every,
            false => Filled::Some,
        }
    }

    fn fills_itself(&self) -> bool {
        self.sources == [self.to]
    }
}

/// Returns the tokens of an expression without the names of tables before columns.
fn unqualified(expression: Cursor<'_>) -> Vec<&Token> {
    let tokens = expression.tokens();
    let is_table = |index: usize| tokens.get(index + 1).is_some_and(|next| next.is_symbol("."));
    let kept = tokens
        .iter()
        .enumerate()
        .filter(|(index, token)| !token.is_symbol(".") && !is_table(*index));
    kept.map(|(_, token)| token).collect()
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
pub(super) fn whole_copy(change: &DataChange, tokens: &[Token], sql: &str) -> Option<WholeCopy> {
    // The rows of a CTE are those of a query.
    if tokens.first().is_some_and(|token| token.is_word("with")) {
        return None;
    }
    let range = change.pieces.query.as_ref()?;
    let inside: Vec<Token> = tokens
        .iter()
        .filter(|token| range.start <= token.span.start && token.span.end <= range.end)
        .cloned()
        .collect();
    selected(Cursor::new(&inside), sql)
}

/// Returns what an insert copies, if it copies some rows of one table: those that differ, meet a condition, or come first.
pub(super) fn part_copy(change: &DataChange, tokens: &[Token], sql: &str) -> Option<WholeCopy> {
    if tokens.first().is_some_and(|token| token.is_word("with")) {
        return None;
    }
    let range = change.pieces.query.as_ref()?;
    let within = |token: &&Token| range.start <= token.span.start && token.span.end <= range.end;
    let inside: Vec<Token> = tokens.iter().filter(within).cloned().collect();
    let mut depth = 0_usize;
    let end = inside.iter().position(|token| {
        depth += usize::from(token.is_symbol("("));
        depth = depth.saturating_sub(usize::from(token.is_symbol(")")));
        depth == 0
            && ["where", "limit", "offset", "fetch"]
                .iter()
                .any(|word| token.is_word(word))
    });
    let (kept, cut) = inside.split_at(end.unwrap_or(inside.len()));
    let is_set = |token: &Token| {
        ["union", "intersect", "except", "group", "having"]
            .iter()
            .any(|word| token.is_word(word))
    };
    if cut.iter().any(is_set) {
        return None;
    }
    let mut kept = kept.to_vec();
    let is_distinct = kept.get(1).is_some_and(|token| token.is_word("distinct"))
        && !kept.get(2).is_some_and(|token| token.is_word("on"));
    if is_distinct {
        kept.remove(1);
    }
    selected(Cursor::new(&kept), sql)
}

/// Returns where a delete puts its rows: `WITH gone AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM gone`.
pub(super) fn read_move(
    delete: &DataChange,
    insert: &DataChange,
    tokens: &[Token],
    sql: &str,
) -> Option<Moved> {
    let is_insert = insert.verb == "INSERT ... SELECT" && insert.conflict == Conflict::Keeps;
    if delete.verb != "DELETE" || !is_insert || delete.pieces.others.is_some() {
        return None;
    }
    let mut cursor = Cursor::new(tokens);
    let name = cursor.accept("with").then(|| cursor.name()).flatten()?;
    let mut inside = cursor.accept("as").then(|| cursor.group()).flatten()?;
    let is_only = inside.accept("delete") && cursor.sees("insert");
    let (_, mut returned) = inside.before(&["returning"]);
    returned.step();
    let query = insert.pieces.query.as_ref()?;
    let query = cursor
        .tokens()
        .iter()
        .position(|token| token.span.start == query.start)?;
    let selected = selected(Cursor::new(&cursor.tokens()[query..]), sql)?;
    if !is_only || returned.is_done() || selected.source != name {
        return None;
    }
    let values = match (values(returned, sql), selected.values) {
        (None, values) | (values, None) => values,
        (Some(returned), Some(selected)) => {
            let known = |value: &CopiedValue| {
                returned
                    .iter()
                    .any(|one| one.name == value.name && is_column(one))
            };
            let are_known = selected.iter().all(|value| is_column(value) && known(value));
            are_known.then_some(())?;
            Some(selected)
        }
    };
    Some(Moved {
        to: insert.table.clone(),
        columns: insert.columns.clone(),
        values,
    })
}

/// Returns whether a value is a column under its own name.
fn is_column(value: &CopiedValue) -> bool {
    matches!(value.expression.columns.as_slice(), [only] if only.checks.is_empty() && value.name.as_ref() == Some(&only.name))
}

/// Returns what a query selects, if it has every row of a table once.
fn selected(query: Cursor<'_>, sql: &str) -> Option<WholeCopy> {
    let (mut query, condition) = query.before(&["where true"]);
    if condition.tokens().len() > 2 {
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
    let (list, _) = list.before(&["into"]);
    if makes_other_rows(list) || !rest.accept("from") {
        return None;
    }
    let values = values(list, sql);
    // Rows of tables that inherit from it are left where they are.
    if rest.accept("only") {
        return None;
    }
    let inner = rest.group();
    let source = match inner {
        Some(inner) => {
            selected(inner, sql)
                .filter(|inner| inner.values.is_none())?
                .source
        }
        None => rest.qualified()?,
    };
    rest.accept("as");
    if !rest.sees("order by") {
        rest.name();
    }
    let (rest, _) = rest.before(&["order by"]);
    rest.is_done().then_some(WholeCopy { source, values })
}

/// Functions that make one value of several rows, or several rows of one: the aggregates and set-returning functions of both databases.
const OF_ROWS: &[&str] = &[
    "aclexplode",
    "any_value",
    "array_agg",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "corr",
    "count",
    "covar_pop",
    "covar_samp",
    "each",
    "every",
    "generate_series",
    "generate_subscripts",
    "group_concat",
    "json_agg",
    "json_agg_strict",
    "json_array_elements",
    "json_array_elements_text",
    "json_arrayagg",
    "json_each",
    "json_each_text",
    "json_group_array",
    "json_group_object",
    "json_object_agg",
    "json_object_agg_strict",
    "json_object_agg_unique",
    "json_objectagg",
    "json_object_keys",
    "json_populate_recordset",
    "json_to_recordset",
    "jsonb_agg",
    "jsonb_array_elements",
    "jsonb_array_elements_text",
    "jsonb_each",
    "jsonb_each_text",
    "jsonb_group_array",
    "jsonb_group_object",
    "jsonb_object_agg",
    "jsonb_object_keys",
    "jsonb_path_query",
    "jsonb_path_query_tz",
    "jsonb_populate_recordset",
    "jsonb_to_recordset",
    "max",
    "min",
    "mode",
    "percentile_cont",
    "percentile_disc",
    "range_agg",
    "range_intersect_agg",
    "regexp_matches",
    "regexp_split_to_table",
    "skeys",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "string_agg",
    "string_to_table",
    "sum",
    "svals",
    "total",
    "unnest",
    "var_pop",
    "var_samp",
    "variance",
    "xmlagg",
];

/// Returns whether values are worked out of several rows, or make several of one.
fn makes_other_rows(list: Cursor<'_>) -> bool {
    let tokens = list.tokens();
    tokens.iter().enumerate().any(|(index, token)| {
        let mut rest = Cursor::new(&tokens[index + 1..]);
        let is_call = rest.group().is_some();
        let is_other = OF_ROWS.contains(&token.text.as_str()) || token.text.starts_with("regr_");
        is_call && token.is_name() && is_other && !rest.sees("over")
    })
}

/// Returns the values that a query selects, unless it selects all columns.
fn values(list: Cursor<'_>, sql: &str) -> Option<Vec<CopiedValue>> {
    let items = list.split(",");
    let is_star = |item: &Cursor<'_>| item.tokens().last().is_some_and(|token| token.is_symbol("*"));
    if items.iter().any(is_star) {
        return None;
    }
    Some(items.into_iter().map(|item| value(item, sql)).collect())
}

/// Reads one value of the list of a query: `expression`, `expression AS name`, `expression name`.
fn value(item: Cursor<'_>, sql: &str) -> CopiedValue {
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
    CopiedValue {
        name: last.map(|token| token.text.clone()),
        expression: Expression::of(Cursor::new(expression), sql),
    }
}

fn ends_a_value(token: &Token) -> bool {
    const OPERATORS: [&str; 6] = ["is", "not", "and", "or", "like", "collate"];
    let is_operator = token.kind == Kind::Word && OPERATORS.contains(&token.text.as_str());
    token.is_symbol(")") || token.is_name() && !is_operator
}
