//! The destruction matrix: some two hundred ways to destroy rows, on both databases, upwards and downwards. None of them takes a
//! row that the question did not name.

use std::fmt::Write as _;

use sea_orm::DbBackend;
use seaworthy::command::{self, CommandError, OutOfOrder};
use seaworthy::session::Session;
use seaworthy::verify::ScratchDatabase;

use crate::databases::{Person, Sql, databases, environment, session};
use spellings::{Way, ways};

mod spellings;

/// What is at stake: rows in a table, in one that refers to it, in a schema, in a partition, in a column of a type.
const POSTGRESQL: &str = "
    CREATE TABLE crew (id integer PRIMARY KEY, name text, pay numeric);
    INSERT INTO crew VALUES (1, 'Ada', 1.25), (2, 'Ben', 2.5);
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
    CREATE FUNCTION sink() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM crew; END $$;
    CREATE FUNCTION sink_all() RETURNS void LANGUAGE sql AS 'SELECT sink()';
    CREATE PROCEDURE scuttle() LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DROP TABLE ' || 'crew CASCADE'; END $$;";

const SQLITE: &str = "
    CREATE TABLE crew (id integer PRIMARY KEY, name text, pay numeric);
    INSERT INTO crew VALUES (1, 'Ada', 1.25), (2, 'Ben', 2.5);
    CREATE TABLE berths (id integer PRIMARY KEY, crew_id integer REFERENCES crew ON DELETE CASCADE);
    INSERT INTO berths VALUES (1, 1), (2, 2);
    CREATE TABLE logs (id integer PRIMARY KEY, mood text);
    INSERT INTO logs VALUES (1, 'ill');";

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
            assert!(watched.destroys(way).await, "destroys nothing: {}", way.sql);
            for going in [Going::Up, Going::Down] {
                if let Err(complaint) = watched.refused(way, going).await {
                    writeln!(wrong, "{going:?} {}: {complaint}", way.sql).unwrap();
                }
            }
        }
        assert!(ways.len() > 60, "{} ways", ways.len());
        assert_eq!(wrong, "", "{} ways", ways.len());
        watched.session.close().await;
        database.remove().await.unwrap();
    }
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
        self.session.send("BEGIN").await.unwrap();
        self.session
            .send(&way.sql)
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", way.sql));
        let after = rows(&self.session).await;
        self.session.send("ROLLBACK").await.unwrap();
        after != self.before
    }

    /// Runs a way against somebody who gives nothing up.
    async fn refused(&self, way: &Way, going: Going) -> Result<(), String> {
        let base = Sql::new("a", None, &["SELECT 1"], &["SELECT 1"]);
        let harmless = ["SELECT 1"];
        let sql = [way.sql.as_str()];
        let next = match going {
            Going::Up => Sql::new("b", Some("a"), &sql, &harmless),
            Going::Down => Sql::new("b", Some("a"), &harmless, &sql),
        };
        let environment = environment(self.database, &[base, next]);
        let start = if going == Going::Up { "a" } else { "b" };
        let person = Person::default();
        let outcome = person
            .run(async |conduct| {
                command::stamp(
                    &environment,
                    &[start.parse().unwrap()],
                    command::Purge::Keep,
                    conduct,
                )
                .await
                .unwrap();
                match going {
                    Going::Up => {
                        command::upgrade(&environment, &"b".parse().unwrap(), OutOfOrder::Refuse, conduct)
                            .await
                    }
                    Going::Down => command::downgrade(&environment, &"a".parse().unwrap(), conduct).await,
                }
            })
            .await;
        if rows(&self.session).await != self.before {
            panic!("{going:?} {} destroyed rows: {outcome:?}", way.sql);
        }
        let asked = person.asked.lock().unwrap();
        match outcome {
            Err(CommandError::Refused { stakes }) => {
                let question = stakes.to_string().to_lowercase();
                let is_named = question.contains(way.names) || !stakes.unclear.is_empty();
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
        DbBackend::Postgres => &["crew", "berths", "logs", "hold.cargo", "trips"],
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
