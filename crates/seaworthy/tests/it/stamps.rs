//! Stamps: what is declared, what is forgotten, what stays.

use seaworthy::command::{self, Purge, Stamped};
use seaworthy::environment::Environment;

use crate::databases::{Person, Sql, current, databases, environment, events, tables};

fn revisions() -> [Sql; 3] {
    [
        Sql::table("a", None),
        Sql::table("b", Some("a")),
        Sql::table("c", Some("b")),
    ]
}

async fn stamp(environment: &Environment, target: &str, purge: Purge) -> Stamped {
    let targets = [target.parse().unwrap()];
    let person = Person::agreeing();
    person
        .run(async |conduct| command::stamp(environment, &targets, purge, conduct).await)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_stamp_records_all_ancestors_and_runs_nothing() {
    for database in databases().await {
        let environment = environment(&database, &revisions());
        let stamped = stamp(&environment, "b", Purge::Keep).await;
        assert_eq!(stamped.added, ["a".into(), "b".into()]);
        assert_eq!(current(&environment).await, ["b"]);
        assert_eq!(tables(&database).await, [""; 0]);
        assert_eq!(events(&environment).await, ["up a done", "up b done"]);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_stamp_can_go_back_and_the_history_says_so() {
    for database in databases().await {
        let environment = environment(&database, &revisions());
        stamp(&environment, "head", Purge::Keep).await;
        let stamped = stamp(&environment, "a", Purge::Keep).await;
        assert_eq!(stamped.removed, ["c", "b"]);
        stamp(&environment, "base", Purge::Keep).await;
        assert_eq!(current(&environment).await, [""; 0]);
        let kinds: Vec<String> = command::applied_history(&environment)
            .await
            .unwrap()
            .iter()
            .map(|entry| format!("{} {}", entry.kind.word(), entry.direction.word()))
            .collect();
        assert_eq!(
            kinds,
            [
                "stamp down",
                "stamp down",
                "stamp down",
                "stamp up",
                "stamp up",
                "stamp up"
            ]
        );
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn stamping_where_it_stands_writes_nothing() {
    for database in databases().await {
        let environment = environment(&database, &revisions());
        stamp(&environment, "b", Purge::Keep).await;
        let stamped = stamp(&environment, "b", Purge::All).await;
        assert_eq!((stamped.added.len(), stamped.removed.len()), (0, 0));
        assert_eq!(events(&environment).await.len(), 2);
        database.remove().await.unwrap();
    }
}
