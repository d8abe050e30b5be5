//! The entities against the tables at head, and what is found when they differ.

use crate::databases::{TestDatabase, on_postgres, on_sqlite};
use crate::program::Program;

#[tokio::test]
async fn the_entities_are_the_tables_at_head_on_sqlite() {
    on_sqlite(async |database| nothing_is_found(database).await).await;
}

#[tokio::test]
async fn the_entities_are_the_tables_at_head_on_postgresql() {
    on_postgres(async |database| nothing_is_found(database).await).await;
}

#[tokio::test]
async fn a_difference_is_found_and_its_rows_are_counted_on_sqlite() {
    on_sqlite(async |database| something_is_found(database).await).await;
}

#[tokio::test]
async fn a_difference_is_found_and_its_rows_are_counted_on_postgresql() {
    on_postgres(async |database| something_is_found(database).await).await;
}

async fn nothing_is_found(database: &TestDatabase) {
    let program = Program::migration(database);
    program.run("upgrade head").await.with_code(0);
    let checked = program.run("check").await;
    assert_eq!(checked.stdout, "");
    let checked = checked.with_code(0);
    // Entities say nothing of triggers: people's tags are kept apart by them, and what happens to tasks is written down.
    let triggers = database.either("8 triggers", "4 functions, 4 triggers");
    assert_eq!(
        checked.stderr,
        format!("what is compared is the same\nnot compared: {triggers}\n")
    );
    let same = format!("diff {} entities --sql", database.address());
    assert_eq!(program.run(&same).await.with_code(0).stdout, "");
    let snapshot = program.run("snapshot").await.with_code(0).stdout;
    assert!(snapshot.contains("\"name\": \"task_tags\""), "{snapshot}");
}

async fn something_is_found(database: &TestDatabase) {
    let program = Program::migration(database);
    let early = program.run("revision --autogenerate -m early").await.with_code(5);
    assert!(
        early.stderr.contains("hint: run `upgrade head` first"),
        "{early:#?}"
    );
    program.run("upgrade head").await.with_code(0);
    database
        .execute("ALTER TABLE tags ADD COLUMN colour varchar(20)")
        .await;
    database
        .execute("INSERT INTO users (id, email) VALUES ('ada', 'ada@example.org')")
        .await;
    database
        .execute(
            "INSERT INTO tags (name, user_id, colour) VALUES ('sea', 'ada', 'blue'), ('sky', 'ada', NULL)",
        )
        .await;
    let checked = program.run("check").await.with_code(3);
    let lines: Vec<&str> = checked.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{checked:#?}");
    assert!(lines[0].starts_with("drop column tags.colour "), "{checked:#?}");
    assert!(lines[0].ends_with(" [destructive]"), "{checked:#?}");
    assert_eq!(lines[1], "    1 row with something that would be lost");
    let sql = program.run("check --sql").await.with_code(3).stdout;
    let sent: Vec<&str> = sql.lines().filter(|line| line.starts_with("ALTER ")).collect();
    assert_eq!(sent, ["ALTER TABLE \"tags\" DROP COLUMN \"colour\";"], "{sql}");
    let json = program.run("check --output json").await.with_code(3).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["operations"][0]["op"], "drop_column");
    assert_eq!(json["stakes"][0]["rows"], 1);
}

#[tokio::test]
async fn revisions_are_compared_with_each_other_and_with_a_database_on_sqlite() {
    on_sqlite(async |database| compare_revisions(database).await).await;
}

#[tokio::test]
async fn revisions_are_compared_with_each_other_and_with_a_database_on_postgresql() {
    on_postgres(async |database| compare_revisions(database).await).await;
}

async fn compare_revisions(database: &TestDatabase) {
    let program = Program::migration(database);
    program.run("upgrade 002").await.with_code(0);
    // A revision is tried out beside the database; that stays where it is.
    program.run("diff head entities").await.with_code(0);
    program.run("diff 002 002").await.with_code(0);
    let address = database.address();
    program.run(&format!("diff {address} 002")).await.with_code(0);
    program
        .run(&format!("diff 001 {address}"))
        .await
        .with_code(3)
        .saying(&["add table conversations", "add table messages"]);
    program
        .run("diff base 001")
        .await
        .with_code(3)
        .saying(&["add table users"]);
    program.run("current").await.with_code(0).saying(&["002"]);
    program.run("diff 00x9 head").await.with_code(1).saying(&["00x9"]);
    program
        .run("diff yesterday.json head")
        .await
        .with_code(1)
        .saying(&["there is no snapshot at yesterday.json"]);
}
