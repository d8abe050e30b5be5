//! Data changes and the rows they are limited to.

use std::ops::Range;

use super::Parsed;
use super::sources::{in_place_of_names, named_sources, sources};
use crate::sql::cursor::Cursor;
use crate::sql::name::joined;
use crate::sql::token::{Kind, Token};

/// A change of rows.
#[derive(Clone, Debug)]
pub(crate) struct DataChange {
    pub(crate) verb: &'static str,
    pub(crate) table: String,
    /// The tables whose rows decide how many are changed.
    pub(crate) sources: Vec<String>,
    pub(crate) limits: Limits,
    pub(crate) conflict: Conflict,
    /// The columns that an update or an insert names.
    pub(crate) columns: Vec<String>,
    pub(crate) pieces: Pieces,
}

/// What an insert, or an update that says so, does to a row that is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Conflict {
    /// It fails, or leaves the row alone.
    #[default]
    Keeps,
    /// It skips its own row, so that not all of them arrive.
    Skips,
    /// It changes the row.
    Updates,
    /// It deletes the row.
    Replaces,
}

/// Where the parts stand that say which rows are changed, in bytes of the statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pieces {
    /// The CTEs before it, from `WITH` on.
    pub(crate) with: Option<Range<usize>>,
    /// The table with its alias.
    pub(crate) target: Range<usize>,
    /// The further tables of `USING` or `FROM`.
    pub(crate) others: Option<Range<usize>>,
    /// What follows `WHERE`.
    pub(crate) condition: Option<Range<usize>>,
    /// The query of an `INSERT ... SELECT`.
    pub(crate) query: Option<Range<usize>>,
}

/// What keeps the number of rows small.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits {
    /// A `LIMIT`, `WHERE CURRENT OF` or a comparison with limited rows.
    pub(crate) is_counted: bool,
    /// For each alternative of the condition, the columns that are compared with constants.
    pub(crate) alternatives: Vec<Vec<Comparison>>,
}

/// A column compared with constants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Comparison {
    pub(crate) column: String,
    pub(crate) kind: ComparisonKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ComparisonKind {
    Equal,
    Above,
    Below,
}

/// Reads a statement that changes rows, its CTEs included.
pub(super) fn read(cursor: Cursor<'_>) -> Option<Parsed> {
    let mut changes = Vec::new();
    let mut main = cursor;
    let mut limited = Vec::new();
    let mut named = Vec::new();
    let mut with = None;
    if main.accept("with") {
        main.accept("recursive");
        loop {
            let name = main.name()?;
            main.columns();
            main.accept("as");
            main.accept_any(&["materialized", "not materialized"]);
            let inside = main.group()?;
            let tables = named_sources(&name, inside, &named);
            named.push((name.clone(), tables));
            if inside.has("limit") || inside.has("fetch") {
                limited.push(name);
            }
            if let Some(Parsed::Data(inner)) = read(inside) {
                changes.extend(inner);
            }
            // `SEARCH` and `CYCLE` of a recursive one.
            let (_, rest) =
                main.before(&["select", "insert", "update", "delete", "merge", "values", "table"]);
            if !main.accept_symbol(",") {
                main = rest;
                break;
            }
        }
        if changes.is_empty() {
            let start = cursor.span().start;
            with = Some(start..main.span().start);
        }
    }
    changes.extend(change(main, &limited).map(|mut change| {
        change.pieces.with = with;
        change.sources = in_place_of_names(change.sources, &named);
        change
    }));
    match read_select(main) {
        // What its `WITH` writes are statements inside of it.
        Some(made @ Parsed::CreateTable(_)) if main.sees("select") => Some(made),
        read if changes.is_empty() => read,
        _ => Some(Parsed::Data(changes)),
    }
}

/// Reads a statement that only looks, unless it creates a table or calls functions that change things.
pub(super) fn read_select(cursor: Cursor<'_>) -> Option<Parsed> {
    let tokens = cursor.tokens();
    // The whole may stand in parentheses.
    let inside = cursor.peek_group().unwrap_or(cursor);
    let (_, mut into) = cursor.before(&["into"]);
    if into.is_done() {
        (_, into) = inside.before(&["into"]);
    }
    if into.accept("into") {
        let is_special = into.accept_any(&["temporary", "temp"]).is_some();
        into.accept("unlogged");
        into.accept("table");
        let name = into.qualified()?;
        return Some(Parsed::CreateTable(Box::new(super::CreateTable {
            filled: filled_by(&name, cursor),
            name,
            is_special,
            ..super::CreateTable::default()
        })));
    }
    let functions = called(tokens);
    Some(Parsed::Select { functions })
}

/// Words that stand before a parenthesis and are no functions.
const NO_FUNCTIONS: [&str; 22] = [
    "select", "from", "where", "in", "values", "and", "or", "not", "exists", "any", "all", "some", "as",
    "on", "using", "over", "filter", "case", "when", "then", "else", "if",
];

