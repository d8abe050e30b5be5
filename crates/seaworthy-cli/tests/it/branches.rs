//! Branches, labels and dependencies as people meet them on the command line.

use insta::{assert_json_snapshot, assert_snapshot};

use crate::terminal::{FORK, Terminal};

/// Two branches, the second with a revision that says nothing of itself, and one that depends on it.
const MANY: &str = r#"{"revisions": [
    {"id": "base01", "message": "begin"},
    {"id": "shop02", "down": ["base01"], "labels": ["store"], "message": "sell"},
    {"id": "nets02", "down": ["base01"], "labels": ["network"], "message": "connect"},
    {"id": "nets03", "down": ["nets02"]},
    {"id": "bill01", "depends_on": ["nets03"], "message": "bill"}
]}"#;

const LINE: &str = r#"{"revisions": [{"id": "base01"}, {"id": "root02", "down": ["base01"]}]}"#;

/// Two branches that each bring a column of the same name.
const COLLISION: &str = r#"{"revisions": [
    {"id": "base01", "sql": ["CREATE TABLE boats (id integer PRIMARY KEY)"]},
    {"id": "rank02", "down": ["base01"], "sql": ["ALTER TABLE boats ADD COLUMN rank integer"]},
    {"id": "rank03", "down": ["base01"], "sql": ["ALTER TABLE boats ADD COLUMN rank text"]}
]}"#;

#[test]
fn what_needs_no_database_wants_no_address() {
    let terminal = Terminal::with(FORK);
    for line in ["history", "heads", "branches", "show root02", "graph", "lint"] {
        let answer = terminal.run_without_database(line);
        assert_eq!(answer.code, 0, "{line}: {answer:?}");
    }
    let refused = terminal.run_without_database("current");
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("no database is named"), "{refused:?}");
}

#[test]
fn a_revision_is_written_without_an_address() {
    let source = "fn migrations() -> Vec<Box<dyn Revision>> {\n    revision_vec![]\n}\n";
    for (graph, line) in [
        (FORK, "revision -m more --head shop03 --dir ."),
        (FORK, "merge shop03 nets03 -m both --dir ."),
        (LINE, "revision -m more --dir ."),
        (LINE, "generate more -d ."),
    ] {
        let terminal = Terminal::with(graph);
        std::fs::write(terminal.folder().join("lib.rs"), source).unwrap();
        let written = terminal.run_without_database(line);
        assert_eq!(written.code, 0, "{line}: {written:?}");
        let registered = std::fs::read_to_string(terminal.folder().join("lib.rs")).unwrap();
        assert!(registered.contains("::Migration)"), "{line}: {registered}");
    }
}

#[test]
fn a_script_that_begins_where_the_database_stands_needs_one_or_a_range() {
    let terminal = Terminal::with(LINE);
    for (line, range) in [
        ("downgrade base01 --sql", "downgrade root02:base01 --sql"),
        ("upgrade head --sql", "upgrade base01:head --sql"),
        ("stamp head --sql", "stamp base01:head --sql"),
    ] {
        let refused = terminal.run_without_database(line);
        assert_eq!(refused.code, 2, "{line}: {refused:?}");
        assert!(
            refused.err.contains("no database is named") && refused.err.contains("or write a range, FROM:TO"),
            "{line}: {refused:?}"
        );
        let script = terminal.run_without_database(&format!("{range} -u postgres://nobody@127.0.0.1:1/none"));
        assert_eq!(script.code, 0, "{range}: {script:?}");
    }
}

#[test]
fn the_beginning_of_a_label_names_nothing() {
    let terminal = Terminal::with(MANY);
    let refused = terminal.run("upgrade stor");
    assert_eq!((refused.code, refused.out.as_str()), (1, ""));
    assert!(refused.err.contains("did you mean store?"), "{refused:?}");
    assert_eq!(terminal.run("upgrade store").code, 0);
}

#[test]
fn current_names_what_others_only_depend_on() {
    let terminal = Terminal::with(MANY);
    terminal.run("upgrade bill01");
    assert_eq!(
        terminal.run("current").out,
        "nets03 (network) (effective head)\nbill01 (head)\n"
    );
}

