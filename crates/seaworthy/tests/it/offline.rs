//! Scripts: fed to a database they leave behind what a run would.

use seaworthy::command;
use seaworthy::revision::Stage;

use crate::databases::{Sql, current, databases, environment, events, send, tables, upgrade};

fn revisions() -> [Sql; 3] {
    let loose = ["CREATE TABLE t_b (id integer)", "CREATE INDEX t_b_id ON t_b (id)"];
    [
        Sql::table("a", None),
        Sql::new("b", Some("a"), &loose, &["DROP TABLE t_b"]).without_transaction(),
        Sql::new(
            "c",
            Some("b"),
            &["INSERT INTO t_b VALUES (1), (2)"],
            &["DELETE FROM t_b"],
        ),
    ]
}

#[tokio::test]
async fn a_script_leaves_the_same_database_as_a_run() {
    for database in databases().await {
        let environment = environment(&database, &revisions());
        let script = command::upgrade_sql(&environment, None, &"head".parse().unwrap(), Stage::Contract)
            .await
            .unwrap();
        send(&database, &script.sql).await;
        assert_eq!(tables(&database).await, ["t_a", "t_b"]);
        assert_eq!(current(&environment).await, ["c"]);
        assert_eq!(
            events(&environment).await,
            ["up a done", "up b done", "up c done"]
        );
        // The checksums are those of a run: nothing looks edited afterwards.
        assert!(upgrade(&environment, "head").await.unwrap().changed.is_empty());

        let (from, to) = ("c".parse().unwrap(), "a".parse().unwrap());
        let script = command::downgrade_sql(&environment, Some(&from), &to)
            .await
            .unwrap();
        send(&database, &script.sql).await;
        assert_eq!(tables(&database).await, ["t_a"]);
        assert_eq!(current(&environment).await, ["a"]);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn without_a_range_a_script_starts_where_the_database_stands() {
    for database in databases().await {
        let environment = environment(&database, &revisions());
        upgrade(&environment, "a").await.unwrap();
        let script = command::upgrade_sql(&environment, None, &"head".parse().unwrap(), Stage::Contract)
            .await
            .unwrap();
        assert_eq!(script.revisions, ["b".into(), "c".into()]);
        let script = command::stamp_sql(&environment, None, &["b".parse().unwrap()])
            .await
            .unwrap();
        send(&database, &script.sql).await;
        assert_eq!(current(&environment).await, ["b"]);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_range_asks_no_database() {
    let database = &databases().await[0];
    let environment = environment(database, &revisions());
    let (from, to) = ("a".parse().unwrap(), "head".parse().unwrap());
    let script = command::upgrade_sql(&environment, Some(&from), &to, Stage::Contract)
        .await
        .unwrap();
    assert_eq!(script.revisions, ["b".into(), "c".into()]);
    assert!(!database.url().file().unwrap().exists());
}
