//! A migrator whose revisions print, as some do to tell how far they are: it must not be mixed with answers.
//!
//! ```text
//! cargo run --package seaworthy-cli --example printing -- upgrade head --sql > script.sql
//! ```
#![expect(clippy::print_stdout, reason = "what its revisions print is what it shows")]

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::pk_auto;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    seaworthy_cli::run(Migrator).await;
    println!("printed after the command");
}

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(CreateNotes)]
    }
}

struct CreateNotes;

impl MigrationName for CreateNotes {
    fn name(&self) -> &str {
        "m20260101_090000_create_notes"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateNotes {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        println!("hello from up");
        print!("no line's end");
        let notes = Table::create().table("notes").col(pk_auto("id")).to_owned();
        manager.create_table(notes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        println!("hello from down");
        manager.drop_table(Table::drop().table("notes").to_owned()).await
    }
}
