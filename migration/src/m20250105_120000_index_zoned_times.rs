//! Phase XIII, third step: what the times are sorted by, for their twins, so that no list is slow in between.

use sea_orm_migration::prelude::*;
use seaworthy::online;
use seaworthy::revision::{Header, Revision, Stage};

use crate::phase_xiii::{TIMES, Time, knows_zones};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20250105_120000_index_zoned_times"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("9bd4270e58a1")
                .revises("3e8f06b2c14d")
                .message("index the twins of times")
                .created("2025-01-05 12:00:00")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let indexes = TIMES.iter().flat_map(Time::indexes_of_twin);
        for (_, statement) in indexes.filter(|_| knows_zones(manager)) {
            online::create_index(manager, statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let indexes = TIMES.iter().flat_map(Time::indexes_of_twin);
        for (name, _) in indexes.filter(|_| knows_zones(manager)) {
            online::drop_index(manager, name).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}
