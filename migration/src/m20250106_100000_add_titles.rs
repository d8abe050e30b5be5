//! Phase XIV, first step: a conversation has a title, which is empty until somebody gives it one.
//!
//! A default that is the same for all rows is kept in the catalog alone: no row is written, and code that knows nothing of
//! the column goes on. That the column is `NOT NULL` from the start costs nothing either.

use sea_orm_migration::prelude::*;
use seaworthy::online;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20250106_100000_add_titles"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("d8e3a05c64f1")
                .revises("c05b7e913fa6")
                .message("let conversations have a title")
                .created("2025-01-06 10:00:00")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let title = ColumnDef::new("title")
            .string_len(200)
            .not_null()
            .default("")
            .take();
        online::add_column(manager, "conversations", title).await
    }

    // What people called their conversations goes.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        online::drop_column(manager, "conversations", "title").await
    }
}
