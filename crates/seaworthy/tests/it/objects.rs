//! What no table holds, on PostgreSQL: two databases with different objects, one is turned into the other and back.

use insta::assert_snapshot;
use sea_orm::ConnectionTrait;
use seaworthy::autogenerate::{Difference, Note, Policy, diff, sql};
use seaworthy::catalog::{Catalog, Scope, inspect, normalize};
use seaworthy::session::Session;
use seaworthy::verify::ScratchDatabase;

use crate::databases::{postgres, session};

/// A database that was filled, and a session on it.
struct Filled {
    database: ScratchDatabase,
    session: Session,
}

impl Filled {
    /// Nothing where PostgreSQL is left out, or is 13 and knows no `BEGIN ATOMIC`.
    async fn with(made: &str) -> Option<Self> {
        let database = postgres().await?;
        let session = session(&database).await;
        let filled = Self { database, session };
        if made.contains("BEGIN ATOMIC") && filled.session.server_version().await.unwrap() < 14 {
            filled.remove().await;
            return None;
        }
        filled.send(made).await;
        Some(filled)
    }

    async fn send(&self, sql: &str) {
        let sent = self.session.connection().execute_unprepared(sql).await;
        sent.unwrap_or_else(|error| panic!("{error}\n{sql}"));
    }

    async fn catalog(&self) -> Catalog {
        inspect(self.session.connection(), &Scope::default())
            .await
            .unwrap()
    }

    async fn remove(self) {
        self.session.close().await;
        self.database.remove().await.unwrap();
    }
}

fn found(live: &Catalog, wanted: &Catalog) -> Difference {
    diff(live, wanted, &Policy::default()).unwrap()
}

fn texts(difference: &Difference) -> Vec<String> {
    difference.operations.iter().map(ToString::to_string).collect()
}

/// Makes one schema of the other and goes back, each in one transaction as a revision would.
async fn walk(title: &str, common: &str, one: &str, other: &str) {
    let (Some(from), Some(to)) = (
        Filled::with(&format!("{common};{one}")).await,
        Filled::with(&format!("{common};{other}")).await,
    ) else {
        return;
    };
    let (live, wanted) = (from.catalog().await, to.catalog().await);
    let difference = found(&live, &wanted);
    assert!(!difference.operations.is_empty(), "{title}: nothing is found");
    assert_eq!(difference.notes, [], "{title}");
    let statements = sql(&live, &difference.operations).unwrap();
    from.send(&format!("BEGIN; {}; COMMIT", statements.join("; ")))
        .await;
    let after = from.catalog().await;
    assert_eq!(
        texts(&found(&after, &wanted)),
        [""; 0],
        "{title}: {statements:#?}"
    );
    let statements = sql(&after, &difference.inverse()).unwrap();
    from.send(&format!("BEGIN; {}; COMMIT", statements.join("; ")))
        .await;
    let back = from.catalog().await;
    assert_eq!(
        texts(&found(&back, &live)),
        [""; 0],
        "{title}, back: {statements:#?}"
    );
    // A snapshot of what was wanted says the same as the database.
    let snapshot = Catalog::from_json(&wanted.to_json()).unwrap();
    let snapshot = normalize(from.session.connection(), &Scope::default(), &snapshot)
        .await
        .unwrap();
    assert_eq!(
        texts(&found(&live, &snapshot)),
        texts(&difference),
        "{title}, from a snapshot"
    );
    from.remove().await;
    to.remove().await;
}

const TASKS: &str = "CREATE TYPE mood AS ENUM ('sad', 'ok'); \
    CREATE TABLE tasks (id integer PRIMARY KEY, title varchar(20), mood mood, done boolean NOT NULL DEFAULT false); \
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'";

