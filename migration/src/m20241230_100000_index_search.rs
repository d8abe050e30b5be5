//! Phase VIII: words in titles and descriptions are found through an index.
//!
//! Three letters in a row on PostgreSQL, by its extension `pg_trgm`. On SQLite a copy of the text per owner, which is read
//! from one end to the other without the rows: a full-text table there costs twenty times as much with every write, and
//! more than no index at all when a word is in many tasks.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;
use seaworthy::online;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20241230_100000_index_search"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("e05c7b1d48a2")
                .revises("4f6ae8c3190d")
                .message("index the text of tasks for searches")
                .created("2024-12-30 10:00:00")
                .phase("VIII")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    // Plain SQL: sea-query 1.0.2 panics at an index over an expression on SQLite.
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        match manager.get_database_backend() {
            DbBackend::Postgres => {
                // Any role that may create objects in the database may create this one, since PostgreSQL 13.
                manager
                    .get_connection()
                    .execute_unprepared("CREATE EXTENSION IF NOT EXISTS pg_trgm")
                    .await?;
                let index = "CREATE INDEX idx_tasks_text ON tasks \
                             USING gin ((title || chr(10) || coalesce(description, '')) gin_trgm_ops)";
                online::create_index(manager, index).await
            }
            _ => {
                let index = "CREATE INDEX idx_tasks_text ON tasks \
                             (user_id, completed, (title || char(10) || coalesce(description, '')))";
                online::create_index(manager, index).await
            }
        }
    }

    // The extension stays: it may have been there before, and something else may use it by now.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        online::drop_index(manager, "idx_tasks_text").await
    }

    // PostgreSQL builds an index beside running writes only outside of a transaction.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}