#[test]
fn undoing_one_branch_asks_about_what_it_takes_of_others() {
    let terminal = Terminal::with(MANY);
    terminal.run("upgrade store");
    terminal.run("upgrade nets03");
    let refused = terminal.run("downgrade store@base");
    assert_eq!((refused.code, refused.out.as_str()), (5, ""));
    assert!(
        refused
            .err
            .contains("what nets03, nets02 of other branches have made"),
        "{refused:?}"
    );
    let plan = terminal.run("plan store@base");
    assert!(
        plan.err
            .contains("nets03, nets02 are undone as well, which are not of branch store"),
        "{plan:?}"
    );
    // Down to where they part it takes nothing of the other.
    assert_eq!(terminal.run("downgrade store@base01").code, 0);
    terminal.run("upgrade store");
    assert_eq!(terminal.run("downgrade store@base --yes").code, 0);
    assert_eq!(terminal.run("current").out, "");
}

#[test]
fn a_range_that_goes_the_wrong_way_is_refused() {
    let terminal = Terminal::with(MANY);
    let refused = terminal.run("upgrade nets03:base01 --sql");
    assert_eq!((refused.code, refused.out.as_str()), (1, ""));
    assert!(
        refused.err.contains("nets03 is not an ancestor of base01")
            && refused.err.contains("the other way round? base01:nets03"),
        "{refused:?}"
    );
    let nothing = terminal.run("upgrade nets03:nets03 --sql");
    assert_eq!(nothing.code, 0, "{nothing:?}");
}

#[test]
fn a_base_and_a_revision_without_a_message_read_well() {
    let terminal = Terminal::with(MANY);
    let plan = terminal.run("plan nets03").out;
    assert!(plan.contains("1. upgrade <base> -> base01, begin ("), "{plan}");
    assert!(
        plan.contains("3. upgrade nets02 -> nets03 (one transaction)"),
        "{plan}"
    );
    let upgraded = terminal.run("upgrade nets03").out;
    assert!(
        upgraded.starts_with("Running upgrade <base> -> base01, begin ("),
        "{upgraded}"
    );
    assert!(
        upgraded.contains("\nRunning upgrade nets02 -> nets03 ("),
        "{upgraded}"
    );
}

#[test]
fn heads_are_checked_for_collisions() {
    let terminal = Terminal::with(FORK);
    let several = terminal.run("heads --check");
    assert_eq!(several.code, 3);
    assert_eq!(
        several.out,
        "shop03 and nets03 are heads, and either order makes the same: `merge shop03 nets03` joins them\n"
    );
    let alone = Terminal::with(r#"{"revisions": [{"id": "base01"}]}"#);
    let one = alone.run("heads --check");
    assert_eq!((one.code, one.out.as_str()), (0, "There is one head\n"));
}

#[test]
fn heads_that_collide_are_told_from_heads_that_do_not() {
    let terminal = Terminal::with(COLLISION);
    let collide = terminal.run("heads --check");
    assert_eq!(collide.code, 3);
    assert_snapshot!(collide.out, @"
    rank02 and rank03 are heads, and collide on column boats.rank
        with rank02 first, rank03 fails: the database refused it: duplicate column name: rank
        with rank03 first, rank02 fails: the database refused it: duplicate column name: rank
    ");
    let json = |terminal: &Terminal| {
        let answer = terminal.run("heads --check --output json");
        assert_eq!(answer.code, 3, "{answer:?}");
        serde_json::from_str::<serde_json::Value>(&answer.out).unwrap()
    };
    assert_json_snapshot!(json(&terminal), @r#"
    [
      {
        "collisions": [
          "with rank02 first, rank03 fails: the database refused it: duplicate column name: rank",
          "with rank03 first, rank02 fails: the database refused it: duplicate column name: rank"
        ],
        "objects": [
          "column boats.rank"
        ],
        "one": "rank02",
        "other": "rank03"
      }
    ]
    "#);
    assert_json_snapshot!(json(&Terminal::with(FORK)), @r#"
    [
      {
        "collisions": [],
        "objects": [],
        "one": "shop03",
        "other": "nets03"
      }
    ]
    "#);
}
