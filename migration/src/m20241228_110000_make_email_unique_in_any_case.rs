//! Phase VI, second step: one account per e-mail address, however it is written.
//!
//! A unique index over an expression, built while the table is in use.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20241228_110000_make_email_unique_in_any_case"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("5e9b84d0c2f7")
                .revises("a3c1f0d27b64")
                .message("make e-mail addresses unique in any case")
                .created("2024-12-28 11:00:00")
                .phase("VI")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    // Plain SQL: sea-query 1.0.2 panics at an index over an expression on SQLite.
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let concurrently = concurrently(manager);
        let sql = format!("CREATE UNIQUE INDEX {concurrently}users_email_lower_key ON users (lower(email))");
        manager.get_connection().execute_unprepared(&sql).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = format!("DROP INDEX {}users_email_lower_key", concurrently(manager));
        manager.get_connection().execute_unprepared(&sql).await.map(drop)
    }

    // PostgreSQL builds an index beside running writes only outside of a transaction.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}

fn concurrently(manager: &SchemaManager) -> &'static str {
    match manager.get_database_backend() {
        DbBackend::Postgres => "CONCURRENTLY ",
        _ => "",
    }
}
