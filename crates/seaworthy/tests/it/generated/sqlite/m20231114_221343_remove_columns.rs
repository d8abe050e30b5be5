//! Remove columns.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{integer, integer_null};
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20231114_221343_remove_columns"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("000000000018")
                .revises("000000000017")
                .message("remove columns")
                .created("2023-11-14 22:13:43")
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
        // Destructive: what tasks.label holds is lost.
        execute(
            manager,
            r#"CREATE TABLE "seaworthy_new_tasks" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "title" varchar(200) NOT NULL, "note" TEXT NOT NULL DEFAULT '', "parent" INTEGER DEFAULT 0, "place" bigint NOT NULL DEFAULT 1, "owned_by" varchar(40) NOT NULL)"#,
        )
        .await?;
        execute(
            manager,
            r#"INSERT INTO "seaworthy_new_tasks" ("id", "title", "note", "parent", "place", "owned_by") SELECT "id", "title", "note", "parent", "place", "owned_by" FROM "tasks""#,
        )
        .await?;
        execute(
            manager,
            "DELETE FROM sqlite_sequence WHERE name = 'seaworthy_new_tasks'",
        )
        .await?;
        execute(
            manager,
            "INSERT INTO sqlite_sequence (name, seq) SELECT 'seaworthy_new_tasks', seq FROM sqlite_sequence WHERE name = 'tasks'",
        )
        .await?;
        execute(manager, r#"DROP TABLE "tasks""#).await?;
        execute(manager, "PRAGMA legacy_alter_table = ON").await?;
        execute(
            manager,
            r#"ALTER TABLE "seaworthy_new_tasks" RENAME TO "tasks""#,
        )
        .await?;
        execute(manager, "PRAGMA legacy_alter_table = OFF").await?;
        execute(
            manager,
            "CREATE TRIGGER trim_titles AFTER INSERT ON tasks BEGIN UPDATE tasks SET title = trim(new.title) WHERE id = new.id; END",
        )
        .await?;
        // Destructive: what kinds.twice holds is lost.
        manager
            .alter_table(
                Table::alter()
                    .table("kinds")
                    .drop_column("twice")
                    .to_owned(),
            )
            .await?;
        // Destructive: what kinds.size holds is lost.
        manager
            .alter_table(Table::alter().table("kinds").drop_column("size").to_owned())
            .await?;
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
        // Brings tasks.label back without what it held.
        manager
            .alter_table(
                Table::alter()
                    .table("tasks")
                    .add_column(integer_null("label"))
                    .to_owned(),
            )
            .await?;
        // Brings kinds.size back without what it held.
        manager
            .alter_table(
                Table::alter()
                    .table("kinds")
                    .add_column(integer("size").default(7))
                    .to_owned(),
            )
            .await?;
        // Brings kinds.twice back without what it held.
        execute(
            manager,
            r#"CREATE TABLE "seaworthy_new_kinds" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "c0" bigint, "c1" smallint, "c2" boolean, "c3" date, "c4" time, "c5" timestamp, "c6" timestamp with time zone, "c7" numeric(10,2), "c8" numeric, "c9" REAL, "c10" double precision, "c11" char(3), "c12" varchar, "c13" uuid, "c14" json, "c15" BLOB, "c16" jsonb_text, "c17" datetime_text, "c18" year, "done" INTEGER NOT NULL DEFAULT false, "word" varchar(10) NOT NULL DEFAULT 'it''s "so"', "part" numeric(4,2) DEFAULT 1.5, "made" timestamp, "size" INTEGER NOT NULL DEFAULT 7, "twice" INTEGER GENERATED ALWAYS AS (size + size) STORED)"#,
        )
        .await?;
        execute(
            manager,
            r#"INSERT INTO "seaworthy_new_kinds" ("id", "c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "c10", "c11", "c12", "c13", "c14", "c15", "c16", "c17", "c18", "done", "word", "part", "made", "size") SELECT "id", "c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "c10", "c11", "c12", "c13", "c14", "c15", "c16", "c17", "c18", "done", "word", "part", "made", "size" FROM "kinds""#,
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
        manager
            .create_index(
                Index::create()
                    .name("idx_tasks_label")
                    .table("tasks")
                    .col("label")
                    .to_owned(),
            )
            .await?;
        execute(
            manager,
            r#"CREATE TABLE "seaworthy_new_tasks" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "title" varchar(200) NOT NULL, "note" TEXT NOT NULL DEFAULT '', "parent" INTEGER DEFAULT 0, "place" bigint NOT NULL DEFAULT 1, "owned_by" varchar(40) NOT NULL, "label" INTEGER, CONSTRAINT "fk_tasks_label" FOREIGN KEY ("label") REFERENCES "tags" ("id") ON DELETE CASCADE)"#,
        )
        .await?;
        execute(
            manager,
            r#"INSERT INTO "seaworthy_new_tasks" ("id", "title", "note", "parent", "place", "owned_by", "label") SELECT "id", "title", "note", "parent", "place", "owned_by", "label" FROM "tasks""#,
        )
        .await?;
        execute(
            manager,
            "DELETE FROM sqlite_sequence WHERE name = 'seaworthy_new_tasks'",
        )
        .await?;
        execute(
            manager,
            "INSERT INTO sqlite_sequence (name, seq) SELECT 'seaworthy_new_tasks', seq FROM sqlite_sequence WHERE name = 'tasks'",
        )
        .await?;
        execute(manager, r#"DROP TABLE "tasks""#).await?;
        execute(manager, "PRAGMA legacy_alter_table = ON").await?;
        execute(
            manager,
            r#"ALTER TABLE "seaworthy_new_tasks" RENAME TO "tasks""#,
        )
        .await?;
        execute(manager, "PRAGMA legacy_alter_table = OFF").await?;
        execute(
            manager,
            r#"CREATE INDEX "idx_tasks_label" ON "tasks" ("label")"#,
        )
        .await?;
        execute(
            manager,
            "CREATE TRIGGER trim_titles AFTER INSERT ON tasks BEGIN UPDATE tasks SET title = trim(new.title) WHERE id = new.id; END",
        )
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
