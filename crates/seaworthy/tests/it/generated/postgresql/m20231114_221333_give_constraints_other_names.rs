//! Give constraints other names.

use sea_orm_migration::prelude::*;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20231114_221333_give_constraints_other_names"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("00000000000e")
                .revises("00000000000d")
                .message("give constraints other names")
                .created("2023-11-14 22:13:33")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(
            manager,
            r#"ALTER TABLE "tasks" RENAME CONSTRAINT "ck_tasks_title" TO "tasks_have_titles""#,
        )
        .await?;
        execute(
            manager,
            r#"ALTER TABLE "tasks" RENAME CONSTRAINT "uq_tasks_id_place" TO "tasks_have_places""#,
        )
        .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(
            manager,
            r#"ALTER TABLE "tasks" RENAME CONSTRAINT "tasks_have_places" TO "uq_tasks_id_place""#,
        )
        .await?;
        execute(
            manager,
            r#"ALTER TABLE "tasks" RENAME CONSTRAINT "tasks_have_titles" TO "ck_tasks_title""#,
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
