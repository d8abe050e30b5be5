//! What of some statements is a loss, and under which name.

use super::*;
use crate::sql::Dialect;

mod copies;
mod forms;
mod names;

fn losses(statements: &[&str], dialect: Dialect) -> Losses {
    let mut losses = Losses::default();
    losses.add(&Script::of(statements, dialect));
    losses
}

fn removed(statements: &[&str], dialect: Dialect) -> Vec<String> {
    let found = losses(statements, dialect);
    assert_eq!(found.unclear, [""; 0]);
    let objects = found.possible.into_iter().filter_map(|loss| match loss {
        PossibleLoss::Removed { removal, kept: None } => Some(removal.object.to_string()),
        PossibleLoss::Rows { verb, table, .. } => Some(format!("{verb:?} {table}")),
        _ => None,
    });
    objects.collect()
}

#[test]
fn what_goes_is_named_however_it_is_spelled() {
    for (sql, lost) in [
        ("DROP TABLE Notes", "table notes"),
        ("drop table if exists \"Notes\" cascade", "table Notes"),
        ("/* x */ DROP /* y */ TABLE app . notes", "table app.notes"),
        ("ALTER TABLE Notes DROP Body", "column notes.body"),
        (
            "ALTER TABLE notes DROP COLUMN body, ALTER COLUMN title SET STATISTICS 5",
            "column notes.body",
        ),
        ("TRUNCATE Notes", "Truncate notes"),
        (
            "WITH gone AS (DELETE FROM notes RETURNING 1) SELECT count(*) FROM gone",
            "Delete notes",
        ),
        ("DO $x$BEGIN DELETE FROM notes; END$x$", "Delete notes"),
        (
            "DO $$ DECLARE r record; n int := 1; BEGIN FOR r IN DELETE FROM notes RETURNING * LOOP NULL; END LOOP; END $$",
            "Delete notes",
        ),
        ("EXPLAIN (ANALYZE) DELETE FROM notes", "Delete notes"),
        ("SELECT 1; DROP TABLE notes", "table notes"),
        ("DROP SCHEMA app CASCADE", "schema app"),
    ] {
        let found = removed(&[sql], Dialect::Postgresql);
        assert!(found.contains(&lost.to_owned()), "{sql}: {found:?}");
    }
}