/// Kinds of objects, each as it is in one database and in the other.
const CASES: &[(&str, &str, &str)] = &[
    (
        "constraint trigger that waits for the end of a transaction",
        "CREATE CONSTRAINT TRIGGER look AFTER INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION touch()",
        "CREATE CONSTRAINT TRIGGER look AFTER INSERT ON tasks DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION touch()",
    ),
    (
        "view",
        "",
        "CREATE VIEW open AS SELECT id, title FROM tasks WHERE NOT done",
    ),
    (
        "view that gains and loses columns, with another that reads it",
        "CREATE VIEW open AS SELECT id FROM tasks; CREATE VIEW more AS SELECT id FROM open",
        "CREATE VIEW open WITH (security_barrier=true) AS SELECT id, title FROM tasks; CREATE VIEW more AS SELECT title FROM open; \
             ALTER VIEW open ALTER COLUMN id SET DEFAULT 7",
    ),
    (
        "materialised view and its indexes",
        "CREATE MATERIALIZED VIEW kept AS SELECT id, title FROM tasks; CREATE INDEX one ON kept (id)",
        "CREATE MATERIALIZED VIEW kept AS SELECT id, title FROM tasks; CREATE UNIQUE INDEX two ON kept (id)",
    ),
    (
        "materialised view",
        "CREATE MATERIALIZED VIEW kept AS SELECT id, title FROM tasks",
        "CREATE MATERIALIZED VIEW kept AS SELECT id FROM tasks; CREATE UNIQUE INDEX two ON kept (id)",
    ),
    (
        "function",
        "CREATE FUNCTION twice(n integer) RETURNS integer LANGUAGE sql AS 'SELECT n * 2'",
        "CREATE FUNCTION twice(n integer) RETURNS integer LANGUAGE sql STRICT AS 'SELECT n + n'",
    ),
    (
        "function that returns something else, with a view that reads it",
        "CREATE FUNCTION twice(n integer) RETURNS integer LANGUAGE sql AS 'SELECT n * 2'; CREATE VIEW v AS SELECT twice(1)",
        "CREATE FUNCTION twice(m integer) RETURNS bigint LANGUAGE sql AS 'SELECT m * 2::bigint'; CREATE VIEW v AS SELECT twice(1)",
    ),
    (
        "function before what its body speaks of",
        "",
        "CREATE TABLE later (n integer); CREATE FUNCTION a() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM later'; \
             CREATE FUNCTION b(later) RETURNS integer LANGUAGE sql AS 'SELECT 1'; CREATE FUNCTION c() RETURNS SETOF later \
             LANGUAGE sql BEGIN ATOMIC SELECT * FROM later; END",
    ),
    (
        "function that a default and a check need",
        "",
        "CREATE FUNCTION next() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1'; \
             CREATE TABLE n (id integer DEFAULT next() CHECK (id >= next())); ALTER TABLE tasks ADD rank integer DEFAULT next()",
    ),
    (
        "procedure and aggregate",
        "CREATE PROCEDURE nothing(a integer) LANGUAGE sql AS 'SELECT 1'",
        "CREATE PROCEDURE nothing(a integer) LANGUAGE sql AS 'SELECT 2'; \
             CREATE AGGREGATE total (integer) (sfunc = int4pl, stype = integer, initcond = '0')",
    ),
    (
        "trigger",
        "CREATE TRIGGER t BEFORE UPDATE OF title ON tasks FOR EACH ROW EXECUTE FUNCTION touch()",
        "CREATE TRIGGER t BEFORE INSERT ON tasks FOR EACH ROW WHEN (new.id > 0) EXECUTE FUNCTION touch()",
    ),
    (
        "trigger that does not fire",
        "CREATE TRIGGER t BEFORE INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION touch()",
        "CREATE TRIGGER t BEFORE INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION touch(); ALTER TABLE tasks DISABLE TRIGGER t",
    ),
    (
        "row security and a policy",
        "",
        "ALTER TABLE tasks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE POLICY own ON tasks FOR SELECT USING (done)",
    ),
    (
        "policy",
        "CREATE POLICY own ON tasks USING (done)",
        "CREATE POLICY own ON tasks AS RESTRICTIVE FOR UPDATE TO current_user USING (done) WITH CHECK (id > 0)",
    ),
    (
        "rule",
        "CREATE RULE quiet AS ON DELETE TO tasks DO INSTEAD NOTHING",
        "CREATE RULE quiet AS ON DELETE TO tasks WHERE old.done DO INSTEAD NOTHING; ALTER TABLE tasks DISABLE RULE quiet",
    ),
    (
        "statistics",
        "",
        "CREATE STATISTICS together (dependencies) ON id, title FROM tasks; ALTER STATISTICS together SET STATISTICS 50",
    ),
    (
        "order of rows by an index",
        "CREATE INDEX one ON tasks (title); ALTER TABLE tasks CLUSTER ON one",
        "CREATE INDEX one ON tasks (title DESC); CREATE TABLE \"T 2\" (id integer PRIMARY KEY); \
             ALTER TABLE tasks CLUSTER ON tasks_pkey; ALTER TABLE \"T 2\" CLUSTER ON \"T 2_pkey\"",
    ),
    (
        "order of rows by an index that is made anew",
        "CREATE INDEX one ON tasks (title); ALTER TABLE tasks CLUSTER ON one",
        "CREATE INDEX one ON tasks (id, title); ALTER TABLE tasks CLUSTER ON one",
    ),
    (
        "order of rows of a materialised view",
        "CREATE MATERIALIZED VIEW kept AS SELECT id, title FROM tasks; CREATE INDEX one ON kept (id)",
        "CREATE MATERIALIZED VIEW kept AS SELECT id, title FROM tasks; CREATE INDEX one ON kept (id); CLUSTER kept USING one",
    ),
    (
        "value that one partition demands",
        "CREATE TABLE p (id integer, note text, size integer) PARTITION BY LIST (id); \
             CREATE TABLE \"p 1\" PARTITION OF p (note NOT NULL, size NOT NULL) FOR VALUES IN (1)",
        "CREATE TABLE p (id integer, note text NOT NULL, size integer) PARTITION BY LIST (id); \
             CREATE TABLE \"p 1\" PARTITION OF p (id NOT NULL) FOR VALUES IN (1); \
             CREATE TABLE p_2 PARTITION OF p (size NOT NULL) FOR VALUES IN (2) PARTITION BY LIST (id); \
             CREATE TABLE p_3 PARTITION OF p_2 (id NOT NULL) FOR VALUES IN (2)",
    ),
    (
        "value that a table demands before it is a partition",
        "CREATE TABLE p (id integer, note text) PARTITION BY LIST (id); CREATE TABLE p_1 (id integer, note text NOT NULL)",
        "CREATE TABLE p (id integer, note text) PARTITION BY LIST (id); \
             CREATE TABLE p_1 PARTITION OF p (note NOT NULL) FOR VALUES IN (1)",
    ),
    (
        "collation",
        "",
        "CREATE COLLATION german (provider = icu, locale = 'de'); CREATE TABLE g (n text COLLATE german)",
    ),
    (
        "extension",
        "",
        "CREATE EXTENSION citext; CREATE TABLE c (name citext)",
    ),
    (
        "domain",
        "CREATE DOMAIN feet AS numeric CHECK (VALUE > 0); CREATE TABLE d (n feet)",
        "CREATE DOMAIN feet AS numeric DEFAULT 1 NOT NULL CONSTRAINT low CHECK (VALUE > 1); CREATE TABLE d (n feet)",
    ),
    (
        "composite type",
        "CREATE TYPE span AS (low integer, high integer); CREATE TABLE s (n span)",
        "CREATE TYPE span AS (low integer, middle text); CREATE TABLE s (n span)",
    ),
    (
        "composite type in another order",
        "CREATE TYPE span AS (low integer, high integer); CREATE FUNCTION f(span) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "CREATE TYPE span AS (high bigint, low integer); CREATE FUNCTION f(span) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    ),
    (
        "range type",
        "",
        "CREATE TYPE spans AS RANGE (subtype = integer); CREATE TABLE r (n spans)",
    ),
    (
        "comments",
        "CREATE INDEX i ON tasks (title); CREATE VIEW v AS SELECT id FROM tasks; COMMENT ON VIEW v IS 'one'",
        "CREATE INDEX i ON tasks (title); CREATE VIEW v AS SELECT id FROM tasks; COMMENT ON VIEW v IS 'it''s \\ two'; \
             COMMENT ON INDEX i IS 'i'; COMMENT ON CONSTRAINT tasks_pkey ON tasks IS 'key'; COMMENT ON TYPE mood IS 'mood'; \
             COMMENT ON FUNCTION touch() IS 'touch'; COMMENT ON COLUMN v.id IS 'id'; CREATE SEQUENCE \"S 1\"; \
             COMMENT ON SEQUENCE \"S 1\" IS 'numbers'",
    ),
    (
        "table with all that is on it",
        "",
        "CREATE TABLE t (id integer PRIMARY KEY); ALTER TABLE t ENABLE ROW LEVEL SECURITY; \
             CREATE POLICY p ON t USING (id > 0); CREATE TRIGGER t BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION touch(); \
             CREATE VIEW v AS SELECT id FROM t; COMMENT ON CONSTRAINT t_pkey ON t IS 'key'",
    ),
];

