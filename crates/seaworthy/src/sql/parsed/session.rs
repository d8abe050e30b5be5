//! Statements that are about the session, its transaction, locks, rights and maintenance.

use super::{Maintenance, Mode, ObjectKind, Parsed, TransactionVerb, data};
use crate::sql::bare;
use crate::sql::cursor::Cursor;

pub(super) fn read(cursor: &mut Cursor<'_>) -> Option<Parsed> {
    let whole = *cursor;
    let verb = cursor.step()?;
    Some(match verb.text.as_str() {
        "begin" | "start" => Parsed::Transaction(TransactionVerb::Begin),
        "rollback" if cursor.sees("to") || cursor.has("to") => {
            Parsed::Transaction(TransactionVerb::Savepoint)
        }
        "savepoint" | "release" => Parsed::Transaction(TransactionVerb::Savepoint),
        "commit" | "end" | "rollback" | "abort" => Parsed::Transaction(TransactionVerb::End {
            chain: cursor.has("and chain"),
        }),
        "prepare" if cursor.accept("transaction") => {
            Parsed::Transaction(TransactionVerb::End { chain: false })
        }
        "truncate" => truncate(*cursor),
        "lock" => lock(*cursor)?,
        "set" => set(*cursor)?,
        "do" => block(*cursor)?,
        "call" => Parsed::Call {
            name: cursor.qualified()?,
        },
        "execute" => opaque("a prepared statement hides what it is"),
        "explain" => explain(*cursor)?,
        "pragma" => pragma(*cursor)?,
        "reset" => Parsed::Set {
            name: setting_name(cursor)?,
            value: Vec::new(),
            is_local: false,
        },
        "copy" => copy(*cursor)?,
        "attach" | "detach" => Parsed::Attach,
        "replace" => return data::read(whole),
        "revoke" => revoke(*cursor),
        "reassign" => Parsed::Restrict {
            what: "objects change their owner".to_owned(),
            tables: Vec::new(),
            objects: Vec::new(),
        },
        "vacuum" => vacuum(*cursor),
        "cluster" => maintenance("CLUSTER", names_a_table(*cursor), false),
        "reindex" => reindex(*cursor),
        "refresh" => refresh(*cursor),
        "comment" | "grant" | "analyze" | "analyse" | "show" | "notify" | "listen" | "unlisten"
        | "discard" | "deallocate" | "prepare" | "security" | "checkpoint" | "declare" | "fetch" | "move"
        | "close" | "load" => Parsed::Harmless,
        // `IMPORT FOREIGN SCHEMA` makes tables that hold nothing here.
        "import" => Parsed::Harmless,
        _ => return None,
    })
}

fn opaque(what: &str) -> Parsed {
    Parsed::Opaque {
        what: what.to_owned(),
    }
}

fn truncate(mut cursor: Cursor<'_>) -> Parsed {
    cursor.accept("table");
    let tables = cursor.names();
    Parsed::Truncate {
        tables,
        cascade: cursor.has("cascade"),
    }
}

fn lock(mut cursor: Cursor<'_>) -> Option<Parsed> {
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
    Some(Parsed::Lock { tables, mode })
}

/// Reads `SET`; what holds for constraints or the transaction alone sets nothing that lasts.
fn set(mut cursor: Cursor<'_>) -> Option<Parsed> {
    if cursor.accept("session characteristics") {
        return Some(setting("session characteristics", cursor, false));
    }
    if cursor.sees("constraints") || cursor.sees("transaction") {
        return Some(Parsed::Harmless);
    }
    // A setting may itself be called `local`.
    let is_name = cursor
        .tokens()
        .get(1)
        .is_some_and(|next| next.is_word("to") || next.is_symbol("="));
    let is_local = !is_name && cursor.accept("local");
    if cursor.accept("session authorization") {
        return Some(setting("session_authorization", cursor, is_local));
    }
    if !is_name {
        cursor.accept("session");
    }
    let name = setting_name(&mut cursor)?;
    cursor.accept("to");
    cursor.accept_symbol("=");
    Some(setting(&name, cursor, is_local))
}

fn setting(name: &str, value: Cursor<'_>, is_local: bool) -> Parsed {
    Parsed::Set {
        name: name.to_owned(),
        value: value.tokens().to_vec(),
        is_local,
    }
}

fn setting_name(cursor: &mut Cursor<'_>) -> Option<String> {
    if cursor.accept("time zone") {
        return Some("timezone".to_owned());
    }
    if cursor.accept("session authorization") {
        return Some("session_authorization".to_owned());
    }
    if cursor.accept("schema") {
        return Some("search_path".to_owned());
    }
    if cursor.accept("xml option") {
        return Some("xmloption".to_owned());
    }
    if cursor.accept("transaction isolation level") {
        return Some("transaction_isolation".to_owned());
    }
    if cursor.accept("names") {
        return Some("client_encoding".to_owned());
    }
    // Case says nothing in it, quotes or not.
    Some(cursor.qualified()?.to_lowercase())
}

