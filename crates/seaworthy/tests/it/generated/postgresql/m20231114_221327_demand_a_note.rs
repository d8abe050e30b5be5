//! Demand a note.

use sea_orm_migration::prelude::*;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20231114_221327_demand_a_note"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("000000000008")
                .revises("000000000007")
                .message("demand a note")
                .created("2023-11-14 22:13:27")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Rows are filled and checked while others read and write; the demand itself then finds the check and looks
        // at no row. For a table of many rows generate this with --large tasks, which fills it in batches.
        execute(
            manager,
            r#"ALTER TABLE "tasks" ADD CONSTRAINT "tasks_note_not_null" CHECK ("note" IS NOT NULL) NOT VALID"#,
        )
        .await?;
        manager
            .execute(
                Query::update()
                    .table("tasks")
                    .value("note", Expr::cust("''"))
                    .and_where(Expr::col("note").is_null())
                    .to_owned(),
            )
            .await?;
        execute(
            manager,
            r#"ALTER TABLE "tasks" VALIDATE CONSTRAINT "tasks_note_not_null""#,
        )
        .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("tasks")
                    .modify_column(ColumnDef::new("note").not_null())
                    .to_owned(),
            )
            .await?;
        execute(
            manager,
            r#"ALTER TABLE "tasks" DROP CONSTRAINT "tasks_note_not_null""#,
        )
        .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("kinds")
                    .modify_column(ColumnDef::new("size").null())
                    .to_owned(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("kinds")
                    .modify_column(ColumnDef::new("size").not_null())
                    .to_owned(),
            )
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("tasks")
                    .modify_column(ColumnDef::new("note").null())
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
