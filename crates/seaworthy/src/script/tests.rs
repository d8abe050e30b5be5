//! What a recording takes for known.

use sea_orm::ConnectionTrait;
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait};

use super::*;

struct Batches;

impl MigrationName for Batches {
    fn name(&self) -> &str {
        "m20260101_000000_batches"
    }
}

impl Revision for Batches {}

#[async_trait::async_trait]
impl MigrationTrait for Batches {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let batch =
            "UPDATE notes SET size = 0 WHERE id IN (SELECT id FROM notes WHERE size IS NULL LIMIT 100)";
        while manager
            .get_connection()
            .execute_unprepared(batch)
            .await?
            .rows_affected()
            == 100
        {}
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let all = "UPDATE notes SET size = NULL";
        manager.get_connection().execute_unprepared(all).await.map(drop)
    }
}

#[tokio::test]
async fn a_loop_over_batches_is_not_known_beforehand() {
    let up = record(&Batches, Direction::Up, DbBackend::Postgres).await;
    assert_eq!(
        up.incomplete.as_deref(),
        Some("it goes on by how many rows a statement has changed")
    );
    assert_eq!(up.checksum(), None);
    let down = record(&Batches, Direction::Down, DbBackend::Postgres).await;
    assert_eq!(down.incomplete, None);
}
