//! What lives on in copies and under other names, and what does not.

use super::*;

/// Returns what is lost of a table of tasks with the columns `id`, `title`, `rank`, each script by itself.
pub(super) fn lost_in(scripts: &[&[&str]]) -> String {
    let mut losses = Losses::default();
    for script in scripts {
        losses.add(&Script::of(script, Dialect::Postgresql));
    }
    assert_eq!(losses.unclear, [""; 0]);
    let named = losses.possible.into_iter().map(|loss| match loss {
        PossibleLoss::Removed { removal, kept } => match kept {
            None => removal.object.to_string(),
            Some(Kept::AllBut(columns)) => format!("all but {columns:?}"),
            Some(Kept::Columns(columns)) => format!("{columns:?} kept"),
        },
        PossibleLoss::Rows {
            verb, table, which, ..
        } => match which {
            Some(_) => format!("{verb:?} {table}, known which"),
            None => format!("{verb:?} {table}"),
        },
        PossibleLoss::Retyped {
            table, column, to, ..
        } => format!("{table}.{column} as {to}"),
        PossibleLoss::Reshaped {
            table, column, form, ..
        } => format!("{table}.{column} as {}", form.text),
        PossibleLoss::Apart { table, columns, by } => format!("{table}: {columns:?} by {by:?}"),
        PossibleLoss::Moved { table, .. } => format!("{table} moved"),
        PossibleLoss::Called { name, .. } => name,
        PossibleLoss::PartlyKept { removal, .. } => format!("{} in part", removal.object),
    });
    named.collect::<Vec<_>>().join("; ")
}

#[test]
fn a_copy_stands_for_the_table_that_it_was_made_of() {
    for (statements, lost) in [
        // What a query leaves out is not copied.
        (
            &[
                "CREATE TABLE c AS SELECT id, title FROM tasks",
                "DROP TABLE tasks",
            ][..],
            "{\"id\", \"title\"} kept",
        ),
        (
            &[
                "CREATE TABLE c AS SELECT * FROM tasks",
                "ALTER TABLE c DROP COLUMN title",
                "DROP TABLE tasks",
            ],
            "all but {\"title\"}",
        ),
        (
            &[
                "CREATE TABLE c AS SELECT * FROM tasks",
                "DROP TABLE tasks",
                "ALTER TABLE c DROP COLUMN title",
            ],
            "all but {}; column tasks.title",
        ),
        // It has another name there, and another type.
        (
            &[
                "CREATE TABLE c (id integer, heading varchar(9))",
                "INSERT INTO c (id, heading) SELECT t.id, t.title FROM tasks t",
                "DROP TABLE tasks",
                "ALTER TABLE c DROP COLUMN heading",
            ],
            "{\"id\", \"title\"} kept; tasks.title as varchar(9); tasks.id as integer; column tasks.title",
        ),
        (
            &[
                "CREATE TABLE c (id bigserial, title text)",
                "INSERT INTO c SELECT id, title || '!' AS title FROM tasks",
                "DROP TABLE tasks",
            ],
            "{\"id\", \"title\"} kept; tasks.id as bigint; tasks.title as title || '!'",
        ),
        // Two copies: the second one holds them still.
        (
            &[
                "CREATE TABLE c AS TABLE tasks",
                "CREATE TABLE d AS TABLE tasks",
                "DROP TABLE tasks",
                "DROP TABLE c",
            ],
            "all but {}; all but {}",
        ),
    ] {
        assert_eq!(lost_in(&[statements]), lost, "{statements:?}");
    }
}

#[test]
fn a_temporary_table_holds_nothing_for_long() {
    let copied = "CREATE TEMP TABLE c AS SELECT * FROM tasks";
    assert_eq!(
        lost_in(&[&[copied, "DROP TABLE tasks"]]),
        "all but {}; table tasks"
    );
    let back = "CREATE TABLE tasks AS SELECT * FROM c";
    assert_eq!(
        lost_in(&[&[copied, "DROP TABLE tasks", back, "DROP TABLE c"]]),
        "all but {}; all but {}"
    );
    // Afterwards its name is that of the table which it has hidden.
    let hiding = "CREATE TEMP TABLE tasks (id integer)";
    assert_eq!(lost_in(&[&[hiding], &["DROP TABLE tasks"]]), "table tasks");
    assert_eq!(lost_in(&[&[hiding, "DROP TABLE tasks"]]), "");
}

