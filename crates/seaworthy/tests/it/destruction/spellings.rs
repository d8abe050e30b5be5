//! The ways to destroy rows: every statement that does, in every spelling that its database takes.

use std::fmt;

use sea_orm::DbBackend;

/// A way to destroy rows, and what the question has to name.
pub(super) struct Way {
    /// What each revision sends.
    pub(super) revisions: Vec<String>,
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
const ONLY_POSTGRESQL: [(&str, &str); 28] = [
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
        UNCLEAR,
    ),
    ("SELECT sink()", "crew"),
    ("SELECT public.sink_all()", "crew"),
    ("CALL scuttle()", UNCLEAR),
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
    ("TRUNCATE berths, crew", "berths"),
    ("TRUNCATE ONLY logs, hold.cargo, trips", "hold.cargo"),
    (
        "INSERT INTO crew (id, name) VALUES (1, 'Eve') ON CONFLICT (id) DO UPDATE SET name = excluded.name",
        OVERWRITTEN,
    ),
    (
        "UPDATE crew c SET name = 'Eve' FROM berths b WHERE b.crew_id = c.id",
        OVERWRITTEN,
    ),
    ("DROP VIEW charts CASCADE", "ports.seen"),
    ("DROP EXTENSION IF EXISTS citext CASCADE", "flags.word"),
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
const ONLY_SQLITE: [(&str, &str); 8] = [
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
        "CREATE TABLE crew_new (id integer PRIMARY KEY, name text, pay numeric, rank text); INSERT INTO crew_new SELECT * FROM crew WHERE id = 1; DROP TABLE crew; ALTER TABLE crew_new RENAME TO crew",
        "crew",
    ),
    (
        "CREATE TABLE IF NOT EXISTS crew (id integer); DROP TABLE crew",
        "crew",
    ),
    ("DELETE FROM logs WHERE mood = 'ill'", "1 of 1 row of logs"),
    (
        "INSERT INTO crew (id, name) VALUES (1, 'Eve') ON CONFLICT (id) DO UPDATE SET name = excluded.name",
        OVERWRITTEN,
    ),
    (
        "UPDATE crew SET name = 'Eve' FROM berths b WHERE b.crew_id = crew.id",
        OVERWRITTEN,
    ),
];

/// What stands for a name where no text says what is taken.
const UNCLEAR: &str = "unclear";

/// What is done first; rows are lost by what follows, in the same script or in a later one.
const REBUILT_ON_POSTGRESQL: &str = "CREATE TABLE crew_new (id integer PRIMARY KEY, name text, pay numeric, rank text); \
     INSERT INTO crew_new SELECT * FROM crew; DROP TABLE crew CASCADE; ALTER TABLE crew_new RENAME TO crew";
const REBUILT_ON_SQLITE: &str = "CREATE TABLE crew_new (id integer PRIMARY KEY, name text, pay numeric, rank text); \
     INSERT INTO crew_new SELECT * FROM crew; DROP TABLE crew; ALTER TABLE crew_new RENAME TO crew";

/// What the question says where values are written over; upwards nobody is asked, since that is why the revision was written.
const OVERWRITTEN: &str = "overwritten";

