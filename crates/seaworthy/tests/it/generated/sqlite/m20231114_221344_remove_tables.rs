//! Remove tables.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    blob_null, boolean_null, char_len_null, custom_null, date_time_null, integer, json_binary_null,
    small_integer_null, string_len, string_null,
};
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20231114_221344_remove_tables"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("000000000019")
                .revises("000000000018")
                .message("remove tables")
                .created("2023-11-14 22:13:44")
                .stage(Stage::Expand),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Destructive: every row of tags is lost.
        manager
            .drop_table(Table::drop().table("tags").to_owned())
            .await?;
        // Destructive: every row of kinds is lost.
        manager
            .drop_table(Table::drop().table("kinds").to_owned())
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Brings kinds back without its rows.
        manager
            .create_table(
                Table::create()
                    .table("kinds")
                    .col(integer("id").auto_increment().primary_key())
                    .col(custom_null("c0", "bigint"))
                    .col(small_integer_null("c1"))
                    .col(boolean_null("c2"))
                    .col(custom_null("c3", "date"))
                    .col(custom_null("c4", "time"))
                    .col(custom_null("c5", "timestamp"))
                    .col(custom_null("c6", "timestamp with time zone"))
                    .col(custom_null("c7", "numeric(10,2)"))
                    .col(custom_null("c8", "numeric"))
                    .col(custom_null("c9", "REAL"))
                    .col(custom_null("c10", "double precision"))
                    .col(char_len_null("c11", 3))
                    .col(string_null("c12"))
                    .col(custom_null("c13", "uuid"))
                    .col(custom_null("c14", "json"))
                    .col(blob_null("c15"))
                    .col(json_binary_null("c16"))
                    .col(date_time_null("c17"))
                    .col(custom_null("c18", "year"))
                    .col(integer("done").default(Expr::cust("false")))
                    .col(string_len("word", 10).default(r#"it's "so""#))
                    .col(
                        custom_null("part", "numeric(4,2)").default(Expr::cust("1.5")),
                    )
                    .col(custom_null("made", "timestamp"))
                    .to_owned(),
            )
            .await?;
        // Brings tags back without its rows.
        execute(
            manager,
            r#"CREATE TABLE "tags" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "name" TEXT COLLATE "NOCASE" NOT NULL ON CONFLICT FAIL, CONSTRAINT "uq_labels_name" UNIQUE ("name")) STRICT"#,
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
