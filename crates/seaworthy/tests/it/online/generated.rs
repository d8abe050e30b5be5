//! The revisions that are written for a column that changes online: the files here are what is written, and they run.
//!
//! `UPDATE_GENERATED=1 cargo test --package seaworthy --test it generated` writes them anew.

use std::fs;
use std::path::{Path, PathBuf};

use seaworthy::command::{self, ColumnChange, RevisionRequest};
use seaworthy::environment::Environment;
use seaworthy::graph::Splice;
use seaworthy::revision::Revision;

use super::*;
use crate::databases::{Sql, current, downgrade, upgrade};

#[expect(unreachable_pub, reason = "the files are as they are written")]
mod rename {
    pub(super) mod contract;
    pub(super) mod drop;
    pub(super) mod expand;
    pub(super) mod fill;
}
#[expect(unreachable_pub, reason = "the files are as they are written")]
mod type_change {
    pub(super) mod contract;
    pub(super) mod drop;
    pub(super) mod expand;
    pub(super) mod fill;
}

const FILES: [&str; 4] = ["expand", "fill", "contract", "drop"];

/// A change of a column, the revisions that are written for it, and what its column holds.
struct Set {
    folder: &'static str,
    to: &'static str,
    data_type: Option<&'static str>,
    first_id: &'static str,
    revisions: fn() -> [Box<dyn Revision>; 4],
    values: [&'static str; 3],
}

const SETS: [Set; 2] = [
    Set {
        folder: "rename",
        to: "notes",
        data_type: None,
        first_id: "aaaaaaaaaaa1",
        revisions: || {
            [
                Box::new(rename::expand::Migration),
                Box::new(rename::fill::Migration),
                Box::new(rename::contract::Migration),
                Box::new(rename::drop::Migration),
            ]
        },
        values: ["Buy milk", "Water plants", "Call home"],
    },
    Set {
        folder: "type_change",
        to: "minutes",
        data_type: Some("integer"),
        first_id: "bbbbbbbbbbb1",
        revisions: || {
            [
                Box::new(type_change::expand::Migration),
                Box::new(type_change::fill::Migration),
                Box::new(type_change::contract::Migration),
                Box::new(type_change::drop::Migration),
            ]
        },
        values: ["15", "90", "5"],
    },
];

impl Set {
    fn base(&self) -> Sql {
        let create = "CREATE TABLE tasks (id integer PRIMARY KEY, description text NOT NULL)";
        let [first, second, _] = self.values;
        let fill = format!("INSERT INTO tasks VALUES (1, '{first}'), (2, '{second}')");
        Sql::new("make", None, &[create, &fill], &["DROP TABLE tasks"])
    }

    fn change(&self) -> ColumnChange {
        ColumnChange {
            table: "tasks".to_owned(),
            from: "description".to_owned(),
            to: self.to.to_owned(),
            data_type: self.data_type.map(str::to_owned),
        }
    }
}

fn request(id: &str) -> RevisionRequest {
    RevisionRequest {
        message: String::new(),
        id: Some(id.into()),
        head: None,
        splice: Splice::Refuse,
        branch_label: None,
        depends_on: Vec::new(),
    }
}

/// Returns the text with ids, names and times as in the files here.
fn settled(text: &str, first_id: &str, written: &[command::NewRevision]) -> String {
    let mut text = text.to_owned();
    for (index, revision) in written.iter().enumerate() {
        let number = index + 1;
        text = text.replace(
            revision.revision.as_str(),
            &format!("{}{number}", &first_id[..11]),
        );
        let stamp = &revision.written.name[..16];
        text = text.replace(stamp, &format!("m20260101_00000{number}"));
    }
    let lines = text.lines().map(|line| match line.split_once(".created(") {
        Some((indent, _)) => format!("{indent}.created(\"2026-01-01 00:00:00\")"),
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the text without what rustfmt decides.
fn letters(text: &str) -> String {
    text.chars()
        .filter(|letter| !letter.is_whitespace() && *letter != ',')
        .collect()
}

#[expect(clippy::disallowed_methods, reason = "a test has no settings but variables")]
fn compare(found: &str, reviewed: &Path) {
    if std::env::var("UPDATE_GENERATED").is_ok() {
        fs::write(reviewed, format!("{found}\n")).unwrap();
        return;
    }
    let expected = fs::read_to_string(reviewed).unwrap();
    assert_eq!(letters(found), letters(&expected), "{found}");
}

fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("seaworthy_{:016x}", fastrand::u64(..)));
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("src/lib.rs"), "seaworthy::revision_vec![\n]\n").unwrap();
    folder
}

#[tokio::test]
async fn the_whole_set_is_written_and_is_what_runs_here() {
    for set in SETS {
        let database = ScratchDatabase::sqlite(&std::env::temp_dir()).unwrap();
        let environment = crate::databases::environment(&database, &[set.base()]);
        upgrade(&environment, "head").await.unwrap();
        let folder = folder();
        let written = command::online_change(&environment, &request(set.first_id), &set.change(), &folder)
            .await
            .unwrap();
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/online/generated");
        for (file, revision) in FILES.iter().zip(&written) {
            let found = fs::read_to_string(&revision.written.file).unwrap();
            let reviewed = here.join(set.folder).join(format!("{file}.rs"));
            compare(&settled(&found, set.first_id, &written), &reviewed);
        }
        let listed = fs::read_to_string(folder.join("src/lib.rs")).unwrap();
        assert_eq!(listed.matches("::Migration").count(), 4, "{listed}");
        fs::remove_dir_all(folder).unwrap();
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn the_set_runs_up_and_down_and_keeps_what_is_in_the_column() {
    for set in SETS {
        for database in databases().await {
            runs_up_and_down(&set, database).await;
        }
    }
}

async fn runs_up_and_down(set: &Set, database: ScratchDatabase) {
    let mut revisions: Vec<Box<dyn Revision>> = vec![Box::new(set.base())];
    revisions.extend((set.revisions)());
    let environment = Environment::new(revisions).database(database.url().clone());
    upgrade(&environment, "head").await.unwrap();
    let last = format!("{}4", &set.first_id[..11]);
    assert_eq!(current(&environment).await, [last]);
    let session = session(&database).await;
    let third = set.values[2];
    let insert = format!("INSERT INTO tasks (id, {}) VALUES (3, '{third}')", set.to);
    session.send(&insert).await.unwrap();
    if set.data_type.is_some() {
        let sum = format!("SELECT CAST(sum({}) AS text) AS text FROM tasks", set.to);
        let rows = session.rows(&sum).await.unwrap();
        assert_eq!(rows[0].try_get::<String>("", "text").unwrap(), "110");
    }
    downgrade(&environment, "make").await.unwrap();
    let rows = session
        .rows("SELECT description AS text FROM tasks ORDER BY id")
        .await
        .unwrap();
    let texts: Vec<String> = rows.iter().map(|row| row.try_get("", "text").unwrap()).collect();
    assert_eq!(texts, set.values);
    let catalog = schema(&session).await;
    let tasks = catalog.table("tasks").unwrap();
    assert_eq!(tasks.columns.len(), 2);
    assert!(!tasks.column("description").unwrap().nullable);
    session.close().await;
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_column_that_is_not_there_and_a_name_that_is_taken_are_refused() {
    let database = ScratchDatabase::sqlite(&std::env::temp_dir()).unwrap();
    let environment = crate::databases::environment(&database, &[SETS[0].base()]);
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
        let error = command::online_change(&environment, &request(SETS[0].first_id), &change, &folder)
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
