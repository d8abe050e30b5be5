//! Several migrators at once: one does the work, the others find it done.

use futures_util::future::join_all;
use migration::Migrator;
use sea_orm_migration::MigratorTrait;

use crate::databases::{TestDatabase, on_postgres, on_sqlite};
use crate::program::{Ended, Program, Running};
use crate::schema::{assert_head, head, ids};

#[tokio::test]
async fn one_of_two_processes_migrates_on_sqlite() {
    on_sqlite(async |database| race(database, 2).await).await;
}

#[tokio::test]
async fn one_of_two_processes_migrates_on_postgresql() {
    on_postgres(async |database| race(database, 2).await).await;
}

#[tokio::test]
async fn one_of_five_processes_migrates_on_sqlite() {
    on_sqlite(async |database| race(database, 5).await).await;
}

#[tokio::test]
async fn one_of_five_processes_migrates_on_postgresql() {
    on_postgres(async |database| race(database, 5).await).await;
}

#[tokio::test]
async fn one_of_twenty_processes_migrates_on_sqlite() {
    on_sqlite(async |database| race(database, 20).await).await;
}

#[tokio::test]
async fn one_of_twenty_processes_migrates_on_postgresql() {
    on_postgres(async |database| race(database, 20).await).await;
}

#[tokio::test]
async fn a_race_with_the_stock_runner_is_won_by_both_on_sqlite() {
    on_sqlite(async |database| race_with_stock_runner(database).await).await;
}

#[tokio::test]
async fn a_race_with_the_stock_runner_is_won_by_both_on_postgresql() {
    on_postgres(async |database| race_with_stock_runner(database).await).await;
}

/// Upgrades and downgrades that meet have no winner, but each ends well and leaves a database that is somewhere.
#[tokio::test]
async fn upgrades_and_downgrades_at_once_take_turns_on_sqlite() {
    on_sqlite(async |database| meet(database).await).await;
}

#[tokio::test]
async fn upgrades_and_downgrades_at_once_take_turns_on_postgresql() {
    on_postgres(async |database| meet(database).await).await;
}

async fn race(database: &TestDatabase, processes: usize) {
    let program = Program::migration(database);
    let running: Vec<Running> = (0..processes).map(|_| program.start("upgrade head")).collect();
    let ended: Vec<Ended> = join_all(running.into_iter().map(Running::end)).await;

    let (head, steps) = (head(), ids().len());
    let mut winners = 0;
    for one in ended {
        let one = one.with_code(0);
        if one
            .stdout
            .contains(&format!("Done: {steps} steps, the database is at {head}"))
        {
            winners += 1;
        } else {
            let said = one.stdout.trim();
            assert!(
                said == format!("Nothing left to do: another run did it, the database is at {head}")
                    || said.ends_with(&format!("(the database is at {head})")),
                "{one:#?}"
            );
            assert!(!said.contains("Running"), "{one:#?}");
        }
    }
    assert_eq!(winners, 1);
    assert_head(database).await;
    let twice = "SELECT count(*) || ' done, ' || count(DISTINCT name) || ' names, ' || count(DISTINCT run) || ' run' \
                 FROM seaworthy_history WHERE outcome = 'done' AND direction = 'up'";
    let once = format!("{steps} done, {steps} names, 1 run");
    assert_eq!(database.value::<String>(twice).await, once);
    // A step without a transaction keeps a journal besides.
    let others =
        "SELECT count(*) FROM seaworthy_history WHERE outcome NOT IN ('done', 'started', 'progressed')";
    assert_eq!(database.value::<i64>(others).await, 0);
}

/// The stock runner takes no lock. It may fail when it comes second; ours may not, and nothing may be half done.
async fn race_with_stock_runner(database: &TestDatabase) {
    for _ in 0..5 {
        let connection = database.connect().await;
        let ours = Program::migration(database).start("upgrade head");
        drop(Migrator::up(&connection, None).await);
        connection.close().await.unwrap();
        ours.end().await.with_code(0);
        assert_head(database).await;

        Program::migration(database)
            .run("upgrade head")
            .await
            .with_code(0)
            .saying(&[&format!("(the database is at {})", head())]);
        Program::migration(database).run("reset --yes").await.with_code(0);
    }
}

async fn meet(database: &TestDatabase) {
    let program = Program::migration(database);
    program.run("upgrade head").await.with_code(0);
    let verbs = [
        "downgrade base --yes",
        "upgrade head",
        "downgrade -1 --yes",
        "upgrade +1",
    ];
    let running: Vec<Running> = verbs
        .iter()
        .cycle()
        .take(12)
        .map(|verb| program.start(verb))
        .collect();
    for ended in join_all(running.into_iter().map(Running::end)).await {
        // A downgrade that agreed to lose one thing must not lose another, and from base no step leads down.
        let is_refused = ended.stderr.contains("another run changed the database");
        // Where two branches have an end, one step may be either's.
        let is_unclear = ended.stderr.contains("is ambiguous");
        if !is_refused && !is_unclear && !ended.stderr.contains("leads to no revision") {
            ended.with_code(0);
        }
    }
    program.run("upgrade head").await.with_code(0);
    assert_head(database).await;
}
