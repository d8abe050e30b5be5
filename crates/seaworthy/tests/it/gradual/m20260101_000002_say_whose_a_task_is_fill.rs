//! Say whose a task is: fill.
//!
//! The rows that were there before the trigger get their value in batches, while others read and write.

use sea_orm_migration::prelude::*;
use seaworthy::backfill::Backfill;
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
        "m20260101_000002_say_whose_a_task_is_fill"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("000000000003")
                .revises("000000000002")
                .message("say whose a task is: fill")
                .created("2026-01-01 00:00:00")
                .stage(Stage::Migrate),
        )
    }

    fn backfills(&self) -> Vec<Backfill> {
        vec![owner_of_tasks().backfill(), note_of_tasks().backfill()]
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        owner_of_tasks().backfill().run(manager).await?;
        note_of_tasks().backfill().run(manager).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        note_of_tasks().backfill().forget(manager).await?;
        owner_of_tasks().backfill().forget(manager).await?;
        Ok(())
    }

    // Each statement is a transaction of its own, so that none keeps its locks while the next works; after a
    // failure the next run goes on where this one stopped.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}
