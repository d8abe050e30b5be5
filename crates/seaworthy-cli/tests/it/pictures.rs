//! `graph`, `erd` and `verify` through the whole command line.

use insta::{assert_json_snapshot, assert_snapshot};

use crate::terminal::{FORK, Terminal};

#[test]
fn graph_marks_where_the_database_stands_only_when_asked() {
    let terminal = Terminal::with(FORK);
    assert_snapshot!(terminal.run_without_database("graph").out, @"
    * shop03 (head) (branch shop) sell
    │ * nets03 (head) (branch net) connect
    ├─╯
    * root02 (branchpoint) go on
    * base01 begin
    ");
    terminal.run("upgrade shop03");
    assert_snapshot!(terminal.run("graph -i").out, @"
    @ shop03 (head) (current) (branch shop) sell
    │ * nets03 (head) (pending) (branch net) connect
    ├─╯
    * root02 (branchpoint) go on
    * base01 begin
    ");
}

#[test]
fn graph_in_json() {
    let graph = Terminal::with(FORK).json("graph");
    assert_json_snapshot!(graph["revisions"][0], @r#"
    {
      "depends_on": [],
      "is_applied": false,
      "is_branch_point": false,
      "is_current": false,
      "is_head": true,
      "is_merge_point": false,
      "labels": [
        "shop"
      ],
      "message": "sell",
      "phase": null,
      "revises": [
        "root02"
      ],
      "revision": "shop03",
      "stage": "expand"
    }
    "#);
}

#[test]
fn graph_asks_for_a_database_when_it_is_to_mark_where_it_stands() {
    let answer = Terminal::with(FORK).run_without_database("graph -i");
    assert_eq!(answer.code, 2, "{answer:?}");
}

#[test]
fn a_picture_is_refused_where_there_is_none() {
    let terminal = Terminal::with(FORK);
    for line in ["history -o svg", "erd -o dot", "heads -o mermaid"] {
        let answer = terminal.run(line);
        assert_eq!(answer.code, 2, "{line}: {answer:?}");
    }
    assert_snapshot!(terminal.run("heads -o svg").err, @"
    error: only `graph` and `erd` answer as mermaid or svg
    hint: see --help
    ");
}

#[test]
fn erd_of_a_database_that_is_not_there_is_empty_and_makes_none() {
    let terminal = Terminal::with(FORK);
    assert_snapshot!(terminal.run("erd").out, @"erDiagram");
    assert!(!terminal.folder().join("graph.db").exists());
}

#[test]
fn changes_want_a_revision() {
    let answer = Terminal::with(FORK).run("erd --changes");
    assert_eq!(answer.code, 2, "{answer:?}");
}

#[test]
fn verify_has_an_exit_code_of_its_own_for_a_broken_promise() {
    let answer = Terminal::with(FORK).run_without_database("verify");
    assert_eq!(answer.code, 6, "{answer:?}");
    assert_snapshot!(answer.out, @"
    SQLite: 4 revisions, 40 steps, 0 rows put in
    broken: there are several newest revisions
        shop03 and nets03 are heads; `merge` joins them
    1 promise is broken
    ");
    let answer = Terminal::with(FORK).run_without_database("verify -o json");
    assert_eq!(answer.code, 6);
    let json: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
    assert_json_snapshot!(json, @r#"
    {
      "broken": [
        {
          "details": [
            "shop03 and nets03 are heads; `merge` joins them"
          ],
          "dialect": null,
          "promise": "one_head",
          "revision": null,
          "with_rows": false
        }
      ],
      "databases": [
        {
          "dialect": "sqlite",
          "irreversible": [],
          "rows": 0,
          "steps": 40,
          "unfilled": []
        }
      ],
      "revisions": 4,
      "without_rows": false
    }
    "#);
}
