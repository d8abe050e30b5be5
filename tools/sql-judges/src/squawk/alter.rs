//! `ALTER ...`

use squawk_syntax::{SyntaxKind, SyntaxNode, ast::normalize_name_node};

use super::{child, create, ends_with, has_token, is_name, is_relation, name_on_table, note, path};
use crate::facts::{Fact, Facts, Flag, Kind, Object, ObjectKind};

pub(super) fn read(node: &SyntaxNode, kind: ObjectKind, facts: &mut Facts) {
    facts.kind = Kind::Alter(kind);
    facts.flag(Flag::IfExists, child(node, SyntaxKind::IF_EXISTS).is_some());
    let named = node.children().find(is_name);
    if let Some(relation) = named.as_ref().filter(|it| is_relation(it)) {
        facts.flag(Flag::Only, has_token(relation, SyntaxKind::ONLY_KW));
    }
    let name = name_on_table(node)
        .or_else(|| named.as_ref().map(path))
        .unwrap_or_default();
    let actions = node.children().filter(|it| Some(it) != named.as_ref());
    for part in actions {
        if part.kind() == SyntaxKind::ALTER_TYPE_ATTRIBUTE_ACTION_LIST {
            part.children()
                .for_each(|inner| action(kind, &name, &inner, facts));
        } else {
            action(kind, &name, &part, facts);
        }
    }
    note(kind, name, Fact::Alters, facts);
}

fn action(kind: ObjectKind, name: &str, node: &SyntaxNode, facts: &mut Facts) {
    let table = name.to_owned();
    let own = |kind| child(node, kind).map_or_else(String::new, |it| path(&it));
    if ends_with(node, "_RENAME_TO") {
        let to = node.first_child().map_or_else(String::new, |it| path(&it));
        return note(kind, table, |object| Fact::Renames { object, to }, facts);
    }
    match node.kind() {
        SyntaxKind::SET_SCHEMA => {
            let schema = own(SyntaxKind::SCHEMA_REF);
            note(
                kind,
                table,
                |object: Object| Fact::Moves { object, schema },
                facts,
            );
        }
        SyntaxKind::RENAME_COLUMN => facts.add(Fact::RenamesColumn {
            table,
            column: column(node),
            to: leaf(node, SyntaxKind::COLUMN_NAME),
        }),
        SyntaxKind::RENAME_ATTRIBUTE => {
            facts.flag(Flag::Cascade, child(node, SyntaxKind::CASCADE).is_some());
            facts.add(Fact::RenamesColumn {
                table,
                column: leaf(node, SyntaxKind::COMPOSITE_FIELD_REF),
                to: leaf(node, SyntaxKind::COMPOSITE_FIELD),
            });
        }
        SyntaxKind::ADD_COLUMN => {
            facts.flag(
                Flag::IfNotExists,
                child(node, SyntaxKind::IF_NOT_EXISTS).is_some(),
            );
            let column = leaf(node, SyntaxKind::COLUMN_NAME);
            for found in node.children() {
                create::constraint(name, Some(&column), &found, facts);
            }
            facts.add(Fact::AddsColumn { table, column });
        }
        SyntaxKind::ADD_ATTRIBUTE => facts.add(Fact::AddsColumn {
            table,
            column: leaf(node, SyntaxKind::COMPOSITE_FIELD),
        }),
        SyntaxKind::ADD_VALUE => {
            facts.flag(
                Flag::IfNotExists,
                child(node, SyntaxKind::IF_NOT_EXISTS).is_some(),
            );
        }
        SyntaxKind::DROP_COLUMN | SyntaxKind::DROP_ATTRIBUTE => {
            manner(node, facts);
            facts.add(Fact::DropsColumn {
                table,
                column: column(node),
            });
        }
        SyntaxKind::ALTER_ATTRIBUTE => facts.add(Fact::RetypesColumn {
            table,
            column: column(node),
        }),
        SyntaxKind::ALTER_COLUMN | SyntaxKind::ALTER_VIEW_COLUMN => {
            let column = column(node);
            node.children()
                .for_each(|option| value(name, &column, &option, facts));
        }
        _ => constraint_or_partition(kind, name, node, facts),
    }
}

fn constraint_or_partition(kind: ObjectKind, name: &str, node: &SyntaxNode, facts: &mut Facts) {
    let table = name.to_owned();
    let own = |kind| child(node, kind).map_or_else(String::new, |it| path(&it));
    match node.kind() {
        SyntaxKind::ADD_CONSTRAINT => {
            let of = (kind == ObjectKind::Domain).then_some("value");
            node.children()
                .for_each(|found| create::constraint(name, of, &found, facts));
        }
        SyntaxKind::DROP_CONSTRAINT => {
            manner(node, facts);
            facts.add(Fact::DropsConstraint {
                table,
                name: own(SyntaxKind::CONSTRAINT_NAME_REF),
            });
        }
        SyntaxKind::VALIDATE_CONSTRAINT => facts.add(Fact::ValidatesConstraint {
            table,
            name: own(SyntaxKind::CONSTRAINT_NAME_REF),
        }),
        SyntaxKind::ATTACH_PARTITION => facts.add(Fact::AttachesPartition {
            table,
            partition: own(SyntaxKind::TABLE_NAME_REF),
        }),
        SyntaxKind::ATTACH_INDEX_PARTITION => facts.add(Fact::AttachesPartition {
            table,
            partition: own(SyntaxKind::INDEX_REF),
        }),
        SyntaxKind::DETACH_PARTITION => {
            facts.flag(
                Flag::Concurrently,
                child(node, SyntaxKind::DETACH_CONCURRENTLY).is_some(),
            );
            facts.add(Fact::DetachesPartition {
                table,
                partition: own(SyntaxKind::TABLE_NAME_REF),
            });
        }
        _ => value(name, "value", node, facts),
    }
}

/// Reads what becomes of the values of a column, or of a domain.
fn value(table: &str, column: &str, node: &SyntaxNode, facts: &mut Facts) {
    let (table, column) = (table.to_owned(), column.to_owned());
    match node.kind() {
        SyntaxKind::SET_TYPE => facts.add(Fact::RetypesColumn { table, column }),
        SyntaxKind::SET_NOT_NULL => facts.add(Fact::DemandsValue { table, column }),
        SyntaxKind::DROP_NOT_NULL => facts.add(Fact::AllowsNull { table, column }),
        SyntaxKind::SET_DEFAULT => facts.add(Fact::SetsDefault { table, column }),
        SyntaxKind::DROP_DEFAULT => facts.add(Fact::DropsDefault { table, column }),
        _ => {}
    }
}

fn manner(node: &SyntaxNode, facts: &mut Facts) {
    facts.flag(Flag::IfExists, child(node, SyntaxKind::IF_EXISTS).is_some());
    facts.flag(Flag::Cascade, child(node, SyntaxKind::CASCADE).is_some());
}

fn column(node: &SyntaxNode) -> String {
    match leaf(node, SyntaxKind::COLUMN_NAME_REF) {
        name if name.is_empty() => leaf(node, SyntaxKind::COMPOSITE_FIELD_REF),
        name => name,
    }
}

fn leaf(node: &SyntaxNode, kind: SyntaxKind) -> String {
    child(node, kind).map_or_else(String::new, |it| normalize_name_node(&it))
}
