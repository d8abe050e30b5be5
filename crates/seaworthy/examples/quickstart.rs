//! The library without a terminal: a graph from plain data, then a real upgrade on a SQLite file.
//!
//! ```text
//! cargo run --package seaworthy --example quickstart
//! ```
#![expect(
    clippy::print_stdout,
    reason = "an example shows its results; the library itself prints nothing"
)]

use std::error::Error;
use std::time::Duration;

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{pk_auto, text};
use seaworthy::command::{self, Conduct, Living, OutOfOrder};
use seaworthy::environment::Environment;
use seaworthy::graph::{Applied, RevisionGraph, Target};
use seaworthy::revision::{Header, Revision, Stage};
use seaworthy::revision_vec;
use seaworthy::runner::Observer;
use seaworthy::verify::ScratchDatabase;
use tokio_util::sync::CancellationToken;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    plan_on_paper()?;
    upgrade_a_file().await
}

/// A graph needs headers and nothing else: no migration code, no database.
fn plan_on_paper() -> Result<(), Box<dyn Error>> {
    let graph = RevisionGraph::build([
        Header::new("a1").message("create users"),
        Header::new("b2").revises("a1").message("add tags").label("tags"),
        Header::new("c3").revises("a1").message("add dates"),
        Header::new("d4")
            .revises("b2")
            .revises("c3")
            .message("merge both"),
    ])?;
    // Any target that the command line understands: `head`, `b2`, `d4-1`, `tags@head`.
    let plan = graph.upgrade(&Applied::default(), &"d4".parse()?)?;
    for step in &plan.steps {
        println!("{} {}", step.direction.word(), step.revision);
    }
    Ok(())
}

/// An environment holds what a command needs to know beforehand, a conduct says how it behaves while it runs.
async fn upgrade_a_file() -> Result<(), Box<dyn Error>> {
    let scratch = ScratchDatabase::sqlite(&std::env::temp_dir())?;
    // Revisions with a header and plain SeaORM migrations may stand in one list.
    let environment = Environment::new(revision_vec![Box::new(CreateNotes)]).database(scratch.url().clone());

    let conduct = Conduct {
        wait: Duration::from_secs(10),
        retries: 3,
        stop: CancellationToken::new(),
        observer: &Silent,
        waiting: &|_, _| {},
        // Called before something would be lost; nobody is there to be asked, so nothing may go.
        through: Stage::Contract,
        living: Living::Heed,
        consent: &|_| false,
    };
    let outcome = command::upgrade(&environment, &Target::head(), OutOfOrder::Refuse, &conduct).await?;

    for step in outcome.report.iter().flat_map(|report| &report.steps) {
        println!(
            "{} {}: {:?} in {:?}",
            step.revision, step.message, step.outcome, step.duration
        );
    }
    let current = command::current(&environment).await?;
    println!("at the newest revision: {}", current.is_at_heads);
    scratch.remove().await?;
    Ok(())
}

struct CreateNotes;

impl MigrationName for CreateNotes {
    fn name(&self) -> &str {
        "m20260101_090000_create_notes"
    }
}

impl Revision for CreateNotes {
    fn header(&self) -> Option<Header> {
        Some(Header::new("5ea0c0ffee01").message("create notes"))
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateNotes {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let notes = Table::create()
            .table("notes")
            .col(pk_auto("id"))
            .col(text("body"))
            .to_owned();
        manager.create_table(notes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("notes").to_owned()).await
    }
}

/// An observer hears of each step while it runs; this one does not care.
struct Silent;

impl Observer for Silent {}
