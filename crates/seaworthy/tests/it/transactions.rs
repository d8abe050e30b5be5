//! Revisions and the transaction that they run in: nobody else ends it, and what cannot run in one is sent by itself.

use sea_orm::{DbBackend, Statement};
use sea_orm_migration::prelude::*;
use seaworthy::environment::Environment;
use seaworthy::revision::Revision;
use seaworthy::script::is_recording;

use crate::databases::{
    Sql, current, databases, environment, events, postgres, send, session, tables, upgrade,
};

#[tokio::test]
async fn a_revision_that_ends_its_transaction_is_refused_before_anything_is_sent() {
    for control in [
        "COMMIT",
        "commit; BEGIN",
        "CREATE TABLE t_c (id integer); ROLLBACK; SELECT 1",
        "-- all of it\nEND",
        "BEGIN",
    ] {
        for database in databases().await {
            let broken = Sql::new("b", Some("a"), &["CREATE TABLE t_b (id integer)", control], &[]);
            let environment = environment(&database, &[Sql::table("a", None), broken]);
            let error = upgrade(&environment, "head").await.unwrap_err();
            assert_eq!(error.kind(), "transaction_control", "{control}: {error}");
            assert!(
                error
                    .to_string()
                    .starts_with("revision b controls the transaction"),
                "{error}"
            );
            assert!(error.hint().unwrap().contains("use_transaction"));
            assert!(tables(&database).await.is_empty(), "{control}");
            assert!(current(&environment).await.is_empty());
            database.remove().await.unwrap();
        }
    }
}

#[tokio::test]
async fn savepoints_and_a_transaction_of_its_own_without_another_around_it_are_fine() {
    for database in databases().await {
        let inside = [
            "SAVEPOINT s",
            "CREATE TABLE t_no (id integer)",
            "ROLLBACK TO SAVEPOINT s",
            "RELEASE s",
        ];
        let own = "BEGIN; CREATE TABLE t_c (id integer); COMMIT; CREATE TABLE t_d (id integer)";
        let revisions = [
            Sql::new("a", None, &inside, &[]),
            Sql::new("b", Some("a"), &[own], &[]).without_transaction(),
        ];
        let environment = environment(&database, &revisions);
        upgrade(&environment, "head").await.unwrap();
        assert_eq!(tables(&database).await, ["t_c", "t_d"]);
        database.remove().await.unwrap();
    }
}

/// A revision that ends its transaction when it runs, and not while it is recorded.
struct Hidden(&'static str);

impl MigrationName for Hidden {
    fn name(&self) -> &str {
        "m_hidden"
    }
}

impl Revision for Hidden {}

#[async_trait::async_trait]
impl MigrationTrait for Hidden {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        connection
            .execute_unprepared("CREATE TABLE t_b (id integer)")
            .await?;
        let question = Statement::from_string(connection.get_database_backend(), "SELECT id FROM t_b");
        connection.query_all_raw(question).await?;
        if !is_recording() {
            connection.execute_unprepared(self.0).await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_step_whose_transaction_was_ended_unseen_is_not_recorded_as_applied() {
    for control in ["COMMIT", "ROLLBACK", "COMMIT; BEGIN", "ROLLBACK; BEGIN"] {
        for database in databases().await {
            let environment =
                Environment::new(vec![Box::new(Hidden(control))]).database(database.url().clone());
            let error = upgrade(&environment, "head").await.unwrap_err();
            let source = std::error::Error::source(&error).unwrap().to_string();
            assert!(
                source.starts_with("the revision ended the transaction"),
                "{control}: {source}"
            );
            assert!(current(&environment).await.is_empty(), "{control}");
            assert_eq!(events(&environment).await, ["up m_hidden failed"]);
            database.remove().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_string_with_a_concurrent_build_is_sent_statement_by_statement() {
    let Some(database) = postgres().await else { return };
    let string = "CREATE TABLE t_a (id int); CREATE INDEX CONCURRENTLY ia ON t_a (id); -- done\n \
                  CREATE INDEX CONCURRENTLY ib ON t_a ((id + 1)); VACUUM t_a";
    let revision = Sql::new("a", None, &[string], &[]).without_transaction();
    let environment = environment(&database, &[revision]);
    upgrade(&environment, "head").await.unwrap();
    let session = session(&database).await;
    let valid = "SELECT 1 FROM pg_index WHERE indrelid = 't_a'::regclass AND indisvalid";
    assert_eq!(session.rows(valid).await.unwrap().len(), 2);
    session.close().await;
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_string_of_statements_that_failed_halfway_goes_on_behind_the_last_that_is_through() {
    for database in databases().await {
        let built = match database.url().backend() {
            DbBackend::Postgres => "; CREATE INDEX CONCURRENTLY i ON t_a (id)",
            _ => "",
        };
        let string = format!(
            "CREATE TABLE t_a (id int){built}; INSERT INTO t_seed VALUES (1); CREATE TABLE t_b (id int)"
        );
        let environment = environment(
            &database,
            &[Sql::new("a", None, &[&string], &[]).without_transaction()],
        );
        upgrade(&environment, "head").await.unwrap_err();
        assert_eq!(tables(&database).await, ["t_a"]);
        send(&database, "CREATE TABLE t_seed (id int)").await;
        upgrade(&environment, "head").await.unwrap();
        assert_eq!(tables(&database).await, ["t_a", "t_b", "t_seed"]);
        assert_eq!(current(&environment).await, ["a"]);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_journal_that_counted_a_string_as_one_part_is_gone_on_with() {
    for database in databases().await {
        let first = match database.url().backend() {
            DbBackend::Postgres => "CREATE TABLE t_a (id int); VACUUM",
            _ => "CREATE TABLE t_a (id int); CREATE TABLE t_b (id int)",
        };
        let loose = Sql::new("a", None, &[first, "CREATE TABLE t_c (id int)"], &[]).without_transaction();
        let environment = environment(&database, &[loose, Sql::table("later", Some("a"))]);
        let checksum = seaworthy::script::checksum(&[first.to_owned()]);
        // What an older version left that died after the first string.
        upgrade(
            &crate::databases::environment(&database, &[Sql::table("zero", None)]),
            "head",
        )
        .await
        .unwrap();
        let journal = format!(
            "INSERT INTO seaworthy_history (run, kind, direction, revision, name, outcome, started_at, checksum, parts_done, \
             tool_version) SELECT 'feedbeef', 'upgrade', 'up', 'a', 'm_a', 'progressed', started_at, '{checksum}', 1, \
             tool_version FROM seaworthy_history; DELETE FROM seaql_migrations"
        );
        send(&database, &journal).await;
        send(&database, "CREATE TABLE t_a (id int); CREATE TABLE t_b (id int)").await;
        upgrade(&environment, "head").await.unwrap();
        assert_eq!(current(&environment).await, ["later"]);
        assert_eq!(
            tables(&database).await,
            ["t_a", "t_b", "t_c", "t_later", "t_zero"]
        );
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_concurrent_build_inside_of_a_transaction_fails_with_the_code_of_the_server() {
    let Some(database) = postgres().await else { return };
    let build = Sql::new("b", Some("a"), &["CREATE INDEX CONCURRENTLY i ON t_a (id)"], &[]);
    let environment = environment(&database, &[Sql::table("a", None), build]);
    upgrade(&environment, "head").await.unwrap_err();
    let newest = &seaworthy::command::applied_history(&environment).await.unwrap()[0];
    assert!(
        newest.error.as_ref().unwrap().contains("SQLSTATE 25001"),
        "{newest:?}"
    );
    database.remove().await.unwrap();
}
