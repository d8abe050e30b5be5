//! Phase VII, first step: what lists are sorted by, so that the first page of a hundred thousand tasks costs what the first
//! page of a hundred does.
//!
//! Each index begins with the owner and with whether the task is done: a list of both reads two ranges, a list of one
//! reads one, and none skips what the other would show. The id settles ties.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;
use seaworthy::online;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20241229_100000_index_lists"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("b7d20c95e1f8")
                .revises("5e9b84d0c2f7")
                .message("index what lists are sorted by")
                .created("2024-12-29 10:00:00")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    // Plain SQL: sea-query 1.0.2 panics at an index over an expression on SQLite.
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        for (name, keys) in INDEXES {
            let keys: String = keys.iter().map(|key| key.sql(backend)).collect();
            let index = format!("CREATE INDEX {name} ON tasks (user_id, completed, {keys}id)");
            online::create_index(manager, index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, _) in INDEXES.into_iter().rev() {
            online::drop_index(manager, name).await?;
        }
        Ok(())
    }

    // PostgreSQL builds an index beside running writes only outside of a transaction.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}

/// By what each sorts, between the owner and the id.
const INDEXES: [(&str, &[Key]); 7] = [
    ("idx_tasks_list_id", &[]),
    ("idx_tasks_list_due_date", &[Key::Nullable("due_date")]),
    // The most urgent first, and of those the ones that are due first.
    (
        "idx_tasks_list_priority_due_date",
        &[Key::Present(RANK_DOWN), Key::Nullable("due_date")],
    ),
    ("idx_tasks_list_priority", &[Key::Present(RANK)]),
    ("idx_tasks_list_created_at", &[Key::Nullable("created_at")]),
    ("idx_tasks_list_updated_at", &[Key::Nullable("updated_at")]),
    ("idx_tasks_list_title", &[Key::Present("title")]),
];

const RANK: &str = "(CASE priority WHEN 'high' THEN 3 WHEN 'low' THEN 1 ELSE 2 END)";
/// As text `high` comes before `low`.
const RANK_DOWN: &str = "(CASE priority WHEN 'high' THEN 3 WHEN 'low' THEN 1 ELSE 2 END) DESC";

enum Key {
    Present(&'static str),
    /// Missing values come last in a list. SQLite sorts them first, unless whether one is missing is a key before it.
    Nullable(&'static str),
}

impl Key {
    fn sql(&self, backend: DbBackend) -> String {
        match (self, backend) {
            (Self::Nullable(column), DbBackend::Sqlite) => format!("({column} IS NULL), {column}, "),
            (Self::Present(key) | Self::Nullable(key), _) => format!("{key}, "),
        }
    }
}
