//! Phase XII, third step: the old name goes, and with it what kept the two the same.
//!
//! What names it must be gone or know of this revision. Both go in one moment: a process that knows the revision and has not
//! noticed it yet is told so by the database, instead of writing into a column that nobody reads any more.

use sea_orm_migration::prelude::*;
use seaworthy::online::DualColumn;
use seaworthy::revision::{Accepted, Header, Revision, Stage};

pub struct Migration;

/// `recurrence_pattern` on its way to `recurrence_rule`.
fn rule() -> DualColumn {
    let new = ColumnDef::new("recurrence_rule").string_len(100).take();
    DualColumn::new("tasks", "recurrence_pattern", new)
}

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20250104_120000_drop_patterns_of_recurrence"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("515090cc3bed")
                .revises("d0654cc0c660")
                .message("drop the old name of rules")
                .created("2025-01-04 12:00:00")
                .phase("XII")
                .stage(Stage::Contract)
                .removes("tasks.recurrence_pattern")
                .requires_backfill(rule().backfill().name())
                .accepts(Accepted::down(
                    "bulk-dml",
                    "UPDATE tasks",
                    "only tasks that recur are written, and each is locked for as long as that takes",
                )),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        rule().replace(manager).await
    }

    // Nothing is lost: the old name holds what is written under the new one meanwhile.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let old = ColumnDef::new("recurrence_pattern").string_len(100).take();
        rule().reopen(manager, old).await?;
        let fill = "UPDATE tasks SET recurrence_pattern = recurrence_rule \
                    WHERE recurrence_rule IS NOT NULL AND recurrence_pattern IS NULL";
        manager.get_connection().execute_unprepared(fill).await.map(drop)
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}
