//! What shows that a value can be had back from what it lives on in.

use super::copies::lost_in;
use super::*;
use crate::sql::Check;

/// Returns what is checked where `tasks.title` goes and an expression of it stays.
fn checked(fill: &str, dialect: Dialect) -> String {
    let statements = [
        "ALTER TABLE tasks ADD COLUMN made text",
        fill,
        "ALTER TABLE tasks DROP COLUMN title",
    ];
    let shown = |check: &Check| match check {
        Check::Same { value, back } => format!("same {}{}{}", back.0, value.sql(), back.1),
        Check::Contained(_) => "contained".to_owned(),
        Check::Present(_) => "present".to_owned(),
        Check::Distinct(_) => "distinct".to_owned(),
        Check::Never => "never".to_owned(),
    };
    let possible = losses(&statements, dialect)
        .possible
        .into_iter()
        .filter_map(|loss| match loss {
            PossibleLoss::Retyped { .. } => Some("as it is".to_owned()),
            PossibleLoss::Reshaped { form, .. } => {
                Some(form.checks.iter().map(shown).collect::<Vec<_>>().join(", "))
            }
            PossibleLoss::Removed { .. } => Some("gone".to_owned()),
            _ => None,
        });
    possible.collect::<Vec<_>>().join("; ")
}