#[test]
fn a_column_that_was_copied_lives_as_long_as_its_copy() {
    let add = "ALTER TABLE tasks ADD COLUMN copy text";
    let fill = "UPDATE tasks SET copy = title WHERE copy IS NULL AND title IS NOT NULL";
    let drop_title = "ALTER TABLE tasks DROP COLUMN title";
    for (statements, lost) in [
        (&[add, fill, drop_title][..], "tasks.title as text"),
        (
            &[add, fill, drop_title, "ALTER TABLE tasks DROP COLUMN copy"],
            "tasks.title as text; column tasks.title",
        ),
        (
            &[add, fill, "UPDATE tasks SET copy = 'x' WHERE id = 1", drop_title],
            "column tasks.title",
        ),
        (
            &[
                add,
                fill,
                "UPDATE tasks SET copy = 'x' WHERE copy IS NULL",
                drop_title,
            ],
            "tasks.title as text",
        ),
        (
            &[add, "UPDATE tasks SET copy = title WHERE copy = 'x'", drop_title],
            "column tasks.title",
        ),
        // What the database has already may have values of its own.
        (
            &["UPDATE tasks SET rank = title WHERE rank IS NULL", drop_title],
            "Update tasks, known which; column tasks.title",
        ),
    ] {
        assert_eq!(lost_in(&[statements]), lost, "{statements:?}");
    }
}

#[test]
fn rows_are_counted_by_a_condition_only_while_it_finds_the_same() {
    let delete = "DELETE FROM tasks WHERE id = 1";
    let of_notes = "DELETE FROM tasks WHERE id IN (SELECT task FROM notes)";
    for (before, statement, lost) in [
        (
            "INSERT INTO tasks VALUES (7)",
            delete,
            "Delete tasks, known which",
        ),
        (
            "INSERT INTO notes VALUES (7)",
            delete,
            "Delete tasks, known which",
        ),
        ("INSERT INTO notes VALUES (7)", of_notes, "Delete tasks"),
        ("ALTER TABLE tags RENAME TO notes", of_notes, "Delete tasks"),
        ("CREATE TABLE notes (task integer)", of_notes, "Delete tasks"),
        (
            "ALTER TABLE tags ADD COLUMN x text",
            of_notes,
            "Delete tasks, known which",
        ),
        (
            "ALTER TABLE tasks RENAME COLUMN rank TO id",
            delete,
            "Delete tasks",
        ),
    ] {
        assert_eq!(lost_in(&[&[before], &[statement]]), lost, "{before}; {statement}");
    }
}

#[test]
fn what_may_not_happen_is_not_relied_upon() {
    for (scripts, lost) in [
        (
            &[&[
                "CREATE TABLE IF NOT EXISTS backup AS SELECT * FROM tasks",
                "DROP TABLE tasks",
            ][..]][..],
            "table tasks",
        ),
        (
            &[
                &["DO $$ BEGIN IF NOT EXISTS (SELECT 1) THEN CREATE TABLE tasks (id int); END IF; END $$"],
                &["DROP TABLE tasks"],
            ],
            "table tasks",
        ),
        (
            &[&[
                "DO $$ BEGIN ALTER TABLE tasks ADD COLUMN kind text; EXCEPTION WHEN duplicate_column THEN NULL; END $$",
                "ALTER TABLE tasks DROP COLUMN kind",
            ]],
            "column tasks.kind",
        ),
        (
            &[&["ALTER TABLE IF EXISTS a RENAME TO b", "DROP TABLE IF EXISTS b"]],
            "table a; table b",
        ),
        (
            &[&[
                "ALTER TABLE IF EXISTS a RENAME TO b",
                "ALTER TABLE b DROP COLUMN IF EXISTS x",
            ]],
            "column a.x; column b.x",
        ),
        (
            &[&[
                "DO $$ BEGIN IF to_regclass('b') IS NULL THEN ALTER TABLE a RENAME TO b; END IF; END $$",
                "DROP TABLE IF EXISTS a",
            ]],
            "to_regclass; table a",
        ),
        (
            &[&[
                "ALTER TABLE tasks ADD COLUMN c text",
                "UPDATE tasks SET c = title WHERE c <> title",
                "ALTER TABLE tasks DROP COLUMN title",
            ]],
            "column tasks.title",
        ),
        (
            &[&[
                "ALTER TABLE tasks ADD COLUMN c text",
                "UPDATE tasks SET c = title WHERE (tasks.c IS NULL AND tasks.title LIKE 'a%')",
                "ALTER TABLE tasks DROP COLUMN title",
            ]],
            "column tasks.title",
        ),
    ] {
        assert_eq!(lost_in(scripts), lost, "{scripts:?}");
    }
}

