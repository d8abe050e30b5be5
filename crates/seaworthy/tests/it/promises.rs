//! `verify` finds each promise that a revision breaks, on both databases, and nothing where all are kept.

use insta::assert_snapshot;
use seaworthy::catalog::Target;
use seaworthy::command::{Chosen, Verification, Verified, verify};
use seaworthy::environment::Environment;
use seaworthy::revision::{Accepted, Revision};

use crate::databases::{Sql, postgres, postgres_server, session};

#[tokio::test]
async fn revisions_that_keep_every_promise_pass() {
    for verified in on_each(&[tasks(), index("002", &["DROP INDEX tasks_title"])]).await {
        assert_eq!(verified.broken, []);
        assert_eq!(verified.revisions, 2);
        let database = &verified.databases[0];
        // Up, down, up for each, all down, all up; twice.
        assert_eq!(database.steps, 2 * (2 * 3 + 2 + 2));
        assert_eq!(database.rows, 3);
        assert_eq!(database.unfilled, []);
    }
}

#[tokio::test]
async fn a_down_that_forgets_an_index_is_found() {
    let seen = broken(&[tasks(), index("002", &[])]).await;
    assert_snapshot!(seen, @"
    SQLite: undoing 002 does not bring back the schema of before it
        it would take: drop index tasks tasks_title (title)
    PostgreSQL: undoing 002 does not bring back the schema of before it
        it would take: drop index tasks tasks_title (title)
    ");
}

#[tokio::test]
async fn a_down_that_loses_a_table_is_found() {
    let second = Sql::new(
        "002",
        Some("001"),
        &["CREATE TABLE tags (id integer PRIMARY KEY)"],
        &["DROP TABLE tags", "DROP TABLE tasks"],
    );
    assert_snapshot!(broken(&[tasks(), second]).await, @"
    SQLite: undoing 002 does not bring back the schema of before it
        it would take: add table tasks (id, title, note)
    PostgreSQL: undoing 002 does not bring back the schema of before it
        it would take: add table tasks (id, title, note)
    ");
}

#[tokio::test]
async fn a_down_that_forgets_a_view_is_found() {
    let second = Sql::new(
        "002",
        Some("001"),
        &["CREATE VIEW open_tasks AS SELECT id FROM tasks"],
        &["SELECT 1"],
    );
    assert_snapshot!(broken(&[tasks(), second]).await, @"
    SQLite: undoing 002 does not bring back the schema of before it
        it would take: drop view open_tasks
    PostgreSQL: undoing 002 does not bring back the schema of before it
        it would take: drop view open_tasks
    ");
}

#[tokio::test]
async fn what_comes_after_a_broken_promise_is_looked_at_as_well() {
    // Its leavings are in the way when it is applied again.
    let second = Sql::new(
        "002",
        Some("001"),
        &[
            "CREATE TABLE tags (id integer PRIMARY KEY)",
            "CREATE INDEX tasks_title ON tasks (title)",
        ],
        &["DROP TABLE tags"],
    );
    let third = Sql::new(
        "003",
        Some("002"),
        &["CREATE INDEX tasks_note ON tasks (note)"],
        &["SELECT 1"],
    );
    let fourth = Sql::new(
        "004",
        Some("003"),
        &["DELETE FROM tasks WHERE id > (SELECT min(id) FROM tasks)"],
        &["SELECT 1"],
    );
    assert_snapshot!(broken(&[tasks(), second, third, fourth]).await, @"
    SQLite: undoing 002 does not bring back the schema of before it
        it would take: drop index tasks tasks_title (title)
    SQLite: undoing 003 does not bring back the schema of before it
        it would take: drop index tasks tasks_note (note)
    SQLite: 004 loses rows, or what they hold
        tasks had 3 rows and has 1
    PostgreSQL: undoing 002 does not bring back the schema of before it
        it would take: drop index tasks tasks_title (title)
    PostgreSQL: undoing 003 does not bring back the schema of before it
        it would take: drop index tasks tasks_note (note)
    PostgreSQL: 004 loses rows, or what they hold
        tasks had 3 rows and has 1
    ");
}

#[tokio::test]
async fn a_range_is_looked_at_and_what_it_needs_is_only_applied() {
    let revisions = [tasks(), index("002", &[]), Sql::table("003", Some("002"))];
    let environment = environment(&revisions);
    for (chosen, revisions, found) in [
        (Chosen::One("003".parse().unwrap()), 1, 0),
        (Chosen::One("001".parse().unwrap()), 1, 0),
        (Chosen::Range("002:003".parse().unwrap()), 2, 1),
        (Chosen::Range(":002".parse().unwrap()), 2, 1),
    ] {
        let mut verification = Verification::new();
        verification.chosen = Some(chosen.clone());
        let verified = verify(&environment, &verification).await.unwrap();
        assert_eq!(
            (verified.revisions, verified.broken.len()),
            (revisions, found),
            "{chosen:?}: {verified:?}"
        );
    }
}

#[tokio::test]
async fn a_break_that_is_taken_knowingly_is_told_apart() {
    let accepted =
        |text: &str| Accepted::down("verify-comes-back", text, "the index is wanted by older programs");
    for (text, is_accepted) in [("tasks_title", true), ("tasks_note", false)] {
        let mut second = index("002", &[]);
        second = second.accepts(accepted(text));
        for verified in on_each(&[tasks(), second]).await {
            assert_eq!(verified.broken.is_empty(), is_accepted, "{verified:?}");
            assert_eq!(verified.accepted.len(), usize::from(is_accepted));
            assert_eq!(verified.vain.is_empty(), is_accepted);
            let reason = verified.accepted.first().and_then(|one| one.accepted.clone());
            assert_eq!(reason.is_some(), is_accepted);
        }
    }
}

#[tokio::test]
async fn rows_are_made_up_for_enums_below_arrays_and_domains() {
    let Some(server) = postgres_server() else { return };
    let first = Sql::new(
        "001",
        None,
        &[
            r#"CREATE TYPE "Wind" AS ENUM ('calm', 'gale')"#,
            r#"CREATE DOMAIN weather AS "Wind" CHECK (VALUE <> 'gale'::"Wind")"#,
            "CREATE DOMAIN berth AS integer CHECK (VALUE IN (10, 20))",
            r#"CREATE TABLE boats (id serial PRIMARY KEY, wind "Wind" NOT NULL, winds "Wind"[] NOT NULL CHECK (cardinality(winds) > 0),
               berth berth NOT NULL, berths berth[] NOT NULL, state integer NOT NULL CHECK (state IN (7, 9)), past weather)"#,
        ],
        &[
            "DROP TABLE boats",
            "DROP DOMAIN berth",
            "DROP DOMAIN weather",
            r#"DROP TYPE "Wind""#,
        ],
    );
    let second = Sql::new(
        "002",
        Some("001"),
        &["CREATE FUNCTION knots(speed integer) RETURNS integer LANGUAGE sql AS 'SELECT speed'"],
        &[
            "CREATE OR REPLACE FUNCTION knots(speed integer) RETURNS integer LANGUAGE sql STABLE AS 'SELECT 2'",
        ],
    );
    let verification = Verification::default().on_postgresql(server);
    let verified = verify(&environment(&[first, second]), &verification)
        .await
        .unwrap();
    assert_eq!(verified.databases[0].unfilled, []);
    assert!(verified.databases[0].rows >= 3, "{verified:?}");
}

#[tokio::test]
async fn two_heads_are_found() {
    let one = Sql::table("002", Some("001"));
    let other = Sql::table("003", Some("001"));
    assert_snapshot!(broken(&[tasks(), one, other]).await, @"
    there are several newest revisions
        002 and 003 are heads; `merge` joins them
    there are several newest revisions
        002 and 003 are heads; `merge` joins them
    ");
}

#[tokio::test]
async fn an_up_that_loses_rows_is_found() {
    let second = Sql::new(
        "002",
        Some("001"),
        &["DELETE FROM tasks WHERE id > (SELECT min(id) FROM tasks)"],
        &["SELECT 1"],
    );
    assert_snapshot!(broken(&[tasks(), second]).await, @"
    SQLite: 002 loses rows, or what they hold
        tasks had 3 rows and has 1
    PostgreSQL: 002 loses rows, or what they hold
        tasks had 3 rows and has 1
    ");
}

#[tokio::test]
async fn an_up_that_empties_a_column_is_found() {
    let second = Sql::new(
        "002",
        Some("001"),
        &["UPDATE tasks SET note = NULL"],
        &["SELECT 1"],
    );
    assert_snapshot!(broken(&[tasks(), second]).await, @"
    SQLite: 002 loses rows, or what they hold
        tasks.note held 3 values and holds 0
    PostgreSQL: 002 loses rows, or what they hold
        tasks.note held 3 values and holds 0
    ");
}

#[tokio::test]
async fn an_up_that_fails_on_rows_alone_is_found() {
    let second = Sql::new(
        "002",
        Some("001"),
        &["CREATE UNIQUE INDEX one_task ON tasks ((id > 0))"],
        &["DROP INDEX one_task"],
    );
    let seen = broken(&[tasks(), second]).await;
    assert!(
        seen.contains("SQLite: 002 cannot be applied, with rows in the database"),
        "{seen}"
    );
    assert!(
        seen.contains("PostgreSQL: 002 cannot be applied, with rows in the database"),
        "{seen}"
    );
}

#[tokio::test]
async fn rows_of_somebody_who_knows_are_used() {
    let picky = Sql::new(
        "001",
        None,
        &["CREATE TABLE codes (code text PRIMARY KEY, CHECK (length(code) = 1))"],
        &["DROP TABLE codes"],
    );
    let environment = environment(&[picky]);
    let verified = verify(&environment, &Verification::new()).await.unwrap();
    assert_eq!(verified.databases[0].rows, 0);
    assert_eq!(verified.databases[0].unfilled[0].table, "codes");

    let known = Verification::new().rows(|revision, catalog| {
        (revision.as_str() == "001" && catalog.table("codes").is_some())
            .then(|| vec!["INSERT INTO codes VALUES ('a') ON CONFLICT DO NOTHING".to_owned()])
    });
    let verified = verify(&environment, &known).await.unwrap().into_result().unwrap();
    assert_eq!(verified.databases[0].rows, 1);
    assert_eq!(verified.databases[0].unfilled, []);
}

#[tokio::test]
async fn rows_that_a_revision_brings_are_numbered_past_those_that_were_made_up_and_may_go_again() {
    let boats = |key: &str| {
        Sql::new(
            "001",
            None,
            &[&format!(
                "CREATE TABLE boats (id {key}, name text NOT NULL, port text)"
            )],
            &["DROP TABLE boats"],
        )
    };
    let brings = Sql::new(
        "002",
        Some("001"),
        &[
            "INSERT INTO boats (name) VALUES ('Bob')",
            "UPDATE boats SET port = 'Bremen' WHERE name = 'Bob'",
        ],
        &["DELETE FROM boats WHERE name = 'Bob'"],
    );
    let brings_with_key = Sql::new(
        "003",
        Some("002"),
        &["INSERT INTO boats (id, name) VALUES (7, 'Ada')"],
        &["DELETE FROM boats WHERE id = 7"],
    );
    let keys = [
        "serial PRIMARY KEY",
        "integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    ];
    let Some(server) = postgres_server() else { return };
    for key in keys {
        let mut revisions = vec![boats(key), brings.clone()];
        if !key.contains("ALWAYS") {
            revisions.push(brings_with_key.clone());
        }
        let verification = Verification::default().on_postgresql(server.clone());
        let verified = verify(&environment(&revisions), &verification).await.unwrap();
        assert_eq!(verified.broken, [], "{key}");
    }
    let revisions = [boats("integer PRIMARY KEY"), brings.clone(), brings_with_key];
    let verified = verify(&environment(&revisions), &Verification::new())
        .await
        .unwrap();
    assert_eq!(verified.broken, []);

    // One that another revision has brought may go along; more than all have brought may not.
    let same = Sql::new(
        "003",
        Some("002"),
        &["INSERT INTO boats (name) VALUES ('Bob')"],
        &["DELETE FROM boats WHERE name = 'Bob'"],
    );
    let revisions = [boats("integer PRIMARY KEY"), brings.clone(), same];
    let verified = verify(&environment(&revisions), &Verification::new())
        .await
        .unwrap();
    assert_eq!(verified.broken, []);
    let titles = Sql::new(
        "001",
        None,
        &["CREATE TABLE tasks (title text)"],
        &["DROP TABLE tasks"],
    );
    let takes_all = Sql::new(
        "002",
        Some("001"),
        &["INSERT INTO tasks (title) VALUES ('mine')"],
        &["DELETE FROM tasks"],
    );
    assert!(broken(&[titles, takes_all]).await.contains("002 loses rows"));
}

#[tokio::test]
async fn the_walk_goes_on_from_what_cannot_be_undone() {
    let add = |id: &str, parent: &str| {
        let add = format!("ALTER TABLE tasks ADD COLUMN c_{id} text");
        Sql::new(
            id,
            Some(parent),
            &[&add],
            &[&format!("ALTER TABLE tasks DROP COLUMN c_{id}")],
        )
    };
    let revisions = [
        tasks(),
        add("002", "001").irreversible("the file that it came from is gone"),
        add("003", "002"),
    ];
    for verified in on_each(&revisions).await {
        assert_eq!(verified.broken, []);
        let database = &verified.databases[0];
        let stays: Vec<String> = database
            .irreversible
            .iter()
            .map(|stays| format!("{}: {}", stays.revision, stays.reason))
            .collect();
        assert_eq!(stays, ["002: the file that it came from is gone"]);
        // Up, down, up; up and the way back that is refused; up, down, up; the last down and up. Once more with rows, and all at once.
        assert_eq!(database.steps, 2 * (3 + 2 + 3 + 2) + 3);
    }
    // What follows is tried as ever.
    let forgets = Sql::new(
        "004",
        Some("003"),
        &["CREATE TABLE t (id integer)"],
        &["SELECT 1"],
    );
    let [first, second, third] = revisions;
    let seen = broken(&[first, second, third, forgets]).await;
    assert!(seen.contains("undoing 004 does not bring back"), "{seen}");
    // A `down` that fails is broken, and the walk goes on as well.
    let fails = Sql::new("002", Some("001"), &["SELECT 1"], &["SELECT * FROM nowhere"]);
    let forgets = Sql::new(
        "003",
        Some("002"),
        &["CREATE TABLE t (id integer)"],
        &["SELECT 1"],
    );
    let seen = broken(&[tasks(), fails, forgets]).await;
    assert!(seen.contains("002 cannot be undone"), "{seen}");
    assert!(seen.contains("undoing 003 does not bring back"), "{seen}");
}

#[tokio::test]
async fn made_up_rows_refer_to_those_that_a_revision_has_put_in() {
    let boats = Sql::new(
        "001",
        None,
        &[
            "CREATE TABLE boat (id integer PRIMARY KEY)",
            "INSERT INTO boat (id) VALUES (7)",
        ],
        &["DROP TABLE boat"],
    );
    let sailors = Sql::new(
        "002",
        Some("001"),
        &["CREATE TABLE sailor (id integer PRIMARY KEY, boat integer NOT NULL REFERENCES boat (id))"],
        &["DROP TABLE sailor"],
    );
    for verified in on_each(&[boats, sailors]).await {
        assert_eq!(verified.broken, []);
        assert_eq!(verified.databases[0].unfilled, []);
        assert_eq!(verified.databases[0].rows, 3);
    }
}

#[tokio::test]
async fn the_walk_goes_on_from_what_leaves_something_behind() {
    let forgets = Sql::new(
        "002",
        Some("001"),
        &[
            "ALTER TABLE tasks ADD COLUMN rank integer",
            "CREATE TABLE IF NOT EXISTS ranks (id integer)",
        ],
        &["ALTER TABLE tasks DROP COLUMN rank"],
    );
    let loses = Sql::new("003", Some("002"), &["DELETE FROM tasks"], &["SELECT 1"]);
    assert_snapshot!(broken(&[tasks(), forgets, loses]).await, @"
    SQLite: undoing 002 does not bring back the schema of before it
        it would take: drop table ranks (id)
    SQLite: 003 loses rows, or what they hold
        tasks had 3 rows and has 0
    PostgreSQL: undoing 002 does not bring back the schema of before it
        it would take: drop table ranks (id)
    PostgreSQL: 003 loses rows, or what they hold
        tasks had 3 rows and has 0
    ");
}

#[tokio::test]
async fn a_head_that_is_not_what_is_declared_hides_no_loss_of_rows() {
    let loses = Sql::new("002", Some("001"), &["DELETE FROM tasks"], &["SELECT 1"]);
    let verification = Verification::new().declared(Target::new());
    let verified = verify(&environment(&[tasks(), loses]), &verification)
        .await
        .unwrap();
    assert_snapshot!(verified.into_result().unwrap_err(), @"
    SQLite: the newest schema is not what the entities declare
        it would take: drop table tasks (id, title, note)
    SQLite: 002 loses rows, or what they hold
        tasks had 3 rows and has 0
    ");
}

#[tokio::test]
async fn a_migrators_own_version_table_is_no_table_of_its_schema() {
    let environment = environment(&[tasks(), index("002", &["DROP INDEX tasks_title"])]);
    let environment = environment.with_version_table("my_migrations");
    let verified = verify(&environment, &Verification::new()).await.unwrap();
    assert_eq!(verified.broken, []);
}

#[tokio::test]
async fn an_extension_that_only_the_named_database_has_is_named() {
    let Some(database) = postgres().await else { return };
    let session = session(&database).await;
    session.send("CREATE EXTENSION citext").await.unwrap();
    session.close().await;
    let needs = Sql::new(
        "001",
        None,
        &["CREATE TABLE people (name citext PRIMARY KEY)"],
        &["DROP TABLE people"],
    );
    let environment = environment(&[needs]).database(database.url().clone());
    let verification = Verification::near(Some(database.url()));
    let verified = verify(&environment, &verification).await.unwrap();
    assert_eq!(verified.databases.len(), 1);
    let details = verified.broken[0].details.join("; ");
    assert!(
        details.contains("has extensions that no revision has made so far: citext"),
        "{details}"
    );
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_head_that_is_not_what_is_declared_is_found() {
    let verification = Verification::new().declared(Target::new());
    let verified = verify(&environment(&[tasks()]), &verification).await.unwrap();
    assert_snapshot!(verified.into_result().unwrap_err(), @"
    SQLite: the newest schema is not what the entities declare
        it would take: drop table tasks (id, title, note)
    ");
}

fn tasks() -> Sql {
    Sql::new(
        "001",
        None,
        &["CREATE TABLE tasks (id integer PRIMARY KEY, title text NOT NULL, note text)"],
        &["DROP TABLE tasks"],
    )
}

fn index(id: &str, down: &[&str]) -> Sql {
    let down = if down.is_empty() { &["SELECT 1"] } else { down };
    Sql::new(
        id,
        Some("001"),
        &["CREATE INDEX tasks_title ON tasks (title)"],
        down,
    )
}

fn environment(revisions: &[Sql]) -> Environment {
    let boxed = revisions
        .iter()
        .map(|revision| Box::new(revision.clone()) as Box<dyn Revision>);
    Environment::new(boxed.collect())
}

/// Returns what is found, on SQLite and then on PostgreSQL.
async fn broken(revisions: &[Sql]) -> String {
    let mut seen = Vec::new();
    for verified in on_each(revisions).await {
        seen.push(verified.into_result().unwrap_err().to_string());
    }
    seen.join("\n")
}

async fn on_each(revisions: &[Sql]) -> Vec<Verified> {
    let environment = environment(revisions);
    let mut all = vec![verify(&environment, &Verification::new()).await.unwrap()];
    if let Some(server) = postgres_server() {
        let verification = Verification::default().on_postgresql(server);
        all.push(verify(&environment, &verification).await.unwrap());
    }
    all
}
