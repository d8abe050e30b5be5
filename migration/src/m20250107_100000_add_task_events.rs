//! Phase XV: what happens to tasks is written down, by the database, in the transaction in which it happens.
//!
//! Triggers write it and not the service, so that nothing is missing from the list: not what code of before does while a new
//! release is rolled out, nor what somebody does by hand, nor what was under way when a process was killed. A change costs no
//! statement more. What only the database does is none of it: a task counts as changed when its `updated_at` is written.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, integer, string_len, timestamp_with_time_zone,
};
use sea_orm_migration::sea_orm::DbBackend;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20250107_100000_add_task_events"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("9c2e7a41f0b3")
                .revises("4b7f1c92e6d0")
                .message("add task_events, written by triggers on tasks")
                .created("2025-01-07 10:00:00")
                .phase("XV")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(task_events()).await?;
        let of_a_person = Index::create()
            .name("idx_task_events_user_id_position")
            .table("task_events")
            .col("user_id")
            .col("position")
            .to_owned();
        manager.create_index(of_a_person).await?;
        let statements: &[&str] = match manager.get_database_backend() {
            DbBackend::Postgres => &ON_POSTGRESQL,
            _ => &ON_SQLITE,
        };
        for sql in statements {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let statements: &[&str] = match manager.get_database_backend() {
            DbBackend::Postgres => &[
                "DROP TRIGGER tasks_write_event ON tasks",
                "DROP FUNCTION write_task_event()",
            ],
            _ => &[
                "DROP TRIGGER tasks_write_created",
                "DROP TRIGGER tasks_write_changed",
                "DROP TRIGGER tasks_write_deleted",
            ],
        };
        for sql in statements {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        manager
            .drop_table(Table::drop().table("task_events").to_owned())
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn task_events() -> TableCreateStatement {
    Table::create()
        .table("task_events")
        .col(big_integer("id").auto_increment().primary_key())
        .col(big_integer_null("position"))
        .col(string_len("user_id", 255))
        .col(string_len("kind", 20))
        .col(integer("task_id"))
        .col(timestamp_with_time_zone("created_at"))
        .foreign_key(
            ForeignKey::create()
                .name("task_events_user_id_fkey")
                .from("task_events", "user_id")
                .to("users", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

/// Numbers start at the time in milliseconds since 1970, so that a list that is made again gives none twice.
///
/// On PostgreSQL numbers are given out before transactions commit, so `position`, by which the list is read, is given by whoever
/// reads first. What goes with its owner is written down for nobody. The function looks where the tables are, whatever the search
/// path of whoever changes a task.
const ON_POSTGRESQL: [&str; 3] = [
    "SELECT setval('task_events_id_seq', (extract(epoch FROM now()) * 1000)::bigint)",
    "CREATE FUNCTION write_task_event() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    owner text;
    task integer;
    kind text;
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF NOT EXISTS (SELECT 1 FROM users WHERE id = OLD.user_id) THEN
            RETURN NULL;
        END IF;
        owner := OLD.user_id;
        task := OLD.id;
        kind := 'deleted';
    ELSE
        owner := NEW.user_id;
        task := NEW.id;
        IF TG_OP = 'INSERT' THEN
            kind := 'created';
        ELSIF NEW.completed = OLD.completed THEN
            kind := 'changed';
        ELSE
            kind := CASE WHEN NEW.completed THEN 'completed' ELSE 'reopened' END;
        END IF;
    END IF;
    INSERT INTO task_events (user_id, kind, task_id, created_at) VALUES (owner, kind, task, clock_timestamp());
    PERFORM pg_notify('todo_events', owner);
    RETURN NULL;
END
$$",
    "CREATE TRIGGER tasks_write_event AFTER INSERT OR DELETE OR UPDATE OF updated_at ON tasks \
     FOR EACH ROW EXECUTE FUNCTION write_task_event()",
];

/// There is one writer at a time, so the position is the number: one more than the last, which is found at once, unlike what
/// `sqlite_sequence` says.
const ON_SQLITE: [&str; 4] = [
    "INSERT INTO sqlite_sequence (name, seq) \
     SELECT 'task_events', CAST((julianday('now') - 2440587.5) * 86400000 AS integer)",
    "CREATE TRIGGER tasks_write_created AFTER INSERT ON tasks BEGIN \
     INSERT INTO task_events (position, user_id, kind, task_id, created_at) \
     VALUES (1 + coalesce((SELECT max(id) FROM task_events), (SELECT seq FROM sqlite_sequence WHERE name = 'task_events')), \
     NEW.user_id, 'created', NEW.id, strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')); END",
    "CREATE TRIGGER tasks_write_changed AFTER UPDATE OF updated_at ON tasks BEGIN \
     INSERT INTO task_events (position, user_id, kind, task_id, created_at) \
     VALUES (1 + coalesce((SELECT max(id) FROM task_events), (SELECT seq FROM sqlite_sequence WHERE name = 'task_events')), \
     NEW.user_id, CASE WHEN NEW.completed = OLD.completed THEN 'changed' WHEN NEW.completed THEN 'completed' ELSE 'reopened' END, \
     NEW.id, strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')); END",
    "CREATE TRIGGER tasks_write_deleted AFTER DELETE ON tasks \
     WHEN EXISTS (SELECT 1 FROM users WHERE id = OLD.user_id) BEGIN \
     INSERT INTO task_events (position, user_id, kind, task_id, created_at) \
     VALUES (1 + coalesce((SELECT max(id) FROM task_events), (SELECT seq FROM sqlite_sequence WHERE name = 'task_events')), \
     OLD.user_id, 'deleted', OLD.id, strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')); END",
];
