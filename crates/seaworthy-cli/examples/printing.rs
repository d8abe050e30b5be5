//! A migrator whose revisions print, as some do to tell how far they are, and read rows: neither must be mixed with answers.
//!
//! ```text
//! cargo run --package seaworthy-cli --example printing -- upgrade base:m20260101 --sql > script.sql
//! cargo run --package seaworthy-cli --example printing -- plan
//! ```
#![expect(clippy::print_stdout, reason = "what its revisions print is what it shows")]

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, pk_auto};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    seaworthy_cli::run(Migrator).await;
    println!("printed after the command");
}

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(CreateNotes), Box::new(CountNotes)]
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

/// What it writes depends on the rows that are there when it runs.
struct CountNotes;

impl MigrationName for CountNotes {
    fn name(&self) -> &str {
        "m20260102_090000_count_notes"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CountNotes {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let count = Query::select()
            .expr_as(Expr::col("id").count(), "notes")
            .from("notes")
            .to_owned();
        let notes: i64 = match connection.query_one(&count).await? {
            Some(row) => row.try_get("", "notes")?,
            None => 0,
        };
        println!("there are {notes} notes");
        let counts = Table::create()
            .table("counts")
            .col(pk_auto("id"))
            .col(big_integer("notes").default(notes))
            .to_owned();
        manager.create_table(counts).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("counts").to_owned()).await
    }
}
