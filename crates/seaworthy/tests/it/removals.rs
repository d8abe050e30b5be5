//! What a living build cannot do without does not go, however the statement is spelled: what the linter calls removed or renamed is
//! seen by whoever asks the living.

use std::collections::BTreeSet;

use seaworthy::command;
use seaworthy::heartbeat::{Build, Heart};
use seaworthy::lint::{Context, Server, Severity, Surrounding, lint};
use seaworthy::revision::Stage;
use seaworthy::verify::ScratchDatabase;
use serde::Deserialize;

use crate::databases::{Sql, current, databases, environment, postgres, session, upgrade};

const FIXTURE: &str = include_str!("fixtures/hazards.json");

#[derive(Deserialize)]
struct Fixture {
    schema: Vec<String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    sql: Vec<String>,
    transaction: bool,
    version: u8,
    #[serde(default)]
    sqlite: bool,
    #[serde(default)]
    unknown: bool,
}

impl Case {
    fn revision(&self) -> Sql {
        let statements: Vec<&str> = self.sql.iter().map(String::as_str).collect();
        let revision = Sql::new("case", Some("start"), &statements, &[]).stage(Stage::Contract);
        match self.transaction {
            true => revision,
            false => revision.without_transaction(),
        }
    }

    /// Returns what the linter says of what running code names and does not find any more.
    fn complaints(&self, schema: &str) -> Vec<String> {
        let mut context = Context::default()
            .surrounded_by(match self.transaction {
                true => Surrounding::Transaction,
                false => Surrounding::Nothing,
            })
            .on(match self.sqlite {
                true => Server::Sqlite,
                false => Server::Postgres(self.version),
            })
            .strict();
        if !self.unknown {
            context = context.schema(schema);
        }
        let about_code = [
            "table-removed",
            "table-renamed",
            "column-removed",
            "column-renamed",
        ];
        let hazards = lint(&self.sql.join(";\n"), &context).into_iter();
        let found = hazards.filter(|hazard| about_code.contains(&hazard.category));
        let errors = found.filter(|hazard| hazard.severity == Severity::Error);
        errors.map(|hazard| hazard.message).collect()
    }
}

/// What cases speak of without the schema of the fixture.
const BESIDES: [&str; 5] = [
    "CREATE TYPE unknown_type AS ENUM ('x')",
    "CREATE TABLE boats (id integer PRIMARY KEY, name text CONSTRAINT boats_name_key UNIQUE, crew integer, \
     CONSTRAINT boats_rule UNIQUE (crew))",
    "CREATE TABLE boats_next (id integer, name text)",
    "CREATE SCHEMA archive",
    "CREATE TABLE archive.papers (id integer)",
];

const ON_SQLITE: [&str; 2] = [
    "CREATE TABLE tasks (id integer PRIMARY KEY, title text, effort integer, completed boolean)",
    "CREATE TABLE tags (id integer PRIMARY KEY, name text)",
];

/// Everything that there is, as a build would name it.
const ALL_ON_POSTGRESQL: &str = "SELECT relname::text AS name FROM pg_class WHERE relnamespace::regnamespace::text IN ('public', 'archive') \
     AND relkind IN ('r', 'p', 'v', 'm') UNION ALL SELECT c.relname || '.' || a.attname FROM pg_class c JOIN pg_attribute a \
     ON a.attrelid = c.oid AND a.attnum > 0 WHERE c.relnamespace::regnamespace::text IN ('public', 'archive') \
     AND c.relkind IN ('r', 'p', 'v', 'm') UNION ALL SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd')";
const ALL_ON_SQLITE: &str = "SELECT name FROM sqlite_master WHERE type = 'table' UNION ALL \
     SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'";

