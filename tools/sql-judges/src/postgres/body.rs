//! The SQL inside of a `DO` block, as the server's own PL/pgSQL parser finds it.

use serde_json::Value;

use crate::facts::{Fact, Facts, Flag};

/// Adds what the SQL of a block does; a block in another language stays closed.
pub(super) fn read(statement: &str, facts: &mut Facts) {
    if let Ok(tree) = pg_query::parse_plpgsql(statement) {
        walk(&tree, facts);
    }
}

fn walk(value: &Value, facts: &mut Facts) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match name.as_str() {
                    "PLpgSQL_stmt_execsql" => query(&member["sqlstmt"], facts),
                    "PLpgSQL_stmt_fors" | "PLpgSQL_stmt_return_query" => query(&member["query"], facts),
                    "PLpgSQL_stmt_dynexecute" | "PLpgSQL_stmt_dynfors" => facts.add(Fact::RunsDynamicSql),
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
    for inner in super::read(text).into_iter().flatten() {
        // A block is not itself concurrent, temporary or conditional because a statement in it is.
        let lasting = inner.facts.into_iter().filter(|fact| !is_manner(fact));
        facts.facts.extend(lasting);
    }
}

fn is_manner(fact: &Fact) -> bool {
    matches!(fact, Fact::Flag(flag) if *flag != Flag::Cascade)
}
