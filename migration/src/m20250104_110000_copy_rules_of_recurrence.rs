//! Phase XII, second step: the rules of tasks that were there before get the new name, too.

use sea_orm_migration::prelude::*;
use seaworthy::backfill::Backfill;
use seaworthy::online::DualColumn;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

/// `recurrence_pattern` on its way to `recurrence_rule`.
fn rule() -> DualColumn {
    let new = ColumnDef::new("recurrence_rule").string_len(100).take();
    DualColumn::new("tasks", "recurrence_pattern", new)
}

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20250104_110000_copy_rules_of_recurrence"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("d0654cc0c660")
                .revises("940153960ac1")
                .message("copy rules to their new name")
                .created("2025-01-04 11:00:00")
                .stage(Stage::Migrate),
        )
    }

    fn backfills(&self) -> Vec<Backfill> {
        vec![rule().backfill()]
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        rule().backfill().run(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        rule().backfill().forget(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}
