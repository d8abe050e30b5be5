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
        let connection = manager.get_connection();
        connection.execute_unprepared(&name_duplicates(manager)).await?;
        let concurrently = concurrently(manager);
        let sql = format!(
            "CREATE UNIQUE INDEX {concurrently}IF NOT EXISTS users_email_lower_key ON users (lower(email))"
        );
        connection.execute_unprepared(&sql).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = format!(
            "DROP INDEX {}IF EXISTS users_email_lower_key",
            concurrently(manager)
        );
        manager.get_connection().execute_unprepared(&sql).await.map(drop)
    }

    // PostgreSQL builds an index beside running writes only outside of a transaction. What ran before a failure stays
    // then, hence `IF NOT EXISTS`; what a failed build left INVALID is removed by the runner before it builds again.
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

/// Returns a statement that fails where two accounts are in the way, and names them in its error.
///
/// The build itself would name one of them, and leave an INVALID index that refuses new accounts from then on. A statement
/// that reads and fails is part of a script too; a question asked from here would not be. What fails is a number, or a path
/// into JSON, that is none: the databases quote it. Nothing is none either, and passes.
fn name_duplicates(manager: &SchemaManager) -> String {
    let (joined, cast) = match manager.get_database_backend() {
        DbBackend::Postgres => ("string_agg", ["CAST(", " AS integer)"]),
        _ => ("group_concat", ["json_extract('null', ", ")"]),
    };
    format!(
        "SELECT {}'these e-mail addresses differ only in case: ' || (SELECT {joined}(same, '; ') FROM (\
         SELECT {joined}(email || ' of user ' || id, ', ') AS same FROM users \
         GROUP BY lower(email) HAVING count(*) > 1 ORDER BY lower(email) LIMIT 10) AS offenders) \
         || '. Change all but one of each, then upgrade again'{}",
        cast[0], cast[1]
    )
}
