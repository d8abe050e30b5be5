//! Build indexes of every kind.

use sea_orm_migration::prelude::*;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20231114_221335_build_indexes_of_every_kind"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("000000000010")
                .revises("00000000000f")
                .message("build indexes of every kind")
                .created("2023-11-14 22:13:35")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(
            manager,
            r#"CREATE INDEX "idx_tasks_lower" ON "tasks" ((lower(title)))"#,
        )
        .await?;
        manager
            .create_index(
                Index::create()
                    .name("idx_tasks_newest")
                    .table("tasks")
                    .col("parent")
                    .col(("id", IndexOrder::Desc))
                    .to_owned(),
            )
            .await?;
        execute(
            manager,
            r#"CREATE INDEX "idx_tasks_open" ON "tasks" ("place") WHERE place > 0"#,
        )
        .await?;
        // Fails where two rows agree.
        manager
            .create_index(
                Index::create()
                    .name("uq_tasks_place")
                    .table("tasks")
                    .col("place")
                    .col("id")
                    .unique()
                    .to_owned(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_index(
                Index::drop()
                    .name("uq_tasks_place")
                    .table("tasks")
                    .to_owned(),
            )
            .await?;
        manager
            .drop_index(
                Index::drop()
                    .name("idx_tasks_open")
                    .table("tasks")
                    .to_owned(),
            )
            .await?;
        manager
            .drop_index(
                Index::drop()
                    .name("idx_tasks_newest")
                    .table("tasks")
                    .to_owned(),
            )
            .await?;
        manager
            .drop_index(
                Index::drop()
                    .name("idx_tasks_lower")
                    .table("tasks")
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

/// Sends SQL of SQLite.
async fn execute(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() != sea_orm::DbBackend::Sqlite {
        let what = "this revision was generated on SQLite and says nothing for other databases";
        return Err(DbErr::Migration(what.to_owned()));
    }
    manager.get_connection().execute_unprepared(sql).await?;
    Ok(())
}
