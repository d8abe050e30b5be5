//! Keep events of another month.

use sea_orm_migration::prelude::*;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20231114_221357_keep_events_of_another_month"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("000000000026")
                .revises("000000000025")
                .message("keep events of another month")
                .created("2023-11-14 22:13:57")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(manager, r#"ALTER TABLE "alarms" INHERIT "bookings""#).await?;
        execute(
            manager,
            r#"ALTER TABLE "events" DETACH PARTITION "events_2024_01_01""#,
        )
        .await?;
        execute(
            manager,
            r#"ALTER TABLE "events" ATTACH PARTITION "events_2024_01_01" FOR VALUES FROM ('2024-01-01') TO ('2024-01-31')"#,
        )
        .await?;
        execute(
            manager,
            r#"CREATE TABLE "events_2024_02_01" PARTITION OF "events" FOR VALUES FROM ('2024-02-01') TO ('2024-03-01')"#,
        )
        .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Destructive: every row of events_2024_02_01 is lost.
        execute(manager, r#"DROP TABLE "events_2024_02_01""#).await?;
        execute(
            manager,
            r#"ALTER TABLE "events" DETACH PARTITION "events_2024_01_01""#,
        )
        .await?;
        execute(
            manager,
            r#"ALTER TABLE "events" ATTACH PARTITION "events_2024_01_01" FOR VALUES FROM ('2024-01-01') TO ('2024-02-01')"#,
        )
        .await?;
        execute(manager, r#"ALTER TABLE "alarms" NO INHERIT "bookings""#).await?;
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
