//! Phase XIII, fifth step: what the times were before goes, with its indexes and with what kept the two the same.

use sea_orm_migration::prelude::*;
use seaworthy::online;
use seaworthy::revision::{Header, Revision, Stage};

use crate::phase_xiii::{TIMES, knows_zones};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20250105_140000_drop_zoneless_times"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        let header = Header::new("c05b7e913fa6")
            .revises("62d9a4f7018b")
            .message("drop times without a zone")
            .created("2025-01-05 14:00:00")
            .phase("XIII")
            .stage(Stage::Contract);
        Some(TIMES.iter().fold(header, |header, time| {
            header.removes(format!("{}.{}", time.table, time.twin()))
        }))
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for time in TIMES.iter().filter(|_| knows_zones(manager)) {
            time.zoneless().collapse(manager).await?;
        }
        Ok(())
    }

    // Nothing is lost: the same moments are there as they were said before, for the way back.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // In the order of before: a column that comes back comes last.
        for time in TIMES.iter().filter(|_| knows_zones(manager)) {
            time.zoneless().expand(manager).await?;
            time.zoneless().fill(manager).await?;
            for (_, statement) in time.indexes_of_twin() {
                online::create_index(manager, statement).await?;
            }
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}
