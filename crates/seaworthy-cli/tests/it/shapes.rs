//! The JSON shape of the verbs that run, plan and declare: these snapshots are its specification. Lists are in `listings`.

use insta::assert_json_snapshot;
use serde_json::Value;

use crate::terminal::{FORK, Terminal};

/// Replaces what differs each time: names of runs, times, durations, users and machines.
pub(crate) fn steady(mut value: Value) -> Value {
    replace(&mut value);
    value
}

fn replace(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(replace),
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                let placeholder = match name.as_str() {
                    "run" | "started_at" | "finished_at" | "applied_at" | "user" | "host" | "by"
                    | "tool_version" | "checksum" | "duration_ms" => Some(format!("<{name}>")),
                    _ => None,
                };
                match placeholder {
                    Some(text) if !field.is_null() => *field = Value::String(text),
                    _ => replace(field),
                }
            }
        }
        _ => {}
    }
}

#[test]
fn upgrade() {
    let terminal = Terminal::with(FORK);
    assert_json_snapshot!(steady(terminal.json("upgrade root02")), @r#"
    {
      "changed": [],
      "done_elsewhere": false,
      "heads": [
        "root02"
      ],
      "notes": [],
      "report": {
        "kind": "upgrade",
        "run": "<run>",
        "steps": [
          {
            "attempts": 1,
            "direction": "up",
            "duration_ms": "<duration_ms>",
            "message": "begin",
            "name": "base01",
            "outcome": "done",
            "revises": [],
            "revision": "base01"
          },
          {
            "attempts": 1,
            "direction": "up",
            "duration_ms": "<duration_ms>",
            "message": "go on",
            "name": "root02",
            "outcome": "done",
            "revises": [
              "base01"
            ],
            "revision": "root02"
          }
        ]
      }
    }
    "#);
    assert_json_snapshot!(steady(terminal.json("upgrade root02")), @r#"
    {
      "changed": [],
      "done_elsewhere": false,
      "heads": [
        "root02"
      ],
      "notes": [
        "nothing to do: root02 is already applied"
      ],
      "report": null
    }
    "#);
}

#[test]
fn downgrade() {
    let terminal = Terminal::with(FORK);
    terminal.run("upgrade root02");
    assert_json_snapshot!(steady(terminal.json("downgrade -1")), @r#"
    {
      "changed": [],
      "done_elsewhere": false,
      "heads": [
        "base01"
      ],
      "notes": [],
      "report": {
        "kind": "downgrade",
        "run": "<run>",
        "steps": [
          {
            "attempts": 1,
            "direction": "down",
            "duration_ms": "<duration_ms>",
            "message": "go on",
            "name": "root02",
            "outcome": "done",
            "revises": [
              "base01"
            ],
            "revision": "root02"
          }
        ]
      }
    }
    "#);
}

#[test]
fn stamp() {
    let terminal = Terminal::with(FORK);
    assert_json_snapshot!(terminal.json("stamp root02"), @r#"
    {
      "added": [
        "base01",
        "root02"
      ],
      "heads": [
        "root02"
      ],
      "removed": []
    }
    "#);
}

#[test]
fn plan() {
    let terminal = Terminal::with(FORK);
    terminal.run("upgrade base01");
    assert_json_snapshot!(steady(terminal.json("plan root02")), @r#"
    {
      "changed": [],
      "current": [
        "base01"
      ],
      "database": "sqlite://graph.db",
      "in_use": [],
      "notes": [],
      "out_of_order": [],
      "pending": [
        "root02",
        "nets03",
        "shop03"
      ],
      "steps": [
        {
          "created": null,
          "depends_on": [],
          "direction": "up",
          "incomplete": null,
          "message": "go on",
          "name": "root02",
          "phase": null,
          "reads": [],
          "revises": [
            "base01"
          ],
          "revision": "root02",
          "stage": "expand",
          "statements": [],
          "transaction": true
        }
      ],
      "target": "root02",
      "unfinished": [],
      "unknown": []
    }
    "#);
}

#[test]
fn status() {
    let terminal = Terminal::with(FORK);
    terminal.run("upgrade base01");
    assert_json_snapshot!(steady(terminal.json("status")), @r#"
    {
      "alive": [],
      "applied": 1,
      "changed": [],
      "current": [
        {
          "created": null,
          "depends_on": [],
          "message": "begin",
          "name": "base01",
          "phase": null,
          "revises": [],
          "revision": "base01",
          "stage": "expand"
        }
      ],
      "database": "sqlite://graph.db",
      "last_run": {
        "by": "<by>",
        "error": null,
        "kind": "upgrade",
        "outcome": "done",
        "revision": "base01",
        "run": "<run>",
        "started_at": "<started_at>",
        "steps": 1
      },
      "out_of_order": [],
      "pending": [
        {
          "created": null,
          "depends_on": [],
          "message": "go on",
          "name": "root02",
          "phase": null,
          "revises": [
            "base01"
          ],
          "revision": "root02",
          "stage": "expand"
        },
        {
          "created": null,
          "depends_on": [],
          "message": "connect",
          "name": "nets03",
          "phase": null,
          "revises": [
            "root02"
          ],
          "revision": "nets03",
          "stage": "expand"
        },
        {
          "created": null,
          "depends_on": [],
          "message": "sell",
          "name": "shop03",
          "phase": null,
          "revises": [
            "root02"
          ],
          "revision": "shop03",
          "stage": "expand"
        }
      ],
      "unfinished": [],
      "unknown": []
    }
    "#);
}

#[test]
fn script() {
    let terminal = Terminal::with(FORK);
    let mut answer = terminal.json("upgrade base01:root02 --sql");
    assert!(
        answer["sql"]
            .as_str()
            .unwrap()
            .contains("-- Running upgrade base01 -> root02, go on")
    );
    answer["sql"] = "<sql>".into();
    assert_json_snapshot!(answer, @r#"
    {
      "notes": [],
      "revisions": [
        "root02"
      ],
      "sql": "<sql>"
    }
    "#);
}

#[test]
fn error() {
    let terminal = Terminal::with(FORK);
    let answer = terminal.run("upgrade head --output json");
    assert_eq!(answer.out, "");
    let error: Value = serde_json::from_str(&answer.err).unwrap();
    assert_json_snapshot!(error, @r#"
    {
      "error": {
        "causes": [],
        "exit_code": 1,
        "hint": "name one of them, narrow it with <branch>@head, take all with heads, or merge them",
        "kind": "multiple_heads",
        "message": "'head' could be any of 2 heads: shop03, nets03",
        "report": null
      }
    }
    "#);
}
