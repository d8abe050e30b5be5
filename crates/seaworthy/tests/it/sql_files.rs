//! A schema that is wanted as SQL: files as people write them, and as the databases' own programs print them.

use std::error::Error as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sea_orm::DbBackend;
use seaworthy::catalog::{Scope, inspect};
use seaworthy::command::{self, CommandError, CompareRequest, DriftReport, Side};
use seaworthy::environment::Environment;
use seaworthy::verify::ScratchDatabase;

use crate::databases::{databases, environment, postgres, send, session};

const CREW: &str = "CREATE TABLE crew (id integer PRIMARY KEY, name text NOT NULL);
CREATE INDEX crew_name ON crew (name);
";

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("seaworthy_files_{:016x}", fastrand::u64(..)));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

async fn check(environment: &Environment, wanted: &str) -> Result<DriftReport, CommandError> {
    let wanted: Side = wanted.parse().unwrap();
    command::check_to(environment, &wanted, &CompareRequest::default()).await
}

async fn diff(environment: &Environment, from: &str, to: &str) -> Result<DriftReport, CommandError> {
    let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
    command::diff(environment, &from, &to, &CompareRequest::default()).await
}

fn words(report: &DriftReport) -> Vec<String> {
    let operations = report.difference.operations.iter();
    operations.map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_file_is_what_the_database_is_to_become() {
    let folder = Folder::new();
    let file = folder.file("schema.sql", CREW);
    for database in databases().await {
        send(&database, "CREATE TABLE crew (id integer PRIMARY KEY, name text)").await;
        let environment = environment(&database, &[]);
        let found = check(&environment, &file).await.unwrap();
        assert_eq!(found.difference.operations.len(), 2, "{:?}", words(&found));
        send(&database, &found.sql.join(";")).await;
        let found = check(&environment, &file).await.unwrap();
        assert!(found.difference.is_empty(), "{:?}", words(&found));
        // The other way round it is what there is.
        let back = diff(&environment, &file, database.address()).await.unwrap();
        assert!(back.difference.is_empty(), "{:?}", words(&back));
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn several_files_are_loaded_one_after_another_and_a_folder_by_its_names() {
    let folder = Folder::new();
    let second = folder.file(
        "2_berths.sql",
        "CREATE TABLE berths (crew_id integer REFERENCES crew (id));",
    );
    let first = folder.file("1_crew.sql", CREW);
    folder.file("notes.txt", "not SQL");
    for database in databases().await {
        let environment = environment(&database, &[]);
        let listed = check(&environment, &format!("{first},{second}")).await.unwrap();
        let all = check(&environment, folder.path()).await.unwrap();
        assert_eq!(listed.difference, all.difference);
        assert!(
            words(&all).iter().any(|word| word.contains("berths")),
            "{:?}",
            words(&all)
        );
        database.remove().await.unwrap();
    }
}

/// Rows, owners, rights and psql's own lines are in it; the server says `REVOKE` and `OWNER TO` of roles that may not be there.
#[tokio::test]
async fn what_pg_dump_prints_is_taken_as_it_is() {
    let Some(database) = postgres().await else { return };
    send(
        &database,
        "CREATE TYPE mood AS ENUM ('well', 'ill'); CREATE TABLE crew (id serial PRIMARY KEY, mood mood, name text); \
         INSERT INTO crew (mood, name) VALUES ('ill', 'a;b'), (NULL, E'back\\\\slash'); CREATE VIEW ill AS SELECT id FROM crew WHERE mood = 'ill'",
    )
    .await;
    let printed = Command::new("pg_dump").arg(database.address()).output().unwrap();
    assert!(printed.status.success(), "{printed:?}");
    let mut text = String::from_utf8(printed.stdout).unwrap();
    text.push_str("\nALTER TABLE public.crew OWNER TO nobody_of_this_name;\nGRANT SELECT ON TABLE public.crew TO nobody_of_this_name;\n");
    let folder = Folder::new();
    let file = folder.file("dump.sql", &text);
    let environment = environment(&database, &[]);
    let found = check(&environment, &file).await.unwrap();
    assert!(found.difference.is_empty(), "{:?}", words(&found));
    database.remove().await.unwrap();
}

#[tokio::test]
async fn what_a_file_makes_is_made_in_the_schema_that_was_named() {
    let Some(database) = postgres().await else { return };
    send(&database, "CREATE SCHEMA app").await;
    let folder = Folder::new();
    for text in [
        CREW,
        "CREATE SCHEMA app; CREATE TABLE app.crew (id integer PRIMARY KEY)",
    ] {
        let file = folder.file("schema.sql", text);
        let mut environment = environment(&database, &[]);
        environment.settings.schema = Some("app".to_owned());
        let found = check(&environment, &file).await.unwrap();
        assert!(words(&found)[0].starts_with("add table crew "), "{text}");
    }
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_file_that_does_not_run_is_named_with_its_line() {
    let folder = Folder::new();
    let broken = folder.file(
        "broken.sql",
        "CREATE TABLE crew (id integer);\n\nCREATE TABEL boats (id integer);\n",
    );
    let client = folder.file("client.sql", "CREATE TABLE crew (id integer);\n\\i other.sql\n");
    for database in databases().await {
        let environment = environment(&database, &[]);
        let refused = check(&environment, &broken).await.unwrap_err();
        assert_eq!(refused.kind(), "file_refused");
        assert!(refused.to_string().contains("broken.sql, line 3"), "{refused}");
        assert!(refused.source().is_some());
        assert!(refused.hint().is_some());
        database.remove().await.unwrap();
    }
    let Some(database) = postgres().await else { return };
    let refused = check(&environment(&database, &[]), &client).await.unwrap_err();
    assert_eq!(refused.kind(), "file_for_client");
    assert!(
        refused
            .to_string()
            .contains("client.sql, line 2: \\i is a command of psql"),
        "{refused}"
    );
    let nothing = Folder::new();
    let refused = check(&environment(&database, &[]), nothing.path())
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), "no_file");
    database.remove().await.unwrap();
}

async fn snapshot(database: &ScratchDatabase, folder: &Folder, name: &str) -> String {
    let session = session(database).await;
    let catalog = inspect(session.connection(), &Scope::default()).await.unwrap();
    session.close().await;
    folder.file(name, &catalog.to_json())
}

#[tokio::test]
async fn two_snapshots_need_no_database() {
    let folder = Folder::new();
    for database in databases().await {
        send(&database, CREW).await;
        let before = snapshot(&database, &folder, "before.json").await;
        send(&database, "ALTER TABLE crew ADD COLUMN rank integer").await;
        let after = snapshot(&database, &folder, "after.json").await;
        database.remove().await.unwrap();
        let nowhere = Environment::new(Vec::new());
        let found = diff(&nowhere, &before, &after).await.unwrap();
        assert_eq!(words(&found).len(), 1, "{:?}", words(&found));
        assert!(
            diff(&nowhere, &after, &after)
                .await
                .unwrap()
                .difference
                .is_empty()
        );
        assert!(Path::new(&after).exists());
    }
}

/// A scratch database is removed again; what a file does beside it would stay.
#[tokio::test]
async fn a_file_that_reaches_further_than_its_database_is_refused_before_anything_is_sent() {
    let folder = Folder::new();
    let beside = folder.0.join("beside.db");
    for database in databases().await {
        let session = session(&database).await;
        let statements = match session.backend() {
            DbBackend::Postgres => vec![
                "DROP DATABASE IF EXISTS seaworthy_of_somebody".to_owned(),
                "CREATE DATABASE seaworthy_of_somebody".to_owned(),
                "ALTER DATABASE postgres SET work_mem TO '5MB'".to_owned(),
                "ALTER SYSTEM SET work_mem TO '5MB'".to_owned(),
                "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 password=hunter2' PUBLICATION p".to_owned(),
            ],
            _ => vec![format!("ATTACH '{}' AS beside", beside.display())],
        };
        for statement in statements {
            let file = folder.file("further.sql", &format!("{CREW}{statement};\n"));
            let refused = check(&environment(&database, &[]), &file).await.unwrap_err();
            assert_eq!(refused.kind(), "file_reaches_further", "{statement}");
            let said = refused.to_string();
            assert!(said.contains("further.sql, line 3: "), "{said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
        assert!(!beside.exists());
        session.close().await;
        database.remove().await.unwrap();
    }
}
