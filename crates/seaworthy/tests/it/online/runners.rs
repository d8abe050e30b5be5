//! Operations under SeaORM's own runner, under this tool's, and from a script.

use sea_orm_migration::{MigrationTrait, MigratorTrait};
use seaworthy::command::{self};
use seaworthy::environment::Environment;
use seaworthy::graph::Target;
use seaworthy::revision::{Revision, Stage};

use super::*;
use crate::databases::{downgrade, upgrade};

struct Tables;

impl MigrationName for Tables {
    fn name(&self) -> &str {
        "m1_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Tables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in TABLES {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["tasks", "users"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

impl Revision for Tables {}

/// All of it in a revision; with a transaction around it, or without.
struct Change(Option<bool>);

impl MigrationName for Change {
    fn name(&self) -> &str {
        "m2_change"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Change {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = ColumnDef::new("priority")
            .string_len(20)
            .not_null()
            .default("medium")
            .take();
        online::add_column(manager, "tasks", column).await?;
        let key = ForeignKey::create()
            .name("tasks_user_id_fkey")
            .from("tasks", "user_id")
            .to("users", "id")
            .take();
        online::add_foreign_key(manager, key).await?;
        online::create_index(manager, "CREATE INDEX idx_tasks_user_id ON tasks (user_id)").await?;
        online::set_not_null(manager, "tasks", "user_id").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        online::drop_not_null(manager, "tasks", "user_id").await?;
        online::drop_index(manager, "idx_tasks_user_id").await?;
        online::drop_constraint(manager, "tasks", "tasks_user_id_fkey").await?;
        online::drop_column(manager, "tasks", "priority").await
    }

    fn use_transaction(&self) -> Option<bool> {
        self.0
    }
}

impl Revision for Change {}

struct Open;

impl MigratorTrait for Open {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Tables), Box::new(Change(Some(false)))]
    }
}

struct Closed;

impl MigratorTrait for Closed {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Tables), Box::new(Change(None))]
    }
}

fn environment(database: &ScratchDatabase, transaction: Option<bool>) -> Environment {
    Environment::new(vec![Box::new(Tables), Box::new(Change(transaction))]).database(database.url().clone())
}

#[tokio::test]
async fn the_stock_runner_and_ours_leave_the_same_schema_up_and_down() {
    for (stock, ours) in databases().await.into_iter().zip(databases().await) {
        let theirs = session(&stock).await;
        Open::up(theirs.connection(), None).await.unwrap();
        let environment = environment(&ours, Some(false));
        upgrade(&environment, "head").await.unwrap();
        let own = session(&ours).await;
        let without_ledgers = |mut catalog: Catalog| {
            catalog
                .tables
                .retain(|table| table.name == "tasks" || table.name == "users");
            catalog
        };
        let (one, other) = (schema(&theirs).await, schema(&own).await);
        assert_eq!(without_ledgers(one), without_ledgers(other));
        Open::down(theirs.connection(), Some(1)).await.unwrap();
        downgrade(&environment, "-1").await.unwrap();
        let (one, other) = (schema(&theirs).await, schema(&own).await);
        assert_eq!(without_ledgers(one.clone()), without_ledgers(other));
        assert!(
            without_ledgers(one)
                .table("tasks")
                .unwrap()
                .foreign_keys
                .is_empty()
        );
        theirs.close().await;
        own.close().await;
        stock.remove().await.unwrap();
        ours.remove().await.unwrap();
    }
}

#[tokio::test]
async fn inside_of_a_transaction_postgresql_is_told_what_to_do() {
    let Some(database) = postgres().await else { return };
    let session = session(&database).await;
    let error = Closed::up(session.connection(), None).await.unwrap_err();
    assert_snapshot!(error, @"Migration Error: online::add_foreign_key takes several transactions and is called inside of one; let the revision say `fn use_transaction(&self) -> Option<bool> { Some(false) }`");
    session.close().await;
    database.remove().await.unwrap();
}

