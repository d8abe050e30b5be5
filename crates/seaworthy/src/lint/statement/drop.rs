//! `DROP ...`

use super::{Drop, ObjectKind, Statement};
use crate::lint::cursor::Cursor;

const KINDS: [(&str, ObjectKind); 11] = [
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
];

pub(super) fn read(mut cursor: Cursor<'_>) -> Option<Statement> {
    cursor.accept("drop");
    if cursor.accept("index") {
        let concurrently = cursor.accept("concurrently");
        let if_exists = cursor.accept("if exists");
        return Some(Statement::DropIndex {
            names: cursor.names(),
            concurrently,
            if_exists,
        });
    }
    if cursor.accept_any(&["owned", "role", "user", "group"]).is_some() {
        return Some(Statement::Restrict {
            what: "a role loses what it has".to_owned(),
            tables: Vec::new(),
        });
    }
    if let Some(word) = cursor.accept_any(&["tablespace", "subscription"]) {
        return Some(Statement::Outside {
            what: format!("DROP {}", word.to_uppercase()),
        });
    }
    let kind = KINDS.iter().find(|(words, _)| cursor.accept(words));
    let kind = kind.map_or(ObjectKind::Other, |(_, kind)| *kind);
    let if_exists = cursor.accept("if exists");
    let names = match kind {
        ObjectKind::OfTable | ObjectKind::Policy => {
            cursor.name();
            cursor.accept("on");
            cursor.qualified().into_iter().collect()
        }
        ObjectKind::Other => Vec::new(),
        _ => cursor.names(),
    };
    Some(Statement::Drop(Drop {
        kind,
        names,
        if_exists,
        cascade: cursor.has("cascade"),
    }))
}
