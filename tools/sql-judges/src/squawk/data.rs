//! Statements that write rows, wherever they stand: alone, in a `WITH`, below `EXPLAIN ANALYZE`, in `COPY`, in a block.

use squawk_syntax::ast::{AstNode, Do, normalize_name_node};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::{child, has_token, is_relation, path};
use crate::facts::{Fact, Facts, Flag, Kind, Object, ObjectKind};

pub(super) fn read(node: &SyntaxNode, facts: &mut Facts) -> bool {
    facts.kind = match node.kind() {
        SyntaxKind::INSERT => Kind::Insert,
        SyntaxKind::UPDATE => Kind::Update,
        SyntaxKind::DELETE => Kind::Delete,
        SyntaxKind::MERGE => Kind::Merge,
        SyntaxKind::TRUNCATE => Kind::Truncate,
        SyntaxKind::COPY => Kind::Copy,
        SyntaxKind::EXPLAIN => Kind::Explain,
        SyntaxKind::SELECT
        | SyntaxKind::SELECT_INTO
        | SyntaxKind::COMPOUND_SELECT
        | SyntaxKind::PAREN_SELECT
        | SyntaxKind::VALUES
        | SyntaxKind::TABLE => Kind::Select,
        _ => return false,
    };
    writes(node, facts);
    true
}

/// Adds the rows that a query writes or removes; what is no query has none.
pub(super) fn writes(node: &SyntaxNode, facts: &mut Facts) {
    if let Some(clause) = child(node, SyntaxKind::WITH_CLAUSE) {
        let tables = clause.children().filter(|it| it.kind() == SyntaxKind::WITH_TABLE);
        tables
            .flat_map(|table| table.children())
            .for_each(|query| writes(&query, facts));
    }
    let target = || {
        let named = node.children().find(|it| is_relation(it) || is_reference(it));
        named.map_or_else(String::new, |it| path(&it))
    };
    let is_limited = child(node, SyntaxKind::WHERE_CLAUSE).is_some()
        || child(node, SyntaxKind::WHERE_CURRENT_OF).is_some();
    if matches!(
        node.kind(),
        SyntaxKind::UPDATE | SyntaxKind::DELETE | SyntaxKind::TRUNCATE
    ) {
        let is_only = |it: SyntaxNode| is_relation(&it) && has_token(&it, SyntaxKind::ONLY_KW);
        let tables = child(node, SyntaxKind::TABLE_LIST).unwrap_or_else(|| node.clone());
        facts.flag(Flag::Only, tables.children().any(is_only));
    }
    match node.kind() {
        SyntaxKind::UPDATE => facts.add(Fact::Updates {
            table: target(),
            is_limited,
        }),
        SyntaxKind::DELETE => facts.add(Fact::Deletes {
            table: target(),
            is_limited,
        }),
        SyntaxKind::MERGE => facts.add(Fact::Merges { table: target() }),
        SyntaxKind::INSERT => {
            node.children().for_each(|query| writes(&query, facts));
            let conflict = child(node, SyntaxKind::ON_CONFLICT_CLAUSE);
            if conflict.is_some_and(|it| child(&it, SyntaxKind::CONFLICT_DO_UPDATE_SET).is_some()) {
                facts.add(Fact::Updates {
                    table: target(),
                    is_limited: true,
                });
            }
            facts.add(Fact::Inserts { table: target() });
        }
        SyntaxKind::TRUNCATE => {
            facts.flag(Flag::Cascade, child(node, SyntaxKind::CASCADE).is_some());
            let tables = child(node, SyntaxKind::TABLE_LIST).unwrap_or_else(|| node.clone());
            for table in tables.children().filter(is_relation) {
                facts.add(Fact::Empties { table: path(&table) });
            }
        }
        SyntaxKind::SELECT_INTO => into(node, facts),
        SyntaxKind::COMPOUND_SELECT | SyntaxKind::PAREN_SELECT => {
            node.children().for_each(|query| writes(&query, facts));
        }
        SyntaxKind::COPY => copy(node, facts),
        SyntaxKind::EXPLAIN => explain(node, facts),
        _ => {}
    }
}

