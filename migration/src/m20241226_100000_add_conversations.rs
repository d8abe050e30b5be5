//! Phase III: tasks can be managed by talking to an assistant, so conversations and their messages are kept.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{integer, pk_auto, string_len, text, timestamp_null};
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20241226_100000_add_conversations"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("002")
                .revises("001")
                .message("add conversations and messages tables")
                .created("2024-12-26 10:00:00")
                .phase("III")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(conversations()).await?;
        manager.create_table(messages()).await?;
        manager
            .create_index(
                Index::create()
                    .name("idx_messages_conversation")
                    .table("messages")
                    .col("conversation_id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("idx_conversations_user")
                    .table("conversations")
                    .col("user_id")
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_index(
                Index::drop()
                    .name("idx_conversations_user")
                    .table("conversations")
                    .to_owned(),
            )
            .await?;
        manager
            .drop_index(
                Index::drop()
                    .name("idx_messages_conversation")
                    .table("messages")
                    .to_owned(),
            )
            .await?;
        manager
            .drop_table(Table::drop().table("messages").to_owned())
            .await?;
        manager
            .drop_table(Table::drop().table("conversations").to_owned())
            .await
    }

    // SeaORM's own runner opens a transaction on PostgreSQL only. SQLite rolls DDL back just as well, and without it a
    // failure halfway leaves tables behind that every later attempt trips over.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn conversations() -> TableCreateStatement {
    Table::create()
        .table("conversations")
        .col(pk_auto("id"))
        .col(string_len("user_id", 255))
        .col(timestamp_null("created_at").default(Expr::current_timestamp()))
        .col(timestamp_null("updated_at").default(Expr::current_timestamp()))
        .foreign_key(
            ForeignKey::create()
                .name("conversations_user_id_fkey")
                .from("conversations", "user_id")
                .to("users", "id"),
        )
        .to_owned()
}

// A message's role is 'user' or 'assistant'; the schema as inherited does not enforce it.
fn messages() -> TableCreateStatement {
    Table::create()
        .table("messages")
        .col(pk_auto("id"))
        .col(integer("conversation_id"))
        .col(string_len("user_id", 255))
        .col(string_len("role", 20))
        .col(text("content"))
        .col(timestamp_null("created_at").default(Expr::current_timestamp()))
        .foreign_key(
            ForeignKey::create()
                .name("messages_conversation_id_fkey")
                .from("messages", "conversation_id")
                .to("conversations", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .foreign_key(
            ForeignKey::create()
                .name("messages_user_id_fkey")
                .from("messages", "user_id")
                .to("users", "id"),
        )
        .to_owned()
}
