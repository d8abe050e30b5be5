//! Joins the two branches that were developed at the same time: checked words, and tags of one's own.

use sea_orm_migration::prelude::*;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20250102_100000_merge_words_and_tags"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("6b13f8a0c9d4")
                .revises("2e9d71c8f05a")
                .revises("91e6c04b7da3")
                .message("merge checked words and tags of one's own")
                .created("2025-01-02 10:00:00")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }

    // SeaORM's own runner opens no transaction on SQLite unless it is told to.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
