//! Say whose a task is: begin.
//!
//! Code that does not know of it goes on as before: what is written without a value gets one, from a trigger.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::string_len_null;
use seaworthy::online::{self, FilledColumn};
use seaworthy::revision::{Header, Revision, Stage};

fn owner_of_tasks() -> FilledColumn {
    FilledColumn::new("tasks", "owner", Expr::cust("coalesce(assignee, 'nobody')"))
}

fn note_of_tasks() -> FilledColumn {
    FilledColumn::new("tasks", "note", Expr::cust("''"))
}

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20260101_000001_say_whose_a_task_is_begin"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("000000000002")
                .revises("000000000001")
                .message("say whose a task is: begin")
                .created("2026-01-01 00:00:00")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        online::add_column(manager, "tasks", string_len_null("owner", 40)).await?;
        owner_of_tasks().expand(manager).await?;
        note_of_tasks().expand(manager).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        note_of_tasks().collapse(manager).await?;
        owner_of_tasks().collapse(manager).await?;
        // Destructive: what tasks.owner holds is lost.
        online::drop_column(manager, "tasks", "owner").await?;
        Ok(())
    }

    // Each statement is a transaction of its own, so that none keeps its locks while the next works; after a
    // failure the next run goes on where this one stopped.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}
