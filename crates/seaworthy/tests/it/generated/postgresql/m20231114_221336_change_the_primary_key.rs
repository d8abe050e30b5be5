//! Change the primary key.

use sea_orm_migration::prelude::*;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20231114_221336_change_the_primary_key"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("000000000011")
                .revises("000000000010")
                .message("change the primary key")
                .created("2023-11-14 22:13:36")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("kinds")
                    .modify_column(ColumnDef::new("size").not_null())
                    .to_owned(),
            )
            .await?;
        execute(
            manager,
            r#"ALTER TABLE "kinds" DROP CONSTRAINT "kinds_pkey""#,
        )
        .await?;
        execute(
            manager,
            r#"ALTER TABLE "kinds" ADD CONSTRAINT "kinds_pkey" PRIMARY KEY ("id", "size")"#,
        )
        .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(
            manager,
            r#"ALTER TABLE "kinds" DROP CONSTRAINT "kinds_pkey""#,
        )
        .await?;
        execute(
            manager,
            r#"ALTER TABLE "kinds" ADD CONSTRAINT "kinds_pkey" PRIMARY KEY ("id")"#,
        )
        .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("kinds")
                    .modify_column(ColumnDef::new("size").null())
                    .to_owned(),
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
