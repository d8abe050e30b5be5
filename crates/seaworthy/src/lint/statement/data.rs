//! Data changes and the rows they are limited to.

use super::Statement;
use crate::lint::cursor::Cursor;
use crate::lint::token::{Kind, Token};

/// A change of rows.
#[derive(Clone, Debug)]
pub(in crate::lint) struct DataChange {
    pub(in crate::lint) verb: &'static str,
    pub(in crate::lint) table: String,
    /// The tables whose rows decide how many are changed.
    pub(in crate::lint) sources: Vec<String>,
    pub(in crate::lint) limits: Limits,
}

/// What keeps the number of rows small.
#[derive(Clone, Debug, Default)]
pub(in crate::lint) struct Limits {
    /// A `LIMIT`, `WHERE CURRENT OF` or a comparison with limited rows.
    pub(in crate::lint) is_counted: bool,
    /// For each alternative of the condition, the columns that are compared with constants.
    pub(in crate::lint) alternatives: Vec<Vec<Comparison>>,
}

/// A column compared with constants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::lint) struct Comparison {
    pub(in crate::lint) column: String,
    pub(in crate::lint) kind: ComparisonKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lint) enum ComparisonKind {
    Equal,
    Above,
    Below,
}

/// Reads a statement that changes rows, its CTEs included.
pub(super) fn read(cursor: Cursor<'_>) -> Option<Statement> {
    let mut changes = Vec::new();
    let mut main = cursor;
    let mut limited = Vec::new();
    if main.accept("with") {
        main.accept("recursive");
        loop {
            let name = main.name()?;
            main.columns();
            main.accept("as");
            main.accept_any(&["materialized", "not materialized"]);
            let inside = main.group()?;
            if inside.has("limit") || inside.has("fetch") {
                limited.push(name);
            }
            changes.extend(change(inside, &[]));
            if !main.accept_symbol(",") {
                break;
            }
        }
    }
    changes.extend(change(main, &limited));
    Some(Statement::Data(changes))
}

/// Reads a statement that only looks, unless it creates a table or calls functions that change things.
pub(super) fn read_select(cursor: Cursor<'_>) -> Option<Statement> {
    let tokens = cursor.tokens();
    if let (_, mut into) = cursor.before(&["into"])
        && into.accept("into")
    {
        into.accept_any(&["temporary", "temp", "unlogged"]);
        into.accept("table");
        let name = into.qualified()?;
        return Some(Statement::CreateTable(super::CreateTable {
            filled: filled_by(&name, cursor),
            name,
            ..super::CreateTable::default()
        }));
    }
    let calls = tokens
        .windows(2)
        .filter(|pair| pair[0].is_name() && pair[1].is_symbol("("));
    let functions = calls.map(|pair| pair[0].text.clone()).collect();
    Some(Statement::Select { functions })
}

/// Returns the change that fills a table with the rows of a query.
pub(super) fn filled_by(table: &str, query: Cursor<'_>) -> Option<DataChange> {
    Some(DataChange {
        verb: "CREATE TABLE AS",
        table: table.to_owned(),
        sources: sources(query),
        limits: limits(query, &[]),
    })
}

fn change(mut cursor: Cursor<'_>, limited: &[String]) -> Option<DataChange> {
    let verb = cursor.accept_any(&["insert into", "update", "delete from", "merge into"])?;
    cursor.accept("only");
    let table = cursor.qualified()?;
    let (verb, sources) = match verb {
        "insert into" => {
            let (_, query) = cursor.before(&["select", "table"]);
            let query = if query.is_done() {
                in_parentheses(cursor)
            } else {
                query
            };
            if query.is_done() {
                return Some(DataChange {
                    verb: "INSERT",
                    table,
                    sources: Vec::new(),
                    limits: Limits::default(),
                });
            }
            let mut sources = sources(query);
            sources.retain(|source| !limited.contains(source));
            ("INSERT ... SELECT", sources)
        }
        "update" => ("UPDATE", vec![table.clone()]),
        "delete from" => ("DELETE", vec![table.clone()]),
        _ => ("MERGE", vec![table.clone()]),
    };
    Some(DataChange {
        verb,
        table,
        sources,
        limits: limits(cursor, limited),
    })
}