#[tokio::test]
async fn whatever_the_linter_calls_removed_or_renamed_is_asked_of_the_living() {
    let fixture: Fixture = serde_json::from_str(FIXTURE).unwrap();
    let schema = fixture.schema.join(";\n");
    let mut missed = Vec::new();
    let mut seen = 0;
    for database in databases().await {
        let is_sqlite = database.url().file().is_some();
        let statements: Vec<&str> = match is_sqlite {
            true => ON_SQLITE.to_vec(),
            false => fixture.schema.iter().map(String::as_str).chain(BESIDES).collect(),
        };
        let base = Sql::new("start", None, &statements, &[]);
        upgrade(&environment(&database, std::slice::from_ref(&base)), "head")
            .await
            .unwrap();
        beat(
            &database,
            if is_sqlite {
                ALL_ON_SQLITE
            } else {
                ALL_ON_POSTGRESQL
            },
        )
        .await;
        for case in fixture.cases.iter().filter(|case| case.sqlite == is_sqlite) {
            let complaints = case.complaints(&schema);
            if complaints.is_empty() {
                continue;
            }
            let environment = environment(&database, &[base.clone(), case.revision()]);
            let plan = command::plan(&environment, &"head".parse().unwrap(), Stage::Contract)
                .await
                .unwrap();
            let used: BTreeSet<String> = plan.in_use.into_iter().map(|used| used.what).collect();
            for complaint in complaints {
                seen += 1;
                if !is_named(&complaint, &used) {
                    missed.push(format!("{complaint}: {:?}: {used:?}", case.sql));
                }
            }
        }
        database.remove().await.unwrap();
    }
    assert!(
        missed.is_empty(),
        "{} of {seen}\n{}",
        missed.len(),
        missed.join("\n")
    );
    assert!(seen >= 5, "{seen} complaints");
}

/// Returns whether one of the things in use is what a complaint names; of a schema, something that is in it.
fn is_named(complaint: &str, used: &BTreeSet<String>) -> bool {
    let words = complaint.split([' ', ',']);
    { words }.any(|word| match word {
        "archive" => used.contains("papers"),
        "public" => used.contains("tasks"),
        word => used.contains(word),
    })
}

/// Lets a build beat that needs all that a query finds.
async fn beat(database: &ScratchDatabase, all: &str) {
    let session = session(database).await;
    let mut build = Build::new("shop", "1.0");
    for row in session.rows(all).await.unwrap() {
        let name: String = row.try_get("", "name").unwrap();
        if !name.starts_with("sea") {
            build = build.needs(name);
        }
    }
    Heart::new(build, "web-1")
        .beat(session.connection())
        .await
        .unwrap();
    session.close().await;
}

#[tokio::test]
async fn a_contract_waits_whatever_else_its_statement_does() {
    let Some(database) = postgres().await else { return };
    let base = Sql::new(
        "start",
        None,
        &[
            "CREATE TABLE parent (id integer, title text, body text)",
            "CREATE TABLE notes (id integer, title text, body text, n integer GENERATED ALWAYS AS IDENTITY)",
            "CREATE VIEW heads AS SELECT title FROM notes",
            "CREATE SCHEMA app",
            "CREATE TABLE app.papers (id integer)",
            "CREATE SCHEMA attic",
        ],
        &[],
    );
    upgrade(&environment(&database, std::slice::from_ref(&base)), "head")
        .await
        .unwrap();
    beat(
        &database,
        "SELECT unnest(ARRAY['notes.body', 'heads', 'papers']) AS name",
    )
    .await;
    for sql in [
        "ALTER TABLE notes DROP COLUMN body",
        "ALTER TABLE notes DROP COLUMN body, ALTER COLUMN title SET STATISTICS 500",
        "DROP INDEX IF EXISTS nix; ALTER TABLE notes DROP COLUMN body, ALTER COLUMN title SET STORAGE EXTERNAL",
        "ALTER TABLE notes DROP COLUMN body, INHERIT parent",
        "ALTER TABLE Notes DROP Body, ALTER COLUMN n DROP IDENTITY",
        "ALTER TABLE notes DROP COLUMN body, ADD COLUMN body integer",
        "ALTER TABLE notes SET SCHEMA attic",
        "ALTER TABLE notes RENAME TO papers_of_all",
        "DROP VIEW heads",
        "ALTER VIEW heads RENAME TO titles",
        "ALTER TABLE notes DROP COLUMN title CASCADE",
        "DROP SCHEMA app CASCADE",
        "ALTER SCHEMA app RENAME TO old",
        "DROP VIEW heads; CREATE TABLE notes_new (id integer, title text); INSERT INTO notes_new SELECT id, title FROM notes; \
         DROP TABLE notes; ALTER TABLE notes_new RENAME TO notes; CREATE VIEW heads AS SELECT title FROM notes",
    ] {
        let contract = Sql::new("contract", Some("start"), &[sql], &[]).stage(Stage::Contract);
        let environment = environment(&database, &[base.clone(), contract]);
        let refused = upgrade(&environment, "head").await;
        assert_eq!(refused.map(drop).unwrap_err().kind(), "still_in_use", "{sql}");
        assert_eq!(current(&environment).await, ["start"]);
    }
    database.remove().await.unwrap();
}
