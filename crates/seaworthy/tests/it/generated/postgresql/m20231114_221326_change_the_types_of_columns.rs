//! Change the types of columns.

use sea_orm_migration::prelude::*;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20231114_221326_change_the_types_of_columns"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("000000000007")
                .revises("000000000006")
                .message("change the types of columns")
                .created("2023-11-14 22:13:26")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // kinds.done: boolean becomes integer; fails where a value does not fit.
        execute(
            manager,
            r#"ALTER TABLE "kinds" ALTER COLUMN "done" DROP DEFAULT"#,
        )
        .await?;
        execute(
            manager,
            r#"ALTER TABLE "kinds" ALTER COLUMN "done" TYPE integer USING "done"::integer::integer"#,
        )
        .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("kinds")
                    .modify_column(ColumnDef::new("done").default(0))
                    .to_owned(),
            )
            .await?;
        // Destructive: kinds.word becomes narrower, character varying(10) instead of character varying(20): rounds, or fails where a value does not fit.
        execute(
            manager,
            r#"ALTER TABLE "kinds" ALTER COLUMN "word" DROP DEFAULT"#,
        )
        .await?;
        execute(
            manager,
            r#"ALTER TABLE "kinds" ALTER COLUMN "word" TYPE character varying(10) USING "word"::text"#,
        )
        .await?;
        execute(
            manager,
            r#"ALTER TABLE "kinds" ALTER COLUMN "word" SET DEFAULT 'it''s "so"'"#,
        )
        .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("tasks")
                    .modify_column(ColumnDef::new("title").string_len(200))
                    .to_owned(),
            )
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("tasks")
                    .modify_column(ColumnDef::new("place").big_integer())
                    .to_owned(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Destructive: tasks.place becomes narrower, integer instead of bigint: rounds, or fails where a value does not fit.
        execute(
            manager,
            r#"ALTER TABLE "tasks" ALTER COLUMN "place" DROP DEFAULT"#,
        )
        .await?;
        execute(
            manager,
            r#"ALTER TABLE "tasks" ALTER COLUMN "place" TYPE integer USING "place"::text::integer"#,
        )
        .await?;
        execute(
            manager,
            r#"ALTER TABLE "tasks" ALTER COLUMN "place" SET DEFAULT 0"#,
        )
        .await?;
        // Destructive: tasks.title becomes narrower, character varying(100) instead of character varying(200): rounds, or fails where a value does not fit.
        execute(
            manager,
            r#"ALTER TABLE "tasks" ALTER COLUMN "title" TYPE character varying(100) USING "title"::text"#,
        )
        .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("kinds")
                    .modify_column(ColumnDef::new("word").string_len(20))
                    .to_owned(),
            )
            .await?;
        execute(
            manager,
            r#"ALTER TABLE "kinds" ALTER COLUMN "done" DROP DEFAULT"#,
        )
        .await?;
        execute(
            manager,
            r#"ALTER TABLE "kinds" ALTER COLUMN "done" DROP DEFAULT"#,
        )
        .await?;
        execute(
            manager,
            r#"ALTER TABLE "kinds" ALTER COLUMN "done" TYPE boolean USING "done"::integer::boolean"#,
        )
        .await?;
        execute(
            manager,
            r#"ALTER TABLE "kinds" ALTER COLUMN "done" SET DEFAULT false"#,
        )
        .await?;
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
