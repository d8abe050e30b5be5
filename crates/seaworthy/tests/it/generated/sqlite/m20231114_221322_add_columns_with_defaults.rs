//! Add columns with defaults.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{boolean, custom_null, integer, string_len};
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20231114_221322_add_columns_with_defaults"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("000000000003")
                .revises("000000000002")
                .message("add columns with defaults")
                .created("2023-11-14 22:13:22")
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
        manager
            .alter_table(
                Table::alter()
                    .table("kinds")
                    .add_column(boolean("done").default(false))
                    .to_owned(),
            )
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("kinds")
                    .add_column(integer("size").default(7))
                    .to_owned(),
            )
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("kinds")
                    .add_column(string_len("word", 20).default(r#"it's "so""#))
                    .to_owned(),
            )
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("kinds")
                    .add_column(
                        custom_null("part", "numeric(4,2)").default(Expr::cust("1.5")),
                    )
                    .to_owned(),
            )
            .await?;
        execute(
            manager,
            r#"CREATE TABLE "seaworthy_new_kinds" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "c0" bigint, "c1" smallint, "c2" boolean, "c3" date, "c4" time, "c5" timestamp, "c6" timestamp with time zone, "c7" numeric(10,2), "c8" numeric, "c9" REAL, "c10" double precision, "c11" char(3), "c12" varchar, "c13" uuid, "c14" json, "c15" BLOB, "c16" jsonb_text, "c17" datetime_text, "c18" year, "done" boolean NOT NULL DEFAULT false, "size" INTEGER NOT NULL DEFAULT 7, "word" varchar(20) NOT NULL DEFAULT 'it''s "so"', "part" numeric(4,2) DEFAULT 1.5, "made" timestamp DEFAULT CURRENT_TIMESTAMP)"#,
        )
        .await?;
        execute(
            manager,
            r#"INSERT INTO "seaworthy_new_kinds" ("id", "c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "c10", "c11", "c12", "c13", "c14", "c15", "c16", "c17", "c18", "done", "size", "word", "part") SELECT "id", "c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "c10", "c11", "c12", "c13", "c14", "c15", "c16", "c17", "c18", "done", "size", "word", "part" FROM "kinds""#,
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
        // Destructive: what kinds.made holds is lost.
        manager
            .alter_table(Table::alter().table("kinds").drop_column("made").to_owned())
            .await?;
        // Destructive: what kinds.part holds is lost.
        manager
            .alter_table(Table::alter().table("kinds").drop_column("part").to_owned())
            .await?;
        // Destructive: what kinds.word holds is lost.
        manager
            .alter_table(Table::alter().table("kinds").drop_column("word").to_owned())
            .await?;
        // Destructive: what kinds.size holds is lost.
        manager
            .alter_table(Table::alter().table("kinds").drop_column("size").to_owned())
            .await?;
        // Destructive: what kinds.done holds is lost.
        manager
            .alter_table(Table::alter().table("kinds").drop_column("done").to_owned())
            .await?;
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
