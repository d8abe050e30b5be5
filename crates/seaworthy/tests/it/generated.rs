//! Revisions as they are generated, one for each kind of change. The files in `generated/` are reviewed as what a person
//! would get; they are compiled here, and run up, down and up again with rows in the tables.
//!
//! `UPDATE_GENERATED=1 cargo test --package seaworthy --test it generated` writes them anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sea_orm::{ConnectionTrait, DbBackend};
use seaworthy::autogenerate::{Policy, Rendered, Wanted, diff, render, sql};
use seaworthy::catalog::{Catalog, Dialect, Scope, inspect, normalize};
use seaworthy::command::{Place, Verification, verify};
use seaworthy::environment::Environment;
use seaworthy::revision::{Header, Revision};
use seaworthy::source::{Body, Draft, write};
use seaworthy::verify::{ScratchDatabase, drift};

use crate::databases::{downgrade, postgres, postgres_server, session, upgrade};
use steps::{Step, steps};

mod steps;

#[rustfmt::skip]
#[expect(unreachable_pub, reason = "in a migration crate these modules are public")]
#[expect(clippy::too_many_lines, reason = "whoever generates a revision may divide it")]
#[path = "generated/sqlite/lib.rs"]
mod sqlite;

#[rustfmt::skip]
#[expect(unreachable_pub, reason = "in a migration crate these modules are public")]
#[path = "generated/postgresql/lib.rs"]
mod postgresql;

/// What has a test of its own: an index that a build left invalid is no change of a schema.
const NOT_HERE: [&str; 1] = ["rebuild_invalid_index"];

/// What no step for PostgreSQL makes, because only SQLite has it.
const ON_SQLITE: [&str; 2] = ["alter_table_options", "alter_on_null"];

#[tokio::test]
async fn files_are_generated_as_they_were_reviewed_for_sqlite() {
    let database = ScratchDatabase::sqlite(&std::env::temp_dir()).unwrap();
    let kinds = generate("sqlite", database).await;
    assert!(kinds.len() > 20, "{kinds:?}");
    let missing: Vec<&&str> = ON_SQLITE.iter().filter(|kind| !kinds.contains(*kind)).collect();
    assert!(missing.is_empty(), "no step makes {missing:?}");
}

#[tokio::test]
async fn files_are_generated_as_they_were_reviewed_for_postgresql() {
    let Some(database) = postgres().await else {
        return;
    };
    let kinds = generate("postgresql", database).await;
    let source = include_str!("../../src/autogenerate/operation/summary.rs");
    let known = source.lines().filter_map(|line| {
        let (_, word) = line.trim().strip_prefix("Self::")?.split_once(" => \"")?;
        word.strip_suffix("\",")
    });
    let missing: Vec<&str> = known
        .filter(|kind| !kinds.contains(*kind) && !NOT_HERE.contains(kind) && !ON_SQLITE.contains(kind))
        .collect();
    assert!(missing.is_empty(), "no step makes {missing:?}");
}

#[tokio::test]
async fn generated_revisions_run_up_and_down_and_keep_rows_on_sqlite() {
    let database = ScratchDatabase::sqlite(&std::env::temp_dir()).unwrap();
    let place = Place::Sqlite(std::env::temp_dir());
    run(database, sqlite::revisions(), place).await;
}

#[tokio::test]
async fn generated_revisions_run_up_and_down_and_keep_rows_on_postgresql() {
    let (Some(database), Some(server)) = (postgres().await, postgres_server()) else {
        return;
    };
    run(database, postgresql::revisions(), Place::Postgresql(server)).await;
}

/// Formatting them again would make a difference that nobody wants to review.
#[test]
fn generated_files_are_formatted_as_rustfmt_does() {
    // Not with the settings of this workspace, but with those of one that has none.
    let settings = tempfile::tempdir().unwrap();
    fs::write(settings.path().join("rustfmt.toml"), "").unwrap();
    for folder in ["sqlite", "postgresql", "../gradual"] {
        for file in files(&reviewed(folder)) {
            let output = Command::new("rustfmt")
                .args(["--check", "--edition", "2024", "--config-path"])
                .arg(settings.path())
                .stdin(Stdio::from(fs::File::open(&file).unwrap()))
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{}: {said}{errors}", file.display());
        }
    }
}

