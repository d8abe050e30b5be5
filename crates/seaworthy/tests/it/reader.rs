//! What the reader of SQL makes of statements that are easily misread; `tools/sql-judges` holds it against the grammar of
//! the server itself.

use seaworthy::sql::{Dialect, Facts, read};

/// Returns the facts of all statements of a text, one a line, those inside of blocks included.
fn lines(sql: &str, dialect: Dialect) -> Vec<String> {
    let statements = read(sql, dialect).into_iter();
    let all = statements.flat_map(|statement| statement.flattened(0));
    all.flat_map(|statement| words(&statement.facts())).collect()
}

fn words(facts: &Facts) -> Vec<String> {
    let makes = facts.makes.iter().map(|it| format!("makes {}", it.object));
    let removes = facts.removes.iter().map(|it| {
        let cascade = if it.cascade {
            " with what depends on it"
        } else {
            ""
        };
        format!("removes {}{cascade}", it.object)
    });
    let renames = facts
        .renames
        .iter()
        .map(|it| format!("renames {} to {}", it.object, it.to));
    let retypes = facts
        .retypes
        .iter()
        .map(|it| format!("retypes {}.{}", it.table, it.column));
    let rows = facts.rows.iter().map(|it| format!("{:?} {}", it.verb, it.table));
    let settings = facts.settings.iter().map(|it| format!("sets {}", it.name));
    let transaction = facts.transaction.iter().map(|it| format!("{it:?}"));
    let unclear = facts.not_understood.iter().cloned();
    let parts = makes.chain(removes).chain(renames).chain(retypes);
    let parts = parts.chain(rows).chain(settings).chain(transaction);
    parts.chain(unclear).collect()
}

fn expect(cases: &[(&str, &str)], dialect: Dialect) {
    for (sql, expected) in cases {
        assert_eq!(lines(sql, dialect).join(", "), *expected, "{sql}");
    }
}

#[test]
fn every_statement_of_a_block_is_seen() {
    expect(
        &[
            (
                "DO $$ DECLARE n int := 1; BEGIN DROP TABLE a; DELETE FROM b; END $$",
                "removes table a, Delete b",
            ),
            (
                "DO $$ DECLARE n int; BEGIN BEGIN DROP TABLE a; END; END $$",
                "removes table a",
            ),
            (
                "DO $$ BEGIN CASE WHEN x THEN DROP TABLE a; WHEN y THEN DROP TABLE b; END CASE; END $$",
                "removes table a, removes table b",
            ),
            (
                "DO $$ BEGIN CASE f(1) WHEN 1 THEN DROP TABLE a; END CASE; END $$",
                "removes table a",
            ),
            (
                "DO $$ BEGIN IF CASE WHEN a THEN b ELSE c END THEN DROP TABLE a; END IF; END $$",
                "removes table a",
            ),
            (
                "DO $$ BEGIN FOR i IN 1..3 LOOP DELETE FROM a; END LOOP; END $$",
                "Delete a",
            ),
            (
                "DO $$ BEGIN FOR i IN REVERSE 3..1 LOOP DELETE FROM a; END LOOP; END $$",
                "Delete a",
            ),
            (
                "DO $$ BEGIN FOR r IN some_cursor LOOP DELETE FROM a; END LOOP; END $$",
                "Delete a",
            ),
            (
                "DO $$ BEGIN FOR r IN DELETE FROM a RETURNING b LOOP NULL; END LOOP; END $$",
                "Delete a",
            ),
            (
                "DO $$ #variable_conflict use_column BEGIN DROP TABLE a; END $$",
                "removes table a",
            ),
            ("DO $$ <<outer>> BEGIN DROP TABLE a; END $$", "removes table a"),
            (
                "DO $$ BEGIN a[1][2] := 3; b.c.d := 4; e[1:2].f = 5; DROP TABLE a; END $$",
                "removes table a",
            ),
        ],
        Dialect::Postgresql,
    );
}

#[test]
fn a_query_that_fills_a_variable_makes_no_table() {
    expect(
        &[
            (
                "DO $$ DECLARE a int; BEGIN SELECT 1 INTO a; DROP TABLE a; END $$",
                "removes table a",
            ),
            ("SELECT 1 AS b INTO a", "makes table a, Insert a"),
            ("(SELECT 1 AS b INTO a UNION SELECT 2)", "makes table a, Insert a"),
        ],
        Dialect::Postgresql,
    );
}

#[test]
fn rows_that_a_query_writes_are_seen_wherever_it_stands() {
    expect(
        &[
            ("COPY (DELETE FROM a RETURNING b) TO STDOUT", "Delete a"),
            ("COPY (SELECT 1) TO STDOUT", ""),
            ("COPY (SELECT 1 INTO a) TO STDOUT", ""),
            (
                "CREATE TABLE a AS WITH x AS (DELETE FROM b RETURNING c) SELECT * FROM x",
                "makes table a, Insert a, Delete b",
            ),
            (
                "(WITH x AS MATERIALIZED (UPDATE b SET c = 1 RETURNING c) SELECT * FROM x) ORDER BY 1",
                "Update b",
            ),
            (
                "WITH x AS (DELETE FROM b RETURNING c) SELECT * INTO a FROM x",
                "makes table a, Insert a, Delete b",
            ),
            (
                "WITH x AS (WITH y AS (SELECT 1) DELETE FROM a RETURNING b) SELECT * FROM x",
                "Delete a",
            ),
            (
                "WITH x AS (WITH y AS (DELETE FROM a RETURNING b) SELECT * FROM y) SELECT * FROM x",
                "Delete a",
            ),
        ],
        Dialect::Postgresql,
    );
}

