//! Measure nothing.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::custom_null;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20231114_221411_measure_nothing"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("000000000034")
                .revises("000000000033")
                .message("measure nothing")
                .created("2023-11-14 22:14:11")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(manager, "COMMENT ON DOMAIN fathoms IS NULL").await?;
        execute(manager, "DROP VIEW deep_tasks").await?;
        // Destructive: every row of depths is lost.
        manager
            .drop_table(Table::drop().table("depths").to_owned())
            .await?;
        execute(manager, "DROP DOMAIN fathoms").await?;
        execute(manager, "DROP EXTENSION citext").await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(manager, "CREATE EXTENSION IF NOT EXISTS citext").await?;
        execute(manager, "CREATE DOMAIN fathoms AS numeric").await?;
        execute(
            manager,
            "ALTER DOMAIN fathoms ADD CONSTRAINT deep CHECK ((VALUE >= (0)::numeric))",
        )
        .await?;
        // Brings depths back without its rows.
        manager
            .create_table(
                Table::create()
                    .table("depths")
                    .col(custom_null("depth", "fathoms"))
                    .col(custom_null("place", "citext"))
                    .to_owned(),
            )
            .await?;
        execute(
            manager,
            "CREATE OR REPLACE VIEW deep_tasks AS\n SELECT tasks.id,\n    depths.place\n   FROM tasks,\n    depths",
        )
        .await?;
        execute(manager, "COMMENT ON DOMAIN fathoms IS 'six feet each'").await?;
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
