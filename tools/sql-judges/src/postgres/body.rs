//! The SQL inside of a `DO` block, as the server's own PL/pgSQL parser finds it.

use pg_query::NodeEnum;
use pg_query::protobuf::a_const::Val;
use pg_query::protobuf::{Node, RawStmt};
use serde_json::Value;

use crate::facts::{Fact, Facts, Flag};

/// Adds what the SQL of a block or a function does, and returns whether it could be read.
pub(super) fn read(statement: &str, facts: &mut Facts) -> bool {
    let tree = pg_query::parse_plpgsql(statement);
    if let Ok(tree) = &tree {
        walk(tree, facts);
    }
    tree.is_ok()
}

fn walk(value: &Value, facts: &mut Facts) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match name.as_str() {
                    "PLpgSQL_stmt_execsql" => query(&member["sqlstmt"], facts),
                    "PLpgSQL_stmt_fors" => query(&member["query"], facts),
                    "PLpgSQL_stmt_return_query" if member["dynquery"].is_object() => {
                        dynamic(&member["dynquery"], facts);
                    }
                    "PLpgSQL_stmt_return_query" => query(&member["query"], facts),
                    "PLpgSQL_stmt_dynexecute" | "PLpgSQL_stmt_dynfors" => dynamic(&member["query"], facts),
                    "PLpgSQL_stmt_commit" | "PLpgSQL_stmt_rollback" => facts.add(Fact::ControlsTransaction),
                    _ => {}
                }
                walk(member, facts);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, facts)),
        _ => {}
    }
}

fn query(expression: &Value, facts: &mut Facts) {
    let Some(text) = expression["PLpgSQL_expr"]["query"].as_str() else {
        return;
    };
    add_all(text, facts);
}

fn add_all(text: &str, facts: &mut Facts) {
    for inner in super::read(text).into_iter().flatten() {
        // A block is not itself concurrent, temporary or conditional because a statement in it is.
        let lasting = inner.facts.into_iter().filter(|fact| !is_manner(fact));
        facts.facts.extend(lasting);
    }
}

/// Reads the text of an `EXECUTE` where it is one literal, as if it stood in the block.
fn dynamic(expression: &Value, facts: &mut Facts) {
    let literal = expression["PLpgSQL_expr"]["query"]
        .as_str()
        .and_then(|text| pg_query::parse(&format!("SELECT {text}"), 0).ok())
        .and_then(|parsed| literal_of(&parsed.protobuf.stmts));
    let Some(text) = literal else {
        return facts.add(Fact::RunsDynamicSql);
    };
    add_all(&text, facts);
}

/// Returns the text of `SELECT 'text'`.
fn literal_of(statements: &[RawStmt]) -> Option<String> {
    let [RawStmt { stmt: Some(node), .. }] = statements else {
        return None;
    };
    let Some(NodeEnum::SelectStmt(select)) = &node.node else {
        return None;
    };
    let [
        Node {
            node: Some(NodeEnum::ResTarget(target)),
        },
    ] = &select.target_list[..]
    else {
        return None;
    };
    match target.val.as_ref()?.node.as_ref()? {
        NodeEnum::AConst(constant) => match constant.val.as_ref()? {
            Val::Sval(text) => Some(text.sval.clone()),
            _ => None,
        },
        _ => None,
    }
}

fn is_manner(fact: &Fact) -> bool {
    matches!(fact, Fact::Flag(flag) if *flag != Flag::Cascade)
}
