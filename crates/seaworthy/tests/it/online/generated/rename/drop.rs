//! Drop tasks.description for notes.
//!
//! There is no way back to what the old column held but a backup.

use sea_orm_migration::prelude::*;
use seaworthy::online;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20260101_000004_drop_tasks_description_for_notes"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("aaaaaaaaaaa4")
                .revises("aaaaaaaaaaa3")
                .message("drop tasks.description for notes")
                .created("2026-01-01 00:00:00")
                .stage(Stage::Contract),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        online::drop_column(manager, "tasks", "description").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let old = ColumnDef::new("description").custom("TEXT").to_owned();
        online::add_column(manager, "tasks", old).await
    }

    // Each step commits by itself, so that nobody waits for more than one of them.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}
