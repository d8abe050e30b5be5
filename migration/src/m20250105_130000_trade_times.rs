//! Phase XIII, fourth step: each time and its twin trade names, so that the name stands for a moment.
//!
//! Code that insists on the old type must be gone. The service asks for the type that it reads, and bears both.

use sea_orm_migration::prelude::*;
use seaworthy::backfill::Backfill;
use seaworthy::revision::{Accepted, Header, Revision, Stage};

use crate::phase_xiii::{self, TIMES, knows_zones};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20250105_130000_trade_times"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        let header = Header::new("62d9a4f7018b")
            .revises("9bd4270e58a1")
            .message("let times and their twins trade names")
            .created("2025-01-05 13:00:00")
            .stage(Stage::Contract);
        let header = phase_xiii::backfills()
            .iter()
            .map(Backfill::name)
            .fold(header, Header::requires_backfill);
        Some(TIMES.iter().fold(header, |header, time| {
            let header = header.changes(format!("{}.{}", time.table, time.column));
            renames(time.table, time.column, &time.twin())
                .into_iter()
                .fold(header, |header, rename| {
                    let why = "the other column has the name in the same moment, and the trigger keeps both the same";
                    header
                        .accepts(Accepted::up("column-renamed", rename.clone(), why))
                        .accepts(Accepted::down("column-renamed", rename, why))
                })
        }))
    }
}

fn renames(table: &str, column: &str, twin: &str) -> [String; 3] {
    let between = format!("seaworthy_{column}_between");
    [(column, &*between), (twin, column), (&*between, twin)]
        .map(|(old, new)| format!("ALTER TABLE {table} RENAME COLUMN {old} TO {new}"))
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for time in TIMES.iter().filter(|_| knows_zones(manager)) {
            time.zoned().swap(manager, &time.zoneless()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for time in TIMES.iter().rev().filter(|_| knows_zones(manager)) {
            time.zoneless().swap(manager, &time.zoned()).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}
