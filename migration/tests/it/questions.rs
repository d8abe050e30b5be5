//! What destroys something asks first: on a terminal a person, elsewhere for `--yes`.

use std::fs;
use std::path::Path;

use crate::databases::{TestDatabase, on_postgres, on_sqlite};
use crate::program::{Program, Running};
use crate::schema::{assert_head, ids};

/// What goes with the tables of the phases, and how many rows are in them.
const STAKES: [&str; 2] = ["tasks (2 rows)", "users (1 row)"];

#[tokio::test]
async fn nothing_is_destroyed_without_consent_on_sqlite() {
    on_sqlite(async |database| ask(database).await).await;
}

#[tokio::test]
async fn nothing_is_destroyed_without_consent_on_postgresql() {
    on_postgres(async |database| ask(database).await).await;
}

#[tokio::test]
async fn a_likely_rename_is_asked_about_on_sqlite() {
    on_sqlite(async |database| ask_about_rename(database).await).await;
}

#[tokio::test]
async fn a_likely_rename_is_asked_about_on_postgresql() {
    on_postgres(async |database| ask_about_rename(database).await).await;
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
            .saying(&["hint: pass --yes"]);
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

async fn ask_about_rename(database: &TestDatabase) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("src");
    let list = copy.join("lib.rs");
    fs::create_dir(&copy).unwrap();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    fs::copy(sources.join("lib.rs"), &list).unwrap();
    let before = fs::read_to_string(&list).unwrap();
    let folder = folder.path().to_str().unwrap();
    let program = Program::migration(database).with("MIGRATION_DIR", folder);
    program.run("upgrade head").await.with_code(0);
    database
        .execute("ALTER TABLE tasks RENAME COLUMN recurrence_rule TO recurrence_pattern")
        .await;

    let question =
        "Is it the rename of the column tasks.recurrence_pattern to recurrence_rule? Type yes if so: ";
    let (renamed, replaced) = (
        "rename column tasks: recurrence_pattern -> recurrence_rule",
        "drop column tasks.recurrence_pattern",
    );
    for (answer, operation, other) in [("no\n", replaced, renamed), ("yes\n", renamed, replaced)] {
        let mut running = program.start_on_terminal("revision --autogenerate -m recur");
        running.says(question).await;
        running.types(answer);
        let ended = running.end().await.with_code(0).saying(&[operation]);
        assert!(!ended.stdout.contains(other), "{ended:?}");
        fs::write(&list, &before).unwrap();
    }
    // Where nobody can be asked it is not guessed.
    let alone = program.run("revision --autogenerate -m recur").await.with_code(0);
    let alone = alone.saying(&[
        replaced,
        "perhaps the rename of the column tasks.recurrence_pattern to recurrence_rule",
    ]);
    assert!(!alone.stdout.contains("rename column"), "{alone:?}");
}
