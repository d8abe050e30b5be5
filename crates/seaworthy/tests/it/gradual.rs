//! Columns that begin to demand a value on a table of many rows: the revisions that are generated for them, reviewed in
//! `gradual/`, and what writers of the old code notice while they run.
//!
//! `UPDATE_GENERATED=1 cargo test --package seaworthy --test it gradual` writes them anew.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use seaworthy::autogenerate::Fill;
use seaworthy::catalog::{Catalog, Scope, Target, inspect};
use seaworthy::command::{
    self, CommandError, CompareRequest, GenerateRequest, Generated, LintSelection, RevisionRequest, Side,
    WhenEmpty, WhenMostlyDropped,
};
use seaworthy::environment::Environment;
use seaworthy::graph::Splice;
use seaworthy::lint::{self, Severity};
use seaworthy::revision::Revision;
use seaworthy::session::Session;
use seaworthy::verify::ScratchDatabase;
use tokio_util::sync::CancellationToken;

use crate::databases::{Sql, downgrade, postgres, session, upgrade};

#[rustfmt::skip]
#[expect(unreachable_pub, reason = "in a migration crate these modules are public")]
#[path = "gradual/lib.rs"]
mod generated;

mod task {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "tasks")]
    pub(super) struct Model {
        #[sea_orm(primary_key)]
        pub(super) id: i32,
        #[sea_orm(column_type = "Text")]
        pub(super) title: String,
        #[sea_orm(column_type = "Text")]
        pub(super) note: String,
        pub(super) rank: Option<i32>,
        #[sea_orm(column_type = "String(StringLen::N(40))")]
        pub(super) owner: String,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// More than a table has that is small.
const ROWS: i64 = 12_000;

fn base(rows: i64) -> Sql {
    let create =
        "CREATE TABLE tasks (id serial PRIMARY KEY, title text NOT NULL, note text, assignee varchar(20))";
    let fill = format!(
        "INSERT INTO tasks (title, note, assignee) SELECT 'n ' || n, CASE WHEN n % 2 = 0 THEN 'even' END, \
         CASE WHEN n % 3 = 0 THEN 'Ada' END FROM generate_series(1, {rows}) AS n"
    );
    Sql::new("make", None, &[create, &fill], &["DROP TABLE tasks"])
}

fn environment(database: &ScratchDatabase, rows: i64, later: Vec<Box<dyn Revision>>) -> Environment {
    let mut revisions: Vec<Box<dyn Revision>> = vec![Box::new(base(rows))];
    revisions.extend(later);
    Environment::new(revisions)
        .database(database.url().clone())
        .target(Target::new().entity(task::Entity))
}

fn fill(column: &str, value: &str) -> Fill {
    Fill {
        table: "tasks".to_owned(),
        column: column.to_owned(),
        value: value.to_owned(),
    }
}

/// Has the revisions written into a folder.
async fn generate(
    environment: &Environment,
    large: &[&str],
    folder: &Path,
) -> Result<Generated, CommandError> {
    let request = GenerateRequest {
        revision: RevisionRequest {
            message: "say whose a task is".to_owned(),
            id: Some("000000000001".into()),
            head: None,
            splice: Splice::Refuse,
            branch_label: None,
            depends_on: Vec::new(),
        },
        wanted: Side::Entities,
        comparison: CompareRequest::default(),
        fills: vec![fill("owner", "coalesce(assignee, 'nobody')"), fill("note", "''")],
        large: large.iter().map(|&table| table.to_owned()).collect(),
        when_empty: WhenEmpty::WriteNothing,
        when_mostly_dropped: WhenMostlyDropped::Refuse,
        choose: &|_| Vec::new(),
    };
    let list = "//! Revisions as they are generated, in order.\n\nuse seaworthy::revision::Revision;\n\
                use seaworthy::revision_vec;\n\npub(super) fn revisions() -> Vec<Box<dyn Revision>> {\n    \
                revision_vec![]\n}\n";
    fs::write(folder.join("lib.rs"), list).unwrap();
    command::generate(environment, &request, folder).await
}

/// Returns the files with ids, names and times as in the reviewed ones.
fn settled(generated: &Generated, folder: &Path) -> Vec<(String, String)> {
    let revisions: Vec<_> = generated.revision.iter().chain(&generated.followed_by).collect();
    let settled = |mut text: String| {
        for (place, revision) in revisions.iter().enumerate() {
            text = text.replace(revision.revision.as_str(), &format!("{:012x}", place + 1));
            let name = &revision.written.name;
            text = text.replace(&name[..16], &format!("m20260101_00000{place}"));
        }
        let lines = text.lines().map(|line| match line.split_once(".created(") {
            Some((indent, _)) => format!("{indent}.created(\"2026-01-01 00:00:00\")\n"),
            None => format!("{line}\n"),
        });
        lines.collect::<String>()
    };
    let files = revisions.iter().map(|revision| revision.written.file.clone());
    let files = files.chain([folder.join("lib.rs")]);
    files
        .map(|file| {
            let name = settled(file.file_name().unwrap().to_string_lossy().into_owned());
            (
                name.trim().to_owned(),
                settled(fs::read_to_string(&file).unwrap()),
            )
        })
        .collect()
}

#[expect(clippy::disallowed_methods, reason = "a test has no settings but variables")]
fn compare(files: &[(String, String)], folder: &Path) {
    if std::env::var("UPDATE_GENERATED").is_ok() {
        drop(fs::remove_dir_all(folder));
        fs::create_dir_all(folder).unwrap();
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
        return;
    }
    for (name, text) in files {
        let reviewed = fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert_eq!(*text, reviewed, "{name} is generated as\n{text}");
    }
    assert_eq!(fs::read_dir(folder).unwrap().count(), files.len());
}

#[tokio::test]
async fn revisions_for_a_table_of_many_rows_are_generated_as_they_were_reviewed() {
    let Some(database) = postgres().await else { return };
    let environment = environment(&database, ROWS, Vec::new());
    upgrade(&environment, "head").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let generated = generate(&environment, &[], folder.path()).await.unwrap();
    let reviewed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/gradual");
    compare(&settled(&generated, folder.path()), &reviewed);
    database.remove().await.unwrap();
}

#[tokio::test]
async fn what_is_generated_is_linted_with_the_schema_that_was_read() {
    // Only who knows the old type can say whether text is a copy of it.
    for (title, is_copied) in [("varchar(20)", false), ("integer", true)] {
        let Some(database) = postgres().await else { return };
        let create = format!(
            "CREATE TABLE tasks (id serial PRIMARY KEY, title {title} NOT NULL, note text, rank integer, assignee text)"
        );
        let base = Sql::new("make", None, &[&create], &["DROP TABLE tasks"]);
        let environment = Environment::new(vec![Box::new(base) as Box<dyn Revision>])
            .database(database.url().clone())
            .target(Target::new().entity(task::Entity));
        upgrade(&environment, "head").await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let generated = generate(&environment, &[], folder.path()).await.unwrap();
        let mut found = generated.hazards.iter().map(|hazard| hazard.category);
        assert_eq!(
            found.any(|category| category == "table-rewrite"),
            is_copied,
            "{title}: {:?}",
            generated.hazards
        );
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_generated_is_held_against_what_the_project_asks_for() {
    let Some(database) = postgres().await else { return };
    let create = "CREATE TABLE tasks (id serial PRIMARY KEY, title integer NOT NULL, note text, rank integer, assignee text)";
    let base = Sql::new("make", None, &[create], &["DROP TABLE tasks"]);
    let mut environment = Environment::new(vec![Box::new(base) as Box<dyn Revision>])
        .database(database.url().clone())
        .target(Target::new().entity(task::Entity));
    upgrade(&environment, "head").await.unwrap();
    let mut settings = lint::Settings::default();
    settings.set_level("table-rewrite", lint::Level::Off).unwrap();
    settings.required.column_names = lint::NamePattern::new("[a-z]+_[a-z]+").ok();
    environment.lint = Arc::new(settings);
    let folder = tempfile::tempdir().unwrap();
    let generated = generate(&environment, &[], folder.path()).await.unwrap();
    let found: Vec<_> = generated.hazards.iter().map(|hazard| hazard.category).collect();
    assert!(found.contains(&"required-name"), "{found:?}");
    assert!(!found.contains(&"table-rewrite"), "{found:?}");
    database.remove().await.unwrap();
}

async fn number(session: &Session, query: &str) -> i64 {
    let rows = session
        .rows(&format!("SELECT CAST(({query}) AS bigint) AS number"))
        .await
        .unwrap();
    rows[0].try_get("", "number").unwrap()
}

/// Writes rows as the code does that knows of nothing, until it is told to stop; returns how many.
async fn write_as_before(session: Session, stop: CancellationToken) -> i64 {
    let mut rows = 0;
    while !stop.is_cancelled() {
        for statement in [
            "INSERT INTO tasks (title, assignee) VALUES ('written', 'Bob')",
            "INSERT INTO tasks (title, note) VALUES ('written', NULL)",
            "UPDATE tasks SET note = NULL WHERE id = 2",
        ] {
            session
                .send(statement)
                .await
                .unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
        rows += 2;
        // As fast as it can it would make more rows than a test has time for.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    session.close().await;
    rows
}

/// Waits until there are more rows than there were.
async fn until_written(session: &Session) {
    let before = number(session, "SELECT count(*) FROM tasks").await;
    while number(session, "SELECT count(*) FROM tasks").await < before + 20 {
        tokio::task::yield_now().await;
    }
}

/// Returns the schema without the tables of the tool.
async fn schema(session: &Session) -> Catalog {
    let mut catalog = inspect(session.connection(), &Scope::default()).await.unwrap();
    catalog.tables.retain(|table| !table.name.starts_with("sea"));
    catalog
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_code_goes_on_writing_until_a_value_is_demanded() {
    let Some(database) = postgres().await else { return };
    let environment = environment(&database, ROWS, generated::revisions());
    upgrade(&environment, "make").await.unwrap();
    let session = session(&database).await;
    let before = schema(&session).await;
    let without = "SELECT count(*) FROM tasks WHERE owner IS NULL OR note IS NULL";

    let stop = CancellationToken::new();
    let own = crate::databases::session(&database).await;
    let writer = tokio::spawn(write_as_before(own, stop.clone()));
    until_written(&session).await;
    upgrade(&environment, "000000000003").await.unwrap();
    assert_eq!(number(&session, without).await, 0);
    until_written(&session).await;
    assert_eq!(number(&session, without).await, 0);
    stop.cancel();
    let written = writer.await.unwrap();
    let made = "SELECT count(*) FROM tasks WHERE owner = coalesce(assignee, 'nobody')";
    assert_eq!(number(&session, made).await, ROWS + written);

    upgrade(&environment, "head").await.unwrap();
    let found = command::check(&environment, &[]).await.unwrap().difference;
    assert!(found.is_empty(), "{:?}", found.operations);
    assert!(schema(&session).await.tables[0].triggers.is_empty());

    downgrade(&environment, "make").await.unwrap();
    assert_eq!(schema(&session).await, before);
    assert_eq!(
        number(&session, "SELECT count(*) FROM tasks").await,
        ROWS + written
    );
    let even = "SELECT count(*) FROM tasks WHERE note = 'even'";
    assert_eq!(number(&session, even).await, ROWS / 2 - 1);
    upgrade(&environment, "head").await.unwrap();
    session.close().await;
    database.remove().await.unwrap();
}

#[tokio::test]
async fn the_linter_finds_nothing_but_what_is_removed() {
    let Some(database) = postgres().await else { return };
    let environment = environment(&database, ROWS, generated::revisions());
    let steps = command::lint(&environment, &LintSelection::All, 15)
        .await
        .unwrap();
    let errors: Vec<String> = steps
        .iter()
        .flat_map(|step| step.hazards.iter().map(move |hazard| (step, hazard)))
        .filter(|(_, hazard)| hazard.severity == Severity::Error)
        .map(|(step, hazard)| format!("{} {}: {}", step.name, step.direction.word(), hazard.category))
        .collect();
    // What is left is about columns that go, because the entity has them no more or because a revision is undone.
    insta::assert_snapshot!(errors.join("\n"), @"
    m_make down: table-removed
    m20260101_000000_say_whose_a_task_is down: column-removed
    m20260101_000001_say_whose_a_task_is_begin down: column-removed
    m20260101_000004_say_whose_a_task_is_clear_away up: column-removed
    ");
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_table_of_few_rows_is_filled_at_once_unless_it_is_said_to_have_many_elsewhere() {
    let Some(database) = postgres().await else { return };
    let environment = environment(&database, 10, Vec::new());
    upgrade(&environment, "head").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let generated = generate(&environment, &[], folder.path()).await.unwrap();
    assert!(generated.followed_by.is_empty());
    let generated = generate(&environment, &["tasks"], folder.path()).await.unwrap();
    assert_eq!(generated.followed_by.len(), 4);
    let error = generate(&environment, &["boats"], folder.path())
        .await
        .unwrap_err();
    insta::assert_snapshot!(error, @"the database has no table boats");
    database.remove().await.unwrap();
}
