//! Statements that are about the session, its transaction, locks, rights and maintenance.

use super::{Maintenance, Mode, Statement, TransactionVerb};
use crate::lint::cursor::Cursor;

pub(super) fn read(cursor: &mut Cursor<'_>) -> Option<Statement> {
    let verb = cursor.step()?;
    Some(match verb.text.as_str() {
        "begin" | "start" => Statement::Transaction(TransactionVerb::Begin),
        "rollback" if cursor.sees("to") || cursor.has("to") => {
            Statement::Transaction(TransactionVerb::Savepoint)
        }
        "savepoint" | "release" => Statement::Transaction(TransactionVerb::Savepoint),
        "commit" | "end" | "rollback" | "abort" => Statement::Transaction(TransactionVerb::End {
            chain: cursor.has("and chain"),
        }),
        "prepare" if cursor.accept("transaction") => {
            Statement::Transaction(TransactionVerb::End { chain: false })
        }
        "truncate" => truncate(*cursor),
        "lock" => lock(*cursor)?,
        "set" => set(*cursor)?,
        "do" => opaque("a DO block hides its statements"),
        "call" => opaque("a procedure hides its statements"),
        "execute" => opaque("a prepared statement hides what it is"),
        "revoke" => revoke(*cursor),
        "reassign" => Statement::Restrict {
            what: "objects change their owner".to_owned(),
            tables: Vec::new(),
        },
        "vacuum" => vacuum(*cursor),
        "cluster" => maintenance("CLUSTER", names_a_table(*cursor), false),
        "reindex" => reindex(*cursor),
        "refresh" => refresh(*cursor),
        "comment" | "grant" | "analyze" | "reset" | "show" | "explain" | "notify" | "listen" | "unlisten"
        | "discard" | "copy" | "deallocate" | "prepare" | "security" | "import" | "checkpoint"
        | "declare" | "fetch" | "move" | "close" | "load" | "pragma" => Statement::Harmless,
        _ => return None,
    })
}

fn opaque(what: &str) -> Statement {
    Statement::Opaque {
        what: what.to_owned(),
    }
}

fn truncate(mut cursor: Cursor<'_>) -> Statement {
    cursor.accept("table");
    let tables = cursor.names();
    Statement::Truncate {
        tables,
        cascade: cursor.has("cascade"),
    }
}

fn lock(mut cursor: Cursor<'_>) -> Option<Statement> {
    cursor.accept("table");
    let tables = cursor.names();
    let mode = if cursor.accept("in") {
        const MODES: [(&str, Mode); 8] = [
            ("access share", Mode::RowExclusive),
            ("row share", Mode::RowExclusive),
            ("row exclusive", Mode::RowExclusive),
            ("share update exclusive", Mode::ShareUpdateExclusive),
            ("share row exclusive", Mode::ShareRowExclusive),
            ("share", Mode::Share),
            ("exclusive", Mode::Exclusive),
            ("access exclusive", Mode::AccessExclusive),
        ];
        MODES.iter().find(|(words, _)| cursor.accept(words))?.1
    } else {
        Mode::AccessExclusive
    };
    Some(Statement::Lock { tables, mode })
}

fn set(mut cursor: Cursor<'_>) -> Option<Statement> {
    if cursor.sees("constraints") || cursor.sees("transaction") || cursor.sees("role") {
        return Some(Statement::Harmless);
    }
    let is_local = cursor.accept("local");
    cursor.accept("session");
    let name = if cursor.accept("time zone") {
        "timezone".to_owned()
    } else {
        cursor.qualified()?
    };
    cursor.accept("to");
    cursor.accept_symbol("=");
    Some(Statement::Set {
        name,
        value: cursor.tokens().to_vec(),
        is_local,
    })
}

fn revoke(cursor: Cursor<'_>) -> Statement {
    let (_, mut rest) = cursor.before(&["on"]);
    rest.accept("on");
    rest.accept("table");
    let other = [
        "schema",
        "all",
        "sequence",
        "function",
        "database",
        "type",
        "procedure",
        "routine",
    ];
    let tables = if rest.accept_any(&other).is_some() {
        Vec::new()
    } else {
        rest.names()
    };
    Statement::Restrict {
        what: "rights are taken away".to_owned(),
        tables,
    }
}

fn maintenance(what: &'static str, name: Option<String>, needs_no_transaction: bool) -> Statement {
    let is_whole = name.is_none();
    Statement::Maintenance(Maintenance {
        what,
        name,
        is_index: false,
        blocks: true,
        needs_no_transaction: needs_no_transaction || is_whole,
    })
}

/// Reads options in parentheses; returns which of them are switched on.
fn options(cursor: &mut Cursor<'_>) -> Vec<String> {
    let Some(inside) = cursor.group() else {
        return Vec::new();
    };
    let parts = inside.split(",").into_iter().filter_map(|mut part| {
        let name = part.name()?;
        let is_off = part
            .step()
            .is_some_and(|value| matches!(value.text.as_str(), "false" | "off" | "0"));
        (!is_off).then_some(name)
    });
    parts.collect()
}

fn names_a_table(mut cursor: Cursor<'_>) -> Option<String> {
    options(&mut cursor);
    cursor.accept("verbose");
    let first = cursor.qualified()?;
    // The old form names the index first: CLUSTER index ON table.
    if cursor.accept("on") {
        return cursor.qualified();
    }
    Some(first)
}

fn vacuum(mut cursor: Cursor<'_>) -> Statement {
    let mut switched_on = options(&mut cursor);
    while let Some(word) = cursor.accept_any(&["full", "freeze", "verbose", "analyze"]) {
        switched_on.push(word.to_owned());
    }
    let is_full = switched_on.iter().any(|option| option == "full");
    Statement::Maintenance(Maintenance {
        what: if is_full { "VACUUM FULL" } else { "VACUUM" },
        name: cursor.names().into_iter().next(),
        is_index: false,
        blocks: is_full,
        needs_no_transaction: true,
    })
}

fn reindex(mut cursor: Cursor<'_>) -> Statement {
    let switched_on = options(&mut cursor);
    let kind = cursor.accept_any(&["index", "table", "schema", "database", "system"]);
    let concurrently =
        cursor.accept("concurrently") || switched_on.iter().any(|option| option == "concurrently");
    let is_wide = matches!(kind, Some("schema" | "database" | "system"));
    let name = cursor.qualified().filter(|_| !is_wide);
    Statement::Maintenance(Maintenance {
        what: if concurrently {
            "REINDEX CONCURRENTLY"
        } else {
            "REINDEX"
        },
        name,
        is_index: kind == Some("index"),
        blocks: !concurrently,
        needs_no_transaction: concurrently || is_wide,
    })
}

fn refresh(mut cursor: Cursor<'_>) -> Statement {
    cursor.accept("materialized view");
    let concurrently = cursor.accept("concurrently");
    Statement::Maintenance(Maintenance {
        what: "REFRESH MATERIALIZED VIEW",
        name: cursor.qualified(),
        is_index: false,
        blocks: !concurrently,
        needs_no_transaction: false,
    })
}