#[tokio::test]
async fn each_kind_of_object_is_made_changed_and_removed() {
    for (title, one, other) in CASES {
        walk(title, TASKS, one, other).await;
        walk(&format!("{title}, the other way"), TASKS, other, one).await;
    }
}

/// What reads the columns of a table in every way.
const READERS: &str = "CREATE VIEW low AS SELECT id, v FROM m WHERE v < 5; CREATE VIEW lower AS SELECT id FROM low; \
    CREATE MATERIALIZED VIEW kept AS SELECT id, v FROM m; CREATE INDEX kept_v ON kept (v); \
    ALTER TABLE m ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON m USING (v > 0); \
    CREATE FUNCTION most() RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT max(v)::integer FROM m; END; \
    CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'; \
    CREATE TRIGGER look BEFORE UPDATE OF v ON m FOR EACH ROW EXECUTE FUNCTION look(); \
    CREATE RULE quiet AS ON DELETE TO m WHERE old.v > 9 DO INSTEAD NOTHING";

#[tokio::test]
async fn what_reads_a_column_steps_aside_for_its_type_and_comes_back() {
    let Some(filled) = Filled::with(&format!(
        "CREATE TABLE m (id integer, v integer); {READERS}; COMMENT ON VIEW low IS 'low'"
    ))
    .await
    else {
        return;
    };
    filled
        .send("GRANT SELECT ON low TO PUBLIC; REVOKE EXECUTE ON FUNCTION most() FROM PUBLIC")
        .await;
    let live = filled.catalog().await;
    // Somebody who says nothing about views.
    let mut wanted = live.clone();
    wanted.objects = None;
    "bigint".clone_into(&mut wanted.tables[0].columns[1].data_type);
    let difference = found(&live, &wanted);
    assert_eq!(difference.not_compared["view"], 2);
    let statements = sql(&live, &difference.operations).unwrap();
    filled
        .send(&format!("BEGIN; {}; COMMIT", statements.join("; ")))
        .await;
    let after = filled.catalog().await;
    assert_eq!(after.tables, wanted.tables);
    let named = |catalog: &Catalog| -> Vec<String> {
        let objects = catalog.objects.iter().flatten();
        objects.map(ToString::to_string).collect()
    };
    assert_eq!(named(&after), named(&live));
    assert_eq!(after.roles, live.roles);
    filled.remove().await;
}

