//! Keep events by day and in a table of their own.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::custom_null;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20231114_221356_keep_events_by_day_and_in_a_table_of_the"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("000000000025")
                .revises("000000000024")
                .message("keep events by day and in a table of their own")
                .created("2023-11-14 22:13:56")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("alarms")
                    .col(custom_null("during", "tstzrange"))
                    .to_owned(),
            )
            .await?;
        execute(
            manager,
            r#"CREATE TABLE "events" ("day" date NOT NULL) PARTITION BY RANGE (day)"#,
        )
        .await?;
        execute(
            manager,
            r#"CREATE TABLE "events_2024_01_01" PARTITION OF "events" FOR VALUES FROM ('2024-01-01') TO ('2024-02-01')"#,
        )
        .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Destructive: every row of events is lost.
        manager
            .drop_table(Table::drop().table("events").to_owned())
            .await?;
        // Destructive: every row of alarms is lost.
        manager
            .drop_table(Table::drop().table("alarms").to_owned())
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
