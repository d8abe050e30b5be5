//! Phase XIV, second step: a conversation of before is called after what was said in it first.
//!
//! The default stays right for all others: for those in which nobody has said anything, and for those that code of before
//! begins from now on. So there is nothing to be verified: no title is wrong.

use sea_orm_migration::prelude::*;
use seaworthy::backfill::Backfill;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

fn titles() -> Backfill {
    let line = "replace(replace(replace(content, '\r', ' '), '\n', ' '), '\t', ' ')";
    let words = format!(
        "(SELECT rtrim(substr(ltrim({line}), 1, 60)) FROM messages WHERE conversation_id = conversations.id \
         AND role = 'user' ORDER BY id LIMIT 1)"
    );
    Backfill::new("title_conversations", "conversations")
        .set("title", Expr::cust(words.clone()))
        .only(Expr::cust(format!("title = '' AND {words} <> ''")))
        .unless(Expr::cust("FALSE"))
}

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20250106_110000_title_conversations"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("4b7f1c92e6d0")
                .revises("d8e3a05c64f1")
                .message("call conversations after what was said first")
                .created("2025-01-06 11:00:00")
                .phase("XIV")
                .stage(Stage::Migrate),
        )
    }

    fn backfills(&self) -> Vec<Backfill> {
        vec![titles()]
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        titles().run(manager).await
    }

    // Titles stay: which of them somebody has chosen is not known.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        titles().forget(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}
