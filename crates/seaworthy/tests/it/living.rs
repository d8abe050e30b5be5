//! Signs of life, and what they keep a migration from removing.

use sea_orm::DatabaseConnection;
use seaworthy::command::{self, CommandError, Conduct, Living, OutOfOrder, Outcome};
use seaworthy::environment::Environment;
use seaworthy::heartbeat::{self, Build, Heart};
use seaworthy::revision::Stage;
use seaworthy::session::Session;
use seaworthy::verify::ScratchDatabase;
use tokio_util::sync::CancellationToken;

use crate::databases::{Person, Sql, current, databases, downgrade, environment, send, session, upgrade};

/// A change in the zero-downtime way: `note` makes room for `text`.
fn change() -> [Sql; 4] {
    [
        Sql::table("start", None),
        Sql::new(
            "expand",
            Some("start"),
            &["ALTER TABLE t_start ADD COLUMN text text"],
            &["ALTER TABLE t_start DROP COLUMN text"],
        ),
        Sql::new(
            "migrate",
            Some("expand"),
            &["UPDATE t_start SET text = note"],
            &[],
        )
        .stage(Stage::Migrate),
        Sql::new(
            "contract",
            Some("migrate"),
            &["ALTER TABLE t_start DROP COLUMN note"],
            &["ALTER TABLE t_start ADD COLUMN note text"],
        )
        .stage(Stage::Contract),
    ]
}

/// The build from before the change, and the one that came with it.
fn old_build() -> Build {
    Build::new("shop", "1.0")
        .needs("t_start.id")
        .uses("t_start.note")
        .knows("start")
}

fn new_build() -> Build {
    Build::new("shop", "2.0")
        .needs("t_start.id")
        .uses("t_start.note")
        .uses("t_start.text")
        .knows("contract")
}

async fn on_each(test: impl AsyncFn(&ScratchDatabase, &Environment, &DatabaseConnection)) {
    for database in databases().await {
        let environment = environment(&database, &change());
        upgrade(&environment, "start").await.unwrap();
        let session: Session = session(&database).await;
        test(&database, &environment, session.connection()).await;
        session.close().await;
        database.remove().await.unwrap();
    }
}

async fn alive(database: &ScratchDatabase) -> Option<Vec<String>> {
    let session = session(database).await;
    let alive = heartbeat::alive(&session).await.unwrap();
    session.close().await;
    alive.map(|alive| alive.into_iter().map(|one| one.build.version).collect())
}

/// Lets the time pass after which a process counts as gone.
async fn time_passes(database: &ScratchDatabase) {
    let session = session(database).await;
    let sql = match session.backend() {
        sea_orm::DbBackend::Postgres => "UPDATE seaworthy_heartbeats SET seen_at = seen_at - interval '31 s'",
        _ => {
            "UPDATE seaworthy_heartbeats SET seen_at = strftime('%Y-%m-%dT%H:%M:%fZ', julianday(seen_at) - 31.0 / 86400)"
        }
    };
    session.send(sql).await.unwrap();
    session.close().await;
}

async fn upgrade_through(
    environment: &Environment,
    stage: Stage,
    living: Living,
) -> Result<Outcome, CommandError> {
    let target = "head".parse().unwrap();
    Person::default()
        .run(async |conduct| {
            let conduct = Conduct {
                through: stage,
                living,
                stop: conduct.stop.clone(),
                ..*conduct
            };
            command::upgrade(environment, &target, OutOfOrder::Refuse, &conduct).await
        })
        .await
}

#[tokio::test]
async fn a_process_is_seen_from_its_first_beat_to_its_end() {
    on_each(async |database, environment, connection| {
        assert_eq!(alive(database).await, Some(vec![]));
        let heart = Heart::new(old_build(), "web-1");
        heart.beat(connection).await.unwrap();
        heart.beat(connection).await.unwrap();
        let status = command::status(environment).await.unwrap();
        assert_eq!(status.alive.len(), 1);
        assert_eq!(status.alive[0].build, old_build());
        assert_eq!(status.alive[0].instance, heart.instance());
        assert!(status.alive[0].seen_seconds_ago < 5.0);
        heart.end(connection).await.unwrap();
        assert_eq!(alive(database).await, Some(vec![]));
    })
    .await;
}

#[tokio::test]
async fn a_process_that_died_is_gone_after_a_while() {
    on_each(async |database, _, connection| {
        Heart::new(old_build(), "web-1").beat(connection).await.unwrap();
        let survivor = Heart::new(new_build(), "web-2");
        survivor.beat(connection).await.unwrap();
        time_passes(database).await;
        assert_eq!(alive(database).await, Some(vec![]));
        survivor.beat(connection).await.unwrap();
        assert_eq!(alive(database).await, Some(vec!["2.0".to_owned()]));
    })
    .await;
}

