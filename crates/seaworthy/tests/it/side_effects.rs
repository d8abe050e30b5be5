//! What a step destroys by something else than what its statements say is seen before it is committed: by triggers, functions,
//! operators and conditions of the database.

use std::error::Error as _;

use sea_orm::DbBackend;
use seaworthy::command::{self, CommandError, OutOfOrder};
use seaworthy::verify::ScratchDatabase;

use crate::databases::{Person, Sql, databases, environment, send, session};

/// What is there before: three people, and tables that others write to.
const SEED: &str = "CREATE TABLE crew (id integer PRIMARY KEY, name text); \
                    INSERT INTO crew VALUES (1, 'Ada'), (2, 'Ben'), (3, 'Cleo'); \
                    CREATE TABLE gone (id integer); CREATE TABLE logs (what text); INSERT INTO logs VALUES ('built')";

/// What a database has, what a step sends, and what would be gone.
type Case = [&'static str; 3];

/// The condition reads a view, and the view what was written just before.
const BY_A_VIEW: Case = [
    "CREATE VIEW left_us AS SELECT id FROM crew WHERE id IN (SELECT id FROM gone)",
    "INSERT INTO gone VALUES (2); DELETE FROM crew WHERE id IN (SELECT id FROM left_us)",
    "rows of table crew",
];

const ON_SQLITE: [Case; 4] = [
    BY_A_VIEW,
    [
        "CREATE TRIGGER purge AFTER INSERT ON logs BEGIN DELETE FROM crew WHERE id > 1; END",
        "INSERT INTO logs VALUES ('moved')",
        "rows of table crew",
    ],
    // A table is built again, and not every row gets there.
    [
        "CREATE TABLE crew_new (id integer PRIMARY KEY, name text); \
         CREATE TRIGGER picky BEFORE INSERT ON crew_new WHEN NEW.id = 2 BEGIN SELECT raise(IGNORE); END",
        "INSERT INTO crew_new SELECT id, name FROM crew; DROP TABLE crew; ALTER TABLE crew_new RENAME TO crew",
        "rows of table crew",
    ],
    [
        "CREATE VIEW people AS SELECT id, name FROM crew; \
         CREATE TRIGGER people_go INSTEAD OF UPDATE ON people BEGIN DELETE FROM crew WHERE id = OLD.id; END",
        "UPDATE people SET name = 'Dot'",
        "rows of table crew",
    ],
];

const PURGE: &str = "CREATE FUNCTION purge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM crew WHERE id > 1; \
                     RETURN NEW; END $$; CREATE TRIGGER purge BEFORE INSERT OR UPDATE ON logs FOR EACH ROW EXECUTE FUNCTION \
                     purge()";

const ON_POSTGRESQL: [Case; 9] = [
    // What a default calls runs for each row that there is.
    [
        "CREATE FUNCTION sink() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN DELETE FROM crew; RETURN 1; END $$",
        "ALTER TABLE logs ADD COLUMN n integer DEFAULT sink()",
        "rows of table crew",
    ],
    BY_A_VIEW,
    [PURGE, "INSERT INTO logs VALUES ('moved')", "rows of table crew"],
    [PURGE, "UPDATE logs SET what = 'moved'", "rows of table crew"],
    [
        "CREATE TABLE crew_new (id integer PRIMARY KEY, name text); \
         CREATE FUNCTION picky() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.id = 2 THEN RETURN NULL; END IF; RETURN NEW; \
         END $$; CREATE TRIGGER picky BEFORE INSERT ON crew_new FOR EACH ROW EXECUTE FUNCTION picky()",
        "INSERT INTO crew_new SELECT id, name FROM crew; DROP TABLE crew; ALTER TABLE crew_new RENAME TO crew",
        "rows of table crew",
    ],
    // An operator calls a function, and nothing in the statement looks like a call.
    [
        "CREATE FUNCTION sink(integer, integer) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN TRUNCATE crew; RETURN true; END $$; \
         CREATE OPERATOR === (LEFTARG = integer, RIGHTARG = integer, FUNCTION = sink)",
        "SELECT 1 === 2",
        "rows of table crew",
    ],
    // It is said to read only, and calls what does not.
    [
        "CREATE FUNCTION drops() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DROP TABLE IF EXISTS ' || 'crew'; END $$; \
         CREATE FUNCTION quiet() RETURNS integer LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN loud(); END $$; \
         CREATE FUNCTION loud() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN PERFORM drops(); RETURN 1; END $$",
        "UPDATE logs SET what = quiet()::text",
        "table crew",
    ],
    // What a setting decides is decided when the statement runs.
    [
        "",
        "SET LOCAL harbour.closes = 'yes'; DELETE FROM crew WHERE current_setting('harbour.closes', true) = 'yes'",
        "rows of table crew",
    ],
    [
        "CREATE FUNCTION purge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE crew DROP COLUMN name; RETURN NULL; END $$; \
         CREATE TRIGGER purge AFTER INSERT ON gone EXECUTE FUNCTION purge()",
        "INSERT INTO gone VALUES (2)",
        "column crew.name",
    ],
];

/// What a database has, and what a step sends that takes nothing of it.
const HARMLESS_ANYWHERE: [[&str; 2]; 5] = [
    [
        "",
        "INSERT INTO gone VALUES (2); UPDATE crew SET name = upper(name)",
    ],
    ["", "DELETE FROM gone"],
    // The step itself has put in what it takes out.
    ["", "INSERT INTO gone VALUES (2), (3); DELETE FROM gone"],
    [
        "",
        "CREATE TABLE boats (id integer); INSERT INTO boats VALUES (1), (2); DELETE FROM boats; DROP TABLE boats",
    ],
    [
        "",
        "ALTER TABLE crew RENAME TO people; ALTER TABLE logs RENAME TO crew; ALTER TABLE people RENAME TO logs; \
         INSERT INTO crew VALUES ('swapped')",
    ],
];

const HARMLESS_ON_SQLITE: [[&str; 2]; 3] = [
    [
        "CREATE TRIGGER notes AFTER UPDATE ON crew BEGIN INSERT INTO logs VALUES ('changed'); END",
        "UPDATE crew SET name = upper(name)",
    ],
    [
        "",
        "CREATE TABLE crew_new (id integer PRIMARY KEY, name text, rank text); INSERT INTO crew_new (id, name) SELECT id, name \
         FROM crew; DROP TABLE crew; ALTER TABLE crew_new RENAME TO crew",
    ],
    // A virtual table keeps its contents in tables of its own.
    [
        "CREATE VIRTUAL TABLE words USING fts5(text); INSERT INTO words VALUES ('a'), ('b'), ('c')",
        "INSERT INTO words VALUES ('d'); INSERT INTO words(words) VALUES ('optimize')",
    ],
];

const HARMLESS_ON_POSTGRESQL: [[&str; 2]; 9] = [
    // A column goes from a table and its parts, and nobody has put anything into it.
    [
        "CREATE TABLE trips (id integer, year integer, note text) PARTITION BY LIST (year); \
         CREATE TABLE trips_1 PARTITION OF trips FOR VALUES IN (1); INSERT INTO trips VALUES (1, 1)",
        "ALTER TABLE trips DROP COLUMN note",
    ],
    [
        "CREATE TYPE mood AS ENUM ('well'); ALTER TABLE crew ADD COLUMN mood mood",
        "DROP TYPE mood CASCADE",
    ],
    // A trigger that writes a row anew.
    [
        "CREATE TABLE words (id integer); INSERT INTO words VALUES (1), (2), (3); \
         CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM words WHERE id = NEW.id; \
         INSERT INTO words VALUES (NEW.id); RETURN NEW; END $$; \
         CREATE TRIGGER again AFTER UPDATE ON crew FOR EACH ROW EXECUTE FUNCTION again()",
        "UPDATE crew SET name = upper(name)",
    ],
    [
        "",
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; UPDATE crew SET name = upper(name)",
    ],
    [
        "",
        "ALTER TABLE crew ADD COLUMN born integer DEFAULT 1900, ADD CHECK (born > 0); SELECT count(*) FROM crew",
    ],
    // A row goes from one part of its table to another.
    [
        "CREATE TABLE trips (id integer, year integer) PARTITION BY LIST (year); \
         CREATE TABLE trips_1 PARTITION OF trips FOR VALUES IN (1); CREATE TABLE trips_2 PARTITION OF trips FOR VALUES IN (2); \
         INSERT INTO trips VALUES (1, 1), (2, 1), (3, 2)",
        "UPDATE trips SET year = 2",
    ],
    // What was deleted before is not there, whatever the size of the table.
    [
        "CREATE TABLE old (id integer); INSERT INTO old VALUES (1); DELETE FROM old",
        "ALTER TABLE old ALTER COLUMN id TYPE bigint; INSERT INTO logs VALUES ('wide')",
    ],
    [
        "",
        "CREATE TABLE crew_new (id bigint PRIMARY KEY, name text); INSERT INTO crew_new SELECT id, name FROM crew; \
         DROP TABLE crew; ALTER TABLE crew_new RENAME TO crew",
    ],
    [
        "",
        "TRUNCATE gone; SELECT 1 + 1; SELECT set_config('harbour.open', 'yes', true)",
    ],
];

/// Makes a database with what a case needs, and runs the step as somebody who gives up nothing.
async fn run(database: &ScratchDatabase, has: &str, sends: &str) -> (Person, Result<(), CommandError>) {
    send(database, SEED).await;
    if !has.is_empty() {
        send(database, has).await;
    }
    upgrade(database, Sql::new("a", None, &[sends], &[]), Person::default()).await
}

async fn upgrade(
    database: &ScratchDatabase,
    step: Sql,
    person: Person,
) -> (Person, Result<(), CommandError>) {
    let environment = environment(database, &[step]);
    let target = "head".parse().unwrap();
    let upgraded = person
        .run(async |conduct| command::upgrade(&environment, &target, OutOfOrder::Refuse, conduct).await)
        .await;
    (person, upgraded.map(drop))
}

async fn names(database: &ScratchDatabase) -> i64 {
    let session = session(database).await;
    let rows = session
        .rows("SELECT count(name) AS names FROM crew")
        .await
        .unwrap();
    session.close().await;
    rows[0].try_get("", "names").unwrap()
}

fn is_sqlite(database: &ScratchDatabase) -> bool {
    database.url().backend() == DbBackend::Sqlite
}

fn cases(database: &ScratchDatabase) -> &'static [Case] {
    match is_sqlite(database) {
        true => &ON_SQLITE,
        false => &ON_POSTGRESQL,
    }
}

