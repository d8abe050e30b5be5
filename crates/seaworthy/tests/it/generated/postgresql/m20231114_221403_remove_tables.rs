//! Remove tables.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer_null, blob_null, boolean_null, char_len_null, custom_null, date_null,
    decimal_len_null, decimal_null, double_null, float_null, integer, json_binary_null, json_null,
    small_integer_null, string_len, string_null, time_null, timestamp_null,
    timestamp_with_time_zone_null, uuid_null,
};
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20231114_221403_remove_tables"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("00000000002c")
                .revises("00000000002b")
                .message("remove tables")
                .created("2023-11-14 22:14:03")
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
        // Destructive: every row of events is lost.
        manager
            .drop_table(Table::drop().table("events").to_owned())
            .await?;
        // Destructive: every row of alarms is lost.
        manager
            .drop_table(Table::drop().table("alarms").to_owned())
            .await?;
        // Destructive: every row of bookings is lost.
        manager
            .drop_table(Table::drop().table("bookings").to_owned())
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Brings bookings back without its rows.
        execute(
            manager,
            r#"CREATE TABLE "bookings" ("during" tstzrange, CONSTRAINT "ex_bookings_during" EXCLUDE USING gist (during WITH &&))"#,
        )
        .await?;
        // Brings alarms back without its rows.
        execute(manager, r#"CREATE TABLE "alarms" () INHERITS ("bookings")"#).await?;
        // Brings events back without its rows.
        execute(
            manager,
            r#"CREATE TABLE "events" ("day" date NOT NULL) PARTITION BY RANGE (day)"#,
        )
        .await?;
        execute(
            manager,
            r#"CREATE TABLE "events_2024_01_01" PARTITION OF "events" FOR VALUES FROM ('2024-01-01') TO ('2024-01-31')"#,
        )
        .await?;
        // Brings kinds back without its rows.
        manager
            .create_table(
                Table::create()
                    .table("kinds")
                    .col(integer("id").auto_increment().primary_key())
                    .col(big_integer_null("c0"))
                    .col(small_integer_null("c1"))
                    .col(boolean_null("c2"))
                    .col(date_null("c3"))
                    .col(time_null("c4"))
                    .col(timestamp_null("c5"))
                    .col(timestamp_with_time_zone_null("c6"))
                    .col(decimal_len_null("c7", 10, 2))
                    .col(decimal_null("c8"))
                    .col(float_null("c9"))
                    .col(double_null("c10"))
                    .col(char_len_null("c11", 3))
                    .col(string_null("c12"))
                    .col(uuid_null("c13"))
                    .col(json_null("c14"))
                    .col(blob_null("c15"))
                    .col(json_binary_null("c16"))
                    .col(custom_null("c17", "text[]"))
                    .col(custom_null("c18", "inet"))
                    .col(integer("done").default(0))
                    .col(string_len("word", 10).default(r#"it's "so""#))
                    .col(decimal_len_null("part", 4, 2).default(Expr::cust("1.5")))
                    .col(timestamp_null("made"))
                    .to_owned(),
            )
            .await?;
        // Brings tags back without its rows.
        execute(
            manager,
            r#"CREATE TABLE "tags" ("id" integer GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME "labels_id_seq") NOT NULL, "name" character varying(50) COLLATE "C" NOT NULL, CONSTRAINT "labels_pkey" PRIMARY KEY ("id"), CONSTRAINT "uq_labels_name" UNIQUE ("name"))"#,
        )
        .await?;
        Ok(())
    }

    // SeaORM's own runner opens no transaction on SQLite unless it is told to.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// Sends SQL of PostgreSQL.
async fn execute(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() != sea_orm::DbBackend::Postgres {
        let what = "this revision was generated on PostgreSQL and says nothing for other databases";
        return Err(DbErr::Migration(what.to_owned()));
    }
    manager.get_connection().execute_unprepared(sql).await?;
    Ok(())
}
