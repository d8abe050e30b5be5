//! Phase XII, first step: how a task recurs can be said under its right name.
//!
//! A word, a rule of iCalendar or the five fields of cron are no pattern. Code that knows the one name and code that knows
//! the other write the same, by a trigger.

use sea_orm_migration::prelude::*;
use seaworthy::online::DualColumn;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

/// `recurrence_pattern` on its way to `recurrence_rule`.
fn rule() -> DualColumn {
    let new = ColumnDef::new("recurrence_rule").string_len(100).take();
    DualColumn::new("tasks", "recurrence_pattern", new)
}

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20250104_100000_name_rules_of_recurrence"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("940153960ac1")
                .revises("15d8b2f6e07c")
                .message("let the rule of a task be called a rule")
                .created("2025-01-04 10:00:00")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        rule().expand(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        rule().collapse(manager).await
    }

    // Each step commits by itself, so that nobody waits for more than one of them.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}