/// Returns the query of an `INSERT INTO t (SELECT ...)`.
fn in_parentheses(mut cursor: Cursor<'_>) -> Cursor<'_> {
    while !cursor.is_done() {
        if let Some(inside) = cursor.group() {
            if inside.sees("select") {
                return inside;
            }
        } else {
            cursor.step();
        }
    }
    cursor
}

/// Returns the tables of the outermost FROM; a subquery there counts with its own.
fn sources(query: Cursor<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for part in query.split("union") {
        let (_, mut from) = part.before(&["from", "table"]);
        from.step();
        let (items, _) = from.before(&["where", "group by", "order by", "limit", "having", "on conflict"]);
        for item in items.split(",").into_iter().flat_map(|item| item.split("join")) {
            let mut item = item;
            item.accept("lateral");
            item.accept("only");
            if let Some(inside) = item.group() {
                if !(inside.has("limit") || inside.has("fetch")) {
                    found.extend(sources(inside));
                }
            } else if let Some(name) = item.qualified()
                && !item.sees_symbol("(")
            {
                found.push(name);
            }
        }
    }
    found
}

fn limits(cursor: Cursor<'_>, limited: &[String]) -> Limits {
    let is_limited = cursor.has("limit") || cursor.has("fetch first") || cursor.has("where current of");
    let (_, mut condition) = cursor.before(&["where"]);
    condition.step();
    let (condition, _) = condition.before(&["returning", "group by", "order by", "on conflict", "limit"]);
    let parts = condition.split("or");
    let is_counted =
        is_limited || !condition.is_done() && parts.iter().all(|part| is_counted(*part, limited));
    let alternatives = parts.into_iter().map(comparisons).collect();
    Limits {
        is_counted,
        alternatives,
    }
}

/// Returns whether one of the conditions compares with rows that are limited.
fn is_counted(alternative: Cursor<'_>, limited: &[String]) -> bool {
    alternative.split("and").into_iter().any(|part| {
        let is_subquery = part.has_within("select");
        let names_limited = part.tokens().iter().any(|token| limited.contains(&token.text));
        let is_equality = part.has("in") || part.tokens().iter().any(|token| token.is_symbol("="));
        is_equality
            && (names_limited || is_subquery && (part.has_within("limit") || part.has_within("fetch")))
            && !part.has("not in")
    })
}

fn comparisons(alternative: Cursor<'_>) -> Vec<Comparison> {
    let mut found = Vec::new();
    let mut parts = alternative.split("and").into_iter().peekable();
    while let Some(mut part) = parts.next() {
        // A single condition or a list of them may stand in parentheses.
        let mut inner = part;
        if let Some(inside) = inner.group()
            && inner.is_done()
            && !inside.has_within("or")
        {
            found.extend(comparisons(inside));
            continue;
        }
        let Some(column) = column(&mut part) else { continue };
        if part.accept("between") {
            let upper = parts.next();
            if is_constant(part) && upper.is_some_and(is_constant) {
                found.push(Comparison {
                    column: column.clone(),
                    kind: ComparisonKind::Above,
                });
                found.push(Comparison {
                    column,
                    kind: ComparisonKind::Below,
                });
            }
            continue;
        }
        let kind = if part.accept("in") {
            Some(ComparisonKind::Equal)
        } else {
            part.step().and_then(|operator| match operator.text.as_str() {
                "=" => Some(ComparisonKind::Equal),
                ">" | ">=" => Some(ComparisonKind::Above),
                "<" | "<=" => Some(ComparisonKind::Below),
                _ => None,
            })
        };
        if let Some(kind) = kind.filter(|_| is_constant(part)) {
            found.push(Comparison { column, kind });
        }
    }
    found
}

fn column(part: &mut Cursor<'_>) -> Option<String> {
    let name = part.qualified()?;
    Some(name.rsplit('.').next().unwrap_or_default().to_owned())
}

/// Returns whether an expression names no column: constants, parameters and casts.
fn is_constant(part: Cursor<'_>) -> bool {
    let casts = [
        "any",
        "array",
        "date",
        "timestamp",
        "timestamptz",
        "interval",
        "uuid",
        "true",
        "false",
        "null",
    ];
    let is_fine = |index: usize, token: &Token| {
        !matches!(token.kind, Kind::Word | Kind::Quoted)
            || casts.contains(&token.text.as_str())
            || index > 0 && part.tokens()[index - 1].is_symbol("::")
    };
    !part.is_done()
        && part
            .tokens()
            .iter()
            .enumerate()
            .all(|(index, token)| is_fine(index, token))
}
