//! Phase IX, second step: new rows hold words that mean something. Those that are there already are looked at later.
//!
//! Not before they are mended: whoever changes anything else about a row has to fulfil the rule as well.
//!
//! SQLite has no rule for new rows only: there everything happens in the last step.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20241231_110000_check_new_words"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("d4b81f3a6e90")
                .revises("3f7a92c5d0be")
                .message("check priorities and roles of new rows")
                .created("2024-12-31 11:00:00")
                .stage(Stage::Contract)
                .requires_backfill("mend_priorities")
                .requires_backfill("mend_roles"),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, check, condition) in CHECKS {
            on_postgres(
                manager,
                &format!("ALTER TABLE {table} ADD CONSTRAINT {check} CHECK ({condition}) NOT VALID"),
            )
            .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, check, _) in CHECKS.into_iter().rev() {
            on_postgres(
                manager,
                &format!("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {check}"),
            )
            .await?;
        }
        Ok(())
    }

    // One table at a time: what waits for the second does not hold the first. A step that ran before a failure is
    // recognised by the runner.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}

const CHECKS: [(&str, &str, &str); 2] = [
    (
        "tasks",
        "tasks_priority_check",
        "priority IN ('low', 'medium', 'high')",
    ),
    ("messages", "messages_role_check", "role IN ('user', 'assistant')"),
];

async fn on_postgres(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() == DbBackend::Postgres {
        manager.get_connection().execute_unprepared(sql).await?;
    }
    Ok(())
}
