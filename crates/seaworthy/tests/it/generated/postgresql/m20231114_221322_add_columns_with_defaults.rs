//! Add columns with defaults.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{boolean, decimal_len_null, integer, string_len, timestamp_null};
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20231114_221322_add_columns_with_defaults"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("000000000003")
                .revises("000000000002")
                .message("add columns with defaults")
                .created("2023-11-14 22:13:22")
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
                    .table("kinds")
                    .add_column(boolean("done").default(false))
                    .to_owned(),
            )
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("kinds")
                    .add_column(integer("size").default(7))
                    .to_owned(),
            )
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("kinds")
                    .add_column(string_len("word", 20).default(r#"it's "so""#))
                    .to_owned(),
            )
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("kinds")
                    .add_column(decimal_len_null("part", 4, 2).default(Expr::cust("1.5")))
                    .to_owned(),
            )
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("kinds")
                    .add_column(timestamp_null("made").default(Expr::current_timestamp()))
                    .to_owned(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Destructive: what kinds.made holds is lost.
        manager
            .alter_table(Table::alter().table("kinds").drop_column("made").to_owned())
            .await?;
        // Destructive: what kinds.part holds is lost.
        manager
            .alter_table(Table::alter().table("kinds").drop_column("part").to_owned())
            .await?;
        // Destructive: what kinds.word holds is lost.
        manager
            .alter_table(Table::alter().table("kinds").drop_column("word").to_owned())
            .await?;
        // Destructive: what kinds.size holds is lost.
        manager
            .alter_table(Table::alter().table("kinds").drop_column("size").to_owned())
            .await?;
        // Destructive: what kinds.done holds is lost.
        manager
            .alter_table(Table::alter().table("kinds").drop_column("done").to_owned())
            .await?;
        Ok(())
    }

    // SeaORM's own runner opens no transaction on SQLite unless it is told to.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
