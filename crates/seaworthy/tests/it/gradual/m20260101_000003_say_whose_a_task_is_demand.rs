//! Say whose a task is: demand.
//!
//! No code that leaves the value out may run any more. What there is, is checked while others read and write.

use sea_orm_migration::prelude::*;
use seaworthy::online::FilledColumn;
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
        "m20260101_000003_say_whose_a_task_is_demand"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("000000000004")
                .revises("000000000003")
                .message("say whose a task is: demand")
                .created("2026-01-01 00:00:00")
                .stage(Stage::Contract)
                .requires_backfill("tasks_owner_filled")
                .requires_backfill("tasks_note_filled"),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        owner_of_tasks().contract(manager).await?;
        note_of_tasks().contract(manager).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        note_of_tasks().restore(manager).await?;
        owner_of_tasks().restore(manager).await?;
        Ok(())
    }

    // Each statement is a transaction of its own, so that none keeps its locks while the next works; after a
    // failure the next run goes on where this one stopped.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}
