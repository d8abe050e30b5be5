//! Phase X, fourth step: a new tag has to say whose it is. Those that are there already are looked at in the next step.
//!
//! SQLite has no rule for new rows only: there everything happens in the next step.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20250102_110000_require_owners_of_tags"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("c94e0d7a35b2")
                .revises("6b13f8a0c9d4")
                .message("let no new tag be without an owner")
                .created("2025-01-02 11:00:00")
                .stage(Stage::Contract)
                .requires_backfill("split_tags"),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "ALTER TABLE tags ADD CONSTRAINT tags_user_id_set CHECK (user_id IS NOT NULL) NOT VALID";
        on_postgres(manager, sql).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        on_postgres(manager, "ALTER TABLE tags DROP CONSTRAINT tags_user_id_set").await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

async fn on_postgres(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() == DbBackend::Postgres {
        manager.get_connection().execute_unprepared(sql).await?;
    }
    Ok(())
}
