//! `lint` in each of its forms, without a database.

use insta::assert_snapshot;

use crate::terminal::{Answer, FORK, Terminal};

const SCRIPT: &str =
    "CREATE TABLE drafts (id integer PRIMARY KEY);\n\nCREATE INDEX i ON tasks (title);\nDROP INDEX idx;";

fn lint(options: &str) -> Answer {
    let terminal = Terminal::with(FORK);
    std::fs::write(terminal.folder().join("new.sql"), SCRIPT).unwrap();
    std::fs::write(
        terminal.folder().join("before.sql"),
        "CREATE TABLE tasks (title text);",
    )
    .unwrap();
    std::fs::write(
        terminal.folder().join("fine.sql"),
        "ALTER TABLE tasks ADD COLUMN note text",
    )
    .unwrap();
    terminal.run_without_database(&format!("lint {options}"))
}

#[test]
fn text_names_the_line_the_hazard_and_the_way_out() {
    let answer = lint("--sql new.sql");
    assert_eq!(answer.code, 3);
    assert_eq!(answer.err, "");
    assert_snapshot!(answer.out, @"
    new.sql:3: error: writes to tasks wait until the index is built [index-blocking]
        instead: build it with CREATE INDEX CONCURRENTLY, outside of a transaction, and check that it is valid afterwards; online::create_index does all of this
    new.sql:4: warning: dropping idx waits for everything that uses the table, and everything else behind it [index-drop-blocking]
        instead: use DROP INDEX CONCURRENTLY outside of a transaction, or keep lock_timeout short; online::drop_index does so
    1 error, 1 warning
    ");
}

#[test]
fn a_script_is_for_postgresql_unless_sqlite_is_named() {
    let terminal = Terminal::with(FORK);
    std::fs::write(terminal.folder().join("new.sql"), SCRIPT).unwrap();
    // The address of these runs is that of a SQLite file.
    let answer = terminal.run("lint --sql new.sql --sqlite");
    assert_eq!((answer.code, answer.out.as_str()), (0, "No hazards\n"));
    let postgres = terminal.run("lint --sql new.sql");
    assert!(postgres.out.contains("[index-blocking]"), "{}", postgres.out);
}

#[test]
fn a_script_without_hazards_ends_well() {
    let answer = lint("--sql fine.sql --schema before.sql --pg 18");
    assert_eq!((answer.code, answer.out.as_str()), (0, "No hazards\n"));
}

#[test]
fn what_of_a_schema_is_not_understood_is_a_warning_with_its_place() {
    let terminal = Terminal::with(FORK);
    let schema = "CREATE TABLE tasks (title text);\nCRATE TABLE notes (id integer);\n\nCREATE TABLE tags (id integer;\n\
                  CREATE TABLE crew (id integer);";
    std::fs::write(terminal.folder().join("before.sql"), schema).unwrap();
    std::fs::write(terminal.folder().join("new.sql"), "DROP INDEX IF EXISTS idx").unwrap();
    let answer = terminal.run_without_database("lint --sql new.sql --schema before.sql");
    assert_eq!(answer.code, 0);
    assert_snapshot!(answer.err, @"
    before.sql:2: warning: CRATE is not understood; what the statement does to the schema is not known
    before.sql:4: warning: a parenthesis is opened and never closed; nothing of the schema is known from this line on
    ");
    // Something of that name may have been made by what is not understood.
    assert!(answer.out.contains("1 warning"), "{}", answer.out);
    let answer = terminal.run_without_database("lint --sql new.sql --schema before.sql --output json");
    assert_eq!((answer.code, answer.err.as_str()), (0, ""));
    let found: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
    assert_eq!(found["schema_unread"][1]["line"], 4);
}

#[test]
fn a_warning_alone_ends_well() {
    let terminal = Terminal::with(FORK);
    std::fs::write(terminal.folder().join("new.sql"), "DROP INDEX idx").unwrap();
    let answer = terminal.run_without_database("lint --sql new.sql --output json");
    assert_eq!(answer.code, 0);
    assert!(answer.out.contains("\"warn\""));
}

#[test]
fn json_has_one_list() {
    let answer = lint("--sql new.sql --no-transaction --output json");
    assert_eq!(answer.code, 3);
    assert_snapshot!(answer.out, @r#"
    {
      "hazards": [
        {
          "category": "index-blocking",
          "severity": "error",
          "statement": 1,
          "line": 3,
          "table": "tasks",
          "message": "writes to tasks wait until the index is built",
          "help": "build it with CREATE INDEX CONCURRENTLY, outside of a transaction, and check that it is valid afterwards; online::create_index does all of this"
        },
        {
          "category": "index-drop-blocking",
          "severity": "warn",
          "statement": 2,
          "line": 4,
          "table": null,
          "message": "dropping idx waits for everything that uses the table, and everything else behind it",
          "help": "use DROP INDEX CONCURRENTLY outside of a transaction, or keep lock_timeout short; online::drop_index does so"
        }
      ]
    }
    "#);
}

#[test]
fn github_reads_annotations() {
    assert_snapshot!(lint("--sql new.sql --output github").out, @"
    ::error file=new.sql,line=3,title=index-blocking::writes to tasks wait until the index is built; instead: build it with CREATE INDEX CONCURRENTLY, outside of a transaction, and check that it is valid afterwards; online::create_index does all of this
    ::warning file=new.sql,line=4,title=index-drop-blocking::dropping idx waits for everything that uses the table, and everything else behind it; instead: use DROP INDEX CONCURRENTLY outside of a transaction, or keep lock_timeout short; online::drop_index does so
    ");
}

#[test]
fn sarif_is_a_log_of_one_run() {
    let answer = lint("--sql new.sql --output sarif");
    let log: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
    assert_eq!(log["version"], "2.1.0");
    assert_eq!(
        log["runs"][0]["tool"]["driver"]["rules"][0]["id"],
        "index-blocking"
    );
    assert_snapshot!(serde_json::to_string_pretty(&log["runs"][0]["results"][0]).unwrap(), @r#"
    {
      "level": "error",
      "locations": [
        {
          "physicalLocation": {
            "artifactLocation": {
              "uri": "new.sql"
            },
            "region": {
              "startLine": 3
            }
          }
        }
      ],
      "message": {
        "text": "writes to tasks wait until the index is built; instead: build it with CREATE INDEX CONCURRENTLY, outside of a transaction, and check that it is valid afterwards; online::create_index does all of this"
      },
      "ruleId": "index-blocking"
    }
    "#);
}

#[test]
fn a_page_explains_a_rule() {
    let answer = lint("--explain enum-changed");
    assert_eq!(answer.code, 0);
    assert_snapshot!(answer.out, @r#"
    # enum-changed

    Old and new code disagree about stored values.

    ## Unsafe

    ```sql transaction
    ALTER TYPE task_status RENAME VALUE 'done' TO 'completed';
    ```

    ## Why

    The label changes for all rows at once. Running code writes the old one, which does not exist any more, and cannot read the new one.

    ## Safe

    ```sql transaction
    ALTER TYPE task_status ADD VALUE 'completed';
    ```

    In short: add the new label, write it from new code, and move the rows over in batches.
    "#);
}

#[test]
fn what_cannot_be_is_refused() {
    assert_eq!(lint("--explain nothing").code, 2);
    assert_eq!(lint("--sql missing.sql").code, 1);
    assert_eq!(lint("--sql new.sql --pg 12").code, 2);
    assert_eq!(lint("--schema before.sql").code, 2);
    assert_eq!(Terminal::with(FORK).run("heads --output github").code, 2);
}

#[test]
fn what_repeats_is_said_once_with_its_lines() {
    let terminal = Terminal::with(FORK);
    let sql: String = (0..9)
        .map(|number| format!("CREATE INDEX i{number} ON boats (a{number});\n"))
        .collect();
    std::fs::write(terminal.folder().join("new.sql"), sql).unwrap();
    let answer = terminal.run_without_database("lint --sql new.sql");
    assert_snapshot!(answer.out, @"
    new.sql:1: error: writes to boats wait until the index is built, and 8 more statements (lines 2, 3, 4, 5, 6, ...) [index-blocking]
        instead: build it with CREATE INDEX CONCURRENTLY, outside of a transaction, and check that it is valid afterwards; online::create_index does all of this
    1 error, 0 warnings
    ");
    let answer = terminal.run_without_database("lint --sql new.sql --output json");
    let answer: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
    let statements = answer["hazards"][0]["statements"].as_array().unwrap();
    assert_eq!(statements.len(), 9);
    assert_eq!(statements[8], serde_json::json!({ "statement": 8, "line": 9 }));
    let answer = terminal.run_without_database("lint --sql new.sql --output sarif");
    let log: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
    let result = &log["runs"][0]["results"][0];
    assert_eq!(result["occurrenceCount"], 9);
    assert_eq!(result["relatedLocations"].as_array().unwrap().len(), 8);
}

#[test]
fn a_line_for_psql_swallows_no_statement() {
    let terminal = Terminal::with(FORK);
    let sql = "\\set ON_ERROR_STOP 1\nCREATE INDEX i ON boats (name);\n\\restrict key\nDROP TABLE boats;\n";
    std::fs::write(terminal.folder().join("new.sql"), sql).unwrap();
    let answer = terminal.run_without_database("lint --sql new.sql");
    assert_snapshot!(answer.out, @"
    new.sql:2: error: writes to boats wait until the index is built [index-blocking]
        instead: build it with CREATE INDEX CONCURRENTLY, outside of a transaction, and check that it is valid afterwards; online::create_index does all of this
    new.sql:4: error: running code may still name boats [table-removed]
        instead: stop using it first, and drop it one deployment later
    new.sql:4: warning: what boats holds is destroyed [data-loss]
        instead: keep a copy, or be sure that nobody needs them
    2 errors, 1 warning
    ");
}

#[test]
fn several_scripts_are_looked_at_each_by_itself() {
    let terminal = Terminal::with(FORK);
    let write = |name: &str, sql: &str| std::fs::write(terminal.folder().join(name), sql).unwrap();
    write("one.sql", "CREATE TABLE boats (id integer);");
    write(
        "two.sql",
        "-- no-transaction\nCREATE INDEX CONCURRENTLY i ON boats (id);",
    );
    write("three.sql", "CREATE INDEX i ON boats (id);");
    let answer = terminal.run_without_database("lint --sql one.sql two.sql three.sql");
    assert_eq!(answer.code, 3);
    assert!(answer.out.starts_with("three.sql:1: error: "), "{answer:?}");
    assert!(answer.out.ends_with("1 error, 0 warnings\n"), "{answer:?}");
    let answer = terminal.run_without_database("lint --output json --sql one.sql three.sql");
    let answer: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
    assert_eq!(answer["files"][0]["file"], "one.sql");
    assert_eq!(answer["files"][1]["hazards"][0]["category"], "index-blocking");
}

#[test]
fn what_the_way_down_takes_away_is_a_note_unless_it_is_asked_about() {
    let folder = tempfile::tempdir().unwrap();
    let run = |line: &str| crate::dropin::run(folder.path(), line);
    let (code, text) = run("lint m20260101");
    assert_eq!(code, 0);
    assert_snapshot!(text, @"
    m20260101_090000_create_notes down:1: note: running code may still name notes [table-removed]
    m20260101_090000_create_notes down:1: note: what notes holds is destroyed [data-loss]
    No hazards, 2 notes about the way down
    ");
    let (code, text) = run("lint m20260101 --down");
    assert_eq!(code, 3);
    assert!(text.contains(" down:1: error: running code may still name notes [table-removed]"));
    let (_, json) = run("lint m20260101 --output json");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let hazards = json["revisions"][1]["hazards"].as_array().unwrap();
    assert!(!hazards.is_empty());
    assert!(hazards.iter().all(|hazard| hazard["severity"] == "note"));
    let (_, github) = run("lint m20260101 --output github");
    assert!(
        github.lines().all(|line| line.starts_with("::notice file=")),
        "{github}"
    );
    let (_, sarif) = run("lint m20260101 --output sarif");
    let sarif: serde_json::Value = serde_json::from_str(&sarif).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert!(results.iter().all(|result| result["level"] == "note"));
}

#[test]
fn revisions_need_no_database_either() {
    let answer = lint("--all --output json");
    assert_eq!(answer.code, 0);
    let steps: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
    assert_eq!(steps["revisions"].as_array().unwrap().len(), 8);
    assert_eq!(lint("root02").out, "No hazards\n");
    assert_eq!(lint("base01:root02").code, 0);
    assert_eq!(lint("nowhere").code, 1);
}