/// Returns the names before parentheses: the functions that are called, each once.
pub(crate) fn called(tokens: &[Token]) -> Vec<String> {
    let mut names = Vec::new();
    for (index, pair) in tokens.windows(2).enumerate() {
        if !pair[0].is_name() || !pair[1].is_symbol("(") {
            continue;
        }
        if pair[0].kind == Kind::Word && NO_FUNCTIONS.contains(&pair[0].text.as_str()) {
            continue;
        }
        let mut parts: Vec<String> = pair[0].name().into_iter().collect();
        let mut first = index;
        while first >= 2 && tokens[first - 1].is_symbol(".") && tokens[first - 2].is_name() {
            first -= 2;
            parts.extend(tokens[first].name());
        }
        // The columns of a table follow the one that rows are put into.
        if first > 0 && tokens[first - 1].is_word("into") {
            continue;
        }
        parts.reverse();
        let name = joined(&parts);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Returns the change that fills a table with the rows of a query.
pub(super) fn filled_by(table: &str, query: Cursor<'_>) -> Option<DataChange> {
    Some(DataChange {
        verb: "CREATE TABLE AS",
        table: table.to_owned(),
        sources: sources(query),
        limits: limits(query, &[]),
        conflict: Conflict::Keeps,
        columns: Vec::new(),
        pieces: Pieces {
            query: Some(query.span()),
            ..Pieces::default()
        },
    })
}

fn change(mut cursor: Cursor<'_>, limited: &[String]) -> Option<DataChange> {
    if let Some(conflict) = insert_verb(&mut cursor) {
        return insert(cursor, limited, conflict);
    }
    let mut conflict = Conflict::Keeps;
    let verb = if cursor.accept("update") {
        conflict = match cursor.accept_any(&["or rollback", "or abort", "or replace", "or fail", "or ignore"])
        {
            Some("or replace") => Conflict::Replaces,
            Some("or ignore") => Conflict::Skips,
            _ => Conflict::Keeps,
        };
        "UPDATE"
    } else if cursor.accept("delete from") {
        "DELETE"
    } else if cursor.accept("merge into") {
        "MERGE"
    } else {
        return None;
    };
    let start = cursor;
    let table = cursor.relation()?;
    let sources = vec![table.clone()];
    let (_, set) = cursor.before(&["set"]);
    Some(DataChange {
        verb,
        table,
        sources,
        limits: limits(cursor, limited),
        conflict,
        columns: if verb == "UPDATE" {
            assigned(set)
        } else {
            Vec::new()
        },
        pieces: pieces(start, verb),
    })
}

/// Goes past the beginning of an insert; returns what it does to rows that collide.
fn insert_verb(cursor: &mut Cursor<'_>) -> Option<Conflict> {
    const CHOICES: [(&str, Conflict); 7] = [
        ("replace into", Conflict::Replaces),
        ("insert into", Conflict::Keeps),
        ("insert or replace into", Conflict::Replaces),
        ("insert or ignore into", Conflict::Skips),
        ("insert or abort into", Conflict::Keeps),
        ("insert or rollback into", Conflict::Keeps),
        ("insert or fail into", Conflict::Keeps),
    ];
    let found = CHOICES.iter().find(|(words, _)| cursor.accept(words));
    found.map(|(_, conflict)| *conflict)
}

fn insert(mut cursor: Cursor<'_>, limited: &[String], or: Conflict) -> Option<DataChange> {
    let start = cursor;
    let table = cursor.qualified()?;
    if cursor.accept("as") {
        cursor.name();
    }
    let columns = match cursor.peek_group() {
        Some(inside) if !inside.sees("select") && !inside.sees("with") && !inside.sees("values") => {
            cursor.columns().unwrap_or_default()
        }
        _ => Vec::new(),
    };
    let conflict = match or {
        Conflict::Keeps if cursor.has("on conflict") => {
            let (_, action) = cursor.before(&["on conflict"]);
            if action.has("do update") {
                Conflict::Updates
            } else {
                Conflict::Skips
            }
        }
        or => or,
    };
    let (_, query) = cursor.before(&["select", "table", "with"]);
    let query = if query.is_done() {
        in_parentheses(cursor)
    } else {
        query
    };
    let mut change = DataChange {
        verb: "INSERT",
        table,
        sources: Vec::new(),
        limits: Limits::default(),
        conflict,
        columns,
        pieces: pieces(start, "INSERT"),
    };
    if !query.is_done() {
        change.verb = "INSERT ... SELECT";
        change.sources = sources(query);
        change.sources.retain(|source| !limited.contains(source));
        change.limits = limits(cursor, limited);
        let (query, _) = query.before(&["on conflict", "returning"]);
        change.pieces.query = Some(query.span());
    }
    Some(change)
}

/// Returns the columns on the left of the assignments of `SET ...`.
fn assigned(mut set: Cursor<'_>) -> Vec<String> {
    set.accept("set");
    let (assignments, _) = set.before(&["from", "where", "returning"]);
    let mut columns = Vec::new();
    for mut assignment in assignments.split(",") {
        match assignment.group() {
            Some(several) => columns.extend(several.split(",").into_iter().filter_map(|mut one| one.name())),
            None => columns.extend(assignment.name()),
        }
    }
    columns
}

/// Finds the parts that say which rows an update or a delete is about.
fn pieces(cursor: Cursor<'_>, verb: &str) -> Pieces {
    const ENDS: [&str; 3] = ["where", "returning", "order by"];
    let others = if verb == "DELETE" { "using" } else { "from" };
    let (target, rest) = cursor.before(&["set", "using", "where", "returning", "order by"]);
    // `IS DISTINCT FROM` in an assignment is no list of tables, so where there is one nothing is said.
    let (head, _) = rest.before(&ENDS);
    let (_, mut joined) = head.before(&[others]);
    let others = joined
        .step()
        .filter(|_| !head.has("distinct from"))
        .map(|_| joined.span());
    let (_, mut condition) = rest.before(&["where"]);
    let condition = condition
        .step()
        .map(|_| condition.before(&["returning", "order by", "limit"]).0.span());
    Pieces {
        with: None,
        target: target.span(),
        others,
        condition,
        query: None,
    }
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
