//! The revisions that are written for a column that changes online: the files here are what is written, and they run.

use std::fs;
use std::path::{Path, PathBuf};

use seaworthy::command::{self, ColumnChange, RevisionRequest};
use seaworthy::environment::Environment;
use seaworthy::graph::Splice;
use seaworthy::revision::Revision;

use super::*;
use crate::databases::{Sql, current, downgrade, upgrade};

#[expect(unreachable_pub, reason = "the files are as they are written")]
mod contract;
#[expect(unreachable_pub, reason = "the files are as they are written")]
mod drop;
#[expect(unreachable_pub, reason = "the files are as they are written")]
mod expand;
#[expect(unreachable_pub, reason = "the files are as they are written")]
mod fill;

const FILES: [&str; 4] = ["expand", "fill", "contract", "drop"];

fn base() -> Sql {
    let create = "CREATE TABLE tasks (id integer PRIMARY KEY, description text NOT NULL)";
    let fill = "INSERT INTO tasks VALUES (1, 'Buy milk'), (2, 'Water plants')";
    Sql::new("make", None, &[create, fill], &["DROP TABLE tasks"])
}

fn request() -> RevisionRequest {
    RevisionRequest {
        message: String::new(),
        id: Some("aaaaaaaaaaa1".into()),
        head: None,
        splice: Splice::Refuse,
        branch_label: None,
        depends_on: Vec::new(),
    }
}

/// Returns the text with ids, names and times as in the files here, and without what rustfmt decides.
fn comparable(text: &str, written: &[command::NewRevision]) -> String {
    let mut text = text.to_owned();
    for (index, revision) in written.iter().enumerate() {
        let number = index + 1;
        text = text.replace(revision.revision.as_str(), &format!("aaaaaaaaaaa{number}"));
        let stamp = &revision.written.name[..16];
        text = text.replace(stamp, &format!("m20260101_00000{number}"));
    }
    let lines = text.lines().filter(|line| !line.contains(".created("));
    let letters = lines.flat_map(str::chars);
    letters
        .filter(|letter| !letter.is_whitespace() && *letter != ',')
        .collect()
}

fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("seaworthy_{:016x}", fastrand::u64(..)));
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("src/lib.rs"), "seaworthy::revision_vec![\n]\n").unwrap();
    folder
}

#[tokio::test]
async fn the_whole_set_is_written_and_is_what_runs_here() {
    let database = ScratchDatabase::sqlite(&std::env::temp_dir()).unwrap();
    let environment = crate::databases::environment(&database, &[base()]);
    upgrade(&environment, "head").await.unwrap();
    let folder = folder();
    let change = ColumnChange {
        table: "tasks".to_owned(),
        from: "description".to_owned(),
        to: "notes".to_owned(),
        data_type: None,
    };
    let written = command::online_change(&environment, &request(), &change, &folder)
        .await
        .unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/online/generated");
    for (file, revision) in FILES.iter().zip(&written) {
        let expected = fs::read_to_string(here.join(format!("{file}.rs"))).unwrap_or_default();
        let found = fs::read_to_string(&revision.written.file).unwrap();
        assert_eq!(
            comparable(&found, &written),
            comparable(&expected, &[]),
            "{found}"
        );
    }
    let listed = fs::read_to_string(folder.join("src/lib.rs")).unwrap();
    assert_eq!(listed.matches("::Migration").count(), 4, "{listed}");
    fs::remove_dir_all(folder).unwrap();
    database.remove().await.unwrap();
}

#[tokio::test]
async fn the_set_runs_up_and_down_and_keeps_what_is_in_the_column() {
    for database in databases().await {
        let revisions: Vec<Box<dyn Revision>> = vec![
            Box::new(base()),
            Box::new(expand::Migration),
            Box::new(fill::Migration),
            Box::new(contract::Migration),
            Box::new(drop::Migration),
        ];
        let environment = Environment::new(revisions).database(database.url().clone());
        upgrade(&environment, "head").await.unwrap();
        assert_eq!(current(&environment).await, ["aaaaaaaaaaa4"]);
        let session = session(&database).await;
        session
            .send("INSERT INTO tasks (id, notes) VALUES (3, 'Call home')")
            .await
            .unwrap();
        downgrade(&environment, "make").await.unwrap();
        let rows = session
            .rows("SELECT description AS text FROM tasks ORDER BY id")
            .await
            .unwrap();
        let texts: Vec<String> = rows.iter().map(|row| row.try_get("", "text").unwrap()).collect();
        assert_eq!(texts, ["Buy milk", "Water plants", "Call home"]);
        let catalog = schema(&session).await;
        let tasks = catalog.table("tasks").unwrap();
        assert_eq!(tasks.columns.len(), 2);
        assert!(!tasks.column("description").unwrap().nullable);
        session.close().await;
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_column_that_is_not_there_and_a_name_that_is_taken_are_refused() {
    let database = ScratchDatabase::sqlite(&std::env::temp_dir()).unwrap();
    let environment = crate::databases::environment(&database, &[base()]);
    upgrade(&environment, "head").await.unwrap();
    let folder = folder();
    let mut said = String::new();
    for (from, to) in [("body", "notes"), ("description", "id")] {
        let change = ColumnChange {
            table: "tasks".to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
            data_type: None,
        };
        let error = command::online_change(&environment, &request(), &change, &folder)
            .await
            .unwrap_err();
        said.push_str(&format!("{error}; {}\n", error.hint().unwrap()));
    }
    assert_snapshot!(said, @"
    the database has no column tasks.body; name a column as it is now, and upgrade the database first
    the table tasks has a column id already; choose another name for the new column
    ");
    fs::remove_dir_all(folder).unwrap();
    database.remove().await.unwrap();
}
