//! What a session that listens hears of migrations, and when.

use sea_orm::sqlx::postgres::PgListener;
use seaworthy::command::{self, Purge};
use seaworthy::ledger::{Announcement, CHANNEL};
use seaworthy::revision::Stage;
use seaworthy::verify::ScratchDatabase;

use crate::clients::feed;
use crate::databases::{Person, Sql, downgrade, environment, postgres, send, upgrade};

struct Ear(PgListener);

impl Ear {
    async fn on(database: &ScratchDatabase) -> Self {
        let mut listener = PgListener::connect(database.address()).await.unwrap();
        listener.listen(CHANNEL).await.unwrap();
        Self(listener)
    }

    /// Returns what was announced until now.
    async fn heard(&mut self, database: &ScratchDatabase) -> Vec<String> {
        // Notifications come in the order of the commits.
        send(database, "NOTIFY seaworthy, 'the end'").await;
        let mut heard = Vec::new();
        loop {
            let notice = self.0.recv().await.unwrap();
            if notice.payload() == "the end" {
                return heard;
            }
            let told = Announcement::parse(notice.payload()).unwrap();
            let schema = told.schema.unwrap();
            heard.push(format!("{} {} in {schema}", told.direction.word(), told.revision));
        }
    }
}

#[tokio::test]
async fn whatever_changes_the_applied_set_is_announced() {
    let Some(database) = postgres().await else { return };
    let mut ear = Ear::on(&database).await;
    let parent = Some("a");
    let apart = Sql::new(
        "b",
        parent,
        &["CREATE TABLE t_b (id integer)"],
        &["DROP TABLE t_b"],
    );
    let environment = environment(&database, &[Sql::table("a", None), apart.without_transaction()]);
    upgrade(&environment, "head").await.unwrap();
    assert_eq!(ear.heard(&database).await, ["up a in public", "up b in public"]);
    upgrade(&environment, "head").await.unwrap();
    assert_eq!(ear.heard(&database).await, [""; 0]);
    downgrade(&environment, "a").await.unwrap();
    assert_eq!(ear.heard(&database).await, ["down b in public"]);
    let target = ["b".parse().unwrap()];
    Person::default()
        .run(async |conduct| command::stamp(&environment, &target, Purge::Keep, conduct).await)
        .await
        .unwrap();
    assert_eq!(ear.heard(&database).await, ["up b in public"]);
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_step_that_fails_announces_nothing() {
    let Some(database) = postgres().await else { return };
    let mut ear = Ear::on(&database).await;
    // It fails when everything is sent, the announcement too: the constraint is looked at by the commit.
    let late = "CREATE TABLE t_b (id integer REFERENCES t_a (id) DEFERRABLE INITIALLY DEFERRED)";
    let bad = Sql::new("b", Some("a"), &[late, "INSERT INTO t_b VALUES (9)"], &[]);
    let environment = environment(&database, &[Sql::table("a", None), bad]);
    upgrade(&environment, "head").await.unwrap_err();
    assert_eq!(ear.heard(&database).await, ["up a in public"]);
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_script_announces_what_it_has_done_in_the_schema_it_is_fed_to() {
    let Some(database) = postgres().await else { return };
    let mut ear = Ear::on(&database).await;
    let environment = environment(&database, &[Sql::table("a", None)]);
    let target = "head".parse().unwrap();
    let script = command::upgrade_sql(&environment, None, &target, Stage::Contract)
        .await
        .unwrap();
    let fed = format!("CREATE SCHEMA shop; SET search_path = shop;\n{}", script.sql);
    feed(&database, &fed).with_code(0);
    assert_eq!(ear.heard(&database).await, ["up a in shop"]);
    database.remove().await.unwrap();
}
