//! What a step destroys by something else than what its statements say is seen before it is committed: by triggers, functions,
//! operators and conditions of the database.

use std::error::Error as _;

use sea_orm::DbBackend;
use seaworthy::command::{self, CommandError, OutOfOrder};
use seaworthy::revision::Accepted;
use seaworthy::verify::ScratchDatabase;

use crate::asking::agreeing_while;
use crate::databases::{Person, Sql, databases, environment, postgres, send, session};

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

/// A table that is there already, and does not take everything in.
const PICKY_ARCHIVE: &str = "CREATE TABLE archive (id integer, name text); CREATE TRIGGER picky BEFORE INSERT ON archive \
                             WHEN NEW.id = 2 BEGIN SELECT raise(IGNORE); END";

const ON_SQLITE: [Case; 6] = [
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
    [
        PICKY_ARCHIVE,
        "INSERT INTO archive SELECT id, name FROM crew; DROP TABLE crew",
        "rows of table crew",
    ],
    [
        "CREATE TABLE archive (id integer PRIMARY KEY ON CONFLICT IGNORE, name text); INSERT INTO archive VALUES (1, 'Zoe')",
        "INSERT INTO archive SELECT id, name FROM crew; DROP TABLE crew",
        "rows of table crew",
    ],
];

const PURGE: &str = "CREATE FUNCTION purge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM crew WHERE id > 1; \
                     RETURN NEW; END $$; CREATE TRIGGER purge BEFORE INSERT OR UPDATE ON logs FOR EACH ROW EXECUTE FUNCTION \
                     purge()";

const PICKY_TABLE: &str = "CREATE TABLE archive (id integer, name text); CREATE FUNCTION picky() RETURNS trigger LANGUAGE plpgsql \
                           AS $$ BEGIN IF NEW.id = 2 THEN RETURN NULL; END IF; RETURN NEW; END $$; \
                           CREATE TRIGGER picky BEFORE INSERT ON archive FOR EACH ROW EXECUTE FUNCTION picky()";

const ON_POSTGRESQL: [Case; 13] = [
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
    // It is emptied at once, and something else is there afterwards.
    [
        "CREATE FUNCTION purge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN TRUNCATE crew; INSERT INTO crew VALUES (1, 'Zoe'); \
         RETURN NULL; END $$; CREATE TRIGGER purge AFTER INSERT ON gone EXECUTE FUNCTION purge()",
        "INSERT INTO gone VALUES (2)",
        "rows of table crew",
    ],
    [
        PICKY_TABLE,
        "INSERT INTO archive SELECT id, name FROM crew; DROP TABLE crew",
        "rows of table crew",
    ],
    [
        PICKY_TABLE,
        "WITH gone AS (DELETE FROM crew RETURNING id, name) INSERT INTO archive (id, name) SELECT id, name FROM gone",
        "rows of table crew",
    ],
    [
        "CREATE TABLE archive (id integer, name text); CREATE RULE picky AS ON INSERT TO archive WHERE NEW.id = 2 DO INSTEAD NOTHING",
        "INSERT INTO archive SELECT id, name FROM crew; DROP TABLE crew",
        "rows of table crew",
    ],
];

