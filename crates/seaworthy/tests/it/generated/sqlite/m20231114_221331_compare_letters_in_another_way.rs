//! Compare letters in another way.

use sea_orm_migration::prelude::*;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20231114_221331_compare_letters_in_another_way"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("00000000000c")
                .revises("00000000000b")
                .message("compare letters in another way")
                .created("2023-11-14 22:13:31")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // A table is built again below. Dropping the old one would delete what refers to it, so foreign
        // keys have to be off, and they cannot be switched inside a transaction: seaworthy does it before,
        // and checks them before it commits. The second statement fails where nobody did.
        execute(manager, "PRAGMA foreign_keys = OFF").await?;
        execute(
            manager,
            "SELECT json_extract('{}', 'foreign keys are still on: run this revision with seaworthy') FROM pragma_foreign_keys WHERE foreign_keys = 1",
        )
        .await?;
        execute(
            manager,
            r#"CREATE TABLE "seaworthy_new_tags" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(50) COLLATE "NOCASE" NOT NULL, CONSTRAINT "uq_labels_name" UNIQUE ("name"))"#,
        )
        .await?;
        execute(
            manager,
            r#"INSERT INTO "seaworthy_new_tags" ("id", "name") SELECT "id", "name" FROM "tags""#,
        )
        .await?;
        execute(
            manager,
            "DELETE FROM sqlite_sequence WHERE name = 'seaworthy_new_tags'",
        )
        .await?;
        execute(
            manager,
            "INSERT INTO sqlite_sequence (name, seq) SELECT 'seaworthy_new_tags', seq FROM sqlite_sequence WHERE name = 'tags'",
        )
        .await?;
        execute(manager, r#"DROP TABLE "tags""#).await?;
        execute(manager, "PRAGMA legacy_alter_table = ON").await?;
        execute(
            manager,
            r#"ALTER TABLE "seaworthy_new_tags" RENAME TO "tags""#,
        )
        .await?;
        execute(manager, "PRAGMA legacy_alter_table = OFF").await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // A table is built again below. Dropping the old one would delete what refers to it, so foreign
        // keys have to be off, and they cannot be switched inside a transaction: seaworthy does it before,
        // and checks them before it commits. The second statement fails where nobody did.
        execute(manager, "PRAGMA foreign_keys = OFF").await?;
        execute(
            manager,
            "SELECT json_extract('{}', 'foreign keys are still on: run this revision with seaworthy') FROM pragma_foreign_keys WHERE foreign_keys = 1",
        )
        .await?;
        execute(
            manager,
            r#"CREATE TABLE "seaworthy_new_tags" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(50) NOT NULL, CONSTRAINT "uq_labels_name" UNIQUE ("name"))"#,
        )
        .await?;
        execute(
            manager,
            r#"INSERT INTO "seaworthy_new_tags" ("id", "name") SELECT "id", "name" FROM "tags""#,
        )
        .await?;
        execute(
            manager,
            "DELETE FROM sqlite_sequence WHERE name = 'seaworthy_new_tags'",
        )
        .await?;
        execute(
            manager,
            "INSERT INTO sqlite_sequence (name, seq) SELECT 'seaworthy_new_tags', seq FROM sqlite_sequence WHERE name = 'tags'",
        )
        .await?;
        execute(manager, r#"DROP TABLE "tags""#).await?;
        execute(manager, "PRAGMA legacy_alter_table = ON").await?;
        execute(
            manager,
            r#"ALTER TABLE "seaworthy_new_tags" RENAME TO "tags""#,
        )
        .await?;
        execute(manager, "PRAGMA legacy_alter_table = OFF").await?;
        Ok(())
    }

    // SeaORM's own runner opens no transaction on SQLite unless it is told to.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// Sends SQL of SQLite.
async fn execute(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() != sea_orm::DbBackend::Sqlite {
        let what = "this revision was generated on SQLite and says nothing for other databases";
        return Err(DbErr::Migration(what.to_owned()));
    }
    manager.get_connection().execute_unprepared(sql).await?;
    Ok(())
}