#[tokio::test]
async fn inside_of_a_transaction_sqlite_does_it_all_the_same() {
    let database = ScratchDatabase::sqlite(&std::env::temp_dir()).unwrap();
    let environment = environment(&database, None);
    upgrade(&environment, "head").await.unwrap();
    let session = session(&database).await;
    let catalog = schema(&session).await;
    let tasks = catalog.table("tasks").unwrap();
    assert!(!tasks.column("user_id").unwrap().nullable);
    assert_eq!(tasks.foreign_keys.len(), 1);
    session.close().await;
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_script_for_sqlite_is_refused_where_a_table_is_built_again() {
    let database = ScratchDatabase::sqlite(&std::env::temp_dir()).unwrap();
    let environment = environment(&database, Some(false));
    let target: Target = "head".parse().unwrap();
    let from: Target = "m1_tables".parse().unwrap();
    let error = command::upgrade_sql(&environment, Some(&from), &target, Stage::Contract)
        .await
        .unwrap_err();
    assert_snapshot!(error, @r#"the SQL of revision m2_change is not known beforehand: what it sends depends on what is there: the table tasks is built again: {"op":"add_foreign_key","table":"tasks","name":"tasks_user_id_fkey","columns":["user_id"],"value":"users (id)"}"#);
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_script_says_what_is_asked_and_sends_the_whole_sequence() {
    let Some(database) = postgres().await else { return };
    let environment = environment(&database, Some(false));
    let target: Target = "head".parse().unwrap();
    let from: Target = "m1_tables".parse().unwrap();
    let script = command::upgrade_sql(&environment, Some(&from), &target, Stage::Contract)
        .await
        .unwrap();
    let begin = script.sql.find("-- Running upgrade").unwrap();
    let end = script.sql.find("INSERT INTO \"seaql").unwrap_or(script.sql.len());
    assert_snapshot!(&script.sql[begin..end], @r#"
    -- Running upgrade m1_tables -> m2_change, change
    -- asks the database: SELECT atthasdef AS has_default FROM pg_attribute WHERE attrelid = to_regclass('tasks') AND attname = 'priority' AND NOT attisdropped
    -- asks the database: SELECT 1 AS found FROM pg_class WHERE oid = to_regclass('tasks') AND relkind = 'p'
    -- asks the database: SELECT contype::text AS kind, convalidated AS is_valid FROM pg_constraint WHERE conrelid = to_regclass('tasks') AND conname = 'tasks_user_id_fkey'
    -- asks the database: SELECT 1 AS found FROM pg_class WHERE oid = to_regclass('tasks') AND relkind = 'p'
    -- asks the database: SELECT t.relname::text AS table_name, i.indisunique, i.indisvalid, EXISTS (SELECT 1 FROM pg_stat_progress_create_index WHERE index_relid = i.indexrelid) AS is_being_built FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid WHERE i.indexrelid = to_regclass('idx_tasks_user_id')
    -- asks the database: SELECT t.id IS NOT NULL AS has_table, a.attnotnull AS is_not_null, a.attnotnull AND NOT EXISTS (SELECT FROM pg_constraint n WHERE n.conrelid = t.id AND n.contype = 'n' AND n.conkey[1] = a.attnum AND NOT n.convalidated) AS is_proven, c.convalidated AS is_valid FROM (SELECT to_regclass('tasks')::oid AS id) AS t LEFT JOIN pg_attribute a ON a.attrelid = t.id AND a.attname = 'user_id' AND NOT a.attisdropped LEFT JOIN pg_constraint c ON c.conrelid = t.id AND c.conname = 'tasks_user_id_not_null' AND c.contype = 'c'
    DO $precondition$ BEGIN IF EXISTS (SELECT 1 FROM "seaql_migrations" WHERE version = 'm2_change') THEN RAISE EXCEPTION USING MESSAGE = 'revision m2_change is applied already'; END IF; END $precondition$;
    BEGIN;
    SET LOCAL lock_timeout = '200ms';
    SET LOCAL statement_timeout = '15s';
    ALTER TABLE "tasks" ADD COLUMN "priority" varchar(20) NOT NULL DEFAULT 'medium';
    COMMIT;
    BEGIN;
    SET LOCAL lock_timeout = '200ms';
    SET LOCAL statement_timeout = '15s';
    ALTER TABLE "tasks" ADD CONSTRAINT "tasks_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id") NOT VALID;
    COMMIT;
    BEGIN;
    SET LOCAL lock_timeout = '200ms';
    ALTER TABLE tasks VALIDATE CONSTRAINT tasks_user_id_fkey;
    COMMIT;
    CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_tasks_user_id ON tasks (user_id);
    BEGIN;
    SET LOCAL lock_timeout = '200ms';
    SET LOCAL statement_timeout = '15s';
    ALTER TABLE tasks ADD CONSTRAINT tasks_user_id_not_null CHECK (user_id IS NOT NULL) NOT VALID;
    COMMIT;
    BEGIN;
    SET LOCAL lock_timeout = '200ms';
    ALTER TABLE tasks VALIDATE CONSTRAINT tasks_user_id_not_null;
    COMMIT;
    BEGIN;
    SET LOCAL lock_timeout = '200ms';
    SET LOCAL statement_timeout = '15s';
    ALTER TABLE tasks ALTER COLUMN user_id SET NOT NULL;
    COMMIT;
    BEGIN;
    SET LOCAL lock_timeout = '200ms';
    SET LOCAL statement_timeout = '15s';
    ALTER TABLE tasks DROP CONSTRAINT IF EXISTS tasks_user_id_not_null;
    COMMIT;
    BEGIN;
    "#);
    database.remove().await.unwrap();
}

#[tokio::test]
async fn an_operation_tries_as_often_as_the_run_was_told_to() {
    let Some(database) = postgres().await else { return };
    let environment = environment(&database, Some(false));
    upgrade(&environment, "m1_tables").await.unwrap();
    let holder = session(&database).await;
    holder.send("BEGIN; SELECT * FROM tasks").await.unwrap();
    // Whoever runs the commands of these tests tries twice more.
    let error = upgrade(&environment, "head").await.unwrap_err();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text.push_str(&format!("\n{inner}"));
        cause = inner.source();
    }
    assert_snapshot!(text, @"
    upgrade of m2_change failed; it runs without a transaction, and what it did before stays
    a lock was not granted
    canceling statement due to lock timeout (SQLSTATE 55P03)
    ");
    holder.send("COMMIT").await.unwrap();
    upgrade(&environment, "head").await.unwrap();
    holder.close().await;
    database.remove().await.unwrap();
}
