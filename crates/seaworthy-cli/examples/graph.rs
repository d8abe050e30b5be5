//! The whole command line over a graph that a JSON file describes; its revisions send the SQL that they have, most none.
//!
//! For trying out what a target means on a graph of your own, and for this project's tests:
//!
//! ```text
//! cargo run -p seaworthy-cli --example graph -- graph.json -u sqlite://graph.db history
//! ```
//!
//! The file holds `{"revisions": [{"id": "a", "down": [], "labels": [], "depends_on": []}, ...]}` in the order of loading;
//! `sql` and `undo` list what they send.

use std::process::ExitCode;

use sea_orm_migration::prelude::*;
use seaworthy::environment::Environment;
use seaworthy::revision::{Header, Revision, Stage};
use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    revisions: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Row {
    id: String,
    down: Vec<String>,
    labels: Vec<String>,
    depends_on: Vec<String>,
    message: String,
    stage: Stage,
    removes: Vec<String>,
    sql: Vec<String>,
    undo: Vec<String>,
}

struct Described {
    header: Header,
    up: Vec<String>,
    down: Vec<String>,
}

impl MigrationName for Described {
    fn name(&self) -> &str {
        &self.header.name
    }
}

impl Revision for Described {
    fn header(&self) -> Option<Header> {
        Some(self.header.clone())
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Described {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        send(manager, &self.up).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        send(manager, &self.down).await
    }
}

async fn send(manager: &SchemaManager<'_>, statements: &[String]) -> Result<(), DbErr> {
    for statement in statements {
        manager.get_connection().execute_unprepared(statement).await?;
    }
    Ok(())
}

impl Row {
    fn revision(self) -> Box<dyn Revision> {
        let mut header = Header::new(self.id).message(self.message);
        header.revises = self.down.into_iter().map(Into::into).collect();
        header.labels = self.labels;
        header.stage = self.stage;
        header.removes = self.removes;
        header.depends_on = self.depends_on;
        Box::new(Described {
            header,
            up: self.sql,
            down: self.undo,
        })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // The file comes first; what follows is the ordinary command line.
    let mut arguments: Vec<_> = std::env::args_os().collect();
    if arguments.len() < 2 {
        return complain("usage: graph FILE <verb...>");
    }
    let path = arguments.remove(1);
    let read = std::fs::read(&path).map_err(|error| error.to_string());
    let file: File =
        match read.and_then(|text| serde_json::from_slice(&text).map_err(|error| error.to_string())) {
            Ok(file) => file,
            Err(error) => return complain(&format!("{}: {error}", path.display())),
        };
    let revisions = file.revisions.into_iter().map(Row::revision).collect();
    seaworthy_cli::run_with(Environment::new(revisions), arguments).await;
    ExitCode::SUCCESS
}

#[expect(clippy::print_stderr, reason = "an example has no screen of its own")]
fn complain(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::from(2)
}
