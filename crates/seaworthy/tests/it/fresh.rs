//! Taking a schema back to nothing: all of it, nothing of another one that was not named first, and all or nothing.

use insta::assert_snapshot;
use seaworthy::command::{self, CommandError, Conduct, Living, Outcome};
use seaworthy::environment::Environment;
use seaworthy::revision::Stage;
use seaworthy::runner::Observer;
use seaworthy::verify::ScratchDatabase;
use tokio_util::sync::CancellationToken;

use crate::databases::{
    Person, Sql, current, databases, environment, events, postgres, send, session, tables, upgrade,
};

/// What revisions make of every kind that a schema may hold, with a reference in a circle.
const EVERYTHING: &[&str] = &[
    "CREATE EXTENSION IF NOT EXISTS citext",
    "CREATE TYPE kind AS ENUM ('a', 'b'); CREATE TYPE point_of AS (x integer, k kind)",
    "CREATE DOMAIN small AS integer CHECK (VALUE > 0); CREATE DOMAIN smaller AS small CHECK (VALUE < 10)",
    "CREATE TYPE span AS RANGE (subtype = integer); CREATE TYPE shell",
    "CREATE FUNCTION alias(t text, k kind) RETURNS text LANGUAGE sql AS 'SELECT t'",
    "CREATE SEQUENCE numbers; CREATE COLLATION letters FROM \"C\"",
    "CREATE TABLE a (id integer DEFAULT nextval('numbers') PRIMARY KEY, k kind, e citext, s small, p point_of, r span, \
     list kind[], n serial, i bigint GENERATED ALWAYS AS IDENTITY, b_id integer)",
    "CREATE TABLE b (id integer PRIMARY KEY, a_id integer REFERENCES a (id)); \
     ALTER TABLE a ADD CONSTRAINT a_b FOREIGN KEY (b_id) REFERENCES b (id)",
    "CREATE VIEW one AS SELECT * FROM a; CREATE VIEW two AS SELECT * FROM one; \
     CREATE MATERIALIZED VIEW three AS SELECT * FROM two; CREATE UNIQUE INDEX three_id ON three (id)",
    "CREATE FUNCTION rows_of() RETURNS SETOF a LANGUAGE sql AS 'SELECT * FROM a'; CREATE PROCEDURE nothing() LANGUAGE sql AS ''",
    "CREATE AGGREGATE total (integer) (sfunc = int4pl, stype = integer); \
     CREATE AGGREGATE counted (*) (sfunc = int8inc, stype = bigint, initcond = '0')",
    "CREATE FUNCTION same(kind, kind) RETURNS boolean LANGUAGE sql AS 'SELECT $1::text = $2::text'; \
     CREATE OPERATOR === (leftarg = kind, rightarg = kind, function = same); \
     CREATE OPERATOR CLASS kinds FOR TYPE kind USING hash AS OPERATOR 1 ===; CREATE OPERATOR FAMILY families USING btree",
    "CREATE FUNCTION low_of(point_of) RETURNS integer LANGUAGE sql AS 'SELECT 2'; \
     CREATE CAST (point_of AS integer) WITH FUNCTION low_of(point_of)",
    "CREATE TEXT SEARCH DICTIONARY words (TEMPLATE = simple); CREATE TEXT SEARCH CONFIGURATION texts (COPY = simple)",
    "CREATE CONVERSION bytes FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8; CREATE STATISTICS together ON id, n FROM a",
    "CREATE TABLE parts (k kind, n integer) PARTITION BY LIST (k); CREATE TABLE part_a PARTITION OF parts FOR VALUES IN ('a'); \
     CREATE TABLE part_b PARTITION OF parts FOR VALUES IN ('b') PARTITION BY RANGE (n); \
     CREATE TABLE part_b_1 PARTITION OF part_b DEFAULT; CREATE TABLE heir (more text) INHERITS (a)",
    "CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; \
     CREATE TRIGGER touch BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION touched(); \
     CREATE TRIGGER touch BEFORE INSERT ON parts FOR EACH ROW EXECUTE FUNCTION touched()",
    "CREATE RULE quiet AS ON DELETE TO a DO INSTEAD NOTHING; ALTER TABLE a ENABLE ROW LEVEL SECURITY; \
     CREATE POLICY open ON a USING (k = 'a')",
    "CREATE FOREIGN TABLE distant (id integer) SERVER away; CREATE UNLOGGED TABLE \"we\"\"ird\" (x text)",
    "INSERT INTO b (id) VALUES (1); INSERT INTO a (k, b_id) VALUES ('a', 1)",
];

