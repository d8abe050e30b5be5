//! `ALTER ...`

use super::{
    Action, AttributeAction, DomainAction, IndexAction, Mode, ObjectAction, ObjectKind, Parsed, TypeAction,
    column, constraint, create,
};
use crate::sql::cursor::Cursor;

pub(super) fn read(mut cursor: Cursor<'_>) -> Option<Parsed> {
    cursor.accept("alter");
    if cursor.accept_any(&["table", "foreign table"]).is_some() {
        return table(cursor);
    }
    if cursor.accept_any(&["view", "materialized view"]).is_some() {
        cursor.accept("if exists");
        let name = cursor.qualified()?;
        let action = object_action(cursor)?;
        return Some(Parsed::AlterView { name, action });
    }
    if cursor.accept("index") {
        return index(cursor);
    }
    if cursor.accept("type") {
        return data_type(cursor);
    }
    if cursor.accept("domain") {
        return domain(cursor);
    }
    if cursor.accept("schema") {
        let name = cursor.qualified()?;
        return Some(if cursor.accept("rename to") {
            let to = cursor.name()?;
            Parsed::AlterSchema { name, to }
        } else {
            Parsed::Harmless
        });
    }
    if let Some((_, kind)) = OTHERS.iter().find(|(words, _)| cursor.accept(words)) {
        cursor.accept("if exists");
        let name = cursor.qualified()?;
        cursor.group();
        return Some(Parsed::AlterOther {
            kind: *kind,
            name,
            action: object_action(cursor)?,
        });
    }
    if cursor.accept("system") {
        return Some(Parsed::Outside {
            what: "ALTER SYSTEM".to_owned(),
        });
    }
    if cursor.accept("policy") {
        cursor.name();
        cursor.accept("on");
        return Some(Parsed::CreatePolicy {
            table: cursor.qualified()?,
        });
    }
    if cursor.accept_any(&["trigger", "rule"]).is_some() {
        cursor.name();
        cursor.accept("on");
        return Some(Parsed::AlterTable {
            table: cursor.qualified()?,
            if_exists: false,
            actions: vec![Action::Instant(Mode::AccessExclusive)],
        });
    }
    if cursor.accept("default privileges") && cursor.has("revoke") {
        return Some(Parsed::Restrict {
            what: "privileges of new objects are taken away".to_owned(),
            tables: Vec::new(),
            objects: Vec::new(),
        });
    }
    Some(Parsed::Harmless)
}

/// Other objects that get another name or schema.
const OTHERS: [(&str, ObjectKind); 8] = [
    ("sequence", ObjectKind::Sequence),
    ("function", ObjectKind::Function),
    ("procedure", ObjectKind::Function),
    ("routine", ObjectKind::Function),
    ("aggregate", ObjectKind::Function),
    ("extension", ObjectKind::Extension),
    ("collation", ObjectKind::Collation),
    ("database", ObjectKind::Database),
];

fn object_action(mut cursor: Cursor<'_>) -> Option<ObjectAction> {
    if cursor.accept("rename to") {
        return Some(ObjectAction::Rename(cursor.name()?));
    }
    if cursor.accept("set schema") {
        return Some(ObjectAction::SetSchema(cursor.name()?));
    }
    if cursor.accept("rename") {
        cursor.accept("column");
        let from = cursor.name()?;
        cursor.accept("to");
        let to = cursor.name()?;
        return Some(ObjectAction::RenameColumn { from, to });
    }
    Some(ObjectAction::Other)
}

fn index(mut cursor: Cursor<'_>) -> Option<Parsed> {
    cursor.accept("if exists");
    let name = cursor.qualified()?;
    let action = if cursor.accept("rename to") {
        IndexAction::Rename(cursor.name()?)
    } else if cursor.accept("attach partition") {
        IndexAction::Attach
    } else if cursor.accept("set tablespace") {
        IndexAction::SetTablespace
    } else {
        IndexAction::Other
    };
    Some(Parsed::AlterIndex { name, action })
}

