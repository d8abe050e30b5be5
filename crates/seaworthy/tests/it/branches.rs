//! Branches that nobody has merged: whether the order of them matters, found out by trying both.

use seaworthy::command::{BranchPair, collisions};
use seaworthy::environment::Environment;
use seaworthy::revision::Revision;
use seaworthy::verify::ScratchDatabase;
use tokio_util::sync::CancellationToken;

use crate::databases::{Sql, databases};

const BASE: [&str; 2] = [
    "CREATE TABLE boats (id integer PRIMARY KEY, name text NOT NULL, length integer NOT NULL, port text)",
    "CREATE TABLE ports (id integer PRIMARY KEY, name text NOT NULL)",
];

/// Two branches that collide, and what they collide on.
const COLLIDING: [(&str, &[&str], &[&str], &str); 8] = [
    (
        "the same column",
        &["ALTER TABLE boats ADD COLUMN rig text"],
        &["ALTER TABLE boats ADD COLUMN rig text"],
        "column boats.rig",
    ),
    (
        "a column that goes and is used",
        &["ALTER TABLE boats DROP COLUMN port"],
        &["UPDATE boats SET port = 'Bremen'"],
        "column boats.port",
    ),
    (
        "a table that goes and is used",
        &["DROP TABLE ports"],
        &["INSERT INTO ports (id, name) VALUES (7, 'Bremen')"],
        "table ports",
    ),
    (
        "another name and an index",
        &["ALTER TABLE boats RENAME COLUMN name TO title"],
        &["CREATE INDEX by_name ON boats (name)"],
        "column boats.name",
    ),
    (
        "rows and a constraint",
        &["INSERT INTO boats (id, name, length) VALUES (7, 'Bob', 1), (8, 'Bob', 2)"],
        &["CREATE UNIQUE INDEX one_name ON boats (name)"],
        "table boats",
    ),
    (
        "the same rows",
        &["UPDATE boats SET length = length + 1"],
        &["UPDATE boats SET length = length * 2"],
        "table boats",
    ),
    (
        "rows and what is copied of them",
        &["UPDATE boats SET port = 'Bremen'"],
        &["CREATE TABLE berths AS SELECT port FROM boats"],
        "table boats",
    ),
    (
        "the same name for a table",
        &["CREATE TABLE crew (id integer PRIMARY KEY)"],
        &["CREATE TABLE crew (id integer PRIMARY KEY, name text)"],
        "table crew",
    ),
];

/// Two branches that do not.
const APART: [(&str, &[&str], &[&str]); 10] = [
    (
        "two columns of one table",
        &["ALTER TABLE boats ADD COLUMN rig text"],
        &["ALTER TABLE boats ADD COLUMN sail text"],
    ),
    (
        "two tables",
        &["CREATE TABLE crew (id integer PRIMARY KEY)"],
        &["CREATE TABLE sails (id integer PRIMARY KEY)"],
    ),
    (
        "two indexes",
        &["CREATE INDEX by_name ON boats (name)"],
        &["CREATE INDEX by_length ON boats (length)"],
    ),
    (
        "rows of two tables",
        &["UPDATE boats SET port = 'Bremen'"],
        &["INSERT INTO ports (id, name) VALUES (7, 'Bremen')"],
    ),
    (
        "rows of one table",
        &["INSERT INTO ports (id, name) VALUES (7, 'Bremen')"],
        &["INSERT INTO ports (id, name) VALUES (8, 'Kiel')"],
    ),
    (
        "columns of the same rows",
        &["UPDATE boats SET port = 'Bremen'"],
        &["UPDATE boats SET length = length * 2"],
    ),
    (
        "a column and an index of another",
        &["ALTER TABLE boats DROP COLUMN port"],
        &["CREATE INDEX by_name ON boats (name)"],
    ),
    (
        "a table that goes and a column of another",
        &["DROP TABLE ports"],
        &["ALTER TABLE boats ADD COLUMN rig text"],
    ),
    (
        "a view and a column",
        &["CREATE VIEW named AS SELECT name FROM boats"],
        &["ALTER TABLE boats ADD COLUMN rig text"],
    ),
    (
        "a column with the time of day",
        &[
            "ALTER TABLE boats ADD COLUMN rig text",
            "UPDATE boats SET rig = 'gaff'",
        ],
        &[
            "CREATE TABLE log (id integer PRIMARY KEY, at timestamp DEFAULT CURRENT_TIMESTAMP)",
            "INSERT INTO log (id) VALUES (1)",
        ],
    ),
];

async fn tried(database: &ScratchDatabase, one: &[&str], other: &[&str]) -> BranchPair {
    let revisions = [
        Sql::new("start", None, &BASE, &[]),
        Sql::new("one", Some("start"), one, &[]),
        Sql::new("other", Some("start"), other, &[]),
    ];
    let boxed = revisions
        .into_iter()
        .map(|revision| Box::new(revision) as Box<dyn Revision>);
    let environment = Environment::new(boxed.collect()).database(database.url().clone());
    let mut pairs = collisions(&environment, &CancellationToken::new()).await.unwrap();
    assert_eq!(pairs.len(), 1);
    pairs.remove(0)
}

#[tokio::test]
async fn branches_that_collide_are_named_with_what_they_collide_on() {
    for database in databases().await {
        for (title, one, other, object) in COLLIDING {
            let pair = tried(&database, one, other).await;
            assert!(!pair.collisions.is_empty(), "{title}");
            assert!(
                pair.objects.iter().any(|found| found == object),
                "{title}: {:?}, {:?}",
                pair.objects,
                pair.collisions
            );
        }
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn branches_that_do_not_are_left_in_peace() {
    for database in databases().await {
        for (title, one, other) in APART {
            let pair = tried(&database, one, other).await;
            assert_eq!(pair.collisions, [""; 0], "{title}");
        }
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn one_head_is_no_pair() {
    let revisions = vec![Box::new(Sql::table("one", None)) as Box<dyn Revision>];
    let found = collisions(&Environment::new(revisions), &CancellationToken::new()).await;
    assert_eq!(found.unwrap(), []);
}