#[tokio::test]
async fn what_goes_without_being_named_is_put_back() {
    for number in 0..ON_SQLITE.len().max(ON_POSTGRESQL.len()) {
        for database in databases().await {
            let Some([has, sends, lost]) = cases(&database).get(number) else {
                database.remove().await.unwrap();
                continue;
            };
            let (person, upgraded) = run(&database, has, sends).await;
            let refused = upgraded.expect_err(sends);
            let source = refused.source().map(ToString::to_string);
            assert_eq!(
                source,
                Some(format!("it would destroy {lost}")),
                "{sends}: {refused}"
            );
            assert_eq!(person.question(), *lost, "{sends}");
            assert_eq!(names(&database).await, 3, "{sends}");
            database.remove().await.unwrap();
        }
    }
}

/// A part that ends its own transaction cannot be put back, and is sent as it is.
#[tokio::test]
async fn a_part_that_commits_by_itself_is_sent_without_a_transaction() {
    let Some(database) = databases()
        .await
        .into_iter()
        .find(|database| !is_sqlite(database))
    else {
        return;
    };
    send(&database, SEED).await;
    let procedure = "CREATE PROCEDURE fill() LANGUAGE plpgsql AS $$ BEGIN UPDATE logs SET what = 'filled'; COMMIT; END $$";
    send(&database, procedure).await;
    for (id, sql) in [
        ("called", "CALL fill()"),
        (
            "block",
            "DO $$ BEGIN FOR i IN 1..2 LOOP UPDATE logs SET what = 'filled'; COMMIT; END LOOP; END $$",
        ),
    ] {
        let step = Sql::new(id, None, &[sql], &[]).without_transaction();
        let (_, upgraded) = upgrade(&database, step, Person::agreeing()).await;
        upgraded.expect(sql);
        send(&database, "DELETE FROM seaql_migrations").await;
    }
    database.remove().await.unwrap();
}

