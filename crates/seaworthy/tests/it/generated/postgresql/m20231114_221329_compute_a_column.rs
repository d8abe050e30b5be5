//! Compute a column.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::integer_null;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20231114_221329_compute_a_column"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("00000000000a")
                .revises("000000000009")
                .message("compute a column")
                .created("2023-11-14 22:13:29")
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
                    .add_column(
                        integer_null("twice").generated(Expr::cust("size * 2"), true),
                    )
                    .to_owned(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Destructive: what kinds.twice holds is lost.
        manager
            .alter_table(
                Table::alter()
                    .table("kinds")
                    .drop_column("twice")
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
