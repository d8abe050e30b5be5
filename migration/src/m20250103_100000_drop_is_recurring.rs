//! Phase XI: whether a task recurs is said by how it does, and by nothing else.
//!
//! The second of two steps. The first was to release code that neither reads the column nor needs it: it writes it while it is
//! there, for code that is older. What is older than this revision must be gone.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;
use seaworthy::revision::{Accepted, Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20250103_100000_drop_is_recurring"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("15d8b2f6e07c")
                .revises("f26a81b5c3d7")
                .message("drop what says a second time that a task recurs")
                .created("2025-01-03 10:00:00")
                .phase("XI")
                .stage(Stage::Contract)
                .removes("tasks.is_recurring")
                .accepts(Accepted::down(
                    "bulk-dml",
                    "UPDATE tasks",
                    "only tasks that recur are written, and each is locked for as long as that takes",
                )),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = match manager.get_database_backend() {
            DbBackend::Postgres => "ALTER TABLE tasks DROP COLUMN IF EXISTS is_recurring",
            _ => "ALTER TABLE tasks DROP COLUMN is_recurring",
        };
        manager.get_connection().execute_unprepared(sql).await.map(drop)
    }

    // Nothing is lost: what the column held is worked out again.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let add = match manager.get_database_backend() {
            DbBackend::Postgres => {
                "ALTER TABLE tasks ADD COLUMN IF NOT EXISTS is_recurring bool NOT NULL DEFAULT false"
            }
            _ => "ALTER TABLE tasks ADD COLUMN is_recurring boolean NOT NULL DEFAULT FALSE",
        };
        connection.execute_unprepared(add).await?;
        let fill =
            "UPDATE tasks SET is_recurring = TRUE WHERE recurrence_pattern IS NOT NULL AND NOT is_recurring";
        connection.execute_unprepared(fill).await.map(drop)
    }

    // A transaction would hold the lock of the new column until all rows are filled.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}
