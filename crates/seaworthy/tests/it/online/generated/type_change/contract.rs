//! Leave tasks.description for minutes.
//!
//! No code that writes the old column may run any more.

use sea_orm_migration::prelude::*;
use seaworthy::online::DualColumn;
use seaworthy::revision::{Header, Revision, Stage};

fn column() -> DualColumn {
    let new = ColumnDef::new("minutes").custom("integer").not_null().to_owned();
    DualColumn::new("tasks", "description", new)
        .up(Expr::cust("CAST(description AS integer)"))
        .down(Expr::cust("CAST(minutes AS TEXT)"))
}

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20260101_000003_leave_tasks_description_for_minutes"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("bbbbbbbbbbb3")
                .revises("bbbbbbbbbbb2")
                .message("leave tasks.description for minutes")
                .created("2026-01-01 00:00:00")
                .stage(Stage::Contract)
                .removes("tasks.description")
                .requires_backfill("tasks_description_minutes_dual"),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        column().contract(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        column().restore(manager).await
    }

    // Each step commits by itself, so that nobody waits for more than one of them.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}
