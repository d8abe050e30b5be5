//! Have no moods.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::custom;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20231114_221401_have_no_moods"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("00000000002a")
                .revises("000000000029")
                .message("have no moods")
                .created("2023-11-14 22:14:01")
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
                    .table("tasks")
                    .drop_constraint("ck_tasks_mood")
                    .to_owned(),
            )
            .await?;
        manager
            .drop_index(
                Index::drop()
                    .name("idx_tasks_good")
                    .table("tasks")
                    .to_owned(),
            )
            .await?;
        // Destructive: what tasks.mood holds is lost.
        manager
            .alter_table(Table::alter().table("tasks").drop_column("mood").to_owned())
            .await?;
        execute(manager, r#"DROP TYPE "mood""#).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(
            manager,
            r#"CREATE TYPE "mood" AS ENUM ('none', 'good', 'fair', 'bad')"#,
        )
        .await?;
        // Brings tasks.mood back without what it held.
        manager
            .alter_table(
                Table::alter()
                    .table("tasks")
                    .add_column(custom("mood", "mood").default("fair"))
                    .to_owned(),
            )
            .await?;
        execute(
            manager,
            r#"CREATE INDEX "idx_tasks_good" ON "tasks" ("id") WHERE mood = 'good'::mood"#,
        )
        .await?;
        execute(
            manager,
            r#"ALTER TABLE "tasks" ADD CONSTRAINT "ck_tasks_mood" CHECK (mood <> 'none'::mood)"#,
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