/// What a database has, and what a step sends that takes nothing of it.
const HARMLESS_ANYWHERE: [[&str; 2]; 7] = [
    [
        "",
        "INSERT INTO gone VALUES (2); UPDATE crew SET name = upper(name)",
    ],
    ["", "DELETE FROM gone"],
    [
        "CREATE TABLE archive (id integer, name text); INSERT INTO archive VALUES (9, 'Zoe')",
        "INSERT INTO archive SELECT id, name FROM crew; DROP TABLE crew",
    ],
    [
        "",
        "CREATE TABLE archive AS SELECT * FROM crew; DROP TABLE crew; ALTER TABLE archive RENAME TO people",
    ],
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

const HARMLESS_ON_POSTGRESQL: [[&str; 2]; 12] = [
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
    [
        "CREATE TABLE archive (id integer, name text) PARTITION BY LIST (id); \
         CREATE TABLE archive_1 PARTITION OF archive FOR VALUES IN (1); CREATE TABLE archive_rest PARTITION OF archive DEFAULT",
        "INSERT INTO archive SELECT id, name FROM crew; DROP TABLE crew",
    ],
    [
        "CREATE TABLE archive (id integer, name text)",
        "WITH gone AS (DELETE FROM crew WHERE id > 1 RETURNING id, name) INSERT INTO archive (id, name) SELECT id, name FROM gone",
    ],
    // A table is written anew, and rows come to it.
    [
        "",
        "ALTER TABLE crew ADD COLUMN joined timestamptz DEFAULT clock_timestamp(), ALTER COLUMN id TYPE bigint; \
         INSERT INTO crew VALUES (4, 'Dot'); UPDATE logs SET what = 'wide'",
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
                .filter(|[_, sends, _]| !sends.contains("SELECT id, name FROM crew; DROP"));
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

/// A database in which writing to the logs takes people away.
async fn with_trigger(database: &ScratchDatabase) {
    send(database, SEED).await;
    let trigger = match is_sqlite(database) {
        true => ON_SQLITE[1][0],
        false => PURGE,
    };
    send(database, trigger).await;
}

/// Whoever agrees to a statement that nobody understands has said nothing of the other steps.
#[tokio::test]
async fn what_one_step_hides_is_not_agreed_to_for_another() {
    let Some(database) = postgres().await else { return };
    with_trigger(&database).await;
    let hidden = "DO $$ BEGIN EXECUTE 'SELECT ' || '1'; END $$";
    let steps = [
        Sql::new("a", None, &[hidden], &[]),
        Sql::new("b", Some("a"), &["INSERT INTO logs VALUES ('moved')"], &[]),
    ];
    let environment = environment(&database, &steps);
    let target = "head".parse().unwrap();
    let person = Person::agreeing();
    person
        .run(async |conduct| command::upgrade(&environment, &target, OutOfOrder::Refuse, conduct).await)
        .await
        .unwrap();
    let asked: Vec<String> = person
        .asked
        .lock()
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked[0].contains("EXECUTE"), "{asked:?}");
    assert_eq!(asked[1], "rows of table crew");
    assert_eq!(names(&database).await, 1);
    database.remove().await.unwrap();
}

/// A statement that somebody accepts is accepted for what it says, not for what triggers make of it.
#[tokio::test]
async fn a_condition_that_calls_something_accepts_no_more_than_its_statement() {
    for database in databases().await {
        with_trigger(&database).await;
        let statements = [
            "DELETE FROM gone WHERE id > abs(1)",
            "INSERT INTO logs VALUES ('moved')",
        ];
        let accepted = Accepted::up("bulk-dml", "gone", "nobody reads it");
        let step = Sql::new("a", None, &statements, &[]).accepts(accepted);
        let (person, upgraded) = upgrade(&database, step, Person::default()).await;
        assert_eq!(upgraded.expect_err("it destroys").kind(), "refused");
        assert_eq!(person.question(), "rows of table crew");
        database.remove().await.unwrap();
    }
}

/// Nobody waits behind the locks of a step while somebody makes up their mind.
#[tokio::test]
async fn others_write_while_somebody_is_asked() {
    let moved = || Sql::new("a", None, &["INSERT INTO logs VALUES ('moved')"], &[]);
    for step in [moved(), moved().without_transaction()] {
        for database in databases().await {
            with_trigger(&database).await;
            let environment = environment(&database, std::slice::from_ref(&step));
            let target = "head".parse().unwrap();
            agreeing_while(&database, "UPDATE crew SET name = 'Eve'", async |conduct| {
                command::upgrade(&environment, &target, OutOfOrder::Refuse, conduct)
                    .await
                    .map(drop)
            })
            .await
            .unwrap();
            assert_eq!(names(&database).await, 1);
            database.remove().await.unwrap();
        }
    }
}