fn data_type(mut cursor: Cursor<'_>) -> Option<Parsed> {
    let name = cursor.qualified()?;
    let action = if cursor.accept("add value") {
        cursor.accept("if not exists");
        TypeAction::AddValue(cursor.step()?.text.clone())
    } else if cursor.accept("rename value") {
        TypeAction::RenameValue
    } else if cursor.accept("rename to") {
        TypeAction::Rename(cursor.name()?)
    } else if cursor.accept("set schema") {
        TypeAction::SetSchema(cursor.name()?)
    } else if cursor.accept("rename attribute") {
        let from = cursor.name()?;
        cursor.accept("to");
        let to = cursor.name()?;
        TypeAction::RenameAttribute { from, to }
    } else {
        let actions: Option<Vec<_>> = cursor.split(",").into_iter().map(attribute_action).collect();
        actions.map_or(TypeAction::Other, TypeAction::Attributes)
    };
    Some(Parsed::AlterType { name, action })
}

fn attribute_action(mut cursor: Cursor<'_>) -> Option<AttributeAction> {
    if cursor.accept("add attribute") {
        return Some(AttributeAction::Add(cursor.name()?));
    }
    if cursor.accept("drop attribute") {
        return Some(AttributeAction::Drop);
    }
    cursor
        .accept("alter attribute")
        .then_some(AttributeAction::ChangeType)
}

fn domain(mut cursor: Cursor<'_>) -> Option<Parsed> {
    let name = cursor.qualified()?;
    let action = if cursor.accept("set not null") {
        DomainAction::SetNotNull
    } else if cursor.accept("drop not null") {
        DomainAction::DropNotNull
    } else if cursor.accept("rename to") {
        DomainAction::Rename(cursor.name()?)
    } else if cursor.accept("set schema") {
        DomainAction::SetSchema(cursor.name()?)
    } else if cursor.accept("add") {
        let valid = !cursor.has("not valid");
        DomainAction::AddCheck { valid }
    } else {
        DomainAction::Other
    };
    Some(Parsed::AlterDomain { name, action })
}

fn table(mut cursor: Cursor<'_>) -> Option<Parsed> {
    let if_exists = cursor.accept("if exists");
    if cursor.sees("all in tablespace") {
        return None;
    }
    let table = cursor.relation()?;
    cursor.accept_symbol("*");
    let actions = cursor
        .split(",")
        .into_iter()
        .map(|part| action(part).unwrap_or_else(|| Action::Unknown(part.text())));
    Some(Parsed::AlterTable {
        table,
        if_exists,
        actions: actions.collect(),
    })
}

fn action(mut cursor: Cursor<'_>) -> Option<Action> {
    if cursor.accept("add") {
        return add(cursor);
    }
    if cursor.accept("drop") {
        return drop(cursor);
    }
    if cursor.accept("alter") {
        if cursor.accept("constraint") {
            return Some(Action::Instant(Mode::AccessExclusive));
        }
        return alter_column(cursor);
    }
    if cursor.accept("rename") {
        return rename(cursor);
    }
    if cursor.accept("validate constraint") {
        return Some(Action::Validate(cursor.name()?));
    }
    if cursor.accept("attach partition") {
        let child = cursor.qualified()?;
        let bound = create::bound(&mut cursor);
        return Some(Action::Attach { child, bound });
    }
    if cursor.accept("detach partition") {
        let child = cursor.qualified()?;
        if cursor.has("finalize") {
            return Some(Action::Instant(Mode::ShareUpdateExclusive));
        }
        let concurrently = cursor.has("concurrently");
        return Some(Action::Detach { child, concurrently });
    }
    if cursor.accept("owner to") {
        return Some(Action::Owner);
    }
    setting(cursor)
}