#[test]
fn a_copy_has_every_row_and_no_value_of_another_table() {
    for statements in [
        &["CREATE TABLE c AS SELECT sum(n) AS n FROM tasks"][..],
        &["CREATE TABLE c AS SELECT id, unnest(tags) AS tags FROM tasks"],
        &["CREATE TABLE c AS SELECT * FROM ONLY tasks"],
        &[
            "CREATE TABLE c (id integer)",
            "WITH tasks AS (SELECT * FROM tasks WHERE NOT done) INSERT INTO c SELECT * FROM tasks",
        ],
    ] {
        let script = [statements, &["DROP TABLE tasks"]].concat();
        let lost = lost_in(&[&script]);
        assert!(lost.ends_with("table tasks"), "{statements:?}: {lost}");
    }
    let zoned = [
        "CREATE TABLE c (id integer, ts timestamptz)",
        "INSERT INTO c (id, ts) SELECT id, ts AT TIME ZONE 'UTC' FROM tasks",
        "DROP TABLE tasks",
    ];
    assert_eq!(
        lost_in(&[&zoned]),
        "{\"id\", \"ts\"} kept; tasks.id as integer; tasks.ts as ts AT TIME ZONE 'UTC'"
    );
    let foreign = [
        "ALTER TABLE tasks ADD COLUMN author text",
        "UPDATE tasks SET author = (SELECT name FROM authors WHERE authors.id = tasks.author_id)",
        "ALTER TABLE tasks DROP COLUMN name",
    ];
    assert_eq!(lost_in(&[&foreign]), "column tasks.name");
}

#[test]
fn a_table_with_rows_of_its_own_is_lost_with_what_it_has_taken_in() {
    let taken_in = &["INSERT INTO archive SELECT * FROM tasks", "DROP TABLE tasks"];
    assert_eq!(
        lost_in(&[taken_in, &["DROP TABLE archive"]]),
        "all but {}; table tasks; table archive"
    );
    assert_eq!(
        lost_in(&[taken_in, &["DELETE FROM archive"]]),
        "all but {}; Delete tasks; Delete archive"
    );
    let attached = &[
        "ALTER TABLE events RENAME TO events_old",
        "CREATE TABLE events (id int, ts timestamptz) PARTITION BY RANGE (ts)",
        "ALTER TABLE events ATTACH PARTITION events_old FOR VALUES FROM (MINVALUE) TO ('2025-01-01')",
    ];
    assert_eq!(lost_in(&[attached, &["DELETE FROM events"]]), "Delete events");
    assert_eq!(lost_in(&[attached, &["DROP TABLE events"]]), "table events");
    let viewed = &[
        "ALTER TABLE tasks RENAME TO jobs",
        "CREATE VIEW tasks AS SELECT * FROM jobs",
        "DELETE FROM tasks",
    ];
    assert_eq!(lost_in(&[viewed]), "Delete tasks");
    let moved = &[
        "ALTER SCHEMA app RENAME TO app_old",
        "ALTER TABLE tasks SET SCHEMA app_old",
        "DROP SCHEMA app_old CASCADE",
    ];
    assert_eq!(lost_in(&[moved]), "table tasks; schema app");
}

#[test]
fn a_condition_over_columns_that_were_changed_counts_nothing() {
    for (before, statement, lost) in [
        (
            "ALTER TABLE tasks ADD COLUMN owner integer",
            "DELETE FROM tasks WHERE owner IS NULL",
            "Delete tasks",
        ),
        (
            "ALTER TABLE tasks ADD COLUMN owner integer",
            "DELETE FROM tasks WHERE id = 1",
            "Delete tasks, known which",
        ),
        (
            "ALTER TABLE tasks ALTER COLUMN id TYPE bigint",
            "DELETE FROM tasks WHERE id = 1",
            "Delete tasks",
        ),
    ] {
        let lost_after = lost_in(&[&[before], &[statement]]);
        assert!(lost_after.ends_with(lost), "{before}; {statement}: {lost_after}");
    }
    let rebuilt = [
        "CREATE TABLE tasks_new (id integer, status text)",
        "INSERT INTO tasks_new (id, status) SELECT id, status || '!' FROM tasks",
        "DROP TABLE tasks",
        "ALTER TABLE tasks_new RENAME TO tasks",
    ];
    let lost = lost_in(&[&rebuilt, &["DELETE FROM tasks WHERE status = 'done!'"]]);
    assert!(lost.ends_with("; Delete tasks"), "{lost}");
}

#[test]
fn what_is_taken_back_or_looked_for_elsewhere_is_unclear() {
    let back = [
        "SAVEPOINT s",
        "CREATE TABLE c AS SELECT * FROM tasks",
        "ROLLBACK TO SAVEPOINT s",
        "DROP TABLE tasks",
    ];
    assert_eq!(losses(&back, Dialect::Postgresql).unclear.len(), 1);
    let released = [
        "SAVEPOINT s",
        "CREATE TABLE c AS SELECT * FROM tasks",
        "RELEASE SAVEPOINT s",
    ];
    assert!(losses(&released, Dialect::Postgresql).unclear.is_empty());
    for (path, unclear) in [
        ("SET search_path TO archive, public", 1),
        ("SELECT set_config('search_path', 'archive', false)", 1),
        ("SET search_path TO public", 0),
        ("SELECT pg_catalog.set_config('search_path', '', false)", 0),
    ] {
        let found = losses(&[path, "DROP TABLE IF EXISTS tasks"], Dialect::Postgresql);
        assert_eq!(found.unclear.len(), unclear, "{path}: {found:?}");
    }
}
