//! Keep fewer rows on a page.

use sea_orm_migration::prelude::*;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20231114_221355_keep_fewer_rows_on_a_page"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("000000000024")
                .revises("000000000023")
                .message("keep fewer rows on a page")
                .created("2023-11-14 22:13:55")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(manager, r#"ALTER TABLE "tasks" SET (fillfactor=70)"#).await?;
        execute(
            manager,
            r#"ALTER TABLE "tasks" ALTER COLUMN "title" SET STORAGE EXTERNAL"#,
        )
        .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(
            manager,
            r#"ALTER TABLE "tasks" ALTER COLUMN "title" SET STORAGE EXTENDED"#,
        )
        .await?;
        execute(manager, r#"ALTER TABLE "tasks" RESET (fillfactor)"#).await?;
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
