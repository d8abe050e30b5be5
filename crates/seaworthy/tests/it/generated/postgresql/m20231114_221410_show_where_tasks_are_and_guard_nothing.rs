//! Show where tasks are, and guard nothing.

use sea_orm_migration::prelude::*;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20231114_221410_show_where_tasks_are_and_guard_nothing"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("000000000033")
                .revises("000000000032")
                .message("show where tasks are, and guard nothing")
                .created("2023-11-14 22:14:10")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(manager, "ALTER TABLE tasks SET WITHOUT CLUSTER").await?;
        execute(manager, "DROP TRIGGER looks ON tasks").await?;
        execute(manager, "DROP POLICY own ON tasks").await?;
        execute(manager, "ALTER TABLE tasks DISABLE ROW LEVEL SECURITY").await?;
        execute(manager, "DROP VIEW deep_tasks").await?;
        execute(manager, "DROP FUNCTION look()").await?;
        execute(
            manager,
            r#"ALTER TABLE "tasks" ALTER COLUMN "title" RESET (n_distinct)"#,
        )
        .await?;
        execute(
            manager,
            "CREATE OR REPLACE VIEW deep_tasks AS\n SELECT tasks.id,\n    depths.place\n   FROM tasks,\n    depths",
        )
        .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(manager, "DROP VIEW deep_tasks").await?;
        execute(
            manager,
            r#"ALTER TABLE "tasks" ALTER COLUMN "title" SET (n_distinct=-0.5)"#,
        )
        .await?;
        execute(manager, "SET LOCAL check_function_bodies TO off").await?;
        execute(
            manager,
            "CREATE OR REPLACE FUNCTION look()\n RETURNS trigger\n LANGUAGE plpgsql\nAS $function$BEGIN RETURN new; END$function$",
        )
        .await?;
        execute(
            manager,
            "CREATE OR REPLACE VIEW deep_tasks AS\n SELECT tasks.id,\n    tasks.title,\n    depths.depth\n   FROM tasks,\n    depths",
        )
        .await?;
        execute(manager, "ALTER TABLE tasks ENABLE ROW LEVEL SECURITY").await?;
        execute(
            manager,
            "CREATE POLICY own ON tasks FOR ALL TO PUBLIC USING ((place >= 0))",
        )
        .await?;
        execute(
            manager,
            "CREATE TRIGGER looks BEFORE INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION look()",
        )
        .await?;
        execute(manager, "ALTER TABLE tasks CLUSTER ON tasks_pkey").await?;
        Ok(())
    }

    // SeaORM's own runner opens no transaction on SQLite unless it is told to.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// Sends SQL of PostgreSQL.
async fn execute(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() != sea_orm::DbBackend::Postgres {
        let what = "this revision was generated on PostgreSQL and says nothing for other databases";
        return Err(DbErr::Migration(what.to_owned()));
    }
    manager.get_connection().execute_unprepared(sql).await?;
    Ok(())
}
