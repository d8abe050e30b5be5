//! Phase X, first step: a tag can say whose it is.
//!
//! The column is empty for now, and what it is going to be unique with and looked up by is indexed while the tables are in
//! use. Code that knows nothing of it goes on as before.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20250101_100000_name_owners_of_tags"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("7c25d9e0b41f")
                .revises("e05c7b1d48a2")
                .message("let a tag say whose it is")
                .created("2025-01-01 10:00:00")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let (if_missing, concurrently) = words(manager);
        for sql in [
            format!("ALTER TABLE tags ADD COLUMN {if_missing}user_id varchar(255)"),
            format!(
                "CREATE UNIQUE INDEX {concurrently}IF NOT EXISTS tags_user_id_name_key ON tags (user_id, name)"
            ),
            // The primary key begins with the task: without this one, whoever deletes a tag reads every link there is.
            format!("CREATE INDEX {concurrently}IF NOT EXISTS idx_task_tags_tag_id ON task_tags (tag_id)"),
        ] {
            connection.execute_unprepared(&sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let (_, concurrently) = words(manager);
        for index in ["idx_task_tags_tag_id", "tags_user_id_name_key"] {
            let sql = format!("DROP INDEX {concurrently}IF EXISTS {index}");
            connection.execute_unprepared(&sql).await?;
        }
        let column = Table::alter().table("tags").drop_column("user_id").to_owned();
        manager.alter_table(column).await
    }

    // PostgreSQL builds an index beside running writes only outside of a transaction. What ran before a failure stays
    // then, and is recognised by the runner; what a failed build left INVALID is removed before it builds again.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}

/// SQLite knows neither.
fn words(manager: &SchemaManager) -> (&'static str, &'static str) {
    match manager.get_database_backend() {
        DbBackend::Postgres => ("IF NOT EXISTS ", "CONCURRENTLY "),
        _ => ("", ""),
    }
}
