//! What lives on in another form, in another table or under another name: what of it is lost is asked about, and nothing else.

use std::fmt::Write as _;

use sea_orm::DbBackend;
use seaworthy::command::CommandError;
use seaworthy::verify::ScratchDatabase;

use super::Watched;
use crate::databases::{self, Person, Sql, databases, environment, send};

/// Values that are not the same in every form: blanks, capitals, fractions, signs, nothing at all.
const SEED: &str = "
    CREATE TABLE crew (id integer PRIMARY KEY, name text, first text, pay numeric, n integer, code text, at {timestamp});
    INSERT INTO crew VALUES
        (1, 'Ada', 'Ada', 1.25, 13, '1', '2026-01-02 03:04:05'), (2, ' ben ', NULL, 2.5, -13, '2', '2026-01-02 00:00:00'),
        (3, 'Cleo', 'Cy', -3.75, 0, '1', NULL), (4, NULL, 'Dot', NULL, NULL, NULL, NULL);
    CREATE TABLE logs (id integer PRIMARY KEY, x text, y text);
    INSERT INTO logs VALUES (1, '1', '7'), (2, '2', '8'), (3, '3', NULL);
    CREATE TABLE notes (id integer PRIMARY KEY, log_id integer REFERENCES logs ON DELETE CASCADE);
    INSERT INTO notes VALUES (1, 1);
    CREATE TABLE bare (id integer PRIMARY KEY, x text);
    INSERT INTO bare VALUES (1, 'a');";

const ON_POSTGRESQL: &str = "
    CREATE TYPE mood AS ENUM ('well', 'ill');
    ALTER TABLE crew ADD COLUMN mood mood, ADD COLUMN flag boolean;
    UPDATE crew SET mood = 'ill', flag = id < 3 WHERE id < 4;";

/// What fills a column, and what is lost when `{column}` goes: `column: expression`.
const FORMS: [(&str, &str, &str); 22] = [
    (
        "name",
        "upper(name)",
        "values of crew.name (3 rows, kept only as upper(name))",
    ),
    (
        "name",
        "lower(name)",
        "values of crew.name (2 rows, kept only as lower(name))",
    ),
    (
        "name",
        "trim(name)",
        "values of crew.name (1 row, kept only as trim(name))",
    ),
    (
        "name",
        "substr(name, 1, 3)",
        "values of crew.name (2 rows, kept only as substr(name, 1, 3))",
    ),
    (
        "name",
        "length(name)",
        "values of crew.name (3 rows, kept only as length(name))",
    ),
    (
        "name",
        "name IS NOT NULL",
        "values of crew.name (3 rows, kept only as name is not null)",
    ),
    (
        "name",
        "nullif(name, 'Ada')",
        "values of crew.name (1 row, kept only as nullif(name, 'ada'))",
    ),
    (
        "name",
        "first || ' ' || name",
        "values of crew.name (1 row, kept only as first || ' ' || name)",
    ),
    (
        "first",
        "coalesce(name, first)",
        "values of crew.first (1 row, kept only as coalesce(name, first))",
    ),
    (
        "name",
        "CASE WHEN name = 'Ada' THEN 'a' ELSE 'b' END",
        "values of crew.name (3 rows",
    ),
    (
        "code",
        "CASE code WHEN '1' THEN 'one' WHEN '2' THEN 'one' END",
        "values of crew.code (3 rows",
    ),
    (
        "pay",
        "round(pay)",
        "values of crew.pay (3 rows, kept only as round(pay))",
    ),
    (
        "pay",
        "CAST(pay AS integer)",
        "values of crew.pay (3 rows, kept only as cast(pay as integer))",
    ),
    ("n", "abs(n)", "values of crew.n (1 row, kept only as abs(n))"),
    ("n", "n % 10", "values of crew.n (2 rows, kept only as n % 10)"),
    ("n", "n / 10", "values of crew.n (2 rows, kept only as n / 10)"),
    ("n", "n + id", "values of crew.n (3 rows, kept only as n + id)"),
    ("n", "n * 0", "values of crew.n ("),
    ("n", "n > 0", "values of crew.n ("),
    ("at", "date(at)", "values of crew.at ("),
    (
        "name",
        "(SELECT x FROM logs WHERE logs.id = crew.id)",
        "column crew.name (3 rows)",
    ),
    ("name", "'name'", "column crew.name (3 rows)"),
];

