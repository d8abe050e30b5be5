//! Phase II: people sign up and keep a list of tasks, so there are users and the tasks they own.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{boolean, pk_auto, string_len, string_len_null, text_null, timestamp_null};
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20241225_100000_create_initial_tables"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("001")
                .message("create initial tables")
                .created("2024-12-25 10:00:00")
                .phase("II")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(users()).await?;
        manager.create_table(tasks()).await?;
        manager
            .create_index(
                Index::create()
                    .name("idx_tasks_user_id")
                    .table("tasks")
                    .col("user_id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("idx_tasks_completed")
                    .table("tasks")
                    .col("completed")
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_index(
                Index::drop()
                    .name("idx_tasks_completed")
                    .table("tasks")
                    .to_owned(),
            )
            .await?;
        manager
            .drop_index(Index::drop().name("idx_tasks_user_id").table("tasks").to_owned())
            .await?;
        manager
            .drop_table(Table::drop().table("tasks").to_owned())
            .await?;
        manager.drop_table(Table::drop().table("users").to_owned()).await
    }

    // SeaORM's own runner opens a transaction on PostgreSQL only. SQLite rolls DDL back just as well, and without it a
    // failure halfway leaves tables behind that every later attempt trips over.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn users() -> TableCreateStatement {
    Table::create()
        .table("users")
        .col(string_len("id", 255).primary_key())
        .col(string_len("email", 255))
        .col(string_len_null("name", 255))
        .col(timestamp_null("created_at").default(Expr::current_timestamp()))
        .index(Index::create().unique().name("users_email_key").col("email"))
        .to_owned()
}

fn tasks() -> TableCreateStatement {
    Table::create()
        .table("tasks")
        .col(pk_auto("id"))
        .col(string_len("user_id", 255))
        .col(string_len("title", 200))
        .col(text_null("description"))
        .col(boolean("completed").default(false))
        .col(timestamp_null("created_at").default(Expr::current_timestamp()))
        .col(timestamp_null("updated_at").default(Expr::current_timestamp()))
        .foreign_key(
            ForeignKey::create()
                .name("tasks_user_id_fkey")
                .from("tasks", "user_id")
                .to("users", "id"),
        )
        .to_owned()
}
