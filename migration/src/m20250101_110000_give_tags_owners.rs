//! Phase X, second step: from now on whoever tags a task gets a tag of their own, and two people may use one name.
//!
//! A contract, because the names stop being unique: code that inserts a name `ON CONFLICT (name)` must be gone. All other
//! writers are kept right by a trigger, whatever tag they put on a task.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;
use seaworthy::revision::{Accepted, Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20250101_110000_give_tags_owners"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        let header = Header::new("a80f4e6b2d93")
            .revises("7c25d9e0b41f")
            .message("give everybody tags of their own")
            .created("2025-01-01 11:00:00")
            .stage(Stage::Contract)
            // Not the column: that there is one of each name.
            .removes("tags.name");
        Some(
            TAKEN_KNOWINGLY
                .iter()
                .fold(header, |header, (category, statement)| {
                    header.accepts(Accepted::down(*category, *statement, PUT_TOGETHER))
                }),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        send(manager, UP_POSTGRES, UP_SQLITE).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        send(manager, DOWN_POSTGRES, DOWN_SQLITE).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

async fn send(manager: &SchemaManager<'_>, postgres: &[&str], sqlite: &[&str]) -> Result<(), DbErr> {
    let statements = match manager.get_database_backend() {
        DbBackend::Postgres => postgres,
        _ => sqlite,
    };
    for sql in statements {
        manager.get_connection().execute_unprepared(sql).await?;
    }
    Ok(())
}

/// What putting names together again does to those who use them, category and statement.
const TAKEN_KNOWINGLY: [(&str, &str); 6] = [
    ("bulk-dml", "UPDATE task_tags SET"),
    ("lock-held-long", "UPDATE task_tags SET"),
    ("bulk-dml", "DELETE FROM tags USING"),
    ("lock-held-long", "DELETE FROM tags USING"),
    ("unique-build", "tags_name_key UNIQUE"),
    ("lock-held-long", "tags_name_key UNIQUE"),
];

const PUT_TOGETHER: &str = "only going back shares names again, which nobody may write to meanwhile: it is for a time of few requests";

const UP_POSTGRES: &[&str] = &[
    // The strongest lock first: who takes a weaker one and wants more meets those who read and want to write.
    "ALTER TABLE tags DROP CONSTRAINT tags_name_key",
    "ALTER TABLE tags ADD CONSTRAINT tags_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) \
     ON DELETE CASCADE NOT VALID",
    // Who is the first to put a shared tag on a task again gets it, everybody else one like it. A link that is new takes the
    // others of its task along, so that no task has two of one name.
    "CREATE OR REPLACE FUNCTION own_tags() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $own$ \
     DECLARE owner varchar; shared tags%ROWTYPE; \
     BEGIN \
     SELECT task.user_id INTO owner FROM tasks AS task WHERE task.id = NEW.task_id; \
     IF TG_OP = 'INSERT' THEN \
     UPDATE task_tags SET tag_id = tag_id WHERE task_id = NEW.task_id AND EXISTS \
     (SELECT 1 FROM tags AS tag WHERE tag.id = task_tags.tag_id AND tag.user_id IS DISTINCT FROM owner); \
     END IF; \
     SELECT * INTO shared FROM tags AS tag WHERE tag.id = NEW.tag_id AND tag.user_id IS DISTINCT FROM owner; \
     IF FOUND AND owner IS NOT NULL THEN \
     BEGIN \
     UPDATE tags SET user_id = owner WHERE id = NEW.tag_id AND user_id IS NULL; \
     IF FOUND THEN RETURN NEW; END IF; \
     EXCEPTION WHEN unique_violation THEN NULL; \
     END; \
     INSERT INTO tags (user_id, name, created_at) VALUES (owner, shared.name, shared.created_at) \
     ON CONFLICT (user_id, name) DO NOTHING; \
     SELECT tag.id INTO NEW.tag_id FROM tags AS tag WHERE tag.user_id = owner AND tag.name = shared.name; \
     END IF; \
     RETURN NEW; \
     END $own$",
    "CREATE TRIGGER task_tags_own BEFORE INSERT OR UPDATE OF tag_id ON task_tags \
     FOR EACH ROW EXECUTE FUNCTION own_tags()",
];

const DOWN_POSTGRES: &[&str] = &[
    // Whoever uses tags waits until names are unique again: in between they would be neither the one nor the other.
    "LOCK TABLE tags, task_tags IN ACCESS EXCLUSIVE MODE",
    "DROP TRIGGER task_tags_own ON task_tags",
    "DROP FUNCTION own_tags()",
    "UPDATE task_tags SET tag_id = first.id FROM tags AS tag \
     JOIN (SELECT name, min(id) AS id FROM tags GROUP BY name HAVING count(*) > 1) AS first ON first.name = tag.name \
     WHERE tag.id = task_tags.tag_id AND tag.id <> first.id",
    "DELETE FROM tags USING (SELECT name, min(id) AS id FROM tags GROUP BY name HAVING count(*) > 1) AS first \
     WHERE first.name = tags.name AND tags.id <> first.id",
    "ALTER TABLE tags ADD CONSTRAINT tags_name_key UNIQUE (name)",
    "ALTER TABLE tags DROP CONSTRAINT tags_user_id_fkey",
];

// SQLite cannot drop a constraint: the table is built again. What refers to it is built again as well, or dropping the
// table would take every link along.
const UP_SQLITE: &[&str] = &[
    "CREATE TABLE tags_new (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, name varchar(50) NOT NULL, \
     created_at timestamp_text NULL DEFAULT CURRENT_TIMESTAMP, user_id varchar(255), \
     CONSTRAINT tags_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE)",
    "INSERT INTO tags_new (id, name, created_at, user_id) SELECT id, name, created_at, \
     (SELECT users.id FROM users WHERE users.id = tags.user_id) FROM tags",
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
    // As on PostgreSQL; but here a trigger cannot change what is about to be written, only what has been.
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

const DOWN_SQLITE: &[&str] = &[
    "CREATE TABLE tags_new (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, name varchar(50) NOT NULL, \
     created_at timestamp_text NULL DEFAULT CURRENT_TIMESTAMP, user_id varchar(255), \
     CONSTRAINT tags_name_key UNIQUE (name))",
    "INSERT INTO tags_new (id, name, created_at, user_id) SELECT id, name, created_at, user_id FROM tags \
     WHERE id IN (SELECT min(id) FROM tags GROUP BY name)",
    // Numbers that are gone are not given again.
    "UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'tags') WHERE name = 'tags_new'",
    "INSERT INTO sqlite_sequence (name, seq) SELECT 'tags_new', seq FROM sqlite_sequence WHERE name = 'tags' \
     AND NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'tags_new')",
    LINKS,
    "INSERT INTO task_tags_new (task_id, tag_id) SELECT DISTINCT link.task_id, first.id FROM task_tags AS link \
     JOIN tags AS tag ON tag.id = link.tag_id JOIN tags_new AS first ON first.name = tag.name",
    "DROP TABLE task_tags",
    "DROP TABLE tags",
    "ALTER TABLE tags_new RENAME TO tags",
    "ALTER TABLE task_tags_new RENAME TO task_tags",
    "CREATE UNIQUE INDEX tags_user_id_name_key ON tags (user_id, name)",
    "CREATE INDEX idx_task_tags_tag_id ON task_tags (tag_id)",
];

/// Refers to the table that is going to be `tags`, and goes on to when that gets its name.
const LINKS: &str = "CREATE TABLE task_tags_new (task_id integer NOT NULL, tag_id integer NOT NULL, \
     CONSTRAINT task_tags_pkey PRIMARY KEY (task_id, tag_id), \
     CONSTRAINT task_tags_task_id_fkey FOREIGN KEY (task_id) REFERENCES tasks (id) ON DELETE CASCADE, \
     CONSTRAINT task_tags_tag_id_fkey FOREIGN KEY (tag_id) REFERENCES tags_new (id) ON DELETE CASCADE)";
