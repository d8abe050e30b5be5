//! Say who a task belongs to.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::string_len_null;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20231114_221323_say_who_a_task_belongs_to"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("000000000004")
                .revises("000000000003")
                .message("say who a task belongs to")
                .created("2023-11-14 22:13:23")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("tasks")
                    .add_column(string_len_null("owner", 40))
                    .to_owned(),
            )
            .await?;
        // Rows are filled and checked while others read and write; the demand itself then finds the check and looks
        // at no row. For a table of many rows generate this with --large tasks, which fills it in batches.
        execute(
            manager,
            r#"ALTER TABLE "tasks" ADD CONSTRAINT "tasks_owner_not_null" CHECK ("owner" IS NOT NULL) NOT VALID"#,
        )
        .await?;
        manager
            .execute(
                Query::update()
                    .table("tasks")
                    .value("owner", Expr::cust("'nobody'"))
                    .and_where(Expr::col("owner").is_null())
                    .to_owned(),
            )
            .await?;
        execute(
            manager,
            r#"ALTER TABLE "tasks" VALIDATE CONSTRAINT "tasks_owner_not_null""#,
        )
        .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("tasks")
                    .modify_column(ColumnDef::new("owner").not_null())
                    .to_owned(),
            )
            .await?;
        execute(
            manager,
            r#"ALTER TABLE "tasks" DROP CONSTRAINT "tasks_owner_not_null""#,
        )
        .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("tasks")
                    .modify_column(ColumnDef::new("parent").default(0))
                    .to_owned(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(
            manager,
            r#"ALTER TABLE "tasks" ALTER COLUMN "parent" DROP DEFAULT"#,
        )
        .await?;
        // Destructive: what tasks.owner holds is lost.
        manager
            .alter_table(
                Table::alter()
                    .table("tasks")
                    .drop_column("owner")
                    .to_owned(),
            )
            .await?;
        Ok(())
    }

    // Each statement is a transaction of its own, so that none keeps its locks while the next works; after a
    // failure the next run goes on where this one stopped.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
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