/// Ways of several steps: `{rebuilt}` is a table built again, `{cascade}` what PostgreSQL has to be told, and `|` stands where a new
/// revision may begin.
const SEVERAL: [(&str, &str); 26] = [
    ("{rebuilt} | DROP TABLE crew {cascade}", "crew"),
    ("{rebuilt} | {rebuilt} | DROP TABLE crew {cascade}", "crew"),
    ("{rebuilt} | DELETE FROM crew", "crew"),
    ("{rebuilt} | DELETE FROM crew WHERE id = 1", "crew"),
    ("{rebuilt} | UPDATE crew SET name = NULL", OVERWRITTEN),
    (
        "{rebuilt} | UPDATE crew SET name = 'Eve' WHERE id = 2",
        OVERWRITTEN,
    ),
    ("{rebuilt} | ALTER TABLE crew DROP COLUMN name", "crew.name"),
    (
        "{rebuilt} | ALTER TABLE crew RENAME TO sailors | ALTER TABLE sailors RENAME COLUMN pay TO wage | ALTER TABLE sailors DROP wage",
        "crew.pay",
    ),
    (
        "{rebuilt} | ALTER TABLE crew RENAME TO sailors | DROP TABLE sailors",
        "crew",
    ),
    (
        "CREATE TABLE crew_new (id integer PRIMARY KEY, title text, pay numeric); INSERT INTO crew_new (id, title, pay) SELECT id, name, pay FROM crew; DROP TABLE crew {cascade}; ALTER TABLE crew_new RENAME TO crew | ALTER TABLE crew DROP COLUMN title",
        "crew.name",
    ),
    (
        "CREATE TABLE crew_new (id integer PRIMARY KEY, name text, pay numeric); INSERT INTO crew_new (id, name, pay) SELECT id, name, pay FROM crew; UPDATE crew_new SET name = 'nobody'; DROP TABLE crew {cascade} | ALTER TABLE crew_new RENAME TO crew",
        "crew.name",
    ),
    (
        "CREATE TABLE copy AS SELECT id, name FROM crew; DROP TABLE crew {cascade} | ALTER TABLE copy RENAME TO crew",
        "crew.pay",
    ),
    (
        "CREATE TABLE copy AS SELECT * FROM crew; DROP TABLE crew {cascade} | ALTER TABLE copy RENAME TO crew | ALTER TABLE crew DROP COLUMN name",
        "crew.name",
    ),
    (
        "CREATE TABLE copy AS SELECT * FROM crew; ALTER TABLE copy DROP COLUMN name | DROP TABLE crew {cascade} | ALTER TABLE copy RENAME TO crew",
        "crew.name",
    ),
    (
        "CREATE TABLE copy AS SELECT * FROM crew | DROP TABLE crew {cascade} | DELETE FROM copy",
        "crew",
    ),
    (
        "CREATE TEMP TABLE bak AS SELECT * FROM crew; DROP TABLE crew {cascade}",
        "crew",
    ),
    (
        "CREATE TEMPORARY TABLE crew (id integer); DROP TABLE crew | DROP TABLE crew {cascade}",
        "crew",
    ),
    (
        "ALTER TABLE crew ADD COLUMN wage numeric; UPDATE crew SET wage = pay | ALTER TABLE crew DROP COLUMN pay {cascade} | ALTER TABLE crew DROP COLUMN wage",
        "crew.pay",
    ),
    (
        "ALTER TABLE crew ADD COLUMN wage numeric; UPDATE crew SET wage = pay | ALTER TABLE crew DROP COLUMN pay {cascade} | UPDATE crew SET wage = 0",
        OVERWRITTEN,
    ),
    (
        "ALTER TABLE crew ADD COLUMN wage numeric; UPDATE crew SET wage = pay; UPDATE crew SET wage = 0 | ALTER TABLE crew DROP COLUMN pay {cascade}",
        "crew.pay",
    ),
    (
        "INSERT INTO doomed SELECT id FROM crew | DELETE FROM crew WHERE id IN (SELECT id FROM doomed)",
        "crew",
    ),
    (
        "DELETE FROM doomed | DELETE FROM berths WHERE id = 1 | DELETE FROM crew WHERE id NOT IN (SELECT crew_id FROM berths)",
        "of crew",
    ),
    (
        "ALTER TABLE crew RENAME TO sailors | ALTER TABLE logs RENAME TO crew | DELETE FROM crew WHERE id = 1",
        "logs",
    ),
    (
        "ALTER TABLE crew RENAME COLUMN rank TO spare | ALTER TABLE crew RENAME COLUMN name TO rank | DELETE FROM crew WHERE rank = 'Ada'",
        "crew",
    ),
    (
        "UPDATE crew SET rank = 'mate' | DELETE FROM crew WHERE rank = 'mate'",
        "crew",
    ),
    (
        "ALTER TABLE crew DROP COLUMN rank {cascade} | ALTER TABLE crew ADD COLUMN rank text DEFAULT 'mate' | DELETE FROM crew WHERE rank = 'mate'",
        "crew",
    ),
];
const SEVERAL_ON_POSTGRESQL: [(&str, &str); 6] = [
    ("{rebuilt} | TRUNCATE crew", "crew"),
    (
        "{rebuilt} | ALTER TABLE crew ALTER COLUMN pay TYPE integer",
        "crew.pay",
    ),
    (
        "CREATE TABLE crew_new (id integer PRIMARY KEY, name text, pay integer); INSERT INTO crew_new (id, name, pay) SELECT id, name, pay FROM crew | DROP TABLE crew CASCADE | ALTER TABLE crew_new RENAME TO crew",
        "crew.pay",
    ),
    (
        "CREATE TABLE crew_new (id integer PRIMARY KEY, name text, pay numeric); INSERT INTO crew_new SELECT id, name FROM crew | DROP TABLE crew CASCADE | ALTER TABLE crew_new RENAME TO crew",
        "crew.pay",
    ),
    (
        "ALTER TABLE crew ADD COLUMN wage integer; UPDATE crew SET wage = pay | ALTER TABLE crew DROP COLUMN pay CASCADE",
        "crew.pay",
    ),
    (
        "SELECT * INTO TEMP bak FROM crew; DROP TABLE crew CASCADE",
        "crew",
    ),
];
const SEVERAL_ON_SQLITE: [(&str, &str); 2] = [
    ("{rebuilt} | REPLACE INTO crew (id) VALUES (1)", "crew"),
    (
        "CREATE TABLE logs_new (id integer PRIMARY KEY, mood text, code integer); INSERT INTO logs_new SELECT * FROM logs | DROP TABLE logs | ALTER TABLE logs_new RENAME TO logs",
        "logs.code",
    ),
];

