//! Remove columns.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{integer, integer_null};
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20231114_221402_remove_columns"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("00000000002b")
                .revises("00000000002a")
                .message("remove columns")
                .created("2023-11-14 22:14:02")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_foreign_key(
                ForeignKey::drop()
                    .name("fk_tasks_label")
                    .table("tasks")
                    .to_owned(),
            )
            .await?;
        manager
            .drop_index(
                Index::drop()
                    .name("idx_tasks_owner")
                    .table("tasks")
                    .to_owned(),
            )
            .await?;
        // Destructive: what kinds.twice holds is lost.
        manager
            .alter_table(
                Table::alter()
                    .table("kinds")
                    .drop_column("twice")
                    .to_owned(),
            )
            .await?;
        // Destructive: what kinds.size holds is lost.
        manager
            .alter_table(Table::alter().table("kinds").drop_column("size").to_owned())
            .await?;
        // Destructive: what tasks.label holds is lost.
        manager
            .alter_table(
                Table::alter()
                    .table("tasks")
                    .drop_column("label")
                    .to_owned(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Brings tasks.label back without what it held.
        manager
            .alter_table(
                Table::alter()
                    .table("tasks")
                    .add_column(integer_null("label"))
                    .to_owned(),
            )
            .await?;
        // Brings kinds.size back without what it held.
        manager
            .alter_table(
                Table::alter()
                    .table("kinds")
                    .add_column(integer("size").default(7))
                    .to_owned(),
            )
            .await?;
        // Brings kinds.twice back without what it held.
        manager
            .alter_table(
                Table::alter()
                    .table("kinds")
                    .add_column(
                        integer_null("twice").generated(Expr::cust("size + size"), true),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("idx_tasks_owner")
                    .table("tasks")
                    .col("label")
                    .to_owned(),
            )
            .await?;
        manager
            .create_foreign_key(
                ForeignKey::create()
                    .name("fk_tasks_label")
                    .from("tasks", "label")
                    .to("tags", "id")
                    .on_delete(ForeignKeyAction::Cascade)
                    .to_owned(),
            )
            .await?;
        Ok(())
    }

    // SeaORM's own runner opens no transaction on SQLite unless it is told to.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
