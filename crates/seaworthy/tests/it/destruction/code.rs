//! Ways to destroy rows by what SeaORM brings: its statements, its entities, behind a question, in a transaction of their own.

use futures_util::future::BoxFuture;
use sea_orm::sea_query::{Query, Table};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, ModelTrait, TransactionTrait};
use sea_orm_migration::SchemaManager;

use crate::databases::Act;

type Acted<'a> = BoxFuture<'a, Result<(), DbErr>>;

/// What the question has to name, and the code.
pub(super) const WAYS: [(&str, Act); 9] = [
    ("table logs", drop_table),
    ("table logs", drop_table_if_there),
    ("column logs.mood", drop_column),
    ("column logs.mood", drop_column_if_there),
    ("row of logs", delete_by_statement),
    ("row of logs", delete_by_entity),
    ("row of logs", delete_what_is_found),
    ("table logs", drop_in_own_transaction),
    ("table logs", drop_where_nothing_changes),
];

mod logs {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "logs")]
    pub(super) struct Model {
        #[sea_orm(primary_key)]
        pub(super) id: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

fn drop_table<'a>(manager: &'a SchemaManager<'a>) -> Acted<'a> {
    Box::pin(async { manager.drop_table(Table::drop().table("logs").to_owned()).await })
}

fn drop_table_if_there<'a>(manager: &'a SchemaManager<'a>) -> Acted<'a> {
    Box::pin(async {
        match manager.has_table("logs").await? {
            true => drop_table(manager).await,
            false => Ok(()),
        }
    })
}

fn drop_column<'a>(manager: &'a SchemaManager<'a>) -> Acted<'a> {
    let alter = Table::alter().table("logs").drop_column("mood").to_owned();
    Box::pin(async move { manager.alter_table(alter).await })
}

fn drop_column_if_there<'a>(manager: &'a SchemaManager<'a>) -> Acted<'a> {
    Box::pin(async {
        match manager.has_column("logs", "mood").await? {
            true => drop_column(manager).await,
            false => Ok(()),
        }
    })
}

fn delete_by_statement<'a>(manager: &'a SchemaManager<'a>) -> Acted<'a> {
    Box::pin(async {
        manager
            .execute(Query::delete().from_table("logs").to_owned())
            .await
    })
}

fn delete_by_entity<'a>(manager: &'a SchemaManager<'a>) -> Acted<'a> {
    Box::pin(async {
        let deleted = logs::Entity::delete_many().exec(manager.get_connection()).await;
        deleted.map(drop)
    })
}

fn delete_what_is_found<'a>(manager: &'a SchemaManager<'a>) -> Acted<'a> {
    Box::pin(async {
        let db = manager.get_connection();
        match logs::Entity::find_by_id(1).one(db).await? {
            Some(log) => log.delete(db).await.map(drop),
            None => Ok(()),
        }
    })
}

fn drop_in_own_transaction<'a>(manager: &'a SchemaManager<'a>) -> Acted<'a> {
    Box::pin(async {
        let transaction = manager.get_connection().begin().await?;
        transaction.execute_unprepared("DROP TABLE logs").await?;
        transaction.commit().await
    })
}

fn drop_where_nothing_changes<'a>(manager: &'a SchemaManager<'a>) -> Acted<'a> {
    Box::pin(async {
        let db = manager.get_connection();
        let changed = db
            .execute_unprepared("UPDATE logs SET id = 7 WHERE id = 99")
            .await?;
        match changed.rows_affected() {
            0 => drop_table(manager).await,
            _ => Ok(()),
        }
    })
}