/// What takes nothing.
const HARMLESS: [&str; 7] = [
    "{rebuilt}",
    "{rebuilt} | {rebuilt} | ALTER TABLE crew RENAME TO sailors | ALTER TABLE sailors RENAME TO crew",
    "CREATE TABLE copy AS SELECT * FROM crew | CREATE TABLE other AS SELECT * FROM crew; DROP TABLE other",
    "CREATE TEMP TABLE bak AS SELECT * FROM crew; DROP TABLE crew {cascade}; CREATE TABLE crew (id integer PRIMARY KEY, name text, pay numeric, rank text); INSERT INTO crew SELECT * FROM bak; DROP TABLE bak",
    "ALTER TABLE logs ADD COLUMN other {type}; UPDATE logs SET other = {last} WHERE other IS NULL | ALTER TABLE logs DROP COLUMN {last}; ALTER TABLE logs RENAME COLUMN other TO {last}",
    "INSERT INTO crew VALUES (3, 'Cay', 1, NULL) | DELETE FROM crew WHERE id = 3",
    "DROP TABLE IF EXISTS nobody; DROP VIEW IF EXISTS no_view | DROP INDEX IF EXISTS nowhere",
];
const HARMLESS_ON_POSTGRESQL: [&str; 3] = [
    "DROP FUNCTION default_rank CASCADE",
    "DROP SEQUENCE IF EXISTS numbers CASCADE; DROP SEQUENCE IF EXISTS no_numbers",
    "ALTER TABLE IF EXISTS nobody DROP COLUMN name; ALTER TABLE crew DROP COLUMN IF EXISTS nothing; DROP SCHEMA IF EXISTS nowhere CASCADE; \
     DROP TYPE IF EXISTS nothing CASCADE; DROP EXTENSION IF EXISTS isn CASCADE; DROP FUNCTION IF EXISTS nothing() CASCADE",
];