#[tokio::test]
async fn what_reads_a_dropped_column_is_replaced_by_what_does_not() {
    let other = "CREATE TABLE m (id integer); CREATE VIEW low AS SELECT id FROM m; CREATE VIEW lower AS SELECT id FROM low; \
        CREATE MATERIALIZED VIEW kept AS SELECT id FROM m; ALTER TABLE m ENABLE ROW LEVEL SECURITY; \
        CREATE POLICY own ON m USING (id > 0); \
        CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'; \
        CREATE TRIGGER look BEFORE UPDATE ON m FOR EACH ROW EXECUTE FUNCTION look()";
    let one = format!("CREATE TABLE m (id integer, v integer); {READERS}");
    walk("columns", "SELECT 1", &one, other).await;
}

/// It is another function to whoever compares schemas, and the same one to whoever asks whether a revision was undone.
#[tokio::test]
async fn a_body_that_is_written_on_other_lines_makes_the_same_function() {
    let function = |body: &str| {
        format!("CREATE FUNCTION greeting(name text) RETURNS text LANGUAGE plpgsql AS $body$ {body} $body$")
    };
    let Some(one) = Filled::with(&function("BEGIN RETURN 'ahoy,  ' || name; END")).await else {
        return;
    };
    let mut seen = Vec::new();
    for body in [
        "BEGIN\n    -- as sailors do\n    RETURN 'ahoy,  ' || name;\nEND",
        "BEGIN RETURN 'ahoy, ' || name; END",
    ] {
        let other = Filled::with(&function(body)).await.unwrap();
        let (one, other_one) = (one.catalog().await, other.catalog().await);
        assert_eq!(
            texts(&found(&one, &other_one)),
            ["alter function greeting(text) (another body)"]
        );
        let first = |catalog: &Catalog| catalog.objects.as_ref().unwrap()[0].clone();
        seen.push(first(&one).is_same_but_for_layout(&first(&other_one)));
        other.remove().await;
    }
    assert_eq!(seen, [true, false]);
    one.remove().await;
}

