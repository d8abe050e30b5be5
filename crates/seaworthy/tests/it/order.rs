//! Revisions that were merged too late, branches, and rows that no revision knows.

use seaworthy::command::{self, OutOfOrder, Purge};

use crate::databases::{
    Person, Sql, current, databases, downgrade, environment, events, send, tables, upgrade,
};

/// `b` was merged between `a` and `c` after `c` had been applied.
async fn merged_late(database: &seaworthy::verify::ScratchDatabase) -> seaworthy::environment::Environment {
    let before = environment(database, &[Sql::table("a", None), Sql::table("c", Some("a"))]);
    upgrade(&before, "head").await.unwrap();
    environment(
        database,
        &[
            Sql::table("a", None),
            Sql::table("b", Some("a")),
            Sql::table("c", Some("b")),
        ],
    )
}

#[tokio::test]
async fn a_revision_that_was_merged_too_late_is_refused_until_it_is_asked_for() {
    for database in databases().await {
        let environment = merged_late(&database).await;
        let error = upgrade(&environment, "head").await.unwrap_err();
        assert_eq!(error.kind(), "out_of_order");
        assert_eq!(error.to_string(), "b is not applied although newer revisions are");
        assert_eq!(
            command::status(&environment).await.unwrap().out_of_order,
            ["b".into()]
        );
        assert_eq!(tables(&database).await, ["t_a", "t_c"]);

        let target = "head".parse().unwrap();
        let person = Person::default();
        person
            .run(async |conduct| command::upgrade(&environment, &target, OutOfOrder::Allow, conduct).await)
            .await
            .unwrap();
        assert_eq!(tables(&database).await, ["t_a", "t_b", "t_c"]);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn what_was_applied_out_of_order_is_undone_in_the_true_reverse_order() {
    for database in databases().await {
        let environment = merged_late(&database).await;
        let target = "head".parse().unwrap();
        let person = Person::default();
        person
            .run(async |conduct| command::upgrade(&environment, &target, OutOfOrder::Allow, conduct).await)
            .await
            .unwrap();
        downgrade(&environment, "-1").await.unwrap();
        assert_eq!(tables(&database).await, ["t_a", "t_c"]);
        downgrade(&environment, "base").await.unwrap();
        let undone: Vec<String> = events(&environment)
            .await
            .into_iter()
            .filter(|event| event.starts_with("down"))
            .collect();
        assert_eq!(undone, ["down b done", "down c done", "down a done"]);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_row_that_no_revision_knows_is_named_with_when_and_by_whom() {
    for database in databases().await {
        let newer = environment(&database, &[Sql::table("a", None), Sql::table("b", Some("a"))]);
        upgrade(&newer, "head").await.unwrap();
        let older = environment(&database, &[Sql::table("a", None)]);
        for error in [
            upgrade(&older, "head").await.unwrap_err(),
            downgrade(&older, "base").await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), "unknown_revision");
            let said = error.to_string();
            assert!(said.starts_with("the database is at m_b (applied 2"), "{said}");
            assert!(
                said.ends_with("by tester@testhost), which this program does not know"),
                "{said}"
            );
        }
        let answer = command::current(&older).await.unwrap();
        assert_eq!(answer.unknown.len(), 1);
        assert_eq!(current(&older).await, ["a"]);
        command::status(&older).await.unwrap();
        command::plan(
            &older,
            &"head".parse().unwrap(),
            seaworthy::revision::Stage::Contract,
        )
        .await
        .unwrap();

        let person = Person::agreeing();
        let target = ["a".parse().unwrap()];
        person
            .run(async |conduct| command::stamp(&older, &target, Purge::All, conduct).await)
            .await
            .unwrap();
        assert_eq!(person.asked.lock().unwrap()[0].version_rows, 1);
        upgrade(&older, "head").await.unwrap();
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn branches_are_applied_side_by_side_and_undone_one_at_a_time() {
    for database in databases().await {
        let revisions = [
            Sql::table("a", None),
            Sql::table("left", Some("a")),
            Sql::table("right", Some("a")),
        ];
        let environment = environment(&database, &revisions);
        let error = upgrade(&environment, "head").await.unwrap_err();
        assert_eq!(error.kind(), "multiple_heads");
        upgrade(&environment, "heads").await.unwrap();
        assert_eq!(current(&environment).await, ["left", "right"]);
        downgrade(&environment, "left@-1").await.unwrap();
        assert_eq!(current(&environment).await, ["right"]);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_stock_row_without_history_counts_as_applied() {
    for database in databases().await {
        let environment = environment(&database, &[Sql::table("a", None), Sql::table("b", Some("a"))]);
        send(
            &database,
            "CREATE TABLE seaql_migrations (version varchar NOT NULL PRIMARY KEY, applied_at bigint NOT NULL); \
             INSERT INTO seaql_migrations VALUES ('m_a', 1700000000); CREATE TABLE t_a (id integer)",
        )
        .await;
        upgrade(&environment, "head").await.unwrap();
        assert_eq!(tables(&database).await, ["t_a", "t_b"]);
        assert_eq!(events(&environment).await, ["up b done"]);
        database.remove().await.unwrap();
    }
}