const FORMS_ON_POSTGRESQL: [(&str, &str, &str); 4] = [
    (
        "name",
        "md5(name)",
        "values of crew.name (3 rows, kept only as md5(name))",
    ),
    (
        "at",
        "date_trunc('day', at)",
        "values of crew.at (1 row, kept only as date_trunc('day', at))",
    ),
    ("at", "extract(year FROM at)", "values of crew.at (2 rows"),
    (
        "flag",
        "CASE WHEN flag THEN 'on' END",
        "values of crew.flag (1 row",
    ),
];

/// What fills a column so that another one may go.
const REVERSIBLE: [(&str, &str); 14] = [
    ("name", "name"),
    ("name", "(crew.name)"),
    ("name", "coalesce(name, '')"),
    ("name", "'Captain ' || name"),
    ("name", "coalesce(first, '') || ' ' || coalesce(name, '')"),
    ("name", "replace(name, 'zz', '')"),
    ("n", "CAST(n AS text)"),
    ("n", "n + 1"),
    ("n", "2 - n"),
    ("n", "(n + 1) * 3"),
    ("pay", "pay * 100"),
    ("code", "CASE code WHEN '1' THEN 'one' WHEN '2' THEN 'two' END"),
    ("code", "CASE WHEN code = '1' THEN 'one' ELSE code END"),
    ("code", "upper(code)"),
];

const REVERSIBLE_ON_POSTGRESQL: [(&str, &str); 7] = [
    ("n", "n::text::double precision::text"),
    ("name", "jsonb_build_object('n', name, 'f', first)"),
    ("name", "concat(first, ' ', name)"),
    ("name", "format('%s %s', first, name)"),
    ("at", "at AT TIME ZONE 'UTC'"),
    ("flag", "CASE WHEN flag THEN 'on' ELSE 'off' END"),
    ("mood", "mood::text"),
];

/// What a type is changed by, on PostgreSQL; nothing is lost where nothing is named.
const USING: [(&str, &str, &str, &str); 18] = [
    ("n", "double precision", "n::text::double precision", ""),
    (
        "name",
        "character varying(20)",
        "CAST(name AS character varying(20))",
        "",
    ),
    ("name", "text", "NULL", "crew.name (3 rows"),
    ("n", "bigint", "0", "crew.n (2 rows"),
    ("name", "varchar(3)", "left(name, 3)", "crew.name (2 rows"),
    ("name", "text", "first", "crew.name (2 rows"),
    ("n", "text", "md5(n::text)", "crew.n (3 rows"),
    ("n", "text", "(SELECT max(x) FROM logs)", "crew.n (3 rows"),
    ("mood", "feeling", "'ill'::feeling", ""),
    ("mood", "feeling", "'well'::feeling", "crew.mood (3 rows"),
    ("mood", "feeling", "mood::text::feeling", ""),
    ("code", "label", "code::label", ""),
    ("pay", "integer", "(pay * 100)::integer", ""),
    ("pay", "integer", "pay::integer", "crew.pay (3 rows"),
    ("n", "text", "'no. ' || n", ""),
    ("n", "timestamptz", "to_timestamp(n)", ""),
    ("code", "jsonb", "to_jsonb(code)", ""),
    ("flag", "text", "CASE WHEN flag THEN 'on' ELSE 'off' END", ""),
];