/// What a part has taken is put back, what those before it have done stays, and the next run is asked again.
#[tokio::test]
async fn what_goes_in_a_part_of_a_step_is_put_back() {
    for number in 0..ON_SQLITE.len().max(ON_POSTGRESQL.len()) {
        for database in databases().await {
            // What a copy has left out is seen where the copy and what it takes the place of are in one transaction.
            let case = cases(&database)
                .get(number)
                .filter(|[_, sends, _]| !sends.contains("crew_new"));
            if let Some([has, sends, lost]) = case {
                send(&database, SEED).await;
                if !has.is_empty() {
                    send(&database, has).await;
                }
                let sends_both = ["INSERT INTO logs VALUES ('begun')", sends];
                let step = || Sql::new("a", None, &sends_both, &[]).without_transaction();
                let (_, upgraded) = upgrade(&database, step(), Person::default()).await;
                let source = upgraded.expect_err(sends).source().map(ToString::to_string);
                assert_eq!(source, Some(format!("it would destroy {lost}")), "{sends}");
                assert_eq!(names(&database).await, 3, "{sends}");
                // By now what the parts before have done may show what goes.
                let (person, upgraded) = upgrade(&database, step(), Person::default()).await;
                assert_eq!(upgraded.expect_err(sends).kind(), "refused", "{sends}");
                assert!(
                    person.question().contains("crew"),
                    "{sends}: {}",
                    person.question()
                );
                assert_eq!(names(&database).await, 3, "{sends}");
                let (_, upgraded) = upgrade(&database, step(), Person::agreeing()).await;
                upgraded.expect(sends);
            }
            database.remove().await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_takes_nothing_is_not_asked_about() {
    for number in 0..HARMLESS_ANYWHERE.len() + HARMLESS_ON_POSTGRESQL.len() {
        for database in databases().await {
            let more: &[[&str; 2]] = if is_sqlite(&database) {
                &HARMLESS_ON_SQLITE
            } else {
                &HARMLESS_ON_POSTGRESQL
            };
            if let Some([has, sends]) = HARMLESS_ANYWHERE.iter().chain(more).nth(number) {
                let (person, upgraded) = run(&database, has, sends).await;
                upgraded.expect(sends);
                assert_eq!(*person.asked.lock().unwrap(), [], "{sends}");
            }
            database.remove().await.unwrap();
        }
    }
}
