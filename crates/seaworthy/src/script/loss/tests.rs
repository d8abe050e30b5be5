//! What of some statements is a loss, and under which name.

use super::*;
use crate::sql::Dialect;

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
    for some in [
        "WHERE id > 1",
        "LIMIT 1",
        "JOIN tasks ON true",
        "GROUP BY id",
        "UNION SELECT 1",
    ] {
        let rows = format!("INSERT INTO tags_new (id) SELECT id FROM tags {some}");
        assert_eq!(rebuild(&rows), Some(None), "{some}");
    }
    assert_eq!(
        rebuild("INSERT OR IGNORE INTO tags_new SELECT * FROM tags"),
        Some(None)
    );
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

/// Returns what is lost of a table of tasks with the columns `id`, `title`, `rank`, each script by itself.
fn lost_in(scripts: &[&[&str]]) -> String {
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
        PossibleLoss::Called { name, .. } => name,
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
            "{\"id\", \"title\"} kept; tasks.id as bigint",
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
            "",
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
        assert!(copied(fill).is_empty(), "{fill}");
    }
    for fill in [
        "SELECT 1",
        "UPDATE tasks SET due_utc = now()",
        "UPDATE tasks SET due_utc = due WHERE id < 9",
    ] {
        assert!(!copied(fill).is_empty(), "{fill}");
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
    assert_eq!(lost_in(&[&zoned]), "{\"id\", \"ts\"} kept; tasks.id as integer");
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