#[tokio::test]
async fn an_application_beats_until_it_stops_and_goes_on_without_the_table() {
    on_each(async |database, _, connection| {
        let stop = CancellationToken::new();
        let (heart, beating) = (Heart::new(old_build(), "web-1"), stop.clone());
        let own = session(database).await;
        let task = tokio::spawn(async move {
            heart.beat_until(own.connection(), &beating).await;
            own.close().await;
        });
        while alive(database).await != Some(vec!["1.0".to_owned()]) {
            tokio::task::yield_now().await;
        }
        stop.cancel();
        task.await.unwrap();
        assert_eq!(alive(database).await, Some(vec![]));

        send(database, "DROP TABLE seaworthy_heartbeats").await;
        let heart = Heart::new(old_build(), "web-1");
        assert!(heart.beat(connection).await.is_err());
        // The token is cancelled: one beat at most, which fails, and no end of a row that never was.
        heart.beat_until(connection, &stop).await;
        assert_eq!(alive(database).await, None);
    })
    .await;
}

#[tokio::test]
async fn an_upgrade_makes_the_table_where_an_older_tool_has_not() {
    on_each(async |database, environment, _| {
        send(database, "DROP TABLE seaworthy_heartbeats").await;
        command::status(environment).await.unwrap();
        upgrade(environment, "start").await.unwrap();
        assert_eq!(alive(database).await, None);
        upgrade(environment, "expand").await.unwrap();
        assert_eq!(alive(database).await, Some(vec![]));
    })
    .await;
}

#[tokio::test]
async fn a_contract_waits_for_the_builds_that_use_what_it_removes() {
    on_each(async |database, environment, connection| {
        let heart = Heart::new(old_build(), "web-1");
        heart.beat(connection).await.unwrap();
        let error = upgrade_through(environment, Stage::Contract, Living::Heed)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), "still_in_use");
        let message = error.to_string().replace(heart.instance(), "web-1");
        assert_eq!(
            message,
            "applying contract removes what is in use\n  shop 1.0 (web-1, last seen 0 s ago) still uses t_start.note"
        );
        assert!(error.hint().unwrap().contains("--through-contract"));
        // Nothing of it was run.
        assert_eq!(current(environment).await, ["start"]);
        let plan = command::plan(environment, &"head".parse().unwrap(), Stage::Contract)
            .await
            .unwrap();
        assert_eq!(plan.in_use.len(), 1);

        let outcome = upgrade_through(environment, Stage::Migrate, Living::Heed)
            .await
            .unwrap();
        assert_eq!(outcome.notes, ["stopped before contract, a contract revision"]);
        assert_eq!(current(environment).await, ["migrate"]);
        time_passes(database).await;
        upgrade_through(environment, Stage::Contract, Living::Heed)
            .await
            .unwrap();
        assert_eq!(current(environment).await, ["contract"]);
    })
    .await;
}

#[tokio::test]
async fn a_build_that_knows_the_contract_is_not_in_its_way() {
    on_each(async |_, environment, connection| {
        Heart::new(new_build(), "web-2").beat(connection).await.unwrap();
        upgrade_through(environment, Stage::Contract, Living::Heed)
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_contract_can_be_forced() {
    on_each(async |_, environment, connection| {
        Heart::new(old_build(), "web-1").beat(connection).await.unwrap();
        upgrade_through(environment, Stage::Contract, Living::Ignore)
            .await
            .unwrap();
        assert_eq!(current(environment).await, ["contract"]);
    })
    .await;
}

#[tokio::test]
async fn a_downgrade_takes_what_is_used_and_leaves_what_is_needed() {
    on_each(async |_, environment, connection| {
        upgrade(environment, "expand").await.unwrap();
        Heart::new(new_build(), "web-2").beat(connection).await.unwrap();
        downgrade(environment, "start").await.unwrap();
        let error = downgrade(environment, "start-1").await.unwrap_err();
        assert_eq!(error.kind(), "still_in_use");
        assert!(error.to_string().starts_with("undoing start removes"), "{error}");
        assert_eq!(current(environment).await, ["start"]);
    })
    .await;
}

#[tokio::test]
async fn what_a_contract_only_declares_is_heeded_too() {
    for database in databases().await {
        let silent =
            Sql::new("end", Some("start"), &["UPDATE t_start SET note = NULL"], &[]).removes("t_start.note");
        let environment = environment(&database, &[Sql::table("start", None), silent]);
        upgrade(&environment, "start").await.unwrap();
        let session = session(&database).await;
        Heart::new(old_build(), "web-1")
            .beat(session.connection())
            .await
            .unwrap();
        let error = upgrade(&environment, "head").await.unwrap_err();
        assert_eq!(error.kind(), "still_in_use");
        session.close().await;
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_process_keeps_one_row_whatever_its_place_is_called() {
    on_each(async |database, _, connection| {
        let heart = Heart::new(old_build(), "o'brien");
        for _ in 0..3 {
            heart.beat(connection).await.unwrap();
        }
        assert_eq!(alive(database).await.unwrap().len(), 1);
    })
    .await;
}
