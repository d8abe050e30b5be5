//! The ways to destroy rows: every statement that does, in every spelling that its database takes.

use sea_orm::DbBackend;

/// A way to destroy rows, and what the question has to name.
pub(super) struct Way {
    pub(super) sql: String,
    pub(super) names: &'static str,
}

/// Spellings of one table's name.
const OF_POSTGRESQL: [&str; 8] = [
    "crew",
    "Crew",
    "CREW",
    "\"crew\"",
    "public.crew",
    "PUBLIC.Crew",
    "\"public\" . \"crew\"",
    "/* who? */ U&\"cr\\0065w\"",
];
const OF_SQLITE: [&str; 7] = [
    "crew",
    "Crew",
    "\"CREW\"",
    "[crew]",
    "`crew`",
    "main.crew",
    "'crew'",
];

/// Statements with a place for the name.
const ON_POSTGRESQL: [&str; 15] = [
    "DROP TABLE {} CASCADE",
    "drop  table\n if exists {}\tcascade;",
    "-- first\nDROP TABLE {} CASCADE -- last",
    "SELECT 1; DROP TABLE {} CASCADE",
    "TRUNCATE {} CASCADE",
    "truncate table only {} restart identity cascade",
    "DELETE FROM {}",
    "DELETE FROM ONLY {} AS c WHERE c.id > 0",
    "DELETE FROM {} c USING berths b WHERE b.crew_id = c.id",
    "WITH gone AS (DELETE FROM {} RETURNING 1) SELECT count(*) FROM gone",
    "DO $$ BEGIN DELETE FROM {}; END $$",
    "EXPLAIN (ANALYZE, COSTS off) DELETE FROM {}",
    "MERGE INTO {} c USING berths b ON b.crew_id = c.id WHEN MATCHED THEN DELETE",
    "ALTER TABLE {} DROP COLUMN name CASCADE",
    "ALTER TABLE IF EXISTS {} ALTER COLUMN pay SET STATISTICS 500, DROP name CASCADE, ALTER pay SET STORAGE EXTERNAL",
];
const ON_SQLITE: [&str; 9] = [
    "DROP TABLE {}",
    "drop  table\n if exists {};",
    "SELECT 1; DROP TABLE {}",
    "DELETE FROM {}",
    "DELETE FROM {} WHERE id > 0",
    "WITH old AS (SELECT 1 AS id) DELETE FROM {} WHERE id IN (SELECT id FROM old)",
    "ALTER TABLE {} DROP COLUMN name",
    "REPLACE INTO {} (id, name) VALUES (1, 'Eve')",
    "insert or replace into {} (id) values (1)",
];

/// Ways that are their own: what they do, and what they take.
const ONLY_POSTGRESQL: [(&str, &str); 22] = [
    (
        "DO $x$ BEGIN IF true THEN EXECUTE 'DROP TABLE crew CASCADE'; END IF; END $x$",
        "crew",
    ),
    (
        "DO $$ DECLARE r record; BEGIN FOR r IN DELETE FROM crew RETURNING * LOOP NULL; END LOOP; END $$",
        "crew",
    ),
    (
        "DO LANGUAGE plpgsql $$ BEGIN EXECUTE 'DROP TABLE ' || 'crew' || ' CASCADE'; END $$",
        "unclear",
    ),
    ("SELECT sink()", "crew"),
    ("SELECT public.sink_all()", "crew"),
    ("CALL scuttle()", "unclear"),
    ("WITH x AS (SELECT 1) SELECT sink() FROM x", "crew"),
    (
        "CREATE FUNCTION pg_temp.f() RETURNS void LANGUAGE sql AS 'DELETE FROM crew'; SELECT pg_temp.f()",
        "crew",
    ),
    (
        "ALTER TABLE crew RENAME TO sailors; DROP TABLE sailors CASCADE",
        "crew",
    ),
    (
        "ALTER TABLE crew RENAME COLUMN pay TO wage; ALTER TABLE crew DROP COLUMN wage CASCADE",
        "crew.pay",
    ),
    (
        "ALTER TABLE crew SET SCHEMA hold; DROP TABLE hold.crew CASCADE",
        "crew",
    ),
    (
        "DROP VIEW overview; ALTER TABLE crew ALTER COLUMN pay TYPE integer",
        "crew.pay",
    ),
    (
        "DROP VIEW overview; ALTER TABLE crew ALTER pay SET DATA TYPE numeric(3, 1) USING round(pay, 1)",
        "crew.pay",
    ),
    ("DROP SCHEMA hold CASCADE", "hold.cargo"),
    ("DROP SCHEMA IF EXISTS nowhere, Hold CASCADE", "hold.cargo"),
    ("DROP TYPE mood CASCADE", "logs.mood"),
    ("DROP DOMAIN IF EXISTS Knots CASCADE", "logs.speed"),
    ("DROP TABLE trips", "trips"),
    ("DROP TABLE trips_2025", "trips_2025"),
    (
        "ALTER TABLE trips DETACH PARTITION trips_2025; DROP TABLE trips_2025",
        "trips_2025",
    ),
    (
        "CREATE TABLE IF NOT EXISTS crew (id integer); DROP TABLE crew CASCADE",
        "crew",
    ),
    (
        "CREATE TABLE copy AS SELECT * FROM crew WHERE id = 1; DROP TABLE crew CASCADE; ALTER TABLE copy RENAME TO crew",
        "crew",
    ),
];
const ONLY_SQLITE: [(&str, &str); 6] = [
    ("ALTER TABLE crew RENAME TO sailors; DROP TABLE sailors", "crew"),
    (
        "ALTER TABLE crew RENAME COLUMN pay TO wage; ALTER TABLE crew DROP COLUMN wage",
        "crew.pay",
    ),
    (
        "CREATE TABLE crew_new (id integer PRIMARY KEY, name text); INSERT INTO crew_new (id, name) SELECT id, name FROM crew; DROP TABLE crew; ALTER TABLE crew_new RENAME TO crew",
        "crew.pay",
    ),
    (
        "CREATE TABLE crew_new (id integer PRIMARY KEY, name text, pay numeric); INSERT INTO crew_new SELECT * FROM crew WHERE id = 1; DROP TABLE crew; ALTER TABLE crew_new RENAME TO crew",
        "crew",
    ),
    (
        "CREATE TABLE IF NOT EXISTS crew (id integer); DROP TABLE crew",
        "crew",
    ),
    ("DELETE FROM logs WHERE mood = 'ill'", "1 of 1 row of logs"),
];

/// Returns the ways on a kind of database.
pub(super) fn ways(backend: DbBackend) -> Vec<Way> {
    let (names, statements, only): (&[&str], &[&str], &[(&str, &'static str)]) = match backend {
        DbBackend::Postgres => (&OF_POSTGRESQL, &ON_POSTGRESQL, &ONLY_POSTGRESQL),
        _ => (&OF_SQLITE, &ON_SQLITE, &ONLY_SQLITE),
    };
    let spelled = statements.iter().flat_map(|statement| {
        names.iter().map(|name| Way {
            sql: statement.replace("{}", name),
            names: "crew",
        })
    });
    let only = only.iter().map(|&(sql, names)| Way {
        sql: sql.to_owned(),
        names,
    });
    spelled.chain(only).collect()
}