#[tokio::test]
async fn a_function_of_an_enum_steps_aside_when_the_type_is_made_anew() {
    let function =
        "CREATE FUNCTION f(mood) RETURNS integer LANGUAGE sql AS 'SELECT 1'; CREATE TABLE e (m mood)";
    let of = |labels: &str| {
        format!("CREATE TYPE mood AS ENUM ({labels}); {function}; COMMENT ON TYPE mood IS 'moods'")
    };
    walk("labels", "SELECT 1", &of("'sad', 'ok'"), &of("'sad'")).await;
}

#[tokio::test]
async fn what_cannot_come_back_is_named() {
    let Some(filled) = Filled::with(&format!("CREATE TABLE m (id integer, v integer); {READERS}")).await
    else {
        return;
    };
    let live = filled.catalog().await;
    let mut wanted = live.clone();
    wanted.objects = None;
    wanted.tables[0].columns.pop();
    let difference = found(&live, &wanted);
    let mut notes: Vec<String> = difference.notes.iter().map(Note::to_string).collect();
    notes.sort();
    assert_snapshot!(notes.join("\n"), @r"
    in the way: function most() needs m.v, which is dropped
    in the way: materialized view kept needs m.v, which is dropped
    in the way: policy own ON m needs m.v, which is dropped
    in the way: rule quiet ON m needs m.v, which is dropped
    in the way: trigger look ON m needs m.v, which is dropped
    in the way: view low needs m.v, which is dropped
    ");
    filled.remove().await;
}

#[tokio::test]
async fn what_is_outside_and_needs_what_goes_is_named() {
    let made = "CREATE TABLE m (id integer PRIMARY KEY, v integer, w integer); CREATE TABLE gone (id integer); \
        CREATE SCHEMA other; CREATE VIEW other.low AS SELECT v FROM m; CREATE TABLE other.n (m integer REFERENCES m (id)); \
        CREATE VIEW other.all_gone AS SELECT id FROM gone; \
        CREATE FUNCTION same(integer, integer) RETURNS boolean LANGUAGE sql AS 'SELECT $1 = $2'; \
        CREATE OPERATOR === (leftarg = integer, rightarg = integer, function = same)";
    let Some(filled) = Filled::with(made).await else {
        return;
    };
    let live = filled.catalog().await;
    let mut wanted = live.clone();
    wanted.tables.retain(|table| table.name == "m");
    wanted.tables[0].columns.retain(|column| column.name == "id");
    "bigint".clone_into(&mut wanted.tables[0].columns[0].data_type);
    wanted.objects.iter_mut().for_each(Vec::clear);
    let notes: Vec<String> = found(&live, &wanted).notes.iter().map(Note::to_string).collect();
    assert_snapshot!(notes.join("\n"), @r"
    in the way: operator ===(integer,integer) needs function same(integer, integer), which is dropped
    in the way: view other.all_gone needs gone, which is dropped
    in the way: view other.low needs m.v, which is dropped
    ");
    filled.remove().await;
}

#[tokio::test]
async fn what_no_catalog_speaks_of_is_counted() {
    let made = "CREATE SCHEMA other; CREATE TABLE other.t (); CREATE FOREIGN DATA WRAPPER far; CREATE PUBLICATION news; \
        CREATE OPERATOR === (leftarg = integer, rightarg = integer, function = int4eq); \
        CREATE OPERATOR FAMILY more USING btree; CREATE OPERATOR CLASS mine FOR TYPE integer USING hash AS OPERATOR 1 =; \
        CREATE TEXT SEARCH PARSER words (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype); \
        CREATE TEXT SEARCH TEMPLATE plain (lexize = dsimple_lexize); CREATE TYPE pair AS (a integer, b text); \
        CREATE TABLE pairs OF pair; CREATE TABLE kept (id integer PRIMARY KEY WITH (fillfactor = 70), point point); \
        CREATE EXTENSION pg_trgm; CREATE TABLE words (word text); \
        CREATE INDEX ON words USING gist (word gist_trgm_ops (siglen = 32)); \
        CREATE MATERIALIZED VIEW seen AS SELECT word FROM words; ALTER MATERIALIZED VIEW seen ALTER word SET STATISTICS 5; \
        CREATE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION one() DEPENDS ON EXTENSION pg_trgm; \
        COMMENT ON SCHEMA public IS 'ours'; COMMENT ON EXTENSION pg_trgm IS 'three letters'; COMMENT ON PUBLICATION news IS 'news'; \
        CREATE TRANSFORM FOR integer LANGUAGE sql (FROM SQL WITH FUNCTION varchar_support(internal)); \
        CREATE ACCESS METHOD rows TYPE TABLE HANDLER heap_tableam_handler; CREATE TABLE others (id integer) USING rows";
    let Some(filled) = Filled::with(made).await else {
        return;
    };
    filled
        .send(
            "DO $$ BEGIN \
             EXECUTE format('ALTER DATABASE %I SET work_mem TO ''5MB''', current_database()); \
             EXECUTE format('ALTER ROLE CURRENT_USER IN DATABASE %I SET jit TO off', current_database()); END $$",
        )
        .await;
    assert_snapshot!(counted(&filled).await, @r"
    access method: 1
    access method of a table: 1
    column option of a materialized view: 1
    comment of a schema: 1
    comment of an extension: 1
    comment of something else: 1
    dependence of an object on an extension: 1
    foreign-data wrapper: 1
    operator: 1
    operator class: 1
    operator family: 1
    parameter of an operator class: 1
    publication: 1
    schema: 1
    setting of the database: 2
    storage option of a key: 1
    table of a type: 1
    text search parser: 1
    text search template: 1
    transform: 1
    ");
    filled.remove().await;
}

#[tokio::test]
async fn what_a_partition_has_alone_is_counted() {
    let made = "CREATE TABLE e (at date NOT NULL, note text) PARTITION BY RANGE (at); ALTER TABLE e REPLICA IDENTITY FULL; \
        CREATE TABLE e_1 PARTITION OF e (UNIQUE (at), CHECK (note <> '')) FOR VALUES FROM ('2024-01-01') TO ('2025-01-01'); \
        ALTER TABLE e_1 ALTER note SET DEFAULT 'none'; COMMENT ON TABLE e_1 IS 'old'; CREATE INDEX e_1_note ON e_1 (note); \
        ALTER TABLE e_1 SET (fillfactor = 50), ALTER note SET STORAGE EXTERNAL, CLUSTER ON e_1_note; \
        CREATE UNLOGGED TABLE e_2 PARTITION OF e FOR VALUES FROM ('2025-01-01') TO ('2026-01-01'); \
        CREATE INDEX e_both ON e (lower(note)); ALTER INDEX e_both ALTER COLUMN 1 SET STATISTICS 500; \
        CREATE INDEX e_some ON ONLY e (note, at); CREATE INDEX e_named ON e (at, note); ALTER INDEX e_1_at_note_idx RENAME TO mine";
    let Some(filled) = Filled::with(made).await else {
        return;
    };
    assert_snapshot!(counted(&filled).await, @r"
    clustering of a partition: 1
    column storage of a partition alone: 1
    comment of a partition: 1
    constraint of a partition alone: 2
    default of a partition alone: 1
    incomplete index: 1
    index of a partition alone: 1
    name of an index of a partition: 1
    replica identity: 1
    statistics target of an index: 3
    storage option of a partition alone: 1
    unlogged partition: 1
    ");
    filled.remove().await;
}

/// What a database has that is not compared with itself.
async fn counted(filled: &Filled) -> String {
    let live = filled.catalog().await;
    let difference = found(&live, &live);
    assert!(difference.is_empty());
    let counted = difference.not_compared.iter();
    let lines: Vec<String> = counted
        .map(|(kind, number)| format!("{kind}: {number}"))
        .collect();
    lines.join("\n")
}

/// What decides how the server prints a type, a value or a name, and whom a name without a schema means.
#[tokio::test]
async fn no_setting_of_a_database_or_role_changes_what_is_read() {
    let made = "CREATE SCHEMA other; CREATE TABLE other.t (id integer); CREATE TYPE mood AS ENUM ('calm'); \
        CREATE TABLE t (id integer PRIMARY KEY, pause interval DEFAULT '1 day 02:03:04.5', code bytea DEFAULT '\\x01ff5c', \
            at timestamptz DEFAULT '2024-02-01 12:00+02', day date DEFAULT '2024-02-01' CHECK (day > '2023-02-01'), mood mood DEFAULT 'calm', \
            share double precision DEFAULT 0.1, price money DEFAULT '1234.5', path text DEFAULT 'a\\b', \"Odd one\" text); \
        CREATE INDEX days ON t (day) WHERE pause > '1 month'; CREATE VIEW late AS SELECT id FROM t WHERE at < '2024-02-01 12:00+02'; \
        CREATE FUNCTION f(t) RETURNS t LANGUAGE sql AS 'SELECT $1'; COMMENT ON VIEW late IS 'a\\b'";
    let Some(filled) = Filled::with(made).await else {
        return;
    };
    let scope = Scope::schema("public");
    let read = async || {
        let session = session(&filled.database).await;
        let mut catalog = inspect(session.connection(), &scope).await.unwrap();
        session.close().await;
        // That it has settings is not compared but counted.
        let settings = catalog.not_compared.remove("setting of the database");
        (catalog, settings.unwrap_or_default())
    };
    let before = read().await;
    let settings = [
        "IntervalStyle TO sql_standard",
        "bytea_output TO escape",
        "quote_all_identifiers TO on",
        "DateStyle TO ''German, DMY''",
        "TimeZone TO ''Asia/Tokyo''",
        "extra_float_digits TO -5",
        "standard_conforming_strings TO off",
        "search_path TO other, pg_catalog",
        "array_nulls TO off",
        "xmlbinary TO hex",
    ];
    for (whose, settings) in [
        ("DATABASE", &settings[..5]),
        ("ROLE CURRENT_USER IN DATABASE", &settings[5..]),
    ] {
        for setting in settings {
            filled
                .send(&format!(
                    "DO $$ BEGIN EXECUTE format('ALTER {whose} %I SET {setting}', current_database()); END $$"
                ))
                .await;
        }
    }
    let after = read().await;
    assert_eq!((before.1, after.1), (0, 10));
    assert_eq!(after.0, before.0);
    filled.remove().await;
}
