//! Phase XVII, first step: searches know the letters of every script in either case, on both databases.
//!
//! SQLite's `LIKE` knows the case of ASCII letters alone, and PostgreSQL's `ILIKE` that of the letters that its locale knows. So the
//! service folds what is more than ASCII and keeps it beside the text: when it writes, and in rounds what others have written. The
//! database forgets a folded text when the text changes and it does not, for then somebody wrote who knows nothing of it.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;
use seaworthy::online;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20250109_100000_add_folded_texts"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("5fb0c2917d4e")
                .revises("db105f452dd6")
                .message("add folded texts of tasks, and search them")
                .created("2025-01-09 10:00:00")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["title_folded", "description_folded"] {
            online::add_column(manager, "tasks", ColumnDef::new(column).text().null().take()).await?;
        }
        let (statements, indexes): (&[&str], [&str; 2]) = match manager.get_database_backend() {
            DbBackend::Postgres => (&FORGET_ON_POSTGRESQL, INDEXES_ON_POSTGRESQL),
            _ => (&FORGET_ON_SQLITE, INDEXES_ON_SQLITE),
        };
        for sql in statements {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        for index in indexes {
            online::create_index(manager, index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for index in ["idx_tasks_folded_text", "idx_tasks_unfolded"] {
            online::drop_index(manager, index).await?;
        }
        let statements: &[&str] = match manager.get_database_backend() {
            DbBackend::Postgres => &[
                "DROP TRIGGER IF EXISTS tasks_forget_folded_text ON tasks",
                "DROP FUNCTION IF EXISTS forget_folded_text()",
            ],
            _ => &[
                "DROP TRIGGER IF EXISTS tasks_forget_folded_title",
                "DROP TRIGGER IF EXISTS tasks_forget_folded_description",
            ],
        };
        for sql in statements {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        for column in ["title_folded", "description_folded"] {
            online::drop_column(manager, "tasks", column).await?;
        }
        Ok(())
    }

    // PostgreSQL builds an index beside running writes only outside of a transaction. So each statement can be sent again after a
    // crash.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}

const FORGET_ON_POSTGRESQL: [&str; 3] = [
    "CREATE OR REPLACE FUNCTION forget_folded_text() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.title <> OLD.title AND NEW.title_folded = OLD.title_folded THEN
        NEW.title_folded := NULL;
    END IF;
    IF NEW.description IS DISTINCT FROM OLD.description AND NEW.description_folded = OLD.description_folded THEN
        NEW.description_folded := NULL;
    END IF;
    RETURN NEW;
END
$$",
    "DROP TRIGGER IF EXISTS tasks_forget_folded_text ON tasks",
    "CREATE TRIGGER tasks_forget_folded_text BEFORE UPDATE OF title, description ON tasks FOR EACH ROW \
     WHEN (OLD.title_folded IS NOT NULL OR OLD.description_folded IS NOT NULL) EXECUTE FUNCTION forget_folded_text()",
];

const FORGET_ON_SQLITE: [&str; 2] = [
    "CREATE TRIGGER IF NOT EXISTS tasks_forget_folded_title AFTER UPDATE OF title ON tasks \
     WHEN NEW.title_folded = OLD.title_folded AND NEW.title <> OLD.title BEGIN \
     UPDATE tasks SET title_folded = NULL WHERE id = NEW.id; \
     END",
    "CREATE TRIGGER IF NOT EXISTS tasks_forget_folded_description AFTER UPDATE OF description ON tasks \
     WHEN NEW.description_folded = OLD.description_folded AND NEW.description IS NOT OLD.description BEGIN \
     UPDATE tasks SET description_folded = NULL WHERE id = NEW.id; \
     END",
];

/// What is searched, as in phase VIII; and where something is to be folded, which is hardly ever anything.
const INDEXES_ON_POSTGRESQL: [&str; 2] = [
    "CREATE INDEX idx_tasks_folded_text ON tasks USING gin \
     ((coalesce(title_folded, title) || chr(10) || coalesce(description_folded, description, '')) gin_trgm_ops)",
    "CREATE INDEX idx_tasks_unfolded ON tasks (id) \
     WHERE (title_folded IS NULL AND octet_length(title) > length(title)) \
     OR (description_folded IS NULL AND octet_length(description) > length(description))",
];

const INDEXES_ON_SQLITE: [&str; 2] = [
    "CREATE INDEX idx_tasks_folded_text ON tasks (user_id, completed, \
     (coalesce(title_folded, title) || char(10) || coalesce(description_folded, description, '')))",
    "CREATE INDEX idx_tasks_unfolded ON tasks (id) \
     WHERE (title_folded IS NULL AND length(CAST(title AS blob)) > length(title)) \
     OR (description_folded IS NULL AND length(CAST(description AS blob)) > length(description))",
];
