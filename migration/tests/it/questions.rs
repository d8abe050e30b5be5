//! What destroys something asks first: on a terminal a person, elsewhere for `--yes`.

use crate::databases::{TestDatabase, on_postgres, on_sqlite};
use crate::program::{Program, Running};
use crate::schema::{assert_head, ids};

/// What goes with the tables of the phases, and how many rows are in them.
const STAKES: [&str; 2] = ["table tasks (2 rows)", "table users (1 row)"];

#[tokio::test]
async fn nothing_is_destroyed_without_consent_on_sqlite() {
    on_sqlite(async |database| ask(database).await).await;
}

#[tokio::test]
async fn nothing_is_destroyed_without_consent_on_postgresql() {
    on_postgres(async |database| ask(database).await).await;
}

async fn ask(database: &TestDatabase) {
    let program = Program::migration(database);
    program.run("upgrade head").await.with_code(0);
    database
        .execute("INSERT INTO users (id, email) VALUES ('ada', 'ada@example.org')")
        .await;
    database
        .execute(
            "INSERT INTO tasks (user_id, title) VALUES ('ada', 'caulk the hull'), ('ada', 'mend the sail')",
        )
        .await;
    let all_down = format!("down -n {}", ids().len());
    for verb in ["downgrade base", &all_down, "fresh", "refresh", "reset"] {
        program
            .run(verb)
            .await
            .with_code(5)
            .saying(&["error: this would destroy "])
            .saying(&STAKES)
            .saying(&["hint: say --yes"]);
    }
    for answer in ["no\n", "\n", "y\n", "\x04"] {
        let mut running = question(&program).await;
        running.types(answer);
        running.end().await.with_code(5).saying(&STAKES);
    }
    // Ctrl-C is an answer too.
    let mut running = question(&program).await;
    running.types("\x03");
    running.end().await.with_code(130);
    assert_head(database).await;
    assert_eq!(database.value::<i64>("SELECT count(*) FROM tasks").await, 2);

    let mut running = question(&program).await;
    running.types("yes\n");
    running
        .end()
        .await
        .with_code(0)
        .saying(&["the database is at base"]);
    assert!(!database.has("tasks").await);
}

async fn question(program: &Program) -> Running {
    let running = program.start_on_terminal("downgrade base");
    running.says("Type yes to go on: ").await;
    running
}