/// Walks a database from schema to schema, generates a revision for each step, and compares it with the reviewed one.
async fn generate(folder: &'static str, database: ScratchDatabase) -> BTreeSet<&'static str> {
    let written = tempfile::tempdir().unwrap();
    let list = "//! Revisions as they are generated, in order.\n\nuse seaworthy::revision::Revision;\n\
                use seaworthy::revision_vec;\n\npub(super) fn revisions() -> Vec<Box<dyn Revision>> {\n    \
                revision_vec![]\n}\n";
    fs::write(written.path().join("lib.rs"), list).unwrap();
    let session = session(&database).await;
    let connection = session.connection();
    let scope = Scope::default();
    let dialect = Dialect::of(session.backend()).unwrap();
    let mut wanted = Catalog::new(dialect);
    let mut names: Vec<String> = Vec::new();
    let mut kinds = BTreeSet::new();
    for (place, step) in steps(dialect).into_iter().enumerate() {
        (step.change)(&mut wanted);
        let before = inspect(connection, &scope).await.unwrap();
        let declared = normalize(connection, &scope, &wanted).await.unwrap();
        let policy = Policy {
            renames: step.renames.clone(),
            wanted: match dialect {
                Dialect::Postgresql => Wanted::Whole,
                Dialect::Sqlite => Wanted::Declared,
            },
            ..Policy::default()
        };
        let operations = diff(&before, &declared, &policy).unwrap().operations;
        assert!(!operations.is_empty(), "{} changes nothing", step.message);
        kinds.extend(operations.iter().map(|operation| operation.kind()));
        let rendered = render(&before, &operations, &step.fills).unwrap();
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        let draft = draft(place, &step, rendered, session.backend());
        names.push(write(written.path(), &draft, &known).unwrap().name);
        for statement in sql(&before, &operations).unwrap() {
            connection.execute_unprepared(&statement).await.unwrap();
        }
        let left = drift(connection, &scope, &wanted, &Policy::default())
            .await
            .unwrap();
        assert!(left.is_empty(), "{}: {:?}", step.message, left.operations);
    }
    session.close().await;
    database.remove().await.unwrap();
    compare(folder, written.path());
    kinds
}

fn draft(place: usize, step: &Step, rendered: Rendered, backend: DbBackend) -> Draft {
    let id = |place: usize| format!("{:012x}", place + 1);
    let header = Header::new(id(place)).message(step.message);
    let header = match place.checked_sub(1) {
        None => header,
        Some(before) => header.revises(id(before)),
    };
    let created = chrono::DateTime::from_timestamp(1_700_000_000 + i64::try_from(place).unwrap(), 0).unwrap();
    Draft {
        header,
        created: created.naive_utc(),
        body: Some(Body {
            up: rendered.up,
            down: rendered.down,
            helpers: rendered.helpers.into_iter().collect(),
            sql_of: rendered.has_sql.then(|| seaworthy::session::dialect_of(backend)),
            is_split: rendered.is_split,
            ..Body::default()
        }),
    }
}

#[expect(clippy::disallowed_methods, reason = "a test has no settings but variables")]
fn compare(folder: &str, written: &Path) {
    let reviewed = reviewed(folder);
    if std::env::var("UPDATE_GENERATED").is_ok() {
        drop(fs::remove_dir_all(&reviewed));
        fs::create_dir_all(&reviewed).unwrap();
        for file in files(written) {
            fs::copy(&file, reviewed.join(file.file_name().unwrap())).unwrap();
        }
        return;
    }
    let names = |folder: &Path| -> BTreeSet<_> {
        let files = files(folder).into_iter();
        files.map(|file| file.file_name().unwrap().to_owned()).collect()
    };
    let mut different = String::new();
    for name in names(written).union(&names(&reviewed)) {
        let text = |folder: &Path| fs::read_to_string(folder.join(name)).unwrap_or_default();
        let (is, was) = (text(written), text(&reviewed));
        if is != was {
            writeln!(different, "{}, which is generated as\n{is}", name.display()).unwrap();
        }
    }
    assert!(different.is_empty(), "not as reviewed: {different}");
}

fn reviewed(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/generated")
        .join(folder)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

/// Applies each revision and finds nothing afterwards, undoes all of them, and has all promises looked at.
async fn run(database: ScratchDatabase, revisions: Vec<Box<dyn Revision>>, place: Place) {
    let environment = Environment::new(revisions).database(database.url().clone());
    let session = session(&database).await;
    let dialect = Dialect::of(session.backend()).unwrap();
    let nothing = inspect(session.connection(), &Scope::default()).await.unwrap();
    let mut wanted = Catalog::new(dialect);
    for step in steps(dialect) {
        upgrade(&environment, "+1")
            .await
            .unwrap_or_else(|error| panic!("{}: {error:?}", step.message));
        (step.change)(&mut wanted);
        let left = drift(
            session.connection(),
            &Scope::default(),
            &wanted,
            &Policy::default(),
        )
        .await
        .unwrap();
        assert!(left.is_empty(), "{}: {:?}", step.message, left.operations);
    }
    downgrade(&environment, "base").await.unwrap();
    let left = inspect(session.connection(), &Scope::default()).await.unwrap();
    assert_eq!(left, nothing);
    session.close().await;
    database.remove().await.unwrap();

    let verification = Verification::default().on(place);
    let verified = verify(&environment, &verification)
        .await
        .unwrap()
        .into_result()
        .unwrap();
    assert!(verified.databases[0].rows > 5, "{verified:?}");
}
