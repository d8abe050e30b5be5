//! Phase XVII, last step: the index of texts as they are goes, which only code of before searches by.
//!
//! That code goes on to work without it: it reads the texts of a person's tasks one by one.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;
use seaworthy::online;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20250109_110000_drop_index_of_unfolded_texts"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("e417a86c03bd")
                .revises("5fb0c2917d4e")
                .message("drop the index of texts that are not folded")
                .created("2025-01-09 11:00:00")
                .phase("XVII")
                .stage(Stage::Contract),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        online::drop_index(manager, "idx_tasks_text").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = match manager.get_database_backend() {
            DbBackend::Postgres => {
                "CREATE INDEX idx_tasks_text ON tasks \
                 USING gin ((title || chr(10) || coalesce(description, '')) gin_trgm_ops)"
            }
            _ => {
                "CREATE INDEX idx_tasks_text ON tasks \
                 (user_id, completed, (title || char(10) || coalesce(description, '')))"
            }
        };
        online::create_index(manager, index).await
    }

    // PostgreSQL builds and drops an index beside running writes only outside of a transaction.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}