/// What stands in a schema or depends on one, by the server's own names; the ledger's and extensions' left out.
const STANDING: &str = "SELECT string_agg(DISTINCT o.type || ' ' || o.identity, E'\\n' ORDER BY o.type || ' ' || o.identity) \
    FROM pg_depend d, LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) o \
    WHERE d.objid >= 16384 AND o.identity !~ 'seaql_|seaworthy_|pg_toast|RI_Con' AND NOT EXISTS \
    (SELECT FROM pg_depend e WHERE e.deptype = 'e' AND (e.classid, e.objid) = (d.classid, d.objid))";

async fn fresh(person: &Person, environment: &Environment) -> Result<Outcome, CommandError> {
    person
        .run(async |conduct| command::fresh(environment, conduct).await)
        .await
}

async fn refused(environment: &Environment) -> String {
    fresh(&Person::default(), environment)
        .await
        .unwrap_err()
        .to_string()
}

async fn ask(database: &ScratchDatabase, sql: &str) -> String {
    let session = session(database).await;
    let rows = session.rows(sql).await.unwrap();
    session.close().await;
    let first = rows.first().unwrap();
    let text = first.try_get_by_index::<Option<String>>(0);
    text.map_or_else(
        |_| first.try_get_by_index::<i64>(0).unwrap().to_string(),
        Option::unwrap_or_default,
    )
}

fn in_schemas(database: &ScratchDatabase, revisions: &[Sql], schemas: &str) -> Environment {
    let mut environment = environment(database, revisions);
    environment.settings.schema = Some(schemas.to_owned());
    environment
}

fn precious() -> [Sql; 1] {
    let create = "CREATE TABLE precious (id integer PRIMARY KEY)";
    [Sql::new("a", None, &[create], &["DROP TABLE precious"])]
}