/// Reads `DO [LANGUAGE name] 'code'`.
fn block(mut cursor: Cursor<'_>) -> Option<Parsed> {
    let mut language = "plpgsql".to_owned();
    let mut body = None;
    while !cursor.is_done() {
        if cursor.accept("language") {
            language = cursor.name()?;
        } else {
            body = Some(cursor.step()?.text.clone());
        }
    }
    let body = body?;
    Some(Parsed::Block { body, language })
}

/// Reads `EXPLAIN`, which executes what it explains when it is to be analyzed.
fn explain(mut cursor: Cursor<'_>) -> Option<Parsed> {
    let switched_on = options(&mut cursor);
    let mut analyzes = switched_on
        .iter()
        .any(|option| option == "analyze" || option == "analyse");
    while let Some(word) = cursor.accept_any(&["analyze", "analyse", "verbose", "query plan"]) {
        analyzes |= word.starts_with("anal");
    }
    Some(if analyzes {
        super::read(cursor.tokens())
    } else {
        Parsed::Harmless
    })
}

/// Reads `PRAGMA name`, `PRAGMA name = value` and `PRAGMA name(value)`.
fn pragma(mut cursor: Cursor<'_>) -> Option<Parsed> {
    let name = bare(&cursor.qualified()?);
    let value = if cursor.accept_symbol("=") {
        Some(cursor)
    } else {
        cursor.group()
    };
    let value = value.map(|value| {
        let text: String = value.tokens().iter().map(|token| token.text.as_str()).collect();
        text.to_ascii_lowercase()
    });
    Some(Parsed::Pragma { name, value })
}

/// Reads `COPY`; what comes in is inserted, what goes out is read, and may be what a statement that writes returns.
fn copy(mut cursor: Cursor<'_>) -> Option<Parsed> {
    if let Some(query) = cursor.group() {
        return Some(match super::read(query.tokens()) {
            // The server refuses an `INTO` here.
            Parsed::CreateTable(_) => Parsed::Harmless,
            read => read,
        });
    }
    cursor.accept("binary");
    let table = cursor.qualified()?;
    cursor.group();
    Some(if cursor.accept("from") {
        Parsed::Copy { table }
    } else {
        Parsed::Harmless
    })
}

fn revoke(cursor: Cursor<'_>) -> Parsed {
    const NAMED: [(&str, ObjectKind); 5] = [
        ("sequence", ObjectKind::Sequence),
        ("function", ObjectKind::Function),
        ("procedure", ObjectKind::Function),
        ("routine", ObjectKind::Function),
        ("schema", ObjectKind::Schema),
    ];
    let (_, mut rest) = cursor.before(&["on"]);
    rest.accept("on");
    rest.accept("table");
    let kind = NAMED
        .iter()
        .find(|(words, _)| rest.accept(words))
        .map(|(_, kind)| *kind);
    let objects = kind.map_or_else(Vec::new, |kind| {
        rest.signatures().into_iter().map(|name| (kind, name)).collect()
    });
    let is_other = kind.is_some() || rest.accept_any(&["all", "database", "type"]).is_some();
    Parsed::Restrict {
        what: "rights are taken away".to_owned(),
        tables: if is_other { Vec::new() } else { rest.names() },
        objects,
    }
}

fn maintenance(what: &'static str, name: Option<String>, needs_no_transaction: bool) -> Parsed {
    let is_whole = name.is_none();
    Parsed::Maintenance(Maintenance {
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

fn vacuum(mut cursor: Cursor<'_>) -> Parsed {
    let mut switched_on = options(&mut cursor);
    while let Some(word) = cursor.accept_any(&["full", "freeze", "verbose", "analyze"]) {
        switched_on.push(word.to_owned());
    }
    let is_full = switched_on.iter().any(|option| option == "full");
    Parsed::Maintenance(Maintenance {
        what: if is_full { "VACUUM FULL" } else { "VACUUM" },
        name: cursor.names().into_iter().next(),
        is_index: false,
        blocks: is_full,
        needs_no_transaction: true,
    })
}

fn reindex(mut cursor: Cursor<'_>) -> Parsed {
    let switched_on = options(&mut cursor);
    let kind = cursor.accept_any(&["index", "table", "schema", "database", "system"]);
    let concurrently =
        cursor.accept("concurrently") || switched_on.iter().any(|option| option == "concurrently");
    let is_wide = matches!(kind, Some("schema" | "database" | "system"));
    let name = cursor.qualified().filter(|_| !is_wide);
    Parsed::Maintenance(Maintenance {
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

fn refresh(mut cursor: Cursor<'_>) -> Parsed {
    cursor.accept("materialized view");
    let concurrently = cursor.accept("concurrently");
    Parsed::Maintenance(Maintenance {
        what: "REFRESH MATERIALIZED VIEW",
        name: cursor.qualified(),
        is_index: false,
        blocks: !concurrently,
        needs_no_transaction: false,
    })
}
