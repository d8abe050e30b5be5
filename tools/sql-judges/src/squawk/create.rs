//! `CREATE ...`

use squawk_syntax::{SyntaxKind, SyntaxNode, ast::normalize_name_node};

use super::{child, data, has_token, is_name, is_relation, name_on_table, note, path};
use crate::facts::{ConstraintKind, Fact, Facts, Flag, Kind, Object, ObjectKind};

pub(super) fn read(node: &SyntaxNode, kind: ObjectKind, facts: &mut Facts) {
    facts.flag(Flag::OrReplace, child(node, SyntaxKind::OR_REPLACE).is_some());
    facts.flag(
        Flag::IfNotExists,
        child(node, SyntaxKind::IF_NOT_EXISTS).is_some(),
    );
    facts.flag(Flag::Temporary, child(node, SyntaxKind::TEMP).is_some());
    facts.flag(Flag::Concurrently, has_token(node, SyntaxKind::CONCURRENTLY_KW));
    let name = name_on_table(node).unwrap_or_else(|| match kind {
        ObjectKind::Schema => schema(node),
        ObjectKind::Index => child(node, SyntaxKind::INDEX).map_or_else(String::new, |it| path(&it)),
        _ => node
            .children()
            .find(is_name)
            .map_or_else(String::new, |it| path(&it)),
    });
    match kind {
        ObjectKind::Table | ObjectKind::MaterializedView => {
            table(node, &name, facts);
            node.children().for_each(|inner| data::writes(&inner, facts));
        }
        ObjectKind::Index => {
            facts.flag(Flag::Unique, has_token(node, SyntaxKind::UNIQUE_KW));
            if let Some(table) = node.children().find(is_relation) {
                facts.flag(Flag::Only, has_token(&table, SyntaxKind::ONLY_KW));
                facts.add(Fact::Alters(Object {
                    kind: ObjectKind::Table,
                    name: path(&table),
                }));
            }
        }
        ObjectKind::Schema => {
            for element in node.children() {
                super::statement(&element, facts);
            }
        }
        _ => {}
    }
    facts.kind = Kind::Create(kind);
    note(kind, name, Fact::Makes, facts);
}

/// A schema that is named by its owner alone has no name in the text.
fn schema(node: &SyntaxNode) -> String {
    let named = node.descendants().find(|it| it.kind() == SyntaxKind::SCHEMA);
    named.map_or_else(String::new, |named| path(&named))
}

fn table(node: &SyntaxNode, name: &str, facts: &mut Facts) {
    if let Some(parent) = child(node, SyntaxKind::PARTITION_OF) {
        facts.add(Fact::AttachesPartition {
            table: path(&parent),
            partition: name.to_owned(),
        });
    }
    let arguments = child(node, SyntaxKind::TABLE_ARG_LIST);
    for argument in arguments.iter().flat_map(SyntaxNode::children) {
        if argument.kind() != SyntaxKind::COLUMN {
            constraint(name, None, &argument, facts);
            continue;
        }
        let column = child(&argument, SyntaxKind::COLUMN_NAME);
        let column = column.map_or_else(String::new, |column| normalize_name_node(&column));
        facts.add(Fact::AddsColumn {
            table: name.to_owned(),
            column: column.clone(),
        });
        for found in argument.children() {
            constraint(name, Some(&column), &found, facts);
        }
    }
}

pub(super) fn constraint(table: &str, column: Option<&str>, node: &SyntaxNode, facts: &mut Facts) {
    let table = table.to_owned();
    let own = || child(node, SyntaxKind::COLUMN_NAME_REF).map(|it| normalize_name_node(&it));
    let column = column.map(str::to_owned);
    let kind = match node.kind() {
        SyntaxKind::NOT_NULL_CONSTRAINT => {
            if let Some(column) = column.or_else(own) {
                facts.add(Fact::DemandsValue { table, column });
            }
            facts.flag(Flag::NotValid, child(node, SyntaxKind::NOT_VALID).is_some());
            return;
        }
        SyntaxKind::DEFAULT_CONSTRAINT => {
            if let Some(column) = column {
                facts.add(Fact::SetsDefault { table, column });
            }
            return;
        }
        SyntaxKind::PRIMARY_KEY_CONSTRAINT => ConstraintKind::PrimaryKey,
        SyntaxKind::UNIQUE_CONSTRAINT => ConstraintKind::Unique,
        SyntaxKind::FOREIGN_KEY_CONSTRAINT | SyntaxKind::REFERENCES_CONSTRAINT => ConstraintKind::ForeignKey,
        SyntaxKind::CHECK_CONSTRAINT => ConstraintKind::Check,
        SyntaxKind::EXCLUDE_CONSTRAINT => ConstraintKind::Exclusion,
        _ => return,
    };
    facts.flag(Flag::NotValid, child(node, SyntaxKind::NOT_VALID).is_some());
    let references = child(node, SyntaxKind::TABLE_NAME_REF).map(|other| path(&other));
    facts.add(Fact::AddsConstraint {
        table,
        kind,
        references,
    });
}