#[tokio::test]
async fn fresh_empties_the_schema_that_comes_first_and_names_it() {
    let Some(database) = postgres().await else { return };
    send(
        &database,
        "CREATE SCHEMA \"App\"; CREATE SCHEMA app; CREATE TABLE app.precious (id integer); INSERT INTO app.precious VALUES (1)",
    )
    .await;
    let environment = in_schemas(&database, &precious(), "App,app");
    upgrade(&environment, "head").await.unwrap();
    send(&database, "INSERT INTO \"App\".precious VALUES (1), (2)").await;
    assert_snapshot!(
        refused(&environment).await,
        @"this would destroy table App.precious (2 rows), everything else in schema App"
    );
    let outcome = fresh(&Person::agreeing(), &environment).await.unwrap();
    assert_eq!(outcome.notes, ["schema App was emptied first"]);
    assert_eq!(ask(&database, "SELECT count(*) FROM app.precious").await, "1");
    assert_eq!(ask(&database, "SELECT count(*) FROM \"App\".precious").await, "0");
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_schema_may_have_any_name() {
    let Some(database) = postgres().await else { return };
    let names = [
        "select",
        "My App",
        "my app",
        "we\"ird",
        "it's",
        "a.b",
        "\u{1f6a2}",
        "PUBLIC",
        "%I",
    ];
    for name in names {
        let quoted = format!("\"{}\"", name.replace('"', "\"\""));
        send(&database, &format!("CREATE SCHEMA {quoted}")).await;
        let environment = in_schemas(&database, &precious(), &format!("{name},public"));
        upgrade(&environment, "head").await.unwrap();
        send(&database, &format!("INSERT INTO {quoted}.precious VALUES (1)")).await;
        assert_eq!(
            refused(&environment).await,
            format!("this would destroy table {name}.precious (1 row), everything else in schema {name}")
        );
        fresh(&Person::agreeing(), &environment).await.unwrap();
        send(&database, &format!("INSERT INTO {quoted}.precious VALUES (1)")).await;
    }
    let rows = "SELECT count(*) FROM pg_class WHERE relname = 'precious'";
    assert_eq!(ask(&database, rows).await, names.len().to_string());
    database.remove().await.unwrap();
}

#[tokio::test]
async fn whatever_a_revision_makes_can_be_made_again() {
    let revisions = [Sql::new("a", None, EVERYTHING, &[])];
    for schema in ["public", "crowded"] {
        let Some(database) = postgres().await else { return };
        let before = "CREATE FOREIGN DATA WRAPPER far; CREATE SERVER away FOREIGN DATA WRAPPER far; CREATE SCHEMA crowded";
        send(&database, before).await;
        let environment = in_schemas(&database, &revisions, &format!("{schema},public"));
        upgrade(&environment, "head").await.unwrap();
        let made = ask(&database, STANDING).await;
        assert_eq!(
            refused(&environment).await,
            format!(
                "this would destroy table {schema}.a (1 row), table {schema}.b (1 row), everything else in schema {schema}"
            )
        );
        fresh(&Person::agreeing(), &environment).await.unwrap();
        assert_eq!(ask(&database, STANDING).await, made);
        database.remove().await.unwrap();
    }
}

/// Things in another schema that stand on things of ours, each in a way of its own.
const OUTSIDE: &str = "CREATE SCHEMA other; \
    CREATE TABLE other.child (id integer, t_a_id integer REFERENCES public.t_a (id)); \
    CREATE VIEW other.seen AS SELECT id FROM public.t_a; CREATE VIEW other.seen_again AS SELECT * FROM other.seen; \
    CREATE MATERIALIZED VIEW other.kept AS SELECT id FROM public.t_a; CREATE INDEX kept_id ON other.kept (id); \
    CREATE TYPE public.kind AS ENUM ('a', 'b'); CREATE TABLE other.kinds (id integer, k public.kind UNIQUE); \
    CREATE TABLE other.by_kind (k public.kind) PARTITION BY LIST (k); \
    CREATE TABLE public.t_parts (n integer, t text) PARTITION BY LIST (n); CREATE INDEX ON public.t_parts (t); \
    CREATE TABLE other.part PARTITION OF public.t_parts FOR VALUES IN (1); \
    CREATE TABLE other.heir () INHERITS (public.t_a); \
    CREATE FUNCTION public.twice(integer) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT $1 * 2'; \
    CREATE TABLE other.counted (n integer, twice integer GENERATED ALWAYS AS (public.twice(n)) STORED, \
    CHECK (public.twice(n) < 100)); CREATE INDEX ON other.counted (public.twice(n)); \
    CREATE SEQUENCE public.numbers; CREATE TABLE other.numbered (n bigint DEFAULT nextval('public.numbers')); \
    CREATE FUNCTION public.touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; \
    CREATE TRIGGER touch BEFORE INSERT ON other.numbered FOR EACH ROW EXECUTE FUNCTION public.touched(); \
    ALTER TABLE other.child ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON other.child USING (public.twice(id) > 0); \
    CREATE DOMAIN other.domain AS public.kind; CREATE FUNCTION other.f(public.kind) RETURNS integer LANGUAGE sql AS 'SELECT 1'; \
    CREATE TABLE other.ours (n integer) PARTITION BY LIST (n); CREATE INDEX ON other.ours (n); \
    CREATE TABLE public.t_ours PARTITION OF other.ours FOR VALUES IN (1); \
    INSERT INTO public.t_a (id) VALUES (1); INSERT INTO other.child VALUES (1, 1), (2, 1); INSERT INTO other.heir (id) VALUES (7); \
    INSERT INTO public.t_parts VALUES (1, 'x'), (1, 'y'); INSERT INTO other.kinds VALUES (1, 'a'), (2, NULL); \
    INSERT INTO other.counted VALUES (1)";

#[tokio::test]
async fn what_goes_in_other_schemas_is_named_and_nothing_else_goes() {
    let Some(database) = postgres().await else { return };
    let environment = environment(&database, &[Sql::table("a", None)]);
    upgrade(&environment, "head").await.unwrap();
    send(&database, OUTSIDE).await;
    let question = refused(&environment).await;
    assert_snapshot!(question.replace(", ", "\n"), @"
    this would destroy table public.t_a (1 row)
    table public.t_parts (2 rows)
    column other.counted.twice (1 row)
    column other.kinds.k (1 row)
    table other.heir (1 row)
    table other.part (2 rows)
    everything else in schema public
    default value for other.numbered.n
    function other.f(public.kind)
    index other.counted_twice_idx
    materialized view other.kept
    policy own on other.child
    table constraint child_t_a_id_fkey on other.child
    table constraint counted_n_check on other.counted
    table other.by_kind
    trigger touch on other.numbered
    type other.domain
    view other.seen
    view other.seen_again
    ");
    let outside = "SELECT string_agg(c.relname || coalesce('.' || a.attname, ''), ' ' ORDER BY c.relname, a.attnum) FROM pg_class c \
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
        WHERE c.relnamespace = 'other'::regnamespace";
    fresh(&Person::agreeing(), &environment).await.unwrap();
    assert_snapshot!(
        ask(&database, outside).await,
        @"child.id child.t_a_id counted.n kinds.id numbered.n ours.n ours_n_idx.n"
    );
    assert_eq!(ask(&database, "SELECT count(*) FROM other.child").await, "2");
    database.remove().await.unwrap();
}

#[tokio::test]
async fn an_empty_table_of_another_schema_is_asked_about() {
    let Some(database) = postgres().await else { return };
    let environment = environment(&database, &[Sql::table("a", None)]);
    upgrade(&environment, "head").await.unwrap();
    send(
        &database,
        "CREATE SCHEMA other; CREATE TABLE other.heir () INHERITS (t_a)",
    )
    .await;
    assert_snapshot!(
        refused(&environment).await,
        @"this would destroy everything in schema public, table other.heir"
    );
    database.remove().await.unwrap();
}

#[tokio::test]
async fn rows_that_the_role_cannot_see_are_not_taken_for_none() {
    let Some(database) = postgres().await else { return };
    let role = format!("fresh_{}", fastrand::u64(..));
    send(
        &database,
        &format!(
            "CREATE ROLE {role}; CREATE SCHEMA own AUTHORIZATION {role}; CREATE TABLE own.hidden (id integer); \
             ALTER TABLE own.hidden OWNER TO {role}; ALTER TABLE own.hidden ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; \
             CREATE TABLE own.foreign_to_it (id integer); INSERT INTO own.hidden VALUES (1)"
        ),
    )
    .await;
    let mut environment = in_schemas(&database, &precious(), "own");
    let address = format!("{}?options=-c%20role%3D{role}", database.address());
    environment.database = Some(address.parse().unwrap());
    let question = refused(&environment).await;
    send(&database, &format!("DROP SCHEMA own CASCADE; DROP ROLE {role}")).await;
    assert_snapshot!(
        question.replace(", ", "\n"),
        @"
    this would destroy everything in schema own
    table own.foreign_to_it (rows that this role cannot see)
    table own.hidden (rows that this role cannot see)
    "
    );
    database.remove().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_dropped_leaves_everything_as_it_was() {
    let Some(database) = postgres().await else { return };
    let environment = environment(&database, &[Sql::table("a", None)]);
    upgrade(&environment, "head").await.unwrap();
    send(
        &database,
        "INSERT INTO t_a (id) VALUES (1); CREATE SEQUENCE numbers; CREATE TYPE zone AS ENUM ('a'); CREATE SCHEMA guard; \
         CREATE FUNCTION guard.refuse() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''not this''; END'; \
         CREATE EVENT TRIGGER refuses ON ddl_command_start WHEN TAG IN ('DROP TYPE') EXECUTE FUNCTION guard.refuse()",
    )
    .await;
    let error = fresh(&Person::agreeing(), &environment).await.unwrap_err();
    assert_eq!(error.to_string(), "could not drop everything");
    assert_eq!(ask(&database, "SELECT count(*) FROM t_a").await, "1");
    assert_eq!(current(&environment).await, ["a"]);
    assert_eq!(events(&environment).await, ["up a done"]);
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_ledger_that_the_search_path_leads_to_is_not_ours() {
    let Some(database) = postgres().await else { return };
    send(&database, "CREATE SCHEMA app; CREATE SCHEMA \"App\"").await;
    let theirs = in_schemas(&database, &precious(), "app");
    upgrade(&theirs, "head").await.unwrap();
    send(&database, "INSERT INTO app.precious VALUES (1)").await;
    let ours = in_schemas(&database, &precious(), "App,app");
    let person = Person::agreeing();
    person
        .run(async |conduct| command::reset(&ours, conduct).await)
        .await
        .unwrap();
    assert_eq!(
        ask(&database, "SELECT count(*) FROM app.seaql_migrations").await,
        "1"
    );
    send(&database, "DROP TABLE \"App\".seaworthy_history").await;
    fresh(&person, &ours).await.unwrap();
    let first = "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relnamespace = '\"App\"'::regnamespace \
        AND relkind = 'r'";
    assert_eq!(
        ask(&database, first).await,
        "precious seaql_migrations seaworthy_history"
    );
    person
        .run(async |conduct| command::refresh(&ours, conduct).await)
        .await
        .unwrap();
    assert!(person.asked.lock().unwrap().is_empty());
    assert_eq!(events(&theirs).await, ["up a done"]);
    assert_eq!(ask(&database, "SELECT count(*) FROM app.precious").await, "1");
    database.remove().await.unwrap();
}

struct Silent;

impl Observer for Silent {}

#[tokio::test]
async fn what_comes_after_the_question_is_not_dropped_with_it() {
    for (sql, left) in [
        ("CREATE TABLE t_late (id integer)", vec!["t_a", "t_b", "t_late"]),
        ("INSERT INTO t_b (id) VALUES (1)", vec!["t_a", "t_b"]),
    ] {
        for database in databases().await {
            let environment = environment(&database, &[Sql::table("a", None), Sql::table("b", Some("a"))]);
            upgrade(&environment, "head").await.unwrap();
            send(&database, "INSERT INTO t_a (id) VALUES (1)").await;
            let late = || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                runtime.block_on(send(&database, sql));
            };
            let conduct = Conduct {
                wait: std::time::Duration::from_secs(5),
                retries: 2,
                stop: CancellationToken::new(),
                observer: &Silent,
                waiting: &|_, _| {},
                through: Stage::Contract,
                living: Living::Heed,
                consent: &|_| std::thread::scope(|scope| scope.spawn(late).join().is_ok()),
            };
            let error = command::fresh(&environment, &conduct).await.unwrap_err();
            assert_eq!(error.kind(), "changed_meanwhile", "{sql}");
            assert_eq!(tables(&database).await, left, "{sql}");
            database.remove().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_file_of_sqlite_is_emptied_with_all_that_sqlite_makes() {
    let database = databases().await.swap_remove(0);
    let up = [
        "CREATE TABLE a (id integer PRIMARY KEY AUTOINCREMENT, b_id integer NOT NULL REFERENCES b (id) DEFERRABLE INITIALLY DEFERRED)",
        "CREATE TABLE b (id integer PRIMARY KEY AUTOINCREMENT, a_id integer REFERENCES a (id) ON DELETE RESTRICT)",
        "CREATE VIEW z AS SELECT id FROM a; CREATE VIEW y AS SELECT id FROM z",
        "CREATE TRIGGER t INSTEAD OF INSERT ON y BEGIN INSERT INTO b (id) VALUES (1); END",
        "CREATE VIRTUAL TABLE words USING fts5 (word); CREATE TABLE \"we\"\"ird\" (x)",
        "INSERT INTO b (id) VALUES (3); INSERT INTO a (id, b_id) VALUES (5, 3); UPDATE b SET a_id = 5",
        "INSERT INTO words VALUES ('sea')",
    ];
    let environment = environment(&database, &[Sql::new("a", None, &up, &[])]);
    upgrade(&environment, "head").await.unwrap();
    assert_snapshot!(
        refused(&environment).await,
        @"this would destroy table a (1 row), table b (1 row), table words (1 row)"
    );
    let numbers = "SELECT group_concat(name || ' ' || seq, ', ') FROM (SELECT * FROM sqlite_sequence WHERE name NOT LIKE 'seaw%' \
        ORDER BY name)";
    assert_eq!(ask(&database, numbers).await, "a 5, b 3");
    let schema = "SELECT group_concat(name, ' ') FROM (SELECT name FROM sqlite_master ORDER BY name)";
    let made = ask(&database, schema).await;
    fresh(&Person::agreeing(), &environment).await.unwrap();
    assert_eq!(ask(&database, schema).await, made);
    assert_eq!(ask(&database, numbers).await, "a 5, b 3");
    database.remove().await.unwrap();
}