/// Ways to lose rows on the way into another table, and what the question names.
const ROWS: [(&str, &str); 9] = [
    (
        "CREATE TABLE c AS SELECT DISTINCT y FROM logs; DROP TABLE logs {cascade}",
        "column logs.id (3 rows), column logs.x (3 rows), up to 3 of 3 rows of logs",
    ),
    (
        "CREATE TABLE c AS SELECT * FROM (SELECT * FROM logs LIMIT 1) q; DROP TABLE logs {cascade}",
        "table logs (3 rows)",
    ),
    (
        "ALTER TABLE logs RENAME TO old; CREATE VIEW logs AS SELECT * FROM old WHERE id = 1; CREATE TABLE c AS SELECT * FROM logs; \
         DROP VIEW logs; DROP TABLE old {cascade}",
        "table logs (3 rows)",
    ),
    (
        "CREATE TABLE c AS SELECT id, x, substr(y || 'z', 2) AS y FROM logs; DROP TABLE logs {cascade}",
        "values of logs.y (2 rows, kept only as substr(y || 'z', 2))",
    ),
    (
        "CREATE TABLE c AS SELECT y, x FROM logs; ALTER TABLE logs DROP COLUMN id {cascade}",
        "column logs.id (3 rows)",
    ),
    (
        "CREATE TABLE c AS SELECT id, x FROM logs; ALTER TABLE logs DROP COLUMN x; DROP TABLE c",
        "table logs (3 rows)",
    ),
    (
        "CREATE TABLE c AS SELECT code, name FROM crew; ALTER TABLE crew DROP COLUMN name",
        "column crew.name (3 rows)",
    ),
    (
        "ALTER TABLE logs ADD COLUMN z text DEFAULT 'q'; UPDATE logs SET z = x WHERE z IS NULL; ALTER TABLE logs DROP COLUMN x",
        "column logs.x (3 rows)",
    ),
    (
        "ALTER TABLE logs ADD COLUMN z text; UPDATE logs SET z = x; UPDATE logs SET z = y WHERE y IS NOT NULL; ALTER TABLE logs DROP COLUMN x",
        "column logs.x (3 rows)",
    ),
];

const ROWS_ON_POSTGRESQL: [(&str, &str); 3] = [
    (
        "CREATE TABLE c (id integer, x text, y text); WITH gone AS (DELETE FROM logs RETURNING *) INSERT INTO c SELECT * FROM gone",
        "up to 1 of 1 row of notes",
    ),
    (
        "CREATE TABLE c (id integer); WITH gone AS (DELETE FROM bare RETURNING id) INSERT INTO c SELECT * FROM gone",
        "column bare.x (1 row)",
    ),
    (
        "CREATE TEMP TABLE bare (id integer); DELETE FROM public.bare",
        "a temporary table has the name",
    ),
];

/// Ways into another table that leave nothing out.
const ALL_ROWS: [&str; 4] = [
    "CREATE TABLE a AS SELECT id, first FROM crew; CREATE TABLE b AS SELECT id, name, pay, n, code, at {more} FROM crew; DROP TABLE crew",
    "CREATE TABLE a AS SELECT id, name FROM crew; ALTER TABLE crew DROP COLUMN name",
    "CREATE TABLE a (label text, id integer); INSERT INTO a (id, label) SELECT id, x FROM bare; DROP TABLE bare",
    "CREATE TABLE a AS SELECT * FROM (SELECT * FROM bare) AS q; DROP TABLE bare; ALTER TABLE a RENAME TO bare",
];

const ALL_ROWS_ON_POSTGRESQL: [&str; 2] = [
    "CREATE TABLE c (id integer, x text); WITH gone AS (DELETE FROM bare RETURNING *) INSERT INTO c SELECT * FROM gone",
    "SELECT * INTO c FROM bare; DROP TABLE bare",
];

async fn seed(database: &ScratchDatabase) -> DbBackend {
    let backend = database.url().backend();
    let is_postgres = backend == DbBackend::Postgres;
    let timestamp = if is_postgres { "timestamp" } else { "text" };
    send(database, &SEED.replace("{timestamp}", timestamp)).await;
    if is_postgres {
        send(database, ON_POSTGRESQL).await;
    }
    backend
}

fn with<T: Copy>(all: &[T], on_postgresql: &[T], backend: DbBackend) -> Vec<T> {
    let more = if backend == DbBackend::Postgres {
        on_postgresql
    } else {
        &[]
    };
    [all, more].concat()
}

