//! `seaworthy.toml`: where it is found, what it changes, and what is said of one that makes no sense.

use std::fs;

use insta::assert_snapshot;

use crate::terminal::{Answer, FORK, Terminal};

const SCRIPT: &str = "CREATE TABLE \"Boats\" (id serial);\nCREATE INDEX i ON crew (name);\n";

fn lint_with(settings: &str) -> Answer {
    let terminal = Terminal::with(FORK);
    fs::write(terminal.folder().join("new.sql"), SCRIPT).unwrap();
    fs::write(terminal.folder().join("seaworthy.toml"), settings).unwrap();
    terminal.run_without_database("lint --sql new.sql --pg 15")
}

#[test]
fn rules_are_switched_off_and_made_warnings() {
    let answer = lint_with("[lint.rules]\nindex-blocking = \"off\"\n");
    assert_eq!((answer.code, answer.out.as_str()), (0, "No hazards\n"));
    let answer = lint_with("[lint.rules]\nindex-blocking = \"warning\"\n");
    assert_eq!(answer.code, 0);
    assert!(answer.out.ends_with("0 errors, 1 warning\n"), "{answer:?}");
}

#[test]
fn names_types_and_keys_are_asked_for() {
    let answer = lint_with(
        "[lint.rules]\nindex-blocking = \"off\"\nrequired-primary-key = \"warning\"\n\n\
         [lint.require]\ntable-names = \"snake_case\"\ncolumn-names = \"[a-z]{3,}\"\nprimary-key = true\n\
         forbidden-types = [\"serial\"]\n\n[lint.require.names]\nindex = \"idx_{table}_{columns}\"\n",
    );
    assert_eq!(answer.code, 3);
    assert_snapshot!(answer.out, @"
    new.sql:1: error: the name of the table Boats does not match snake_case [required-name]
        instead: give it a name that matches lint.require in seaworthy.toml
    new.sql:1: error: the name of the column Boats.id does not match [a-z]{3,} [required-name]
        instead: give it a name that matches lint.require in seaworthy.toml
    new.sql:1: warning: the table Boats has no primary key [required-primary-key]
        instead: give it a primary key in the same script
    new.sql:1: error: the column Boats.id is of the forbidden type serial [forbidden-type]
        instead: use a type that lint.require.forbidden-types in seaworthy.toml does not list
    new.sql:2: error: the index i of crew does not match idx_crew_name [required-constraint-name]
        instead: give it the name that lint.require.names in seaworthy.toml asks for
    4 errors, 1 warning
    ");
}

#[test]
fn what_makes_no_sense_names_the_file_the_key_and_the_way_out() {
    let wrong = [
        "[lint.rules]\nindex-blokking = \"off\"",
        "[lint.rules]\nsomething = \"off\"",
        "[lint.rules]\nindex-blocking = \"of\"",
        "[lint]\nrule = {}",
        "[lnit]",
        "[lint.require]\ntable-name = \"snake_case\"",
        "[lint.require]\n\ntable-names = \"[a-z\"",
        "[lint.require]\nprimary-key = \"yes\"",
        "[lint.require]\nforbidden-types = [\"money\", \"\"]",
        "[lint.require.names]\nindex = \"{columns}_{tabel}\"",
        "[lint.require.names]\nindexes = \"i\"",
        "[lint",
        "[compare]\nexclude = [\"queue_*\",\n\" \"]",
        "[compare]\nexlude = [\"queue_*\"]",
        "[compare]\nexclude = \"queue_*\"",
    ];
    let mut said = String::new();
    for settings in wrong {
        let answer = lint_with(settings);
        assert_eq!((answer.code, answer.out.as_str()), (2, ""), "{settings}");
        said.push_str(&answer.err);
    }
    assert_snapshot!(said, @r#"
    error: seaworthy.toml:2: lint.rules: there is no category index-blokking
    hint: did you mean index-blocking?
    error: seaworthy.toml:2: lint.rules: there is no category something
    hint: there are access-changed, bulk-dml, cannot-alter-in-place, column-removed, column-renamed, constraint-scan, data-loss, default-cannot-be-added, dependent-object, enum-changed, explicit-lock, fk-scan, forbidden-type, heavy-maintenance, identifier-truncated, index-blocking, index-drop-blocking, json-column, lock-held-long, multi-lock, not-allowed-in-tx, not-null-scan, null-exposed, opaque-sql, override-unmatched, partition-blocking, rebuild-blocks-writers, required-column, required-constraint-name, required-name, required-primary-key, table-removed, table-renamed, table-rewrite, timeout-disabled, tx-control, type-changed, unique-build, uniqueness-removed, validate-with-lock
    error: seaworthy.toml:2: of is none of error, warning, off
    hint: did you mean off?
    error: seaworthy.toml:2: there is no key rule here
    hint: did you mean rules?
    error: seaworthy.toml:1: there is no key lnit here
    hint: did you mean lint?
    error: seaworthy.toml:2: there is no key table-name here
    hint: did you mean table-names?
    error: seaworthy.toml:3: lint.require.table-names: [a-z is no regular expression: unclosed character class
    hint: write "snake_case" or a regular expression for the whole name, and a backslash before a character that is to stand for itself
    error: seaworthy.toml:2: invalid type: string "yes", expected a boolean
    hint: see docs/cli.md, "seaworthy.toml"
    error: seaworthy.toml:2: lint.require.forbidden-types: "" is no type
    hint: write a type as SQL does: "timestamp", "varchar(255)"
    error: seaworthy.toml:2: lint.require.names.index: {columns}_{tabel} has the placeholder {tabel}, which stands for nothing
    hint: there are {table} and {columns}
    error: seaworthy.toml:2: there is no key indexes here
    hint: did you mean index?
    error: seaworthy.toml:1: unclosed table, expected `]`
    hint: see docs/cli.md, "seaworthy.toml"
    error: seaworthy.toml:3: compare.exclude: an empty text is no name
    hint: write the name of a table, view, type or sequence; * stands for any text
    error: seaworthy.toml:2: there is no key exlude here
    hint: did you mean exclude?
    error: seaworthy.toml:2: invalid type: string "queue_*", expected a sequence
    hint: see docs/cli.md, "seaworthy.toml"
    "#);
}

#[test]
fn the_file_is_that_of_the_folder_or_of_one_above_it_up_to_the_repository() {
    let terminal = Terminal::with(FORK);
    let inside = terminal.folder().join("crates/migration");
    fs::create_dir_all(&inside).unwrap();
    fs::copy(terminal.folder().join("graph.json"), inside.join("graph.json")).unwrap();
    fs::write(inside.join("new.sql"), SCRIPT).unwrap();
    let off = "[lint.rules]\nindex-blocking = \"off\"\n";
    fs::write(terminal.folder().join("seaworthy.toml"), off).unwrap();
    let code = || {
        terminal
            .run_within("crates/migration", "lint --sql new.sql --pg 15")
            .code
    };
    // Outside of a repository only the folder counts.
    assert_eq!(code(), 3);
    fs::create_dir(terminal.folder().join(".git")).unwrap();
    assert_eq!(code(), 0);
    // The nearest counts alone.
    fs::write(inside.join("seaworthy.toml"), "").unwrap();
    assert_eq!(code(), 3);
    let named = terminal.run_within(
        "crates/migration",
        "lint --sql new.sql --pg 15 --config ../../seaworthy.toml",
    );
    assert_eq!(named.code, 0);
    let missing = terminal.run_within("crates/migration", "lint --sql new.sql --config nowhere.toml");
    assert_eq!(missing.code, 1);
    // A root of its own ends the search, and nobody else reads the file.
    fs::remove_file(inside.join("seaworthy.toml")).unwrap();
    fs::create_dir(inside.join(".git")).unwrap();
    assert_eq!(code(), 3);
    fs::write(inside.join("seaworthy.toml"), "[").unwrap();
    assert_eq!(
        terminal
            .run_within("crates/migration", "lint --explain multi-lock")
            .code,
        0
    );
    assert_eq!(terminal.run_within("crates/migration", "graph").code, 0);
}

#[test]
fn verify_leaves_out_what_is_excluded_and_a_file_that_makes_no_sense_stops_it() {
    let leaves =
        r#"{"revisions": [{"id": "base01", "sql": ["CREATE TABLE IF NOT EXISTS queue_jobs (id integer)"]}]}"#;
    let terminal = Terminal::with(leaves);
    let verified = terminal.run("verify");
    assert!(
        verified.code == 6 && verified.out.contains("drop table queue_jobs (id)"),
        "{verified:?}"
    );
    fs::write(
        terminal.folder().join("seaworthy.toml"),
        "[compare]\nexclude = [\"queue_*\"]\n",
    )
    .unwrap();
    assert_eq!(terminal.run("verify").code, 0);
    fs::write(terminal.folder().join("seaworthy.toml"), "[").unwrap();
    for line in [
        "verify",
        "check",
        "snapshot",
        "erd",
        "diff base head",
        "adopt",
        "heads --check",
    ] {
        assert_eq!(terminal.run(line).code, 2, "{line}");
    }
    for line in ["upgrade head", "heads", "current"] {
        assert_eq!(terminal.run(line).code, 0, "{line}");
    }
}