#[test]
fn a_table_that_is_built_again_with_some_of_its_rows_loses_up_to_all_of_them() {
    let drop = "DROP TABLE notes";
    let rename = "ALTER TABLE other RENAME TO notes";
    let kept = |statements: &[&str]| {
        let mut found = losses(statements, Dialect::Sqlite);
        assert_eq!(found.unclear, [""; 0], "{statements:?}");
        match found.possible.pop() {
            Some(PossibleLoss::PartlyKept { removal, kept }) => format!("{}: {kept:?}", removal.object),
            other => format!("{other:?}"),
        }
    };
    let create = "CREATE TABLE other (id integer, title text)";
    for part in [
        "INSERT INTO other SELECT DISTINCT id, title FROM notes",
        "INSERT INTO other (id, title) SELECT id, title FROM notes WHERE id > 3",
        "INSERT INTO other SELECT id, title FROM notes ORDER BY id LIMIT 5",
        "INSERT OR IGNORE INTO other SELECT id, title FROM notes",
    ] {
        let found = kept(&[create, part, drop, rename]);
        assert_eq!(found, r#"table notes: Columns({"id", "title"})"#, "{part}");
    }
    let found = kept(&[
        "CREATE TABLE other AS SELECT * FROM notes WHERE id > 3",
        drop,
        rename,
    ]);
    assert_eq!(found, "table notes: AllBut({})");
    // Nothing is kept of what is put together of several tables, or counted.
    for other in [
        "INSERT INTO other SELECT n.id, n.title FROM notes n JOIN tags ON true WHERE n.id > 3",
        "INSERT INTO other SELECT count(*), title FROM notes WHERE id > 3 GROUP BY title",
        "INSERT INTO other SELECT id, title FROM notes WHERE id > 3 UNION SELECT 1, 'x'",
    ] {
        assert!(
            kept(&[create, other, drop, rename]).contains("Removed"),
            "{other}"
        );
    }
}

#[test]
fn what_the_script_has_made_is_no_loss() {
    for statements in [
        &["CREATE TABLE copy (id integer)", "DROP TABLE copy"][..],
        &[
            "ALTER TABLE tasks ADD COLUMN kind text",
            "ALTER TABLE tasks DROP COLUMN kind",
        ],
        &[
            "ALTER TABLE tasks ADD COLUMN kind text",
            "UPDATE tasks SET kind = 'x'",
        ],
        &[
            "CREATE TABLE a (id integer)",
            "ALTER TABLE a RENAME TO b",
            "DELETE FROM b",
            "DROP TABLE b",
        ],
        &["DROP INDEX CONCURRENTLY idx", "DROP VIEW overview"],
    ] {
        assert!(
            losses(statements, Dialect::Postgresql).is_empty(),
            "{statements:?}"
        );
    }
}

#[test]
fn a_column_that_goes_and_comes_again_in_one_statement_is_lost() {
    let sql = "ALTER TABLE tasks DROP COLUMN kind, ADD COLUMN kind integer";
    assert_eq!(removed(&[sql], Dialect::Postgresql), ["column tasks.kind"]);
}

#[test]
fn a_table_that_may_have_been_there_is_lost() {
    let found = removed(
        &[
            "CREATE TABLE IF NOT EXISTS notes (id integer)",
            "DROP TABLE notes",
        ],
        Dialect::Sqlite,
    );
    assert_eq!(found, ["table notes"]);
}

#[test]
fn what_is_renamed_first_is_lost_under_its_old_name() {
    let found = removed(
        &[
            "ALTER TABLE tasks RENAME TO jobs",
            "ALTER TABLE jobs RENAME COLUMN title TO heading",
            "ALTER TABLE jobs DROP COLUMN heading",
            "DROP TABLE jobs",
        ],
        Dialect::Postgresql,
    );
    assert_eq!(found, ["column tasks.title", "table tasks"]);
}

#[test]
fn a_table_that_is_built_again_loses_the_columns_that_it_was_not_given() {
    let rebuild = |rows: &str| {
        let statements = [
            "CREATE TABLE tags_new (id integer, name text)",
            rows,
            "DROP TABLE tags",
            "ALTER TABLE tags_new RENAME TO tags",
        ];
        let found = losses(&statements, Dialect::Sqlite);
        found.possible.into_iter().find_map(|loss| match loss {
            PossibleLoss::Removed { kept, .. } => Some(kept),
            _ => None,
        })
    };
    let columns = |names: &[&str]| {
        let names = names.iter().map(|&name| name.to_owned());
        Some(Some(Kept::Columns(names.collect())))
    };
    assert_eq!(
        rebuild("INSERT INTO tags_new SELECT * FROM tags"),
        columns(&["id", "name"])
    );
    assert_eq!(
        rebuild("INSERT INTO tags_new (id) SELECT id FROM Tags"),
        columns(&["id"])
    );
    assert_eq!(
        rebuild("INSERT INTO tags_new (id, name) SELECT id, NULL FROM \"tags\""),
        columns(&["id"])
    );
    for some in ["JOIN tasks ON true", "GROUP BY id", "UNION SELECT 1"] {
        let rows = format!("INSERT INTO tags_new (id) SELECT id FROM tags {some}");
        assert_eq!(rebuild(&rows), Some(None), "{some}");
    }
}

#[test]
fn a_table_that_was_built_again_is_lost_by_a_later_script() {
    let rebuild = [
        "CREATE TABLE tags_new (id integer, name text, kind text)",
        "INSERT INTO tags_new (id, name) SELECT id, name FROM tags",
        "DROP TABLE tags",
        "ALTER TABLE tags_new RENAME TO tags",
    ];
    for (later, lost) in [
        ("DROP TABLE tags", "table tags"),
        ("DELETE FROM tags", "Delete tags"),
        ("ALTER TABLE tags DROP COLUMN name", "column tags.name"),
        // It is new.
        ("ALTER TABLE tags DROP COLUMN kind", ""),
    ] {
        let mut losses = Losses::default();
        for script in [&rebuild[..], &rebuild[..], &[later]] {
            losses.add(&Script::of(script, Dialect::Sqlite));
        }
        let named = losses.possible.into_iter().filter_map(|loss| match loss {
            PossibleLoss::Removed { removal, kept: None } => Some(removal.object.to_string()),
            PossibleLoss::Rows { verb, table, .. } => Some(format!("{verb:?} {table}")),
            _ => None,
        });
        assert_eq!(named.collect::<Vec<_>>().join(", "), lost, "{later}");
    }
}

#[test]
fn what_is_not_understood_is_unclear() {
    for sql in [
        "DROP EVERYTHING NOW; FROBNICATE tasks",
        "DO $$ BEGIN EXECUTE 'DROP TABLE ' || name; END $$",
        "DO LANGUAGE plpython3u $$ plpy.execute('DROP TABLE notes') $$",
        "EXECUTE plan",
        "DELETE FROM notes WHERE (id = 1",
        "DROP OWNED BY app",
    ] {
        let found = losses(&[sql], Dialect::Postgresql);
        assert!(!found.unclear.is_empty(), "{sql}: {found:?}");
    }
}

#[test]
fn a_column_whose_values_were_copied_first_is_not_lost() {
    let copied = |fill: &str| {
        losses(
            &[
                "ALTER TABLE tasks ADD COLUMN due_utc timestamp",
                fill,
                "ALTER TABLE tasks RENAME COLUMN due TO due_tz",
                "ALTER TABLE tasks RENAME COLUMN due_utc TO due",
                "ALTER TABLE tasks DROP COLUMN due_tz",
            ],
            Dialect::Postgresql,
        )
    };
    for fill in [
        "UPDATE tasks SET due_utc = due AT TIME ZONE 'UTC'",
        "UPDATE tasks SET due_utc = due AT TIME ZONE 'UTC' WHERE due_utc IS NULL",
    ] {
        let found = copied(fill).possible;
        let is_kept = matches!(found.as_slice(), [PossibleLoss::Reshaped { .. }]);
        assert!(is_kept, "{fill}: {found:?}");
    }
    for fill in [
        "SELECT 1",
        "UPDATE tasks SET due_utc = now()",
        "UPDATE tasks SET due_utc = due WHERE id < 9",
    ] {
        let found = copied(fill).possible;
        let is_lost = found
            .iter()
            .any(|loss| matches!(loss, PossibleLoss::Removed { .. }));
        assert!(is_lost, "{fill}: {found:?}");
    }
}

#[test]
fn a_function_of_the_script_is_read_when_it_is_called() {
    let made = "CREATE FUNCTION clear() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM notes; END $$";
    assert_eq!(
        removed(&[made, "SELECT clear()"], Dialect::Postgresql),
        ["Delete notes"]
    );
    assert_eq!(removed(&[made], Dialect::Postgresql), [""; 0]);
}

#[test]
fn a_trigger_destroys_nothing_when_it_is_made() {
    let made = "CREATE TRIGGER t AFTER INSERT ON tasks WHEN NEW.id > 1 BEGIN DELETE FROM notes; END";
    assert!(losses(&[made], Dialect::Sqlite).is_empty());
}