impl Way {
    /// Returns a way of several steps in one revision, and in one after the other.
    fn spelled(steps: &str, names: &'static str, backend: DbBackend) -> Vec<Self> {
        let words = match backend {
            DbBackend::Postgres => [REBUILT_ON_POSTGRESQL, "CASCADE", "speed", "integer"],
            _ => [REBUILT_ON_SQLITE, "", "code", "text"],
        };
        let places = ["{rebuilt}", "{cascade}", "{last}", "{type}"].iter().zip(words);
        let sql = places.fold(steps.to_owned(), |sql, (place, word)| sql.replace(place, word));
        let apart: Vec<String> = sql.split('|').map(|step| step.trim().to_owned()).collect();
        let together = vec![apart.join("; ")];
        let mut ways = vec![together, apart];
        ways.dedup();
        let ways = ways.into_iter().map(|revisions| Self { revisions, names });
        ways.collect()
    }

    /// Returns whether it writes over values, and takes nothing else.
    pub(super) fn overwrites(&self) -> bool {
        self.names == OVERWRITTEN
    }

    /// Returns whether it calls functions that the database has and the statements do not show.
    pub(super) fn calls_functions_of_the_database(&self) -> bool {
        let calls = ["sink()", "sink_all()", "scuttle()"];
        self.revisions
            .iter()
            .any(|sql| calls.iter().any(|call| sql.contains(call)))
    }

    /// Returns whether nobody can tell from its text what it takes.
    pub(super) fn is_unclear(&self) -> bool {
        self.names == UNCLEAR
    }

    /// Returns whether the name of one table stands for another one in the end.
    pub(super) fn swaps_names(&self) -> bool {
        self.revisions
            .iter()
            .any(|sql| sql.contains("ALTER TABLE logs RENAME TO crew"))
    }

    /// Returns whether it does more than one thing.
    pub(super) fn is_several(&self) -> bool {
        self.revisions.len() > 1 || self.revisions[0].contains("; ")
    }
}

impl fmt::Display for Way {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.revisions.join(" | "))
    }
}

/// Returns how many ways there are on a kind of database.
pub(super) const fn count(backend: DbBackend) -> usize {
    match backend {
        DbBackend::Postgres => 210,
        _ => 126,
    }
}

/// Returns the ways that take nothing.
pub(super) fn harmless(backend: DbBackend) -> Vec<Way> {
    let only: &[&str] = match backend {
        DbBackend::Postgres => &HARMLESS_ON_POSTGRESQL,
        _ => &[],
    };
    let all = HARMLESS.iter().chain(only);
    let ways = all.flat_map(|steps| Way::spelled(steps, "", backend));
    ways.collect()
}

/// Returns the ways on a kind of database.
pub(super) fn ways(backend: DbBackend) -> Vec<Way> {
    spelled_ways(backend, usize::MAX)
}

/// Returns the same without the spellings of the table's name but for one.
pub(super) fn ways_in_one_spelling(backend: DbBackend) -> Vec<Way> {
    spelled_ways(backend, 1)
}

fn spelled_ways(backend: DbBackend, most: usize) -> Vec<Way> {
    type Only = [(&'static str, &'static str)];
    let (names, statements, only, several): (&[&str], &[&str], &Only, &Only) = match backend {
        DbBackend::Postgres => (
            &OF_POSTGRESQL,
            &ON_POSTGRESQL,
            &ONLY_POSTGRESQL,
            &SEVERAL_ON_POSTGRESQL,
        ),
        _ => (&OF_SQLITE, &ON_SQLITE, &ONLY_SQLITE, &SEVERAL_ON_SQLITE),
    };
    let spelled = statements.iter().flat_map(|statement| {
        names.iter().take(most).map(|name| Way {
            revisions: vec![statement.replace("{}", name)],
            names: "crew",
        })
    });
    let only = only.iter().map(|&(sql, names)| Way {
        revisions: vec![sql.to_owned()],
        names,
    });
    let several = SEVERAL.iter().chain(several);
    let several = several.flat_map(|&(steps, names)| Way::spelled(steps, names, backend));
    spelled.chain(only).chain(several).collect()
}