fn is_reference(node: &SyntaxNode) -> bool {
    matches!(
        node.kind(),
        SyntaxKind::RELATION_NAME_REF | SyntaxKind::TABLE_NAME_REF
    )
}

fn into(node: &SyntaxNode, facts: &mut Facts) {
    if let Some(into) = child(node, SyntaxKind::INTO_CLAUSE) {
        facts.flag(Flag::Temporary, child(&into, SyntaxKind::TEMP).is_some());
        facts.add(Fact::Makes(Object {
            kind: ObjectKind::Table,
            name: path(&into),
        }));
    }
}

fn copy(node: &SyntaxNode, facts: &mut Facts) {
    if let Some(query) = child(node, SyntaxKind::COPY_QUERY) {
        query.children().for_each(|query| writes(&query, facts));
    }
    if let Some(table) = child(node, SyntaxKind::COPY_TABLE)
        && child(node, SyntaxKind::COPY_FROM).is_some()
    {
        facts.add(Fact::Inserts { table: path(&table) });
    }
}

fn explain(node: &SyntaxNode, facts: &mut Facts) {
    let options = child(node, SyntaxKind::EXPLAIN_OPTION_LIST);
    let is_chosen = options.iter().flat_map(SyntaxNode::children).any(|option| {
        let name = child(&option, SyntaxKind::EXPLAIN_OPTION_NAME).map(|it| normalize_name_node(&it));
        let value = child(&option, SyntaxKind::EXPLAIN_OPTION_VALUE).map(|it| it.text().to_string());
        let is_off = value.is_some_and(|value| {
            ["false", "off", "0"].contains(&value.trim_matches(['\'', '"']).to_lowercase().as_str())
        });
        name.is_some_and(|name| name == "analyze") && !is_off
    });
    if is_chosen || child(node, SyntaxKind::EXPLAIN_ANALYZE).is_some() {
        for inner in node.children() {
            super::statement(&inner, facts);
        }
    }
    facts.kind = Kind::Explain;
}

/// Returns whether squawk reported no error in a block of PL/pgSQL; it keeps those apart from the errors of the text.
pub(super) fn are_blocks_understood(root: &SyntaxNode) -> bool {
    let blocks = root.children().filter_map(Do::cast);
    blocks
        .filter_map(|block| block.plpgsql())
        .all(|body| body.errors().is_empty())
}

/// Adds what the SQL in a block of PL/pgSQL does.
pub(super) fn block(node: &SyntaxNode, facts: &mut Facts) {
    let Some(body) = Do::cast(node.clone()).and_then(|block| block.plpgsql()) else {
        return;
    };
    for part in body.syntax().descendants() {
        match part.kind() {
            SyntaxKind::PLPGSQL_EXEC_SQL_STMT
            | SyntaxKind::PLPGSQL_FOR_QUERY_STMT
            | SyntaxKind::PLPGSQL_RETURN_QUERY_STMT => {
                for inner in part.children() {
                    statement_in_block(&inner, facts);
                }
            }
            SyntaxKind::PLPGSQL_DYN_EXECUTE_STMT | SyntaxKind::PLPGSQL_FOR_DYN_STMT => {
                facts.add(Fact::RunsDynamicSql);
            }
            SyntaxKind::PLPGSQL_COMMIT_STMT | SyntaxKind::PLPGSQL_ROLLBACK_STMT => {
                facts.add(Fact::ControlsTransaction);
            }
            _ => {}
        }
    }
}

fn statement_in_block(node: &SyntaxNode, facts: &mut Facts) {
    // `SELECT ... INTO` fills a variable there.
    if node.kind() == SyntaxKind::SELECT_INTO {
        return;
    }
    let mut inner = Facts::new(Kind::Other);
    super::statement(node, &mut inner);
    let lasting = inner
        .facts
        .into_iter()
        .filter(|fact| !matches!(fact, Fact::Flag(flag) if *flag != Flag::Cascade));
    facts.facts.extend(lasting);
}
