//! Branches, labels and dependencies as people meet them on the command line.

use crate::terminal::{FORK, Terminal};

/// Two branches, the second with a revision that says nothing of itself, and one that depends on it.
const MANY: &str = r#"{"revisions": [
    {"id": "base01", "message": "begin"},
    {"id": "shop02", "down": ["base01"], "labels": ["store"], "message": "sell"},
    {"id": "nets02", "down": ["base01"], "labels": ["network"], "message": "connect"},
    {"id": "nets03", "down": ["nets02"]},
    {"id": "bill01", "depends_on": ["nets03"], "message": "bill"}
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
