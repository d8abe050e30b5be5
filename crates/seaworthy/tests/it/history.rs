//! The history: what it keeps of a run, and how it notices that a revision was edited.

use seaworthy::command;
use seaworthy::ledger::{Kind, Outcome};
use seaworthy::revision::Stage;

use crate::databases::{Sql, databases, environment, events, send, upgrade};

#[tokio::test]
async fn an_entry_says_who_did_what_when_and_for_how_long() {
    for database in databases().await {
        let environment = environment(&database, &[Sql::table("a", None)]);
        upgrade(&environment, "head").await.unwrap();
        let entry = &command::applied_history(&environment).await.unwrap()[0];
        assert_eq!((entry.kind, entry.outcome), (Kind::Upgrade, Outcome::Done));
        assert_eq!((entry.revision.as_str(), entry.name.as_str()), ("a", "m_a"));
        assert_eq!(entry.actor.name(), "tester@testhost");
        assert_eq!(entry.actor.tool_version, env!("CARGO_PKG_VERSION"));
        assert!(entry.duration_ms.is_some() && entry.finished_at.is_some());
        assert_eq!(entry.checksum.as_ref().map(String::len), Some(64));
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_failure_is_kept_with_its_cause() {
    for database in databases().await {
        let environment = environment(
            &database,
            &[Sql::new("a", None, &["INSERT INTO t_nowhere VALUES (1)"], &[])],
        );
        upgrade(&environment, "head").await.unwrap_err();
        let entry = &command::applied_history(&environment).await.unwrap()[0];
        assert_eq!(entry.outcome, Outcome::Failed);
        assert!(
            entry.error.as_ref().unwrap().contains("t_nowhere"),
            "{:?}",
            entry.error
        );
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn an_edited_revision_is_named_on_the_next_run() {
    for database in databases().await {
        upgrade(&environment(&database, &[Sql::table("a", None)]), "head")
            .await
            .unwrap();
        let edited = Sql::new("a", None, &["CREATE TABLE t_a (id bigint)"], &["DROP TABLE t_a"]);
        let environment = environment(&database, &[edited, Sql::table("b", Some("a"))]);
        let outcome = upgrade(&environment, "head").await.unwrap();
        assert_eq!(outcome.changed.len(), 1);
        assert_eq!(outcome.changed[0].revision, "a".into());
        assert_eq!(outcome.changed[0].by, "tester@testhost");
        assert_eq!(command::status(&environment).await.unwrap().changed.len(), 1);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_revision_that_makes_up_values_is_never_called_edited() {
    /// Inserts another value each time it runs.
    struct Random;

    impl sea_orm_migration::MigrationName for Random {
        fn name(&self) -> &'static str {
            "m_random"
        }
    }

    impl seaworthy::revision::Revision for Random {}

    #[async_trait::async_trait]
    impl sea_orm_migration::MigrationTrait for Random {
        async fn up(&self, manager: &sea_orm_migration::SchemaManager) -> Result<(), sea_orm::DbErr> {
            use sea_orm::ConnectionTrait;
            let connection = manager.get_connection();
            connection
                .execute_unprepared("CREATE TABLE t_random (id bigint)")
                .await?;
            let value = fastrand::u32(..);
            connection
                .execute_unprepared(&format!("INSERT INTO t_random VALUES ({value})"))
                .await?;
            Ok(())
        }
    }

    for database in databases().await {
        let revisions: Vec<Box<dyn seaworthy::revision::Revision>> = vec![Box::new(Random)];
        let environment =
            seaworthy::environment::Environment::new(revisions).database(database.url().clone());
        upgrade(&environment, "head").await.unwrap();
        assert!(upgrade(&environment, "head").await.unwrap().changed.is_empty());
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_history_from_before_stages_is_read_and_gains_the_column() {
    for database in databases().await {
        let environment = environment(&database, &[Sql::table("a", None), Sql::table("b", Some("a"))]);
        upgrade(&environment, "a").await.unwrap();
        send(&database, "ALTER TABLE seaworthy_history DROP COLUMN stage").await;
        assert_eq!(events(&environment).await, ["up a done"]);
        let nothing = upgrade(&environment, "a").await.unwrap();
        assert!(nothing.report.is_none());
        upgrade(&environment, "b").await.unwrap();
        let stages: Vec<_> = command::applied_history(&environment)
            .await
            .unwrap()
            .iter()
            .map(|entry| entry.stage)
            .collect();
        assert_eq!(stages, [Some(Stage::Expand), None]);
        database.remove().await.unwrap();
    }
}
