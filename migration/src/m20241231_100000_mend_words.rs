//! Phase IX, first step: a priority that is none becomes what it was shown as, which is `medium`, and what nobody is known
//! to have said was said by the assistant: a person's words are never made up.

use sea_orm_migration::prelude::*;
use seaworthy::backfill::Backfill;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

fn mended() -> [Backfill; 2] {
    [
        Backfill::new("mend_priorities", "tasks")
            .set("priority", Expr::cust("'medium'"))
            .only(Expr::cust("priority NOT IN ('low', 'medium', 'high')")),
        Backfill::new("mend_roles", "messages")
            .set("role", Expr::cust("'assistant'"))
            .only(Expr::cust("role NOT IN ('user', 'assistant')")),
    ]
}

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20241231_100000_mend_words"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("3f7a92c5d0be")
                .revises("e05c7b1d48a2")
                .message("mend priorities and roles that are none")
                .created("2024-12-31 10:00:00")
                .stage(Stage::Migrate),
        )
    }

    fn backfills(&self) -> Vec<Backfill> {
        mended().into()
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for backfill in mended() {
            backfill.run(manager).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for backfill in mended() {
            backfill.forget(manager).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}
