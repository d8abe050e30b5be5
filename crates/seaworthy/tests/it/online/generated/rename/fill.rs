//! Fill tasks.description for notes.
//!
//! Code that reads the new column comes after it.

use sea_orm_migration::prelude::*;
use seaworthy::backfill::Backfill;
use seaworthy::online::DualColumn;
use seaworthy::revision::{Header, Revision, Stage};

fn column() -> DualColumn {
    let new = ColumnDef::new("notes").custom("TEXT").not_null().to_owned();
    DualColumn::new("tasks", "description", new)
}

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20260101_000002_fill_tasks_description_for_notes"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("aaaaaaaaaaa2")
                .revises("aaaaaaaaaaa1")
                .message("fill tasks.description for notes")
                .created("2026-01-01 00:00:00")
                .stage(Stage::Migrate),
        )
    }

    fn backfills(&self) -> Vec<Backfill> {
        vec![column().backfill()]
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        column().backfill().run(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        column().backfill().forget(manager).await
    }

    // Each step commits by itself, so that nobody waits for more than one of them.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}
