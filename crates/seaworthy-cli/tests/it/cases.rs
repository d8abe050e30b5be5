//! The observed cases of the revision graph once more, through the whole command line and a real database.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::terminal::Terminal;

const CASES: &str = include_str!("../../../seaworthy/tests/it/fixtures/revision_graph.json");

#[test]
fn the_command_line_does_what_the_graph_says() {
    let fixture: Value = serde_json::from_str(CASES).unwrap();
    let mut run = 0;
    let mut failures = Vec::new();
    for case in fixture["cases"].as_array().unwrap() {
        let verb = case["verb"].as_str().unwrap();
        if !matches!(verb, "upgrade" | "downgrade" | "stamp") || case.get("purge").is_some() {
            continue;
        }
        if case["expect"].get("not_of_the_graph").is_some() {
            continue;
        }
        let terminal = Terminal::with(&graph(&fixture["graphs"][case["graph"].as_str().unwrap()]));
        let Some(outcome) = outcome(&terminal, case, verb) else {
            continue;
        };
        run += 1;
        let expected = expected(case);
        if outcome != expected {
            failures.push(format!("{}: expected {expected}, got {outcome}", case["name"]));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(run > 40, "only {run} cases were run");
}

/// What the case expects of a process: the kind of an error, or where the database stands.
fn expected(case: &Value) -> Value {
    match case["expect"].get("kind") {
        Some(kind) => json!({ "kind": kind }),
        None => {
            let each = case["expect"].get("heads_each").and_then(Value::as_array);
            let heads = case["expect"]
                .get("heads")
                .or_else(|| each.and_then(|each| each.last()))
                .unwrap_or(&case["stored"]);
            json!({ "heads": sorted(heads) })
        }
    }
}

/// Brings the database to where the case begins and runs its verb; nothing when it cannot begin there.
fn outcome(terminal: &Terminal, case: &Value, verb: &str) -> Option<Value> {
    let stored: Vec<&str> = case["stored"]
        .as_array()?
        .iter()
        .filter_map(Value::as_str)
        .collect();
    if !stored.is_empty() {
        let mut words = vec!["stamp"];
        words.extend(&stored);
        if terminal.run_words(&words).code != 0 {
            return None;
        }
    }
    let arguments: Vec<&str> = case["arguments"]
        .as_array()?
        .iter()
        .filter_map(Value::as_str)
        .collect();
    // Ranges are for scripts, which leave the database alone.
    if arguments.iter().any(|argument| argument.contains(':')) {
        return None;
    }
    let mut words = vec![verb];
    words.extend(&arguments);
    words.extend(["--yes", "--output", "json"]);
    let answer = terminal.run_words(&words);
    if answer.code != 0 {
        let error: Value = serde_json::from_str(&answer.err).unwrap();
        return Some(json!({ "kind": error["error"]["kind"] }));
    }
    let status = terminal.json("status");
    let heads: Vec<&Value> = status["current"]
        .as_array()?
        .iter()
        .map(|line| &line["revision"])
        .collect();
    Some(json!({ "heads": sorted(&json!(heads)) }))
}

fn sorted(ids: &Value) -> Vec<String> {
    let mut ids: Vec<String> = ids
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

/// The fixture's graph in the words of the example.
fn graph(rows: &Value) -> String {
    let empty = json!([]);
    let field = |row: &Value, name: &str| row.get(name).unwrap_or(&empty).clone();
    let rows: Vec<BTreeMap<&str, Value>> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            BTreeMap::from([
                ("id", row["id"].clone()),
                ("down", field(row, "parents")),
                ("labels", field(row, "labels")),
                ("depends_on", field(row, "needs")),
            ])
        })
        .collect();
    json!({ "revisions": rows }).to_string()
}
