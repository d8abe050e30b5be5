//! The JSON shape of the verbs that list revisions: these snapshots are its specification.

use insta::assert_json_snapshot;

use crate::shapes::steady;
use crate::terminal::{FORK, Terminal};

#[test]
fn current() {
    let terminal = Terminal::with(FORK);
    terminal.run("upgrade root02");
    assert_json_snapshot!(terminal.json("current"), @r#"
    {
      "is_at_heads": false,
      "revisions": [
        {
          "created": null,
          "depends_on": [],
          "is_branch_point": true,
          "is_current": true,
          "is_effective_head": false,
          "is_head": false,
          "is_merge_point": false,
          "labels": [],
          "message": "go on",
          "name": "root02",
          "phase": null,
          "revises": [
            "base01"
          ],
          "revision": "root02",
          "stage": "expand"
        }
      ],
      "unknown": []
    }
    "#);
}

#[test]
fn history() {
    let terminal = Terminal::with(FORK);
    assert_json_snapshot!(terminal.json("history -r shop@base:shop03"), @r#"
    [
      {
        "created": null,
        "depends_on": [],
        "is_branch_point": false,
        "is_current": false,
        "is_effective_head": false,
        "is_head": true,
        "is_merge_point": false,
        "labels": [
          "shop"
        ],
        "message": "sell",
        "name": "shop03",
        "phase": null,
        "revises": [
          "root02"
        ],
        "revision": "shop03",
        "stage": "expand"
      },
      {
        "created": null,
        "depends_on": [],
        "is_branch_point": true,
        "is_current": false,
        "is_effective_head": false,
        "is_head": false,
        "is_merge_point": false,
        "labels": [],
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
        "is_branch_point": false,
        "is_current": false,
        "is_effective_head": false,
        "is_head": false,
        "is_merge_point": false,
        "labels": [],
        "message": "begin",
        "name": "base01",
        "phase": null,
        "revises": [],
        "revision": "base01",
        "stage": "expand"
      }
    ]
    "#);
}

#[test]
fn history_applied() {
    let terminal = Terminal::with(FORK);
    terminal.run("upgrade base01");
    assert_json_snapshot!(steady(terminal.json("history --applied")), @r#"
    [
      {
        "checksum": "<checksum>",
        "direction": "up",
        "duration_ms": "<duration_ms>",
        "error": null,
        "finished_at": "<finished_at>",
        "host": "<host>",
        "id": 1,
        "kind": "upgrade",
        "name": "base01",
        "outcome": "done",
        "parts_done": null,
        "revision": "base01",
        "run": "<run>",
        "stage": "expand",
        "started_at": "<started_at>",
        "tool_version": "<tool_version>",
        "user": "<user>"
      }
    ]
    "#);
}

#[test]
fn heads() {
    let terminal = Terminal::with(FORK);
    assert_json_snapshot!(terminal.json("heads"), @r#"
    [
      {
        "created": null,
        "depends_on": [],
        "is_branch_point": false,
        "is_current": false,
        "is_effective_head": false,
        "is_head": true,
        "is_merge_point": false,
        "labels": [
          "shop"
        ],
        "message": "sell",
        "name": "shop03",
        "phase": null,
        "revises": [
          "root02"
        ],
        "revision": "shop03",
        "stage": "expand"
      },
      {
        "created": null,
        "depends_on": [],
        "is_branch_point": false,
        "is_current": false,
        "is_effective_head": false,
        "is_head": true,
        "is_merge_point": false,
        "labels": [
          "net"
        ],
        "message": "connect",
        "name": "nets03",
        "phase": null,
        "revises": [
          "root02"
        ],
        "revision": "nets03",
        "stage": "expand"
      }
    ]
    "#);
}

#[test]
fn branches() {
    let terminal = Terminal::with(FORK);
    assert_json_snapshot!(terminal.json("branches"), @r#"
    [
      {
        "branches": [
          "shop03",
          "nets03"
        ],
        "created": null,
        "depends_on": [],
        "is_branch_point": true,
        "is_current": false,
        "is_effective_head": false,
        "is_head": false,
        "is_merge_point": false,
        "labels": [],
        "message": "go on",
        "name": "root02",
        "phase": null,
        "revises": [
          "base01"
        ],
        "revision": "root02",
        "stage": "expand"
      }
    ]
    "#);
}

#[test]
fn show() {
    let terminal = Terminal::with(FORK);
    terminal.run("upgrade base01");
    assert_json_snapshot!(steady(terminal.json("show base01")), @r#"
    [
      {
        "created": null,
        "depends_on": [],
        "down": [],
        "history": [
          {
            "checksum": "<checksum>",
            "direction": "up",
            "duration_ms": "<duration_ms>",
            "error": null,
            "finished_at": "<finished_at>",
            "host": "<host>",
            "id": 1,
            "kind": "upgrade",
            "name": "base01",
            "outcome": "done",
            "parts_done": null,
            "revision": "base01",
            "run": "<run>",
            "stage": "expand",
            "started_at": "<started_at>",
            "tool_version": "<tool_version>",
            "user": "<user>"
          }
        ],
        "is_applied": true,
        "is_branch_point": false,
        "is_current": true,
        "is_effective_head": false,
        "is_head": false,
        "is_merge_point": false,
        "labels": [],
        "message": "begin",
        "name": "base01",
        "phase": null,
        "revises": [],
        "revision": "base01",
        "stage": "expand",
        "up": []
      }
    ]
    "#);
}
