//! Phase VI, first step: passwords, sessions, API tokens and idempotency keys, each in a table of its own.
//!
//! Nothing that exists is touched, so code that knows none of it goes on as before.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    integer_null, string_len, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null,
};
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20241228_100000_create_accounts"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("a3c1f0d27b64")
                .revises("003")
                .message("add passwords, sessions, API tokens and idempotency keys")
                .created("2024-12-28 10:00:00")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            password_credentials(),
            sessions(),
            api_tokens(),
            idempotency_keys(),
        ] {
            manager.create_table(table).await?;
        }
        for (name, table, column) in INDEXES {
            manager
                .create_index(Index::create().name(name).table(table).col(column).to_owned())
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            "idempotency_keys",
            "api_tokens",
            "sessions",
            "password_credentials",
        ] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// For a person's own list, for what goes when a person goes, and for sweeping what has ended.
const INDEXES: [(&str, &str, &str); 4] = [
    ("idx_sessions_user_id", "sessions", "user_id"),
    ("idx_sessions_expires_at", "sessions", "expires_at"),
    ("idx_api_tokens_user_id", "api_tokens", "user_id"),
    (
        "idx_idempotency_keys_expires_at",
        "idempotency_keys",
        "expires_at",
    ),
];

fn password_credentials() -> TableCreateStatement {
    Table::create()
        .table("password_credentials")
        .col(string_len("user_id", 255))
        .col(string_len("password_hash", 255))
        .col(timestamp_with_time_zone("changed_at"))
        .primary_key(Index::create().name("password_credentials_pkey").col("user_id"))
        .foreign_key(&mut owner("password_credentials"))
        .to_owned()
}

fn sessions() -> TableCreateStatement {
    Table::create()
        .table("sessions")
        .col(string_len("id", 32))
        .col(string_len("user_id", 255))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("refreshed_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .primary_key(Index::create().name("sessions_pkey").col("id"))
        .foreign_key(&mut owner("sessions"))
        .to_owned()
}

fn api_tokens() -> TableCreateStatement {
    Table::create()
        .table("api_tokens")
        .col(string_len("id", 32))
        .col(string_len("user_id", 255))
        .col(string_len("name", 100))
        .col(string_len("token_hash", 64))
        .col(string_len("last_four", 4))
        .col(string_len("scopes", 255))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .col(timestamp_with_time_zone_null("last_used_at"))
        .primary_key(Index::create().name("api_tokens_pkey").col("id"))
        .index(
            Index::create()
                .unique()
                .name("api_tokens_token_hash_key")
                .col("token_hash"),
        )
        .foreign_key(&mut owner("api_tokens"))
        .to_owned()
}

fn idempotency_keys() -> TableCreateStatement {
    Table::create()
        .table("idempotency_keys")
        .col(string_len("user_id", 255))
        .col(string_len("route", 100))
        .col(string_len("key", 255))
        .col(string_len("fingerprint", 64))
        .col(integer_null("status"))
        .col(text_null("headers"))
        .col(text_null("body"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .primary_key(
            Index::create()
                .name("idempotency_keys_pkey")
                .col("user_id")
                .col("route")
                .col("key"),
        )
        .foreign_key(&mut owner("idempotency_keys"))
        .to_owned()
}

/// What belongs to a person goes when the person goes.
fn owner(table: &str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("{table}_user_id_fkey"))
        .from(table.to_owned(), "user_id")
        .to("users", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}
