//! Upgrades and downgrades as a whole: what is applied, what is asked, what is said.

use seaworthy::command::Loss;
use seaworthy::command::{self, OutOfOrder};
use seaworthy::revision::Stage;

use crate::databases::{
    Person, Sql, current, databases, downgrade, environment, events, send, tables, upgrade,
};

fn three() -> [Sql; 3] {
    [
        Sql::table("a", None),
        Sql::table("b", Some("a")),
        Sql::table("c", Some("b")),
    ]
}

#[tokio::test]
async fn an_upgrade_applies_in_order_and_says_so() {
    for database in databases().await {
        let environment = environment(&database, &three());
        let outcome = upgrade(&environment, "head").await.unwrap();
        let steps: Vec<String> = outcome
            .report
            .unwrap()
            .steps
            .iter()
            .map(|step| step.revision.to_string())
            .collect();
        assert_eq!(steps, ["a", "b", "c"]);
        assert_eq!(outcome.heads, ["c".into()]);
        assert_eq!(tables(&database).await, ["t_a", "t_b", "t_c"]);
        assert_eq!(
            events(&environment).await,
            ["up a done", "up b done", "up c done"]
        );
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_second_upgrade_has_nothing_to_do_and_writes_nothing() {
    for database in databases().await {
        let environment = environment(&database, &three());
        upgrade(&environment, "head").await.unwrap();
        let outcome = upgrade(&environment, "head").await.unwrap();
        assert!(outcome.report.is_none());
        assert!(!outcome.done_elsewhere);
        assert_eq!(outcome.notes, ["nothing to do: head is already applied"]);
        assert_eq!(events(&environment).await.len(), 3);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_target_that_makes_no_sense_leaves_no_database_file_behind() {
    let database = &databases().await[0];
    let environment = environment(database, &three());
    assert!(upgrade(&environment, "nonsense").await.is_err());
    assert!(!database.url().file().unwrap().exists());
}

#[tokio::test]
async fn a_downgrade_asks_about_tables_and_columns_with_rows_and_does_nothing_when_refused() {
    let mut revisions = three().to_vec();
    let parent = Some("c");
    let (up, down) = (
        "ALTER TABLE t_a ADD COLUMN extra text",
        "ALTER TABLE t_a DROP COLUMN extra",
    );
    revisions.push(Sql::new("d", parent, &[up], &[down]));
    for database in databases().await {
        let environment = environment(&database, &revisions);
        upgrade(&environment, "head").await.unwrap();
        send(
            &database,
            "INSERT INTO t_a (id, extra) VALUES (1, 'x'), (2, NULL)",
        )
        .await;
        send(&database, "INSERT INTO t_c (id) VALUES (1)").await;
        let target = "a".parse().unwrap();
        let person = Person::default();
        let refused = person
            .run(async |conduct| command::downgrade(&environment, &target, conduct).await)
            .await;
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), "refused");
        assert_eq!(
            error.to_string(),
            "this would destroy table t_c (1 row), column t_a.extra (1 row)"
        );
        let asked = person.asked.lock().unwrap().clone();
        assert_eq!(
            asked[0].losses[0].loss,
            Loss::Table {
                table: "t_c".to_owned()
            }
        );
        assert_eq!(current(&environment).await, ["d"]);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_downgrade_of_empty_tables_asks_nothing() {
    for database in databases().await {
        let environment = environment(&database, &three());
        upgrade(&environment, "head").await.unwrap();
        let person = Person::default();
        let target = "base".parse().unwrap();
        person
            .run(async |conduct| command::downgrade(&environment, &target, conduct).await)
            .await
            .unwrap();
        assert!(person.asked.lock().unwrap().is_empty());
        assert_eq!(tables(&database).await, [""; 0]);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn fresh_drops_what_nobody_knows_too_and_keeps_the_history() {
    for database in databases().await {
        let environment = environment(&database, &three());
        upgrade(&environment, "b").await.unwrap();
        send(
            &database,
            "CREATE TABLE t_stray (id integer, a_id integer REFERENCES t_a (id))",
        )
        .await;
        send(&database, "INSERT INTO t_a (id) VALUES (1)").await;
        send(&database, "INSERT INTO t_stray (id, a_id) VALUES (1, 1)").await;
        let person = Person::agreeing();
        person
            .run(async |conduct| command::fresh(&environment, conduct).await)
            .await
            .unwrap();
        assert_eq!(person.asked.lock().unwrap()[0].losses.len(), 2);
        assert_eq!(tables(&database).await, ["t_a", "t_b", "t_c"]);
        let expected = [
            "up a done",
            "up b done",
            "down b done",
            "down a done",
            "up a done",
            "up b done",
            "up c done",
        ];
        assert_eq!(events(&environment).await, expected);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn reset_leaves_the_history_alone_and_refresh_comes_back() {
    for database in databases().await {
        let environment = environment(&database, &three());
        upgrade(&environment, "head").await.unwrap();
        let person = Person::agreeing();
        person
            .run(async |conduct| command::reset(&environment, conduct).await)
            .await
            .unwrap();
        assert_eq!(events(&environment).await.len(), 6);
        assert_eq!(current(&environment).await, [""; 0]);
        person
            .run(async |conduct| command::refresh(&environment, conduct).await)
            .await
            .unwrap();
        assert_eq!(current(&environment).await, ["c"]);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn up_and_down_count_steps_and_stop_at_the_ends() {
    for database in databases().await {
        let environment = environment(&database, &three());
        let person = Person::agreeing();
        person
            .run(async |conduct| command::up(&environment, Some(2), OutOfOrder::Refuse, conduct).await)
            .await
            .unwrap();
        assert_eq!(current(&environment).await, ["b"]);
        person
            .run(async |conduct| command::up(&environment, Some(9), OutOfOrder::Refuse, conduct).await)
            .await
            .unwrap();
        assert_eq!(current(&environment).await, ["c"]);
        person
            .run(async |conduct| command::down(&environment, Some(1), conduct).await)
            .await
            .unwrap();
        assert_eq!(current(&environment).await, ["b"]);
        person
            .run(async |conduct| command::down(&environment, Some(9), conduct).await)
            .await
            .unwrap();
        assert_eq!(current(&environment).await, [""; 0]);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn looking_creates_nothing() {
    for database in databases().await {
        send(&database, "CREATE TABLE t_before (id integer)").await;
        let environment = environment(&database, &three());
        command::current(&environment).await.unwrap();
        command::status(&environment).await.unwrap();
        command::plan(&environment, &"head".parse().unwrap(), Stage::Contract)
            .await
            .unwrap();
        command::upgrade_sql(&environment, None, &"head".parse().unwrap(), Stage::Contract)
            .await
            .unwrap();
        command::show(&environment, &["head".parse().unwrap()])
            .await
            .unwrap();
        command::applied_history(&environment).await.unwrap();
        downgrade(&environment, "base").await.unwrap();
        let records = seaworthy::ledger::Ledger::new("seaql_migrations")
            .read(&crate::databases::session(&database).await)
            .await
            .unwrap();
        assert!(!records.installed);
        database.remove().await.unwrap();
    }
}
