//! Phase VII, second step: indexes that no query is better for any more.
//!
//! What they were good for begins with the owner, and the indexes of the step before serve it. Each index less is one less to
//! write: a changed task is written into all of them on PostgreSQL.

use sea_orm_migration::prelude::*;
use seaworthy::online;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20241229_110000_drop_idle_indexes"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("4f6ae8c3190d")
                .revises("b7d20c95e1f8")
                .message("drop the indexes that no query needs any more")
                .created("2024-12-29 11:00:00")
                .phase("VII")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, _) in INDEXES {
            online::drop_index(manager, name).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, column) in INDEXES.into_iter().rev() {
            online::create_index(manager, format!("CREATE INDEX {name} ON tasks ({column})")).await?;
        }
        Ok(())
    }

    // PostgreSQL drops an index beside running queries only outside of a transaction.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}

/// Two or three different values in a whole table, or the first column of a longer index.
const INDEXES: [(&str, &str); 5] = [
    ("idx_tasks_completed", "completed"),
    ("idx_tasks_user_id", "user_id"),
    ("idx_tasks_priority", "priority"),
    ("idx_tasks_is_recurring", "is_recurring"),
    ("idx_tasks_due_date", "due_date"),
];
