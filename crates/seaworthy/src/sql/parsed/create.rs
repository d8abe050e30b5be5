//! `CREATE ...`

use super::data;
use super::{
    Bound, Column, CreateIndex, CreateTable, CreateView, ObjectKind, Parsed, TypeDefinition, column,
    constraint,
};
use crate::sql::cursor::Cursor;
use crate::sql::token::Kind;

pub(super) fn read(mut cursor: Cursor<'_>) -> Option<Parsed> {
    cursor.accept("create");
    cursor.accept("or replace");
    if cursor
        .accept_any(&["policy", "trigger", "constraint trigger", "rule"])
        .is_some()
    {
        return on_table(cursor);
    }
    if let Some(word) = cursor.accept_any(&["database", "tablespace", "subscription"]) {
        return Some(Parsed::Outside {
            what: format!("CREATE {}", word.to_uppercase()),
        });
    }
    const KINDS_OF_TABLES: [&str; 8] = [
        "global",
        "local",
        "temporary",
        "temp",
        "unlogged",
        "recursive",
        "foreign",
        "virtual",
    ];
    let mut is_special = false;
    while let Some(kind) = cursor.accept_any(&KINDS_OF_TABLES) {
        is_special |= matches!(kind, "temporary" | "temp" | "foreign" | "virtual");
    }
    let is_unique = cursor.accept("unique");
    if cursor.accept("index") {
        return index(cursor, is_unique);
    }
    if cursor.accept("trigger") {
        return on_table(cursor);
    }
    if cursor.accept("table") {
        return table(cursor, is_special);
    }
    if let Some(word) = cursor.accept_any(&["view", "materialized view"]) {
        return view(cursor, word != "view");
    }
    if let Some(word) = cursor.accept_any(&["type", "domain"]) {
        return data_type(cursor, word == "domain");
    }
    if cursor.accept_any(&["function", "procedure"]).is_some() {
        return function(cursor);
    }
    if let Some((_, kind)) = OTHERS.iter().find(|(words, _)| cursor.accept(words)) {
        let if_not_exists = cursor.accept("if not exists");
        // `CREATE SCHEMA AUTHORIZATION role` has no name.
        let name = match cursor.sees("authorization") {
            true => String::new(),
            false => cursor.qualified().unwrap_or_default(),
        };
        if *kind == ObjectKind::Schema && (cursor.has("create") || cursor.has("grant")) {
            let what = "CREATE SCHEMA with what it is to hold is not understood".to_owned();
            return Some(Parsed::Opaque { what });
        }
        return Some(Parsed::CreateOther {
            kind: *kind,
            name,
            if_not_exists,
        });
    }
    Some(Parsed::Harmless)
}

/// Other objects that later statements may name.
const OTHERS: [(&str, ObjectKind); 5] = [
    ("schema", ObjectKind::Schema),
    ("sequence", ObjectKind::Sequence),
    ("extension", ObjectKind::Extension),
    ("collation", ObjectKind::Collation),
    ("aggregate", ObjectKind::Function),
];

fn function(mut cursor: Cursor<'_>) -> Option<Parsed> {
    let name = cursor.qualified()?;
    let is_volatile = !cursor.has("immutable") && !cursor.has("stable");
    let (_, mut language) = cursor.before(&["language"]);
    language.step();
    let language = language
        .step()
        .map_or("sql".to_owned(), |token| token.text.to_lowercase());
    let (_, mut code) = cursor.before(&["as"]);
    code.step();
    let code = code.step().filter(|token| token.kind == Kind::Text);
    Some(Parsed::CreateFunction {
        name,
        is_volatile,
        language,
        code: code.map(|token| token.text.clone()),
        body: cursor.text(),
    })
}

/// Reads a trigger, rule or policy up to its table.
fn on_table(cursor: Cursor<'_>) -> Option<Parsed> {
    let is_policy = {
        let mut ahead = cursor;
        ahead.name();
        ahead.sees("on")
    };
    let (_, mut rest) = cursor.before(&["on", "to"]);
    rest.step();
    // A rule names an event before its table.
    if rest
        .accept_any(&["select to", "insert to", "update to", "delete to"])
        .is_none()
    {
        rest.accept("to");
    }
    let table = rest.qualified()?;
    Some(if is_policy {
        Parsed::CreatePolicy { table }
    } else {
        Parsed::CreateTrigger { table }
    })
}