/// Reads `SET`, `RESET`, `ENABLE`, `DISABLE` and their like.
fn setting(mut cursor: Cursor<'_>) -> Option<Action> {
    const REWRITES: [(&str, &str); 4] = [
        ("set logged", "SET LOGGED"),
        ("set unlogged", "SET UNLOGGED"),
        ("set tablespace", "SET TABLESPACE"),
        ("set access method", "SET ACCESS METHOD"),
    ];
    const SECURITY: [(&str, &str, Option<bool>); 4] = [
        (
            "enable row level security",
            "row level security is switched on",
            Some(true),
        ),
        (
            "disable row level security",
            "row level security is switched off",
            Some(false),
        ),
        (
            "no force row level security",
            "row level security no longer holds for the owner",
            None,
        ),
        (
            "force row level security",
            "row level security holds for the owner too",
            None,
        ),
    ];
    if cursor.accept("set schema") {
        return Some(Action::SetSchema(cursor.name()?));
    }
    if let Some((_, what)) = REWRITES.iter().find(|(words, _)| cursor.sees(words)) {
        return Some(Action::Rewrite(what));
    }
    if let Some((_, what, is_on)) = SECURITY.iter().find(|(words, ..)| cursor.sees(words)) {
        return Some(Action::RowSecurity { what, is_on: *is_on });
    }
    if cursor.accept_any(&["enable", "disable"]).is_some() {
        return Some(Action::Instant(Mode::ShareRowExclusive));
    }
    if cursor.accept_any(&["set", "reset"]).is_some() {
        let is_mild = cursor.sees_symbol("(") || cursor.sees("without cluster");
        return Some(Action::Instant(if is_mild {
            Mode::ShareUpdateExclusive
        } else {
            Mode::AccessExclusive
        }));
    }
    if cursor.accept("cluster on") {
        return Some(Action::Instant(Mode::ShareUpdateExclusive));
    }
    let others = [
        "inherit",
        "no inherit",
        "replica identity",
        "of",
        "not of",
        "options",
    ];
    cursor.accept_any(&others)?;
    Some(Action::Instant(Mode::AccessExclusive))
}

fn add(mut cursor: Cursor<'_>) -> Option<Action> {
    if let Some(found) = constraint::read(&mut cursor) {
        return Some(Action::AddConstraint(found));
    }
    cursor.accept("column");
    let if_not_exists = cursor.accept("if not exists");
    let column = column::read(&mut cursor)?;
    Some(Action::AddColumn {
        column,
        if_not_exists,
    })
}

fn drop(mut cursor: Cursor<'_>) -> Option<Action> {
    let is_constraint = cursor.accept("constraint");
    if !is_constraint {
        cursor.accept("column");
    }
    let if_exists = cursor.accept("if exists");
    let name = cursor.name()?;
    let cascade = cursor.has("cascade");
    Some(if is_constraint {
        Action::DropConstraint {
            name,
            if_exists,
            cascade,
        }
    } else {
        Action::DropColumn {
            name,
            if_exists,
            cascade,
        }
    })
}

fn rename(mut cursor: Cursor<'_>) -> Option<Action> {
    if cursor.accept("to") {
        return Some(Action::RenameTable(cursor.name()?));
    }
    let is_constraint = cursor.accept("constraint");
    if !is_constraint {
        cursor.accept("column");
    }
    let from = cursor.name()?;
    cursor.accept("to");
    let to = cursor.name()?;
    Some(if is_constraint {
        Action::RenameConstraint { from, to }
    } else {
        Action::RenameColumn { from, to }
    })
}

fn alter_column(mut cursor: Cursor<'_>) -> Option<Action> {
    cursor.accept("column");
    let column = cursor.name()?;
    if cursor.accept_any(&["type", "set data type"]).is_some() {
        let to = column::data_type(&mut cursor);
        let (_, mut using) = cursor.before(&["using"]);
        using.accept("using");
        let using = using.tokens().to_vec();
        return Some(Action::ChangeType { column, to, using });
    }
    if cursor.accept("set default") {
        let is_null = column::is_null(cursor.tokens());
        return Some(Action::SetDefault { column, is_null });
    }
    Some(if cursor.accept("set not null") {
        Action::SetNotNull(column)
    } else if cursor.accept("drop not null") {
        Action::DropNotNull(column)
    } else if cursor.accept("drop default") {
        Action::DropDefault(column)
    } else if cursor.accept("drop identity") {
        Action::DropIdentity(column)
    } else if cursor
        .accept_any(&["add generated always as identity", "set generated always"])
        .is_some()
    {
        Action::AlwaysIdentity(column)
    } else if cursor.accept_any(&["set statistics", "set (", "reset"]).is_some()
        || cursor.sees("set") && cursor.tokens().get(1)?.is_symbol("(")
    {
        Action::Instant(Mode::ShareUpdateExclusive)
    } else if cursor.accept("set expression") {
        Action::Rewrite("SET EXPRESSION")
    } else {
        cursor.accept_any(&["set", "add", "drop", "restart", "options"])?;
        Action::Instant(Mode::AccessExclusive)
    })
}
