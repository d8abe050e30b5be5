//! Phase XVIII, first step: a task can be due on a day, in a time zone, instead of at a moment.
//!
//! `due_date` stays what it was, the last second of that day there, for whoever reads it and for the order of lists. When somebody
//! changes it who does not know of the day, the database forgets the day, in the same statement.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20250110_100000_add_due_days"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("c7e1d4a9b035")
                .revises("e417a86c03bd")
                .message("add tasks.due_on and due_zone")
                .created("2025-01-10 10:00:00")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [
            ColumnDef::new("due_on").date().null().take(),
            ColumnDef::new("due_zone").string_len(64).null().take(),
        ] {
            let add = Table::alter().table("tasks").add_column(column).to_owned();
            manager.alter_table(add).await?;
        }
        let statements: &[&str] = match manager.get_database_backend() {
            DbBackend::Postgres => &FORGET_ON_POSTGRESQL,
            _ => &FORGET_ON_SQLITE,
        };
        for sql in statements {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }

    // Days become the moments at which they end.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let statements: &[&str] = match manager.get_database_backend() {
            DbBackend::Postgres => &[
                "DROP TRIGGER tasks_forget_due_day ON tasks",
                "DROP FUNCTION forget_due_day()",
            ],
            _ => &["DROP TRIGGER tasks_forget_due_day"],
        };
        for sql in statements {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        for column in ["due_zone", "due_on"] {
            let drop = Table::alter().table("tasks").drop_column(column).to_owned();
            manager.alter_table(drop).await?;
        }
        Ok(())
    }

    // The columns and what guards them come together, or not at all.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const FORGET_ON_POSTGRESQL: [&str; 2] = [
    "CREATE FUNCTION forget_due_day() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.due_on := NULL;
    NEW.due_zone := NULL;
    RETURN NEW;
END
$$",
    "CREATE TRIGGER tasks_forget_due_day BEFORE UPDATE OF due_date ON tasks FOR EACH ROW \
     WHEN (NEW.due_date IS DISTINCT FROM OLD.due_date AND NEW.due_on = OLD.due_on \
     AND NEW.due_zone IS NOT DISTINCT FROM OLD.due_zone) EXECUTE FUNCTION forget_due_day()",
];

const FORGET_ON_SQLITE: [&str; 1] = [
    "CREATE TRIGGER tasks_forget_due_day AFTER UPDATE OF due_date ON tasks \
     WHEN NEW.due_date IS NOT OLD.due_date AND NEW.due_on = OLD.due_on AND NEW.due_zone IS OLD.due_zone BEGIN \
     UPDATE tasks SET due_on = NULL, due_zone = NULL WHERE id = NEW.id; \
     END",
];
