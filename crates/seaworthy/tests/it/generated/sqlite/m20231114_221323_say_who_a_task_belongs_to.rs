//! Say who a task belongs to.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::string_len_null;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20231114_221323_say_who_a_task_belongs_to"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("000000000004")
                .revises("000000000003")
                .message("say who a task belongs to")
                .created("2023-11-14 22:13:23")
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
                    .table("tasks")
                    .add_column(string_len_null("owner", 40))
                    .to_owned(),
            )
            .await?;
        manager
            .execute(
                Query::update()
                    .table("tasks")
                    .value("owner", Expr::cust("'nobody'"))
                    .and_where(Expr::col("owner").is_null())
                    .to_owned(),
            )
            .await?;
        execute(
            manager,
            r#"CREATE TABLE "seaworthy_new_tasks" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "title" varchar(100) NOT NULL, "note" TEXT, "parent" INTEGER DEFAULT 0, "label" INTEGER, "place" INTEGER NOT NULL DEFAULT 0, "owner" varchar(40) NOT NULL, CONSTRAINT "fk_tasks_label" FOREIGN KEY ("label") REFERENCES "labels" ("id") ON DELETE SET NULL)"#,
        )
        .await?;
        execute(
            manager,
            r#"INSERT INTO "seaworthy_new_tasks" ("id", "title", "note", "parent", "label", "place", "owner") SELECT "id", "title", "note", "parent", "label", "place", "owner" FROM "tasks""#,
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
        // Destructive: what tasks.owner holds is lost.
        manager
            .alter_table(
                Table::alter()
                    .table("tasks")
                    .drop_column("owner")
                    .to_owned(),
            )
            .await?;
        execute(
            manager,
            r#"CREATE TABLE "seaworthy_new_tasks" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "title" varchar(100) NOT NULL, "note" TEXT, "parent" INTEGER, "label" INTEGER, "place" INTEGER NOT NULL DEFAULT 0, CONSTRAINT "fk_tasks_label" FOREIGN KEY ("label") REFERENCES "labels" ("id") ON DELETE SET NULL)"#,
        )
        .await?;
        execute(
            manager,
            r#"INSERT INTO "seaworthy_new_tasks" ("id", "title", "note", "parent", "label", "place") SELECT "id", "title", "note", "parent", "label", "place" FROM "tasks""#,
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