/// Runs statements upwards as somebody who gives nothing up; returns what was asked.
async fn asked(database: &ScratchDatabase, sql: &str) -> Result<String, CommandError> {
    let words = match database.url().backend() {
        DbBackend::Postgres => ["CASCADE", ", mood, flag"],
        _ => ["", ""],
    };
    let places = ["{cascade}", "{more}"].iter().zip(words);
    let sql = places.fold(sql.to_owned(), |sql, (place, word)| sql.replace(place, word));
    let harmless = ["SELECT 1"];
    let revisions = [
        Sql::new("a", None, &harmless, &harmless),
        Sql::new("b", Some("a"), &[&sql], &harmless),
    ];
    let person = Person::default();
    let outcome = Watched::go(&environment(database, &revisions), super::Going::Up, "b", &person).await;
    send(database, "DELETE FROM seaql_migrations").await;
    match outcome {
        Ok(()) | Err(CommandError::Refused { .. }) => Ok(person.question()),
        Err(error) => Err(error),
    }
}

fn fill(column: &str, expression: &str) -> String {
    format!(
        "ALTER TABLE crew ADD COLUMN made {}; UPDATE crew SET made = {expression}; ALTER TABLE crew DROP COLUMN {column}",
        // Whatever it is, nothing is lost by its type.
        match expression {
            "name IS NOT NULL" | "n > 0" => "boolean",
            "jsonb_build_object('n', name, 'f', first)" => "jsonb",
            "at AT TIME ZONE 'UTC'" => "timestamp with time zone",
            "date(at)" => "date",
            _ if column == "n" && !expression.contains("text") || expression == "extract(year FROM at)" =>
                "numeric",
            _ if column == "pay" || expression == "length(name)" => "numeric",
            _ if expression.starts_with("date_trunc") => "timestamp",
            _ => "text",
        }
    )
}

#[tokio::test]
async fn values_that_a_form_does_not_give_back_are_asked_about() {
    for database in databases().await {
        let backend = seed(&database).await;
        let forms = with(&FORMS, &FORMS_ON_POSTGRESQL, backend).into_iter();
        let forms = forms.map(|(column, expression, lost)| (fill(column, expression), lost));
        let rows = with(&ROWS, &ROWS_ON_POSTGRESQL, backend).into_iter();
        let mut wrong = String::new();
        for (sql, lost) in forms.chain(rows.map(|(sql, lost)| (sql.to_owned(), lost))) {
            match asked(&database, &sql).await {
                Ok(asked) if asked.contains(lost) => {}
                outcome => writeln!(wrong, "{sql}: {outcome:?}").unwrap(),
            }
        }
        assert_eq!(wrong, "");
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn values_that_can_be_had_back_ask_nothing() {
    let fills = with(&REVERSIBLE, &REVERSIBLE_ON_POSTGRESQL, DbBackend::Postgres);
    let ways: Vec<String> = fills
        .iter()
        .map(|(column, expression)| fill(column, expression))
        .chain(
            with(&ALL_ROWS, &ALL_ROWS_ON_POSTGRESQL, DbBackend::Postgres)
                .iter()
                .map(ToString::to_string),
        )
        .collect();
    let only_postgresql: Vec<String> = REVERSIBLE_ON_POSTGRESQL
        .iter()
        .map(|(column, expression)| fill(column, expression))
        .chain(ALL_ROWS_ON_POSTGRESQL.iter().map(ToString::to_string))
        .collect();
    for sql in ways {
        for database in databases().await {
            let backend = seed(&database).await;
            if backend == DbBackend::Postgres || !only_postgresql.contains(&sql) {
                let asked = asked(&database, &sql)
                    .await
                    .unwrap_or_else(|error| panic!("{sql}: {error}"));
                assert_eq!(asked, "", "{sql}");
            }
            database.remove().await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_expression_after_using_is_held_against_the_values() {
    for (column, to, using, lost) in USING {
        let Some(database) = databases::postgres().await else {
            return;
        };
        seed(&database).await;
        let sql = format!(
            "CREATE TYPE feeling AS ENUM ('well', 'ill'); CREATE TYPE label AS ENUM ('1', '2'); \
             ALTER TABLE crew ALTER COLUMN {column} TYPE {to} USING {using}"
        );
        let asked = asked(&database, &sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        match lost {
            "" => assert_eq!(asked, "", "{sql}"),
            lost => assert!(asked.contains(lost), "{sql}: {asked:?}"),
        }
        database.remove().await.unwrap();
    }
}
