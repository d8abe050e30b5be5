//! Count orders in tens.

use sea_orm_migration::prelude::*;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20231114_221348_count_orders_in_tens"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("00000000001d")
                .revises("00000000001c")
                .message("count orders in tens")
                .created("2023-11-14 22:13:48")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(
            manager,
            r#"ALTER SEQUENCE "order_no" AS bigint INCREMENT BY 10 NO MINVALUE NO MAXVALUE START WITH 1 CACHE 1 NO CYCLE"#,
        )
        .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(
            manager,
            r#"ALTER SEQUENCE "order_no" AS bigint INCREMENT BY 1 NO MINVALUE NO MAXVALUE START WITH 1 CACHE 1 NO CYCLE"#,
        )
        .await?;
        Ok(())
    }

    // SeaORM's own runner opens no transaction on SQLite unless it is told to.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// Sends SQL of PostgreSQL.
async fn execute(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() != sea_orm::DbBackend::Postgres {
        let what = "this revision was generated on PostgreSQL and says nothing for other databases";
        return Err(DbErr::Migration(what.to_owned()));
    }
    manager.get_connection().execute_unprepared(sql).await?;
    Ok(())
}