#[test]
fn what_holds_no_rows_may_get_another_name_too() {
    expect(
        &[
            (
                "ALTER SEQUENCE IF EXISTS s.a RENAME TO b",
                "renames sequence s.a to s.b",
            ),
            (
                "ALTER FUNCTION a(int, text) RENAME TO b",
                "renames function a to b",
            ),
            ("ALTER AGGREGATE a(*) SET SCHEMA s", "renames function a to s.a"),
            ("ALTER DOMAIN a RENAME TO b", "renames type a to b"),
            ("ALTER DOMAIN a SET SCHEMA s", "renames type a to s.a"),
            ("ALTER DATABASE a RENAME TO b", "renames database a to b"),
            ("ALTER EXTENSION a SET SCHEMA s", "renames extension a to s.a"),
            (
                "ALTER TYPE a RENAME ATTRIBUTE b TO c CASCADE",
                "renames column a.b to c",
            ),
            ("ALTER TABLE ONLY (a) RENAME TO b", "renames table a to b"),
            ("ALTER SEQUENCE a RESTART", ""),
        ],
        Dialect::Postgresql,
    );
}

#[test]
fn attributes_of_a_type_that_lose_values_are_not_understood() {
    expect(
        &[
            (
                "ALTER TYPE a ADD ATTRIBUTE b int, DROP ATTRIBUTE c",
                "makes column a.b, ALTER TYPE a drops an attribute with the values in it",
            ),
            (
                "ALTER TYPE a ALTER ATTRIBUTE b TYPE text CASCADE",
                "ALTER TYPE a changes the values of an attribute",
            ),
        ],
        Dialect::Postgresql,
    );
}

#[test]
fn an_index_that_is_dropped_may_take_what_depends_on_it() {
    expect(
        &[("DROP INDEX a CASCADE", "removes index a with what depends on it")],
        Dialect::Postgresql,
    );
}

#[test]
fn a_long_name_is_the_one_that_the_server_keeps() {
    let long = "é".repeat(40);
    let kept = "é".repeat(31);
    expect(
        &[(
            &format!("DROP TABLE s.{long}"),
            &format!("removes table s.{kept}"),
        )],
        Dialect::Postgresql,
    );
    expect(
        &[(&format!("DROP TABLE {long}"), &format!("removes table {long}"))],
        Dialect::Sqlite,
    );
}

#[test]
fn what_a_schema_is_called_is_not_made_up() {
    expect(
        &[
            ("CREATE SCHEMA AUTHORIZATION a", ""),
            (
                "CREATE SCHEMA a CREATE TABLE b (c int)",
                "CREATE SCHEMA with what it is to hold is not understood",
            ),
            (
                "CREATE AGGREGATE a(int) (sfunc = int4pl, stype = int)",
                "makes function a",
            ),
        ],
        Dialect::Postgresql,
    );
}

#[test]
fn settings_have_the_names_that_the_server_knows() {
    expect(
        &[
            ("SET NAMES 'UTF8'", "sets client_encoding"),
            ("SET XML OPTION CONTENT", "sets xmloption"),
            ("SET LOCAL TO on", "sets local"),
            ("RESET \"en_US\"", "sets en_us"),
            ("SET SESSION a = 1", "sets a"),
            ("RESET TRANSACTION ISOLATION LEVEL", "sets transaction_isolation"),
        ],
        Dialect::Postgresql,
    );
}

#[test]
fn a_column_may_have_no_type() {
    for (sql, dialect) in [
        (
            "CREATE TABLE a (b NOT NULL, c DEFAULT 1, d PRIMARY KEY)",
            Dialect::Sqlite,
        ),
        (
            "CREATE TABLE a OF t (b WITH OPTIONS NOT NULL, c DEFAULT 1, d PRIMARY KEY)",
            Dialect::Postgresql,
        ),
    ] {
        let statements = read(sql, dialect);
        let columns = statements[0].made_columns().into_iter().map(|(name, _)| name);
        let columns: Vec<String> = columns.collect();
        assert_eq!(columns, ["b", "c", "d"], "{sql}");
    }
}

#[test]
fn parentheses_without_end_are_not_understood() {
    for start in [
        "DELETE FROM a WHERE ",
        "SELECT * FROM ",
        "INSERT INTO a ",
        "CREATE TABLE a AS ",
    ] {
        let sql = format!("{start}{}", "(".repeat(100_000));
        let statements = read(&sql, Dialect::Postgresql);
        assert!(!statements[0].facts().not_understood.is_empty(), "{start}");
    }
}

#[test]
fn a_function_may_return_what_it_deletes() {
    let sql = "CREATE FUNCTION a() RETURNS SETOF b LANGUAGE plpgsql AS $$ BEGIN \
        RETURN QUERY DELETE FROM b RETURNING *; RETURN QUERY EXECUTE 'DROP TABLE c'; END $$";
    let inside = read(sql, Dialect::Postgresql)[0].body().unwrap();
    let facts: Vec<String> = inside
        .iter()
        .flat_map(|statement| words(&statement.facts()))
        .collect();
    assert_eq!(facts, ["Delete b", "removes table c"]);
}
