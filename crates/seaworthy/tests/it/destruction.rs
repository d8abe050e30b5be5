//! The destruction matrix: some three hundred ways to destroy rows, on both databases, upwards and downwards, in one revision and
//! across several. None of them takes a row that the question did not name.

use std::error::Error as _;
use std::fmt::Write as _;

use sea_orm::DbBackend;
use seaworthy::command::{self, CommandError, OutOfOrder};
use seaworthy::environment::Environment;
use seaworthy::revision::Stage;
use seaworthy::session::Session;
use seaworthy::verify::ScratchDatabase;

use crate::databases::{
    Code, Person, Sql, databases, environment, environment_of, postgres, session, upgrade,
};
use spellings::{Way, count, harmless, ways, ways_in_one_spelling};

mod code;
mod kept;
mod random;
mod spellings;

/// What is at stake: rows in a table, in one that refers to it, in a schema, in a partition, in a column of a type.
const POSTGRESQL: &str = "
    CREATE TABLE crew (id integer PRIMARY KEY, name text, pay numeric, rank text);
    INSERT INTO crew VALUES (1, 'Ada', 1.25, NULL), (2, 'Ben', 2.5, NULL);
    CREATE TABLE doomed (id integer);
    CREATE TABLE berths (id integer PRIMARY KEY, crew_id integer REFERENCES crew ON DELETE CASCADE);
    INSERT INTO berths VALUES (1, 1), (2, 2);
    CREATE TYPE mood AS ENUM ('well', 'ill');
    CREATE DOMAIN knots AS integer;
    CREATE TABLE logs (id integer PRIMARY KEY, mood mood, speed knots);
    INSERT INTO logs VALUES (1, 'ill', 7);
    CREATE SCHEMA hold;
    CREATE TABLE hold.cargo (id integer PRIMARY KEY);
    INSERT INTO hold.cargo VALUES (1);
    CREATE TABLE trips (id integer, year integer) PARTITION BY LIST (year);
    CREATE TABLE trips_2025 PARTITION OF trips FOR VALUES IN (2025);
    INSERT INTO trips VALUES (1, 2025);
    CREATE VIEW overview AS SELECT * FROM crew;
    CREATE TABLE maps (id integer);
    CREATE VIEW charts AS SELECT * FROM maps;
    CREATE TABLE ports (id integer, seen charts);
    INSERT INTO ports VALUES (1, ROW(7)::charts);
    CREATE EXTENSION citext;
    CREATE TABLE flags (id integer, word citext);
    INSERT INTO flags VALUES (1, 'Alfa');
    CREATE FUNCTION default_rank() RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT NULL::text';
    CREATE SEQUENCE numbers;
    CREATE TABLE ranks (rank text DEFAULT default_rank(), number integer DEFAULT nextval('numbers'));
    INSERT INTO ranks VALUES ('mate', 1);
    CREATE FUNCTION sink() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM crew; END $$;
    CREATE FUNCTION sink_all() RETURNS void LANGUAGE sql AS 'SELECT sink()';
    CREATE PROCEDURE scuttle() LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DROP TABLE ' || 'crew CASCADE'; END $$;";

const SQLITE: &str = "
    CREATE TABLE crew (id integer PRIMARY KEY, name text, pay numeric, rank text);
    INSERT INTO crew VALUES (1, 'Ada', 1.25, NULL), (2, 'Ben', 2.5, NULL);
    CREATE TABLE doomed (id integer);
    CREATE TABLE berths (id integer PRIMARY KEY, crew_id integer REFERENCES crew ON DELETE CASCADE);
    INSERT INTO berths VALUES (1, 1), (2, 2);
    CREATE TABLE logs (id integer PRIMARY KEY, mood text, code text);
    INSERT INTO logs VALUES (1, 'ill', '007');";

/// Which way the revision goes that destroys.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Going {
    Up,
    Down,
}

