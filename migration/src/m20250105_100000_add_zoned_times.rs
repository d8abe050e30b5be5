//! Phase XIII, first step: every time gets a twin that knows which moment it is.
//!
//! A `timestamp` that the database fills in is the time on the wall of whoever inserts the row, and so five hours off where
//! the session is in New York. Triggers keep the twins the same, whoever writes which.

use sea_orm_migration::prelude::*;
use seaworthy::revision::{Header, Revision, Stage};

use crate::phase_xiii::{TIMES, knows_zones};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20250105_100000_add_zoned_times"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("a71c5e20d9f3")
                .revises("515090cc3bed")
                .message("give times a twin that knows its zone")
                .created("2025-01-05 10:00:00")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for time in TIMES.iter().filter(|_| knows_zones(manager)) {
            time.zoned().expand(manager).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for time in TIMES.iter().rev().filter(|_| knows_zones(manager)) {
            time.zoned().collapse(manager).await?;
        }
        Ok(())
    }

    // Each step commits by itself, so that nobody waits for more than one of them.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}
