//! Make tables that refer to each other.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{integer, integer_null, string_len, text_null};
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20231114_221320_make_tables_that_refer_to_each_other"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("000000000001")
                .message("make tables that refer to each other")
                .created("2023-11-14 22:13:20")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("labels")
                    .col(integer("id").auto_increment().primary_key())
                    .col(string_len("name", 50))
                    .index(Index::create().name("uq_labels_name").unique().col("name"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("tasks")
                    .col(integer("id").auto_increment().primary_key())
                    .col(string_len("title", 100))
                    .col(text_null("note"))
                    .col(integer_null("parent"))
                    .col(integer_null("label"))
                    .col(integer("place").default(0))
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk_tasks_label")
                            .from("tasks", "label")
                            .to("labels", "id")
                            .on_delete(ForeignKeyAction::SetNull),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("idx_tasks_label")
                    .table("tasks")
                    .col("label")
                    .to_owned(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_index(
                Index::drop()
                    .name("idx_tasks_label")
                    .table("tasks")
                    .to_owned(),
            )
            .await?;
        // Destructive: every row of tasks is lost.
        manager
            .drop_table(Table::drop().table("tasks").to_owned())
            .await?;
        // Destructive: every row of labels is lost.
        manager
            .drop_table(Table::drop().table("labels").to_owned())
            .await?;
        Ok(())
    }

    // SeaORM's own runner opens no transaction on SQLite unless it is told to.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
