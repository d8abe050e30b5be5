//! Which table a name stands for, and where the rows of one are when it goes.

use super::copies::lost_in;
use super::*;

#[test]
fn what_another_relation_of_a_name_has_is_no_copy_of_the_table() {
    for statements in [
        &[
            "CREATE TEMP VIEW tasks AS SELECT * FROM other",
            "CREATE TABLE c AS SELECT * FROM tasks",
            "DROP VIEW tasks",
        ][..],
        &[
            "CREATE TABLE c (id integer)",
            "WITH tasks AS (DELETE FROM made RETURNING id) INSERT INTO c SELECT * FROM tasks",
        ],
        &["WITH tasks AS (SELECT 1 AS id) SELECT * INTO c FROM tasks"],
        &["CREATE TABLE c AS SELECT * FROM other AS tasks"],
        &["CREATE TABLE c AS SELECT * FROM (SELECT id FROM tasks WHERE done) AS tasks"],
        &["CREATE TABLE c AS SELECT id, jsonb_path_query(doc, '$[*]') AS part FROM tasks"],
    ] {
        let made = [
            "CREATE TABLE made (id integer)",
            "CREATE TABLE other (id integer)",
        ];
        let script = [&made[..], statements, &["DROP TABLE tasks"]].concat();
        assert_eq!(lost_in(&[&script]), "table tasks", "{statements:?}");
    }
    let renamed = [
        "ALTER TABLE tasks RENAME TO tasks_old",
        "CREATE VIEW tasks AS SELECT * FROM tasks_old WHERE done",
        "CREATE TABLE c AS SELECT * FROM tasks",
        "DROP TABLE tasks_old",
    ];
    assert_eq!(lost_in(&[&renamed]), "table tasks");
}

#[test]
fn rows_that_go_through_a_trigger_or_a_rule_may_be_left_out() {
    for made in [
        "CREATE TRIGGER t BEFORE INSERT ON c FOR EACH ROW EXECUTE FUNCTION skip()",
        "CREATE RULE r AS ON INSERT TO c WHERE new.id > 1 DO INSTEAD NOTHING",
    ] {
        let script = [
            "CREATE TABLE c (id integer)",
            made,
            "INSERT INTO c SELECT * FROM tasks",
            "DROP TABLE tasks",
        ];
        assert_eq!(lost_in(&[&script]), "table tasks", "{made}");
    }
}

#[test]
fn a_copy_may_be_spelled_in_other_ways() {
    for (copy, lost) in [
        ("SELECT * INTO c FROM tasks", "all but {}"),
        ("SELECT id, title INTO c FROM tasks", "{\"id\", \"title\"} kept"),
        (
            "CREATE TABLE c AS SELECT * FROM (SELECT * FROM tasks) AS q",
            "all but {}",
        ),
        ("CREATE TABLE c AS SELECT * FROM tasks WHERE true", "all but {}"),
        (
            "CREATE TABLE c AS SELECT id, row_number() OVER (ORDER BY id) AS n FROM tasks",
            "{\"id\"} kept",
        ),
    ] {
        assert_eq!(lost_in(&[&[copy, "DROP TABLE tasks"]]), lost, "{copy}");
    }
}

#[test]
fn a_table_with_its_schema_is_not_the_temporary_one_of_its_name() {
    for (statements, dialect) in [
        (
            ["CREATE TEMP TABLE tasks (id int)", "DELETE FROM public.tasks"],
            Dialect::Postgresql,
        ),
        (
            [
                "CREATE TEMP TABLE tasks (id int)",
                "DROP TABLE \"public\" . tasks",
            ],
            Dialect::Postgresql,
        ),
        (
            [
                "CREATE TABLE temp.tasks (id int)",
                "ALTER TABLE main.Tasks DROP COLUMN title",
            ],
            Dialect::Sqlite,
        ),
    ] {
        let found = losses(&statements, dialect);
        assert_eq!(found.unclear.len(), 1, "{statements:?}: {found:?}");
    }
    let own = [
        "CREATE TABLE temp.tasks (id int)",
        "INSERT INTO c SELECT * FROM tasks",
        "DROP TABLE temp.tasks",
        "DROP TABLE tasks",
    ];
    assert_eq!(removed(&own, Dialect::Sqlite), ["table tasks"]);
}

#[test]
fn a_table_may_live_on_in_two_that_tell_its_rows_apart() {
    let copies = [
        "CREATE TABLE a AS SELECT id, title FROM tasks",
        "CREATE TABLE b AS SELECT id, rank FROM tasks",
    ];
    for (more, lost) in [
        (
            &["DROP TABLE tasks"][..],
            "{\"id\", \"rank\", \"title\"} kept; tasks: {\"rank\"} by {\"id\"}",
        ),
        (
            &["ALTER TABLE b DROP COLUMN id", "DROP TABLE tasks"],
            "{\"id\", \"rank\", \"title\"} kept; tasks: {\"rank\"} by {}",
        ),
        (
            &["DROP TABLE tasks", "DROP TABLE b"],
            "{\"id\", \"rank\", \"title\"} kept; tasks: {\"rank\"} by {\"id\"}; table tasks",
        ),
        (
            &["ALTER TABLE tasks DROP COLUMN rank"],
            "tasks: {\"rank\"} by {\"id\"}",
        ),
        (
            &["ALTER TABLE tasks DROP COLUMN rank", "DELETE FROM b"],
            "tasks: {\"rank\"} by {\"id\"}; Delete tasks",
        ),
        (
            &["DELETE FROM b WHERE id = 1", "ALTER TABLE tasks DROP COLUMN rank"],
            "column tasks.rank",
        ),
    ] {
        let script = [&copies[..], more].concat();
        assert_eq!(lost_in(&[&script]), lost, "{more:?}");
    }
}

#[test]
fn rows_that_one_statement_moves_are_not_lost() {
    let made = "CREATE TABLE c (id integer, title text)";
    let lost = |moves: &str, more: &[&str]| lost_in(&[&[&[made, moves][..], more].concat()]);
    let moves =
        "WITH gone AS (DELETE FROM tasks WHERE done RETURNING id, title) INSERT INTO c SELECT * FROM gone";
    let kept = "{\"id\", \"title\"} kept; tasks.id as integer; tasks.title as text; tasks moved";
    assert_eq!(lost(moves, &[]), kept);
    assert_eq!(lost(moves, &["DROP TABLE c"]), format!("{kept}; table tasks"));
    for some in [
        "WITH gone AS (DELETE FROM tasks RETURNING *) INSERT INTO c SELECT * FROM gone WHERE done",
        "WITH gone AS (DELETE FROM tasks RETURNING *) INSERT INTO c SELECT * FROM gone ON CONFLICT DO NOTHING",
        "WITH gone AS (DELETE FROM tasks RETURNING *) INSERT INTO c SELECT * FROM notes",
        "WITH gone AS (DELETE FROM tasks RETURNING id, upper(title) AS title) INSERT INTO c SELECT id, title FROM gone",
    ] {
        assert!(lost(some, &[]).starts_with("Delete tasks"), "{some}");
    }
}