#[test]
fn an_expression_says_how_it_is_taken_back() {
    for (expression, check) in [
        ("title", "as it is"),
        ("((tasks.title))", "as it is"),
        ("coalesce(title, '')", "as it is"),
        ("coalesce(made, title)", "as it is"),
        ("upper(title)", r#"same upper("title")"#),
        ("title::varchar(9)", r#"same "title"::varchar(9)"#),
        ("CAST(title AS integer)", r#"same CAST("title" AS integer)"#),
        ("title * 100", r#"same (("title" * 100)::numeric / (100))"#),
        (
            "(title + 1) * 2",
            r#"same ((((("title" + 1) * 2)::numeric / (2))) - (1))"#,
        ),
        ("7 - title", r#"same ((7) - (7 - "title"))"#),
        ("-title", r#"same -(-"title")"#),
        ("title / 10", r#"same (("title" / 10) * (10))"#),
        ("title % 10", r#"same "title" % 10"#),
        (
            "to_timestamp(title)",
            r#"same extract(epoch from to_timestamp("title"))"#,
        ),
        (
            "title AT TIME ZONE 'UTC'",
            r#"same (("title" AT TIME ZONE 'UTC') AT TIME ZONE 'UTC')"#,
        ),
        (
            "string_to_array(title, ',')",
            r#"same array_to_string(string_to_array("title", ','), ',')"#,
        ),
        ("title + rank", r#"same "title" + "rank""#),
        ("coalesce(rank, title)", r#"same coalesce("rank", "title")"#),
        ("title || '!'", "contained"),
        ("title || ' ' || coalesce(rank, '')", "contained"),
        ("title::text || rank", "contained"),
        ("title = rank || 'x'", r#"same "title" = "rank" || 'x'"#),
        ("format('%s-%s', title, rank)", "contained"),
        (
            "format('%s', rank, title)",
            r#"same format('%s', "rank", "title")"#,
        ),
        ("format('%.1s', title)", r#"same format('%.1s', "title")"#),
        ("upper(title) || rank", r#"same upper("title"), present"#),
        ("jsonb_build_object('t', title, 'r', rank)", "present"),
        (
            "jsonb_build_object('t', title, 't', rank)",
            r#"same jsonb_build_object('t', "title", 't', "rank")"#,
        ),
        ("ARRAY[title, rank]", "present"),
        ("CASE title WHEN 'a' THEN 'b' WHEN 'c' THEN 'd' END", "distinct"),
        ("CASE WHEN title = 'a' THEN 'b' ELSE title END", "distinct"),
        ("CASE WHEN title THEN 'on' ELSE 'off' END", "distinct"),
        (
            "CASE WHEN title = 'a' THEN 'b' ELSE 'c' END",
            r#"same CASE WHEN "title" = 'a' THEN 'b' ELSE 'c' END"#,
        ),
        (
            "CASE WHEN title LIKE 'a%' THEN 'b' END",
            r#"same CASE WHEN "title" LIKE 'a%' THEN 'b' END"#,
        ),
        ("title IS NOT NULL", r#"same "title" IS NOT NULL"#),
        // Whatever these do is not done beforehand.
        ("slug(title)", "never"),
        ("title || nextval('numbers')", "never"),
        ("(SELECT name FROM notes WHERE id = title)", "gone"),
        ("'title'", "gone"),
    ] {
        let fill = format!("UPDATE tasks SET made = {expression}");
        assert_eq!(checked(&fill, Dialect::Postgresql), check, "{expression}");
    }
    assert_eq!(
        checked("UPDATE tasks SET made = title * 100", Dialect::Sqlite),
        r#"same (("title" * 100) * 1.0 / (100))"#
    );
}

#[test]
fn what_is_made_of_what_was_made_is_taken_back_step_by_step() {
    for (fill, check) in [
        (
            "UPDATE tasks SET made = title * 2; UPDATE tasks SET made = made + 1",
            r#"same ((((("title" * 2) + 1) - (1)))::numeric / (2))"#,
        ),
        (
            "UPDATE tasks SET made = title; UPDATE tasks SET made = upper(made)",
            r#"same upper("title")"#,
        ),
        (
            "UPDATE tasks SET made = title; UPDATE tasks SET made = upper(made) WHERE id < 9",
            "never",
        ),
        (
            "UPDATE tasks SET made = title || '!'; UPDATE tasks SET made = upper(made)",
            "never",
        ),
        (
            "UPDATE tasks SET made = title; ALTER TABLE tasks ALTER COLUMN made TYPE text USING md5(made)",
            r#"same md5("title")"#,
        ),
    ] {
        assert_eq!(checked(fill, Dialect::Postgresql), check, "{fill}");
    }
}

#[test]
fn a_fill_holds_what_every_row_has_of_it() {
    for (fill, check) in [
        ("UPDATE tasks SET made = title WHERE made IS NULL", "as it is"),
        (
            "UPDATE tasks SET made = title WHERE made IS DISTINCT FROM title",
            "as it is",
        ),
        (
            "UPDATE tasks SET made = title WHERE ((made IS NULL) AND title IS NOT NULL)",
            "as it is",
        ),
        (
            "UPDATE tasks SET made = title WHERE (id, rank) IN (SELECT id, rank FROM notes)",
            "gone",
        ),
        (
            "UPDATE tasks SET made = title WHERE (made IS NULL) = (id > 2)",
            "gone",
        ),
        ("UPDATE tasks SET (made, rank) = (title, id)", "as it is"),
        (
            "UPDATE tasks SET made = 'x'; UPDATE tasks SET made = title WHERE made IS NULL",
            "gone",
        ),
        (
            "UPDATE tasks SET made = rank; UPDATE tasks SET made = title WHERE made IS NULL",
            "gone",
        ),
        (
            "UPDATE tasks SET made = title; UPDATE tasks SET made = rank WHERE rank IS NOT NULL",
            "gone",
        ),
        (
            "UPDATE tasks SET made = title; UPDATE tasks SET made = NULL",
            "gone",
        ),
        (
            "UPDATE tasks SET made = title WHERE made IS DISTINCT FROM rank || title",
            "gone",
        ),
        (
            "UPDATE tasks SET made = title || rank WHERE rank IS NOT NULL",
            "gone",
        ),
        ("UPDATE ONLY tasks SET made = title", "gone"),
        (
            "WITH other AS (UPDATE tasks SET made = 'x') UPDATE notes SET made = title",
            "gone",
        ),
    ] {
        assert_eq!(checked(fill, Dialect::Postgresql), check, "{fill}");
    }
    for some in ["OR IGNORE", "OR REPLACE"] {
        let fill = format!("UPDATE {some} tasks SET made = title");
        assert!(checked(&fill, Dialect::Sqlite).ends_with("gone"), "{some}");
    }
    let with_default = [
        "ALTER TABLE tasks ADD COLUMN made text DEFAULT 'x'",
        "UPDATE tasks SET made = title WHERE made IS NULL",
        "ALTER TABLE tasks DROP COLUMN title",
    ];
    assert_eq!(lost_in(&[&with_default]), "column tasks.title");
}

#[test]
fn the_best_of_several_columns_is_what_holds_a_value() {
    for (values, lost) in [
        ("id, title, upper(title) AS loud", "{\"id\", \"title\"} kept"),
        ("id, upper(title) AS loud, title", "{\"id\", \"title\"} kept"),
        (
            "id, upper(title) AS loud",
            "{\"id\", \"title\"} kept; tasks.title as upper(title)",
        ),
    ] {
        let copy = format!("CREATE TABLE c AS SELECT {values} FROM tasks");
        assert_eq!(lost_in(&[&[&copy, "DROP TABLE tasks"]]), lost, "{values}");
    }
    let loud = [
        "CREATE TABLE c AS SELECT id, title, upper(title) AS loud FROM tasks",
        "DROP TABLE tasks",
        "ALTER TABLE c DROP COLUMN loud",
    ];
    assert_eq!(lost_in(&[&loud]), "{\"id\", \"title\"} kept");
}

#[test]
fn an_enum_of_the_script_has_the_text_of_its_labels() {
    let made = "CREATE TYPE mood AS ENUM ('well', 'ill')";
    for (using, lost) in [
        ("title::text::mood", "tasks.title as text"),
        ("CAST(title AS mood)", "tasks.title as text"),
        ("(lower(title))::mood", "tasks.title as text"),
    ] {
        let change = format!("ALTER TABLE tasks ALTER COLUMN title TYPE mood USING {using}");
        assert_eq!(lost_in(&[&[made, &change]]), lost, "{using}");
    }
    let elsewhere = "ALTER TABLE tasks ALTER COLUMN title TYPE other USING title::other";
    assert_eq!(lost_in(&[&[made, elsewhere]]), "tasks.title as other");
}
