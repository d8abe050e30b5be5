//! `DROP ...`

use super::{Drop, ObjectKind, Parsed};
use crate::sql::cursor::Cursor;

const KINDS: [(&str, ObjectKind); 18] = [
    ("table", ObjectKind::Table),
    ("foreign table", ObjectKind::Table),
    ("view", ObjectKind::View),
    ("materialized view", ObjectKind::View),
    ("type", ObjectKind::Type),
    ("domain", ObjectKind::Type),
    ("schema", ObjectKind::Schema),
    ("sequence", ObjectKind::Sequence),
    ("database", ObjectKind::Database),
    ("trigger", ObjectKind::OfTable),
    ("policy", ObjectKind::Policy),
    ("rule", ObjectKind::OfTable),
    ("extension", ObjectKind::Extension),
    ("function", ObjectKind::Function),
    ("procedure", ObjectKind::Function),
    ("aggregate", ObjectKind::Function),
    ("routine", ObjectKind::Function),
    ("collation", ObjectKind::Collation),
];

pub(super) fn read(mut cursor: Cursor<'_>) -> Option<Parsed> {
    cursor.accept("drop");
    if cursor.accept("index") {
        let concurrently = cursor.accept("concurrently");
        let if_exists = cursor.accept("if exists");
        let names = cursor.names();
        return Some(Parsed::DropIndex {
            names,
            concurrently,
            if_exists,
            cascade: cursor.has("cascade"),
        });
    }
    if cursor.accept("owned") {
        return Some(Parsed::DropOwned);
    }
    if cursor.accept_any(&["role", "user", "group"]).is_some() {
        return Some(Parsed::Restrict {
            what: "a role loses what it has".to_owned(),
            tables: Vec::new(),
            objects: Vec::new(),
        });
    }
    if let Some(word) = cursor.accept_any(&["tablespace", "subscription"]) {
        return Some(Parsed::Outside {
            what: format!("DROP {}", word.to_uppercase()),
        });
    }
    let kind = KINDS.iter().find(|(words, _)| cursor.accept(words));
    let kind = kind.map_or(ObjectKind::Other, |(_, kind)| *kind);
    let if_exists = cursor.accept("if exists");
    let names = match kind {
        // On SQLite a trigger has a name of its own.
        ObjectKind::OfTable | ObjectKind::Policy => {
            cursor.qualified();
            cursor.accept("on");
            cursor.qualified().into_iter().collect()
        }
        ObjectKind::Function => cursor.signatures(),
        ObjectKind::Other => Vec::new(),
        ObjectKind::Table
        | ObjectKind::View
        | ObjectKind::Type
        | ObjectKind::Schema
        | ObjectKind::Sequence
        | ObjectKind::Database
        | ObjectKind::Extension
        | ObjectKind::Collation => cursor.names(),
    };
    if names.is_empty() && !matches!(kind, ObjectKind::Other | ObjectKind::OfTable) {
        return None;
    }
    Some(Parsed::Drop(Drop {
        kind,
        names,
        if_exists,
        cascade: cursor.has("cascade"),
    }))
}
