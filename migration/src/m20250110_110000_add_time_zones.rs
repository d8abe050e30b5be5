//! Phase XVIII, last step: people say in which time zone their days are, once instead of with each request.

use sea_orm_migration::prelude::*;
use seaworthy::online;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20250110_110000_add_time_zones"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("1f8b60d5e2c7")
                .revises("c7e1d4a9b035")
                .message("add users.time_zone")
                .created("2025-01-10 11:00:00")
                .phase("XVIII")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let time_zone = ColumnDef::new("time_zone").string_len(64).null().take();
        online::add_column(manager, "users", time_zone).await
    }

    // What people chose goes; their days are those of UTC again.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        online::drop_column(manager, "users", "time_zone").await
    }
}
