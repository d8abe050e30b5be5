//! Put moods in another order.

use sea_orm_migration::prelude::*;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20231114_221346_put_moods_in_another_order"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("00000000001b")
                .revises("00000000001a")
                .message("put moods in another order")
                .created("2023-11-14 22:13:46")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(
            manager,
            r#"ALTER TABLE "tasks" DROP CONSTRAINT "ck_tasks_mood""#,
        )
        .await?;
        execute(manager, r#"DROP INDEX "idx_tasks_good""#).await?;
        execute(manager, r#"ALTER TYPE "mood" RENAME TO "mood_old""#).await?;
        execute(
            manager,
            r#"CREATE TYPE "mood" AS ENUM ('none', 'good', 'fair', 'bad')"#,
        )
        .await?;
        execute(
            manager,
            r#"ALTER TABLE "tasks" ALTER COLUMN "mood" DROP DEFAULT"#,
        )
        .await?;
        execute(
            manager,
            r#"ALTER TABLE "tasks" ALTER COLUMN "mood" TYPE mood USING "mood"::text::mood"#,
        )
        .await?;
        execute(
            manager,
            r#"ALTER TABLE "tasks" ALTER COLUMN "mood" SET DEFAULT 'fair'"#,
        )
        .await?;
        execute(manager, r#"DROP TYPE "mood_old""#).await?;
        execute(
            manager,
            r#"ALTER TABLE "tasks" ADD CONSTRAINT "ck_tasks_mood" CHECK (mood <> 'none'::mood)"#,
        )
        .await?;
        execute(
            manager,
            r#"CREATE INDEX "idx_tasks_good" ON "tasks" ("id") WHERE mood = 'good'::mood"#,
        )
        .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(
            manager,
            r#"ALTER TABLE "tasks" DROP CONSTRAINT "ck_tasks_mood""#,
        )
        .await?;
        execute(manager, r#"DROP INDEX "idx_tasks_good""#).await?;
        execute(manager, r#"ALTER TYPE "mood" RENAME TO "mood_old""#).await?;
        execute(
            manager,
            r#"CREATE TYPE "mood" AS ENUM ('bad', 'fair', 'good', 'none')"#,
        )
        .await?;
        execute(
            manager,
            r#"ALTER TABLE "tasks" ALTER COLUMN "mood" DROP DEFAULT"#,
        )
        .await?;
        execute(
            manager,
            r#"ALTER TABLE "tasks" ALTER COLUMN "mood" TYPE mood USING "mood"::text::mood"#,
        )
        .await?;
        execute(
            manager,
            r#"ALTER TABLE "tasks" ALTER COLUMN "mood" SET DEFAULT 'fair'"#,
        )
        .await?;
        execute(manager, r#"DROP TYPE "mood_old""#).await?;
        execute(
            manager,
            r#"ALTER TABLE "tasks" ADD CONSTRAINT "ck_tasks_mood" CHECK (mood <> 'none'::mood)"#,
        )
        .await?;
        execute(
            manager,
            r#"CREATE INDEX "idx_tasks_good" ON "tasks" ("id") WHERE mood = 'good'::mood"#,
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
