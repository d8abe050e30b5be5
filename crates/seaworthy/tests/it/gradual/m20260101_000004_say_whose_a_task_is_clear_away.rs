//! Say whose a task is: clear away.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::string_len_null;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20260101_000004_say_whose_a_task_is_clear_away"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("000000000005")
                .revises("000000000004")
                .message("say whose a task is: clear away")
                .created("2026-01-01 00:00:00")
                .stage(Stage::Contract),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Destructive: what tasks.assignee holds is lost.
        manager
            .alter_table(
                Table::alter()
                    .table("tasks")
                    .drop_column("assignee")
                    .to_owned(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Brings tasks.assignee back without what it held.
        manager
            .alter_table(
                Table::alter()
                    .table("tasks")
                    .add_column(string_len_null("assignee", 20))
                    .to_owned(),
            )
            .await?;
        Ok(())
    }

    // SeaORM's own runner opens no transaction on SQLite unless it is told to.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
