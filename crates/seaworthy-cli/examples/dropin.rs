//! seaworthy in the place of SeaORM's own command line: one line of `main` changes, the migrator stays as it is.
//!
//! Try it with a file, or with `DATABASE_URL` naming a PostgreSQL database:
//!
//! ```text
//! export DATABASE_URL=sqlite://notes.db
//! cargo run --package seaworthy-cli --example dropin -- upgrade head
//! cargo run --package seaworthy-cli --example dropin -- history --applied
//! ```

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{pk_auto, text};

// Before: `cli::run_cli(Migrator).await;`
#[tokio::main(flavor = "current_thread")]
async fn main() {
    seaworthy_cli::run(Migrator).await;
}

/// A migrator as SeaORM's documentation writes it; it knows nothing of seaworthy.
///
/// Its migrations become a chain in the order of the list, and their names serve as revision ids. A unique beginning of
/// a name is enough: `upgrade m20260101`.
struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(CreateNotes), Box::new(IndexNotes)]
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

struct IndexNotes;

impl MigrationName for IndexNotes {
    fn name(&self) -> &str {
        "m20260102_090000_index_notes"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for IndexNotes {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // PostgreSQL builds the index while others write; SQLite has no such thing and builds an ordinary one.
        let index = Index::create()
            .name("idx_notes_body")
            .table("notes")
            .col("body")
            .concurrently()
            .to_owned();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::drop()
            .name("idx_notes_body")
            .table("notes")
            .concurrently()
            .to_owned();
        manager.drop_index(index).await
    }

    // seaworthy gives every other migration a transaction of its own, on SQLite too. `CREATE INDEX CONCURRENTLY` refuses
    // to run in one; a run that dies in the middle of such a step is named by `status` and resumed by `upgrade`.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}
