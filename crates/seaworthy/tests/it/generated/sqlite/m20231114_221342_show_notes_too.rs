//! Show notes too.

use sea_orm_migration::prelude::*;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20231114_221342_show_notes_too"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("000000000017")
                .revises("000000000016")
                .message("show notes too")
                .created("2023-11-14 22:13:42")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(manager, r#"DROP VIEW "titles""#).await?;
        execute(
            manager,
            "CREATE VIEW titles AS SELECT id, title, note FROM tasks",
        )
        .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(manager, r#"DROP VIEW "titles""#).await?;
        execute(manager, "CREATE VIEW titles AS SELECT id, title FROM tasks").await?;
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
