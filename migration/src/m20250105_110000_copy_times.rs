//! Phase XIII, second step: the twins of rows that were there before.

use sea_orm_migration::prelude::*;
use seaworthy::backfill::Backfill;
use seaworthy::revision::{Header, Revision, Stage};

use crate::phase_xiii;

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20250105_110000_copy_times"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("3e8f06b2c14d")
                .revises("a71c5e20d9f3")
                .message("copy times to their twins")
                .created("2025-01-05 11:00:00")
                .stage(Stage::Migrate),
        )
    }

    fn backfills(&self) -> Vec<Backfill> {
        phase_xiii::backfills()
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for backfill in phase_xiii::backfills() {
            backfill.run(manager).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for backfill in phase_xiii::backfills() {
            backfill.forget(manager).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}