#[tokio::test]
async fn no_row_goes_that_the_question_did_not_name() {
    for database in databases().await {
        let watched = Watched::new(&database).await;
        let mut wrong = String::new();
        let ways = ways(watched.session.backend());
        for way in &ways {
            assert!(watched.destroys(way).await, "destroys nothing: {way}");
            for going in [Going::Up, Going::Down] {
                if going == Going::Up && way.overwrites() {
                    continue;
                }
                if let Err(complaint) = watched.refused(way, going).await {
                    writeln!(wrong, "{going:?} {way}: {complaint}").unwrap();
                }
            }
        }
        // Whoever takes one away says so.
        assert_eq!(ways.len(), count(watched.session.backend()));
        assert_eq!(wrong, "", "{} ways", ways.len());
        watched.session.close().await;
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn nothing_is_asked_where_every_row_is_still_there() {
    for index in 0..harmless(DbBackend::Postgres).len() {
        for going in [Going::Up, Going::Down] {
            for database in databases().await {
                let watched = Watched::new(&database).await;
                let ways = harmless(watched.session.backend());
                let Some(way) = ways.get(index) else { continue };
                assert!(!watched.destroys(way).await, "destroys something: {way}");
                let outcome = watched.run(way, going, &Person::default()).await;
                outcome.unwrap_or_else(|error| panic!("{going:?} {way}: {error}"));
                assert_eq!(rows(&watched.session).await, watched.before, "{going:?} {way}");
                watched.session.close().await;
                database.remove().await.unwrap();
            }
        }
    }
}

/// To begin anew takes everything of the schema, and says so of every table that holds something.
#[tokio::test]
async fn fresh_takes_nothing_that_the_question_did_not_name() {
    for database in databases().await {
        let watched = Watched::new(&database).await;
        let way = ways(watched.session.backend()).swap_remove(0);
        let environment = environment(&database, &revisions(&way, Going::Down));
        let person = Person::default();
        let refused = person
            .run(async |conduct| command::fresh(&environment, conduct).await)
            .await;
        assert_eq!(refused.unwrap_err().kind(), "refused");
        assert_eq!(rows(&watched.session).await, watched.before);

        let person = Person::agreeing();
        let begun = person
            .run(async |conduct| command::fresh(&environment, conduct).await)
            .await;
        begun.unwrap();
        let (after, question) = (rows(&watched.session).await, person.question());
        let lines = watched.before.lines().zip(after.lines());
        let gone: Vec<&str> = lines
            .filter(|(before, after)| before != after)
            .map(|(before, _)| before)
            .collect();
        assert!(gone.len() > 2, "{gone:?}");
        for line in gone {
            let table = line.split(':').next().unwrap_or_default();
            assert!(question.contains(&format!("{table} (")), "{table}: {question}");
        }
        watched.session.close().await;
        database.remove().await.unwrap();
    }
}

/// A script can ask nobody. It says of each step that it destroys something, but for what the database alone knows.
#[tokio::test]
async fn a_script_says_of_each_way_that_it_destroys() {
    for database in databases().await {
        let mut silent = Vec::new();
        for way in ways(database.url().backend()) {
            let is_known = !(way.overwrites() || way.calls_functions_of_the_database());
            for going in [Going::Up, Going::Down] {
                let environment = environment(&database, &revisions(&way, going));
                let (start, end) = ("a".parse().unwrap(), IDS[way.revisions.len()].parse().unwrap());
                let script = match going {
                    Going::Up => {
                        let whole = Stage::Contract;
                        command::upgrade_sql(&environment, Some(&start), &end, whole).await
                    }
                    Going::Down => {
                        let from = IDS[way.revisions.len()].parse().unwrap();
                        command::downgrade_sql(&environment, Some(&from), &"a".parse().unwrap()).await
                    }
                };
                let script = script.unwrap().sql;
                if is_known && !script.lines().any(|line| line.starts_with("-- destroys ")) {
                    silent.push(format!("{going:?} {way}"));
                }
            }
        }
        assert_eq!(silent, [""; 0]);
        database.remove().await.unwrap();
    }
}

/// By statements of SeaORM, by entities, behind questions: the same rows go, and the same is asked.
#[tokio::test]
async fn no_row_goes_by_code_that_the_question_did_not_name() {
    for database in databases().await {
        let watched = Watched::new(&database).await;
        let mut wrong = String::new();
        for (index, (names, act)) in code::WAYS.into_iter().enumerate() {
            for going in [Going::Up, Going::Down] {
                let code = match going {
                    Going::Up => Code::new("b", Some("a")).up(act),
                    Going::Down => Code::new("b", Some("a")).down(act),
                };
                let environment =
                    environment_of(&database, vec![Box::new(Code::new("a", None)), Box::new(code)]);
                let outcome = Watched::go(&environment, going, "b", &Person::default()).await;
                watched
                    .session
                    .send("DELETE FROM seaql_migrations")
                    .await
                    .unwrap();
                assert_eq!(rows(&watched.session).await, watched.before, "{index} {going:?}");
                let said = match outcome {
                    Err(error) => said(&error),
                    Ok(()) => "nothing was asked".to_owned(),
                };
                if !said.contains(names) && !said.contains("not known beforehand") {
                    writeln!(wrong, "{going:?} {index}, {names}: {said}").unwrap();
                }
            }
        }
        assert_eq!(wrong, "");
        watched.session.close().await;
        database.remove().await.unwrap();
    }
}

/// Whoever agrees loses what was named, and nothing besides.
#[tokio::test]
async fn only_what_was_named_goes_when_somebody_agrees() {
    for kind in databases().await {
        let mut wrong = String::new();
        for way in ways_in_one_spelling(kind.url().backend()) {
            let database = match kind.url().file() {
                Some(_) => ScratchDatabase::sqlite(&std::env::temp_dir()).unwrap(),
                None => postgres().await.unwrap(),
            };
            let watched = Watched::new(&database).await;
            let person = Person::agreeing();
            let outcome = watched.run(&way, Going::Down, &person).await;
            let question = person.question();
            let after = rows(&watched.session).await;
            let lines = watched.before.lines().zip(after.lines());
            for (before, _) in lines.filter(|(before, after)| before != after) {
                let table = before.split(':').next().unwrap_or_default();
                if !(way.is_unclear() || way.swaps_names() || question.contains(table)) {
                    writeln!(
                        wrong,
                        "{way}: {table} was not named in {question:?} ({outcome:?})"
                    )
                    .unwrap();
                }
            }
            watched.session.close().await;
            database.remove().await.unwrap();
        }
        assert_eq!(wrong, "");
        kind.remove().await.unwrap();
    }
}

/// What revisions are called; the first one does nothing.
const IDS: [&str; 5] = ["a", "b", "c", "d", "e"];

/// Returns the revisions that go a way, one after the other.
fn revisions(way: &Way, going: Going) -> Vec<Sql> {
    let harmless = ["SELECT 1"];
    let mut revisions = vec![Sql::new("a", None, &harmless, &harmless)];
    let last = way.revisions.len();
    for index in 0..last {
        let (id, parent) = (IDS[index + 1], Some(IDS[index]));
        revisions.push(match going {
            Going::Up => Sql::new(id, parent, &[&way.revisions[index]], &harmless),
            Going::Down => Sql::new(id, parent, &harmless, &[&way.revisions[last - 1 - index]]),
        });
    }
    revisions
}

/// Returns an error with what caused it.
fn said(error: &CommandError) -> String {
    let source = error.source().map(|source| format!(": {source}"));
    format!("{error}{}", source.unwrap_or_default())
}

struct Watched<'a> {
    database: &'a ScratchDatabase,
    session: Session,
    before: String,
}

impl<'a> Watched<'a> {
    async fn new(database: &'a ScratchDatabase) -> Self {
        let session = session(database).await;
        session
            .send(match session.backend() {
                DbBackend::Postgres => POSTGRESQL,
                _ => SQLITE,
            })
            .await
            .unwrap();
        let before = rows(&session).await;
        Self {
            database,
            session,
            before,
        }
    }

    /// Returns whether a way destroys something when nobody is in its way.
    async fn destroys(&self, way: &Way) -> bool {
        // As the toolkit does it: a table that is built again is no reason to take rows of others.
        if self.session.backend() == DbBackend::Sqlite {
            let keys = if way.is_several() { "OFF" } else { "ON" };
            self.session
                .send(&format!("PRAGMA foreign_keys = {keys}"))
                .await
                .unwrap();
        }
        self.session.send("BEGIN").await.unwrap();
        for sql in &way.revisions {
            self.session
                .send(sql)
                .await
                .unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
        self.session.send("DROP TABLE IF EXISTS temp.crew").await.ok();
        let after = rows(&self.session).await;
        self.session.send("ROLLBACK").await.unwrap();
        after != self.before
    }

    /// Runs a way, in one revision after the other.
    async fn run(&self, way: &Way, going: Going, person: &Person) -> Result<(), CommandError> {
        let environment = environment(self.database, &revisions(way, going));
        Self::go(&environment, going, IDS[way.revisions.len()], person).await
    }

    /// Runs what comes after the first revision, all of which is taken for applied or for not applied.
    async fn go(
        environment: &Environment,
        going: Going,
        last: &str,
        person: &Person,
    ) -> Result<(), CommandError> {
        let (start, end) = match going {
            Going::Up => ("a", last),
            Going::Down => (last, "a"),
        };
        person
            .run(async |conduct| {
                command::stamp(
                    environment,
                    &[start.parse().unwrap()],
                    command::Purge::Keep,
                    conduct,
                )
                .await
                .unwrap();
                match going {
                    Going::Up => {
                        command::upgrade(environment, &end.parse().unwrap(), OutOfOrder::Refuse, conduct)
                            .await
                    }
                    Going::Down => command::downgrade(environment, &end.parse().unwrap(), conduct).await,
                }
            })
            .await
            .map(drop)
    }

    /// Runs a way against somebody who gives nothing up.
    async fn refused(&self, way: &Way, going: Going) -> Result<(), String> {
        let person = Person::default();
        let outcome = self.run(way, going, &person).await;
        self.session.send("DELETE FROM seaql_migrations").await.unwrap();
        if rows(&self.session).await != self.before {
            panic!("{going:?} {way} destroyed rows: {outcome:?}");
        }
        let asked = person.asked.lock().unwrap();
        match outcome {
            Err(CommandError::Refused { stakes }) => {
                let question = stakes.to_string().to_lowercase();
                let is_named = match way.is_unclear() {
                    true => !stakes.unclear.is_empty(),
                    false => question.contains(way.names),
                };
                is_named
                    .then_some(())
                    .ok_or_else(|| format!("the question is {question:?}"))
            }
            Err(other) => Err(format!("failed instead of asking: {other}")),
            Ok(_) => Err(format!("nothing was asked ({} questions)", asked.len())),
        }
    }
}

/// Returns the rows of all tables; a table that is missing says so.
async fn rows(session: &Session) -> String {
    let tables: &[&str] = match session.backend() {
        DbBackend::Postgres => &[
            "crew",
            "berths",
            "logs",
            "hold.cargo",
            "trips",
            "ports",
            "flags",
            "ranks",
        ],
        _ => &["crew", "berths", "logs"],
    };
    let mut found = String::new();
    for table in tables {
        let exists = match session.backend() {
            DbBackend::Postgres => format!("SELECT 1 WHERE to_regclass('{table}') IS NOT NULL"),
            _ => format!("SELECT 1 FROM sqlite_master WHERE name = '{table}'"),
        };
        if session.rows(&exists).await.unwrap().is_empty() {
            writeln!(found, "{table} is missing").unwrap();
            continue;
        }
        let sql = match session.backend() {
            DbBackend::Postgres => format!(
                "SELECT coalesce(string_agg(t::text, ';' ORDER BY t::text), '') AS rows FROM {table} t"
            ),
            _ => {
                let columns = format!(
                    "SELECT group_concat('coalesce(' || name || ', ''NULL'')', ' || ' ) AS rows FROM pragma_table_info('{table}')"
                );
                let columns: String = session.rows(&columns).await.unwrap()[0]
                    .try_get("", "rows")
                    .unwrap();
                format!("SELECT coalesce(group_concat({columns}, ';'), '') AS rows FROM {table}")
            }
        };
        let rows: String = session.rows(&sql).await.unwrap()[0].try_get("", "rows").unwrap();
        writeln!(found, "{table}: {rows}").unwrap();
    }
    found
}

/// What is copied is known to be some rows, and not which; the columns that are left out are known.
#[tokio::test]
async fn a_table_that_is_built_again_with_some_of_its_rows_is_asked_about_as_its_rows() {
    for database in databases().await {
        let first = Sql::new(
            "a",
            None,
            &[
                "CREATE TABLE t_crew (id integer, name text, rank text)",
                "INSERT INTO t_crew VALUES (1, 'Ada', 'mate'), (2, 'Ben', NULL)",
            ],
            &["DROP TABLE t_crew"],
        );
        for part in [
            "INSERT INTO t_other SELECT DISTINCT id, name FROM t_crew",
            "INSERT INTO t_other SELECT id, name FROM t_crew WHERE id > 1",
            "INSERT INTO t_other SELECT id, name FROM t_crew ORDER BY id LIMIT 1",
        ] {
            let again = [
                "CREATE TABLE t_other (id integer, name text)",
                part,
                "DROP TABLE t_crew",
                "ALTER TABLE t_other RENAME TO t_crew",
            ];
            let second = Sql::new("b", Some("a"), &again, &["SELECT 1"]);
            let environment = environment(&database, &[first.clone(), second]);
            upgrade(&environment, "a").await.unwrap();
            let person = Person::default();
            let head = "head".parse().unwrap();
            let refused = person
                .run(async |conduct| command::upgrade(&environment, &head, OutOfOrder::Refuse, conduct).await)
                .await;
            assert!(
                matches!(refused, Err(CommandError::Refused { .. })),
                "{part}: {refused:?}"
            );
            assert_eq!(
                person.question(),
                "column t_crew.rank (1 row), up to 2 of 2 rows of t_crew",
                "{part}"
            );
        }
        database.remove().await.unwrap();
    }
}
