//! `kill -9` at any moment: afterwards `upgrade head` always finishes, and the schema is the reference.

use std::time::{Duration, Instant};

use fastrand::Rng;
use sea_orm_migration::sea_orm::ConnectionTrait;

use crate::databases::{TestDatabase, on_postgres, on_sqlite, variable};
use crate::program::Program;
use crate::schema::assert_head;

/// How many processes have to die of it.
const KILLS: u32 = 100;

/// What is killed between two checks: from the head down, and up again from wherever that stopped.
const VERBS: [&str; 3] = ["downgrade base --yes", "upgrade head", "upgrade head"];

/// Longest time that the run after the kills may take: nothing that a dead process left may have to time out.
const RECOVERY: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_hundred_random_kills_do_no_harm_on_sqlite() {
    on_sqlite(async |database| kill_and_recover(database).await).await;
}

#[tokio::test]
async fn a_hundred_random_kills_do_no_harm_on_postgresql() {
    on_postgres(async |database| kill_and_recover(database).await).await;
}

async fn kill_and_recover(database: &TestDatabase) {
    let seed = variable("KILLS_SEED").map_or_else(|| fastrand::u64(..), |seed| seed.parse().unwrap());
    // The harness shows this when the test fails.
    #[expect(
        clippy::print_stdout,
        reason = "the seed belongs into the report of a failure"
    )]
    {
        println!("KILLS_SEED={seed} repeats these moments");
    }
    let mut random = Rng::with_seed(seed);
    let program = Program::migration(database);
    // Until when each verb may be killed. It follows what happens, because other tests make a run slower and faster again.
    let mut latest = [time_of_a_run(&program).await; VERBS.len()];

    let (mut killed, mut started) = (0, 0);
    while killed < KILLS {
        let has_rows = random.bool();
        if has_rows {
            add_rows(database).await;
        }
        for (verb, latest) in VERBS.into_iter().zip(&mut latest) {
            let mut running = program.start(verb);
            tokio::time::sleep(latest.mul_f64(random.f64())).await;
            running.kill();
            let ended = running.end().await;
            started += 1;
            if ended.was_killed() {
                killed += 1;
                *latest = latest.mul_f64(1.05);
            } else {
                ended.with_code(0);
                *latest = latest.mul_f64(0.9);
            }
        }
        let recovered = program.run("upgrade head").await.with_code(0);
        assert!(recovered.took < RECOVERY, "{recovered:#?}");
        assert_head(database).await;
    }
    // Otherwise the moments were too late to mean anything.
    assert!(
        started < KILLS * 3,
        "only {killed} of {started} were killed before they ended"
    );
    program.run("downgrade base --yes").await.with_code(0);
    program.run("upgrade head").await.with_code(0);
    assert_head(database).await;
}

/// Returns how long a run takes from here, which differs tenfold between machines.
async fn time_of_a_run(program: &Program) -> Duration {
    let start = Instant::now();
    program.run("upgrade head").await.with_code(0);
    let up = start.elapsed();
    program.run("downgrade base --yes").await.with_code(0);
    program.run("upgrade head").await.with_code(0);
    up.max(Duration::from_millis(40))
}

/// Adds rows, or leaves those that are there from a round whose downgrade did not get far.
async fn add_rows(database: &TestDatabase) {
    let connection = database.connect().await;
    for sql in [
        "INSERT INTO users (id, email) VALUES ('ada', 'ada@example.org') ON CONFLICT DO NOTHING",
        "INSERT INTO tasks (user_id, title, due_date) VALUES ('ada', 'caulk the hull', CURRENT_TIMESTAMP)",
        "INSERT INTO tags (name, user_id) VALUES ('hull', 'ada') ON CONFLICT DO NOTHING",
        "INSERT INTO task_tags SELECT tasks.id, tags.id FROM tasks, tags WHERE true ON CONFLICT DO NOTHING",
    ] {
        connection.execute_unprepared(sql).await.unwrap();
    }
    connection.close().await.unwrap();
}
