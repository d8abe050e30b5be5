//! Remove constraints.

use sea_orm_migration::prelude::*;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20231114_221338_remove_constraints"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("000000000013")
                .revises("000000000012")
                .message("remove constraints")
                .created("2023-11-14 22:13:38")
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
            r#"CREATE TABLE "seaworthy_new_tasks" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "title" varchar(200) NOT NULL, "note" TEXT NOT NULL DEFAULT '', "parent" INTEGER DEFAULT 0, "label" INTEGER, "place" bigint NOT NULL DEFAULT 1, "owned_by" varchar(40) NOT NULL, CONSTRAINT "fk_tasks_label" FOREIGN KEY ("label") REFERENCES "tags" ("id") ON DELETE CASCADE)"#,
        )
        .await?;
        execute(
            manager,
            r#"INSERT INTO "seaworthy_new_tasks" ("id", "title", "note", "parent", "label", "place", "owned_by") SELECT "id", "title", "note", "parent", "label", "place", "owned_by" FROM "tasks""#,
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
            r#"CREATE INDEX "idx_tasks_lower" ON "tasks" ((lower(title)))"#,
        )
        .await?;
        execute(
            manager,
            r#"CREATE INDEX "idx_tasks_newest" ON "tasks" ("parent", "id" DESC)"#,
        )
        .await?;
        execute(
            manager,
            r#"CREATE INDEX "idx_tasks_open" ON "tasks" ("place") WHERE place > 0"#,
        )
        .await?;
        execute(
            manager,
            r#"CREATE UNIQUE INDEX "uq_tasks_place" ON "tasks" ("place", "id")"#,
        )
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
        execute(
            manager,
            r#"CREATE TABLE "seaworthy_new_tasks" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "title" varchar(200) NOT NULL, "note" TEXT NOT NULL DEFAULT '', "parent" INTEGER DEFAULT 0, "label" INTEGER, "place" bigint NOT NULL DEFAULT 1, "owned_by" varchar(40) NOT NULL, CONSTRAINT "tasks_have_places" UNIQUE ("id", "place"), CONSTRAINT "tasks_have_titles" CHECK (length(title) > 0), CONSTRAINT "fk_tasks_label" FOREIGN KEY ("label") REFERENCES "tags" ("id") ON DELETE CASCADE, CONSTRAINT "fk_tasks_above" FOREIGN KEY ("parent") REFERENCES "tasks" ("id") ON DELETE CASCADE)"#,
        )
        .await?;
        execute(
            manager,
            r#"INSERT INTO "seaworthy_new_tasks" ("id", "title", "note", "parent", "label", "place", "owned_by") SELECT "id", "title", "note", "parent", "label", "place", "owned_by" FROM "tasks""#,
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
            r#"CREATE INDEX "idx_tasks_lower" ON "tasks" ((lower(title)))"#,
        )
        .await?;
        execute(
            manager,
            r#"CREATE INDEX "idx_tasks_newest" ON "tasks" ("parent", "id" DESC)"#,
        )
        .await?;
        execute(
            manager,
            r#"CREATE INDEX "idx_tasks_open" ON "tasks" ("place") WHERE place > 0"#,
        )
        .await?;
        execute(
            manager,
            r#"CREATE UNIQUE INDEX "uq_tasks_place" ON "tasks" ("place", "id")"#,
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
