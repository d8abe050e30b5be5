//! Phase X, third step: what is tagged already gets a tag of its owner's as well.
//!
//! The trigger of the step before does the work: a link that is written anew leads to a tag of the task's owner, so each
//! that does not yet is written as it is.

use sea_orm_migration::prelude::*;
use seaworthy::backfill::Backfill;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

/// Returns the backfill of links whose tag is nobody's or somebody else's.
fn backfill() -> Backfill {
    let is_foreign = "EXISTS (SELECT 1 FROM tags AS tag JOIN tasks AS task ON task.id = task_tags.task_id \
                      WHERE tag.id = task_tags.tag_id AND tag.user_id IS DISTINCT FROM task.user_id)";
    Backfill::new("split_tags", "task_tags")
        .set("tag_id", Expr::cust("tag_id"))
        .only(Expr::cust(is_foreign))
}

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20250101_120000_split_tags"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("2e9d71c8f05a")
                .revises("a80f4e6b2d93")
                .message("split tags that people share")
                .created("2025-01-01 12:00:00")
                .stage(Stage::Migrate),
        )
    }

    fn backfills(&self) -> Vec<Backfill> {
        vec![backfill()]
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        backfill().run(manager).await
    }

    // What is split stays split: undoing the step before puts it together again.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        backfill().forget(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}
