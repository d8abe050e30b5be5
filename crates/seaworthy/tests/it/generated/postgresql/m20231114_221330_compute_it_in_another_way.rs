//! Compute it in another way.

use sea_orm_migration::prelude::*;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20231114_221330_compute_it_in_another_way"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("00000000000b")
                .revises("00000000000a")
                .message("compute it in another way")
                .created("2023-11-14 22:13:30")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Destructive: what kinds.twice holds is lost.
        execute(manager, r#"ALTER TABLE "kinds" DROP COLUMN "twice""#).await?;
        execute(
            manager,
            r#"ALTER TABLE "kinds" ADD COLUMN "twice" integer GENERATED ALWAYS AS (size + size) STORED"#,
        )
        .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Destructive: what kinds.twice holds is lost.
        execute(manager, r#"ALTER TABLE "kinds" DROP COLUMN "twice""#).await?;
        execute(
            manager,
            r#"ALTER TABLE "kinds" ADD COLUMN "twice" integer GENERATED ALWAYS AS (size * 2) STORED"#,
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
