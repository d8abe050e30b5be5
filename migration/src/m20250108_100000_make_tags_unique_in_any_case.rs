//! Phase XVI: nobody has two tags that differ by the case of their letters alone.
//!
//! Those that there are become one first: tasks move to the tag that was there first, and whoever keeps a copy of them is told.
//! Only ASCII letters lose their case, as in the service: SQLite's `lower` knows no others.
//!
//! A contract: code that puts both spellings on tasks must be gone.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;
use seaworthy::revision::{Accepted, Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20250108_100000_make_tags_unique_in_any_case"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("db105f452dd6")
                .revises("9c2e7a41f0b3")
                .message("make tags unique in any case")
                .created("2025-01-08 10:00:00")
                .phase("XVI")
                .stage(Stage::Contract)
                .accepts(Accepted::up(
                    "bulk-dml",
                    "UPDATE tasks",
                    "only tasks with a tag that is there twice are written, and both indexes lead to them",
                )),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let words = Words::of(manager);
        for sql in [
            words.tell_the_owners(),
            words.take_what_is_there_twice_off(),
            words.move_to_the_first(),
            words.forget_the_others(),
            words.unique_index(),
        ] {
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }

    // What is one tag stays one: nothing says any more which task had which spelling.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let Words { concurrently, .. } = Words::of(manager);
        let sql = format!("DROP INDEX {concurrently}IF EXISTS tags_user_id_lower_name_key");
        manager.get_connection().execute_unprepared(&sql).await.map(drop)
    }

    // PostgreSQL builds an index beside running writes only outside of a transaction. Each statement leaves something that makes
    // sense, and finds what is still to be done.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}

/// What the databases spell in different ways.
struct Words {
    collate: &'static str,
    concurrently: &'static str,
}

impl Words {
    fn of(manager: &SchemaManager) -> Self {
        match manager.get_database_backend() {
            DbBackend::Postgres => Self {
                collate: " COLLATE \"C\"",
                concurrently: "CONCURRENTLY ",
            },
            _ => Self {
                collate: "",
                concurrently: "",
            },
        }
    }

    /// Selects something of the tags of which their owner has an earlier one by the same name.
    fn later(&self, what: &str) -> String {
        let collate = self.collate;
        format!(
            "SELECT {what} FROM tags AS later JOIN tags AS earlier ON earlier.user_id = later.user_id \
             AND lower(earlier.name{collate}) = lower(later.name{collate}) AND earlier.id < later.id"
        )
    }

    /// The triggers on tasks write a change down, whatever has changed.
    fn tell_the_owners(&self) -> String {
        format!(
            "UPDATE tasks SET updated_at = updated_at \
             WHERE id IN (SELECT task_id FROM task_tags WHERE tag_id IN ({}))",
            self.later("later.id")
        )
    }

    fn take_what_is_there_twice_off(&self) -> String {
        format!(
            "DELETE FROM task_tags WHERE EXISTS ({} AND later.id = task_tags.tag_id \
             JOIN task_tags AS link ON link.tag_id = earlier.id AND link.task_id = task_tags.task_id)",
            self.later("1")
        )
    }

    fn move_to_the_first(&self) -> String {
        let later = self.later("min(earlier.id)");
        format!(
            "UPDATE task_tags SET tag_id = ({later} AND later.id = task_tags.tag_id) WHERE tag_id IN ({})",
            self.later("later.id")
        )
    }

    fn forget_the_others(&self) -> String {
        format!(
            "DELETE FROM tags WHERE id IN ({}) AND NOT EXISTS (SELECT 1 FROM task_tags WHERE task_tags.tag_id = tags.id)",
            self.later("later.id")
        )
    }

    fn unique_index(&self) -> String {
        let Self {
            collate,
            concurrently,
        } = self;
        format!(
            "CREATE UNIQUE INDEX {concurrently}IF NOT EXISTS tags_user_id_lower_name_key \
             ON tags (user_id, lower(name{collate}))"
        )
    }
}
