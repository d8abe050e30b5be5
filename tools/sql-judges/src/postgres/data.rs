//! Statements that write rows, wherever they stand: alone, in a `WITH`, below `EXPLAIN ANALYZE`, in `COPY`.

use pg_query::NodeEnum;
use pg_query::protobuf::{CopyStmt, ExplainStmt, InsertStmt, Node, OnConflictAction, SelectStmt, WithClause};

use super::{only, relation};
use crate::facts::{Fact, Facts, Flag, Kind, Object, ObjectKind};

pub(super) fn read(node: &NodeEnum, facts: &mut Facts) -> bool {
    facts.kind = match node {
        NodeEnum::SelectStmt(_) => Kind::Select,
        NodeEnum::InsertStmt(_) => Kind::Insert,
        NodeEnum::UpdateStmt(_) => Kind::Update,
        NodeEnum::DeleteStmt(_) => Kind::Delete,
        NodeEnum::MergeStmt(_) => Kind::Merge,
        NodeEnum::CopyStmt(_) => Kind::Copy,
        NodeEnum::ExplainStmt(_) => Kind::Explain,
        NodeEnum::TruncateStmt(_) => Kind::Truncate,
        _ => return false,
    };
    writes(node, facts);
    true
}

/// Adds the rows that a query writes or removes.
pub(super) fn writes(node: &NodeEnum, facts: &mut Facts) {
    match node {
        NodeEnum::SelectStmt(query) => select(query, facts),
        NodeEnum::InsertStmt(statement) => insert(statement, facts),
        NodeEnum::UpdateStmt(statement) => {
            with(statement.with_clause.as_ref(), facts);
            only(statement.relation.as_ref(), facts);
            facts.add(Fact::Updates {
                table: relation(statement.relation.as_ref()),
                is_limited: statement.where_clause.is_some(),
            });
        }
        NodeEnum::DeleteStmt(statement) => {
            with(statement.with_clause.as_ref(), facts);
            only(statement.relation.as_ref(), facts);
            facts.add(Fact::Deletes {
                table: relation(statement.relation.as_ref()),
                is_limited: statement.where_clause.is_some(),
            });
        }
        NodeEnum::MergeStmt(statement) => {
            with(statement.with_clause.as_ref(), facts);
            facts.add(Fact::Merges {
                table: relation(statement.relation.as_ref()),
            });
        }
        NodeEnum::TruncateStmt(statement) => {
            for node in &statement.relations {
                if let Some(NodeEnum::RangeVar(table)) = &node.node {
                    only(Some(table), facts);
                    facts.add(Fact::Empties {
                        table: relation(Some(table)),
                    });
                }
            }
            facts.flag(Flag::Cascade, super::drop::is_cascade(statement.behavior));
        }
        NodeEnum::CopyStmt(statement) => copy(statement, facts),
        NodeEnum::ExplainStmt(statement) => explain(statement, facts),
        _ => {}
    }
}

/// Adds what a query writes that stands inside of another statement; there the grammar takes an `INTO`, and the server
/// refuses it.
pub(super) fn query(node: Option<&Node>, facts: &mut Facts) {
    match node.and_then(|query| query.node.as_ref()) {
        Some(NodeEnum::SelectStmt(query)) => {
            let mut found = Facts::new(facts.kind);
            select(query, &mut found);
            let is_kept = |fact: &Fact| !matches!(fact, Fact::Makes(_));
            facts.facts.extend(found.facts.into_iter().filter(is_kept));
        }
        Some(node) => writes(node, facts),
        None => {}
    }
}

fn select(query: &SelectStmt, facts: &mut Facts) {
    with(query.with_clause.as_ref(), facts);
    if let Some(into) = &query.into_clause {
        let name = relation(into.rel.as_ref());
        facts.flag(Flag::Temporary, super::is_temporary(into.rel.as_ref()));
        facts.add(Fact::Makes(Object {
            kind: ObjectKind::Table,
            name,
        }));
    }
    for side in [&query.larg, &query.rarg].into_iter().flatten() {
        select(side, facts);
    }
}

fn insert(statement: &InsertStmt, facts: &mut Facts) {
    // The server refuses an `INTO` in its query, and a `WITH` that writes.
    with(statement.with_clause.as_ref(), facts);
    let table = relation(statement.relation.as_ref());
    let conflict = statement.on_conflict_clause.as_ref();
    if conflict.is_some_and(|it| it.action() == OnConflictAction::OnconflictUpdate) {
        facts.add(Fact::Updates {
            table: table.clone(),
            is_limited: true,
        });
    }
    facts.add(Fact::Inserts { table });
}

fn copy(statement: &CopyStmt, facts: &mut Facts) {
    query(statement.query.as_deref(), facts);
    if statement.is_from {
        facts.add(Fact::Inserts {
            table: relation(statement.relation.as_ref()),
        });
    }
}

/// `EXPLAIN` runs what it explains only with `ANALYZE`.
fn explain(statement: &ExplainStmt, facts: &mut Facts) {
    let is_run = statement.options.iter().any(|option| match &option.node {
        Some(NodeEnum::DefElem(option)) if option.defname == "analyze" => {
            match option.arg.as_ref().and_then(|argument| argument.node.as_ref()) {
                None => true,
                Some(NodeEnum::Boolean(value)) => value.boolval,
                Some(NodeEnum::Integer(value)) => value.ival != 0,
                Some(NodeEnum::String(value)) => !matches!(value.sval.as_str(), "false" | "off"),
                Some(_) => true,
            }
        }
        _ => false,
    });
    if is_run && let Some(node) = statement.query.as_ref().and_then(|query| query.node.as_ref()) {
        let kind = facts.kind;
        super::statement(node, facts);
        facts.kind = kind;
    }
}

fn with(clause: Option<&WithClause>, facts: &mut Facts) {
    for node in clause.into_iter().flat_map(|clause| &clause.ctes) {
        if let Some(NodeEnum::CommonTableExpr(expression)) = &node.node {
            query(expression.ctequery.as_deref(), facts);
        }
    }
}
