//! Phase X, last step: every tag has an owner who exists.
//!
//! PostgreSQL reads the table under a lock that lets everybody go on, and then takes the proof for the column's rule at once.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;
use seaworthy::revision::{Accepted, Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20250102_120000_settle_owners_of_tags"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("f26a81b5c3d7")
                .revises("c94e0d7a35b2")
                .message("give every tag an owner")
                .created("2025-01-02 12:00:00")
                .phase("X")
                .stage(Stage::Contract)
                .accepts(Accepted::up(
                    "bulk-dml",
                    "DELETE FROM tags",
                    "names that no task carries and nobody owns: nobody reads or writes such a row",
                )),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        send(manager, &[FORGET_NOBODYS]).await?;
        match manager.get_database_backend() {
            DbBackend::Postgres => send(manager, UP_POSTGRES).await,
            _ => rebuild(manager, "NOT NULL").await,
        }
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        match manager.get_database_backend() {
            DbBackend::Postgres => send(manager, DOWN_POSTGRES).await,
            _ => rebuild(manager, "NULL").await,
        }
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// Names that people shared once, and that no task carries any more.
const FORGET_NOBODYS: &str = "DELETE FROM tags \
     WHERE NOT EXISTS (SELECT 1 FROM users WHERE users.id = tags.user_id) \
     AND NOT EXISTS (SELECT 1 FROM task_tags WHERE task_tags.tag_id = tags.id)";

const UP_POSTGRES: &[&str] = &[
    "ALTER TABLE tags VALIDATE CONSTRAINT tags_user_id_set",
    "ALTER TABLE tags VALIDATE CONSTRAINT tags_user_id_fkey",
    "ALTER TABLE tags ALTER COLUMN user_id SET NOT NULL",
    "ALTER TABLE tags DROP CONSTRAINT tags_user_id_set",
];

const DOWN_POSTGRES: &[&str] = &[
    "ALTER TABLE tags ADD CONSTRAINT tags_user_id_set CHECK (user_id IS NOT NULL) NOT VALID",
    "ALTER TABLE tags ALTER COLUMN user_id DROP NOT NULL",
    // A rule cannot be made one for new rows only again; it is a new one.
    "ALTER TABLE tags DROP CONSTRAINT tags_user_id_fkey",
    "ALTER TABLE tags ADD CONSTRAINT tags_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) \
     ON DELETE CASCADE NOT VALID",
];

/// Builds the table again, which is how SQLite changes a column. What refers to it is built again as well, or
/// dropping the table would take every link along.
async fn rebuild(manager: &SchemaManager<'_>, nullable: &str) -> Result<(), DbErr> {
    let tags = format!(
        "CREATE TABLE tags_new (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, name varchar(50) NOT NULL, \
         created_at timestamp_text NULL DEFAULT CURRENT_TIMESTAMP, user_id varchar(255) {nullable}, \
         CONSTRAINT tags_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE)"
    );
    send(manager, &[&tags]).await?;
    send(manager, REBUILD).await
}

async fn send(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
    for sql in statements {
        manager.get_connection().execute_unprepared(sql).await?;
    }
    Ok(())
}

const REBUILD: &[&str] = &[
    "INSERT INTO tags_new (id, name, created_at, user_id) SELECT id, name, created_at, user_id FROM tags",
    // Numbers that are gone are not given again.
    "UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'tags') WHERE name = 'tags_new'",
    "INSERT INTO sqlite_sequence (name, seq) SELECT 'tags_new', seq FROM sqlite_sequence WHERE name = 'tags' \
     AND NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'tags_new')",
    LINKS,
    "INSERT INTO task_tags_new (task_id, tag_id) SELECT task_id, tag_id FROM task_tags",
    "DROP TABLE task_tags",
    "DROP TABLE tags",
    "ALTER TABLE tags_new RENAME TO tags",
    "ALTER TABLE task_tags_new RENAME TO task_tags",
    "CREATE UNIQUE INDEX tags_user_id_name_key ON tags (user_id, name)",
    "CREATE INDEX idx_task_tags_tag_id ON task_tags (tag_id)",
    "CREATE TRIGGER task_tags_own_new AFTER INSERT ON task_tags BEGIN \
     UPDATE OR IGNORE tags SET user_id = (SELECT task.user_id FROM tasks AS task WHERE task.id = NEW.task_id) \
     WHERE user_id IS NULL AND id IN (SELECT link.tag_id FROM task_tags AS link WHERE link.task_id = NEW.task_id); \
     INSERT INTO tags (user_id, name, created_at) SELECT task.user_id, tag.name, tag.created_at \
     FROM task_tags AS link JOIN tasks AS task ON task.id = link.task_id JOIN tags AS tag ON tag.id = link.tag_id \
     WHERE link.task_id = NEW.task_id AND tag.user_id IS NOT task.user_id ON CONFLICT (user_id, name) DO NOTHING; \
     UPDATE OR REPLACE task_tags SET tag_id = (SELECT own.id FROM tags AS tag JOIN tasks AS task ON task.id = task_tags.task_id \
     JOIN tags AS own ON own.user_id = task.user_id AND own.name = tag.name WHERE tag.id = task_tags.tag_id) \
     WHERE task_id = NEW.task_id AND EXISTS (SELECT 1 FROM tags AS tag JOIN tasks AS task ON task.id = task_tags.task_id \
     WHERE tag.id = task_tags.tag_id AND tag.user_id IS NOT task.user_id); \
     END",
    "CREATE TRIGGER task_tags_own_changed AFTER UPDATE OF tag_id ON task_tags \
     WHEN EXISTS (SELECT 1 FROM tags AS tag JOIN tasks AS task ON task.id = NEW.task_id \
     WHERE tag.id = NEW.tag_id AND tag.user_id IS NOT task.user_id) BEGIN \
     UPDATE OR IGNORE tags SET user_id = (SELECT task.user_id FROM tasks AS task WHERE task.id = NEW.task_id) \
     WHERE user_id IS NULL AND id = NEW.tag_id; \
     INSERT INTO tags (user_id, name, created_at) SELECT task.user_id, tag.name, tag.created_at \
     FROM tasks AS task JOIN tags AS tag ON tag.id = NEW.tag_id \
     WHERE task.id = NEW.task_id AND tag.user_id IS NOT task.user_id ON CONFLICT (user_id, name) DO NOTHING; \
     UPDATE OR REPLACE task_tags SET tag_id = (SELECT own.id FROM tags AS tag JOIN tasks AS task ON task.id = NEW.task_id \
     JOIN tags AS own ON own.user_id = task.user_id AND own.name = tag.name WHERE tag.id = NEW.tag_id) \
     WHERE task_id = NEW.task_id AND tag_id = NEW.tag_id; \
     END",
];

/// Refers to the table that is going to be `tags`, and goes on to when that gets its name.
const LINKS: &str = "CREATE TABLE task_tags_new (task_id integer NOT NULL, tag_id integer NOT NULL, \
     CONSTRAINT task_tags_pkey PRIMARY KEY (task_id, tag_id), \
     CONSTRAINT task_tags_task_id_fkey FOREIGN KEY (task_id) REFERENCES tasks (id) ON DELETE CASCADE, \
     CONSTRAINT task_tags_tag_id_fkey FOREIGN KEY (tag_id) REFERENCES tags_new (id) ON DELETE CASCADE)";
