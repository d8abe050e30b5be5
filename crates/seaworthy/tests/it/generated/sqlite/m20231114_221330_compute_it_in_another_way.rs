//! Compute it in another way.

use sea_orm_migration::prelude::*;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20231114_221330_compute_it_in_another_way"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("00000000000b")
                .revises("00000000000a")
                .message("compute it in another way")
                .created("2023-11-14 22:13:30")
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
        // Destructive: what kinds.twice holds is lost.
        execute(
            manager,
            r#"CREATE TABLE "seaworthy_new_kinds" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "c0" bigint, "c1" smallint, "c2" boolean, "c3" date, "c4" time, "c5" timestamp, "c6" timestamp with time zone, "c7" numeric(10,2), "c8" numeric, "c9" REAL, "c10" double precision, "c11" char(3), "c12" varchar, "c13" uuid, "c14" json, "c15" BLOB, "c16" jsonb_text, "c17" datetime_text, "c18" year, "done" INTEGER NOT NULL DEFAULT false, "size" INTEGER DEFAULT 7, "word" varchar(10) NOT NULL DEFAULT 'it''s "so"', "part" numeric(4,2) DEFAULT 1.5, "made" timestamp, "twice" INTEGER GENERATED ALWAYS AS (size + size) STORED)"#,
        )
        .await?;
        execute(
            manager,
            r#"INSERT INTO "seaworthy_new_kinds" ("id", "c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "c10", "c11", "c12", "c13", "c14", "c15", "c16", "c17", "c18", "done", "size", "word", "part", "made") SELECT "id", "c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "c10", "c11", "c12", "c13", "c14", "c15", "c16", "c17", "c18", "done", "size", "word", "part", "made" FROM "kinds""#,
        )
        .await?;
        execute(
            manager,
            "DELETE FROM sqlite_sequence WHERE name = 'seaworthy_new_kinds'",
        )
        .await?;
        execute(
            manager,
            "INSERT INTO sqlite_sequence (name, seq) SELECT 'seaworthy_new_kinds', seq FROM sqlite_sequence WHERE name = 'kinds'",
        )
        .await?;
        execute(manager, r#"DROP TABLE "kinds""#).await?;
        execute(manager, "PRAGMA legacy_alter_table = ON").await?;
        execute(
            manager,
            r#"ALTER TABLE "seaworthy_new_kinds" RENAME TO "kinds""#,
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
        // Destructive: what kinds.twice holds is lost.
        execute(
            manager,
            r#"CREATE TABLE "seaworthy_new_kinds" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "c0" bigint, "c1" smallint, "c2" boolean, "c3" date, "c4" time, "c5" timestamp, "c6" timestamp with time zone, "c7" numeric(10,2), "c8" numeric, "c9" REAL, "c10" double precision, "c11" char(3), "c12" varchar, "c13" uuid, "c14" json, "c15" BLOB, "c16" jsonb_text, "c17" datetime_text, "c18" year, "done" INTEGER NOT NULL DEFAULT false, "size" INTEGER DEFAULT 7, "word" varchar(10) NOT NULL DEFAULT 'it''s "so"', "part" numeric(4,2) DEFAULT 1.5, "made" timestamp, "twice" INTEGER GENERATED ALWAYS AS (size * 2) STORED)"#,
        )
        .await?;
        execute(
            manager,
            r#"INSERT INTO "seaworthy_new_kinds" ("id", "c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "c10", "c11", "c12", "c13", "c14", "c15", "c16", "c17", "c18", "done", "size", "word", "part", "made") SELECT "id", "c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "c10", "c11", "c12", "c13", "c14", "c15", "c16", "c17", "c18", "done", "size", "word", "part", "made" FROM "kinds""#,
        )
        .await?;
        execute(
            manager,
            "DELETE FROM sqlite_sequence WHERE name = 'seaworthy_new_kinds'",
        )
        .await?;
        execute(
            manager,
            "INSERT INTO sqlite_sequence (name, seq) SELECT 'seaworthy_new_kinds', seq FROM sqlite_sequence WHERE name = 'kinds'",
        )
        .await?;
        execute(manager, r#"DROP TABLE "kinds""#).await?;
        execute(manager, "PRAGMA legacy_alter_table = ON").await?;
        execute(
            manager,
            r#"ALTER TABLE "seaworthy_new_kinds" RENAME TO "kinds""#,
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