fn index(mut cursor: Cursor<'_>, unique: bool) -> Option<Parsed> {
    let concurrently = cursor.accept("concurrently");
    let if_not_exists = cursor.accept("if not exists");
    let name = if cursor.sees("on") {
        String::new()
    } else {
        cursor.qualified()?
    };
    cursor.accept("on");
    let only = cursor.sees("only");
    let table = cursor.relation()?;
    if cursor.accept("using") {
        cursor.name();
    }
    let mut elements = cursor;
    let columns = cursor.columns().unwrap_or_default();
    let expressions = elements.group().map_or_else(Vec::new, |inside| inside.split(","));
    let expressions = expressions
        .into_iter()
        .zip(&columns)
        .filter(|(_, column)| column.is_empty());
    let (_, condition) = cursor.before(&["where"]);
    let computed = expressions.flat_map(|(expression, _)| expression.tokens());
    let computed = computed.chain(condition.tokens()).cloned().collect();
    Some(Parsed::CreateIndex(CreateIndex {
        name,
        table,
        only,
        concurrently,
        unique,
        if_not_exists,
        columns,
        is_partial: !condition.is_done(),
        computed,
    }))
}

fn table(mut cursor: Cursor<'_>, is_special: bool) -> Option<Parsed> {
    let if_not_exists = cursor.accept("if not exists");
    let mut table = CreateTable {
        name: cursor.qualified()?,
        if_not_exists,
        is_special,
        ..CreateTable::default()
    };
    if cursor.accept("of") {
        cursor.qualified();
    }
    if cursor.accept("partition of") {
        let parent = cursor.qualified()?;
        if let Some(inside) = cursor.group() {
            elements(inside, &mut table);
        }
        let bound = bound(&mut cursor);
        table.partition_of = Some((parent, bound));
    } else if let Some(inside) = cursor.group() {
        elements(inside, &mut table);
    }
    if cursor.accept("inherits") {
        table.like.extend(cursor.group()?.names());
    }
    let (_, mut partitioned) = cursor.before(&["partition by"]);
    if partitioned.accept("partition by") {
        partitioned.name();
        table.partitioned_by = partitioned.columns();
    }
    let (_, mut query) = cursor.before(&["as"]);
    if query.accept("as") && !query.has("with no data") {
        table.filled = data::filled_by(&table.name, query);
    }
    Some(Parsed::CreateTable(Box::new(table)))
}

fn elements(inside: Cursor<'_>, table: &mut CreateTable) {
    for mut element in inside.split(",") {
        if element.accept("like") {
            table.like.extend(element.qualified());
        } else if let Some(found) = constraint::read(&mut element) {
            table.constraints.push(found);
        } else if let Some(column) = column::read(&mut element) {
            keep(column, table);
        }
    }
}

fn keep(mut column: Column, table: &mut CreateTable) {
    table.constraints.append(&mut column.constraints);
    table.columns.push(column);
}

/// Reads `FOR VALUES ...` or `DEFAULT`.
pub(super) fn bound(cursor: &mut Cursor<'_>) -> Bound {
    let is_default = cursor.accept("default");
    let (tokens, rest) = cursor.before(&["partition by"]);
    *cursor = rest;
    Bound {
        is_default,
        tokens: tokens.tokens().to_vec(),
    }
}

fn view(mut cursor: Cursor<'_>, materialized: bool) -> Option<Parsed> {
    let if_not_exists = cursor.accept("if not exists");
    let name = cursor.qualified()?;
    let (_, mut body) = cursor.before(&["as"]);
    body.accept("as");
    Some(Parsed::CreateView(CreateView {
        name,
        if_not_exists,
        is_filled: materialized && !body.has("with no data"),
        body: body.tokens().to_vec(),
    }))
}

fn data_type(mut cursor: Cursor<'_>, is_domain: bool) -> Option<Parsed> {
    let name = cursor.qualified()?;
    cursor.accept("as");
    let definition = if is_domain {
        let base = column::data_type(&mut cursor);
        let is_constrained = cursor.has("check") || cursor.has("not null");
        TypeDefinition::Domain { base, is_constrained }
    } else if cursor.accept("enum") {
        TypeDefinition::Enum
    } else {
        TypeDefinition::Other
    };
    Some(Parsed::CreateType { name, definition })
}
