//! A test of an application's revisions in one call: up, down and up again, empty and with rows, on scratch databases.
//!
//! ```text
//! cargo run --package seaworthy --example verify
//! cargo run --package seaworthy --example verify -- postgres://localhost/postgres
//! ```
//!
//! The second revision forgets its index when it is undone, which is what the example shows.
#![expect(
    clippy::print_stdout,
    reason = "an example shows its results; the library itself prints nothing"
)]

use std::error::Error;

use sea_orm_migration::prelude::*;
use seaworthy::command::{Verification, verify};
use seaworthy::environment::Environment;

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(CreateTasks), Box::new(IndexTasks)]
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut verification = Verification::new();
    if let Some(server) = std::env::args().nth(1) {
        verification = verification.on_postgresql(server);
    }
    // In a test, `.into_result()?` follows: its error lists every broken promise.
    let verified = verify(&Environment::from(Migrator), &verification).await?;
    for database in &verified.databases {
        println!(
            "{}: {} steps, {} rows",
            database.dialect, database.steps, database.rows
        );
    }
    for broken in &verified.broken {
        println!("{broken}");
    }
    Ok(())
}

struct CreateTasks;

impl MigrationName for CreateTasks {
    fn name(&self) -> &'static str {
        "m20250101_000001_create_tasks"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateTasks {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tasks = Table::create()
            .table("tasks")
            .col(ColumnDef::new("id").integer().not_null().primary_key())
            .col(ColumnDef::new("title").text().not_null())
            .to_owned();
        manager.create_table(tasks).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("tasks").to_owned()).await
    }
}

struct IndexTasks;

impl MigrationName for IndexTasks {
    fn name(&self) -> &'static str {
        "m20250101_000002_index_tasks"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for IndexTasks {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::create()
            .name("idx_tasks_title")
            .table("tasks")
            .col("title")
            .to_owned();
        manager.create_index(index).await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}
