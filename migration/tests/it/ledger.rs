//! Databases whose version rows do not fit the revisions: what refuses, what goes on, and the ways out.

use crate::databases::{TestDatabase, on_postgres, on_sqlite};
use crate::program::Program;
use crate::schema::assert_head;

#[tokio::test]
async fn a_row_that_no_file_knows_stops_what_changes_and_nothing_else_on_sqlite() {
    on_sqlite(async |database| meet_the_unknown(database).await).await;
}

#[tokio::test]
async fn a_row_that_no_file_knows_stops_what_changes_and_nothing_else_on_postgresql() {
    on_postgres(async |database| meet_the_unknown(database).await).await;
}

#[tokio::test]
async fn a_row_of_another_program_is_named_with_when_and_by_whom() {
    on_sqlite(async |database| {
        Program::troubles(database).run("upgrade calm").await.with_code(0);
        let ended = Program::migration(database)
            .run("upgrade head")
            .await
            .with_code(1);
        let user: String = database.value("SELECT by_user FROM seaworthy_history").await;
        let day: String = database
            .value("SELECT substr(started_at, 1, 11) FROM seaworthy_history")
            .await;
        ended.saying(&[
            &format!("error: the database is at calm (applied {day}"),
            &format!(" by {user}@"),
            "which this program does not know",
        ]);
    })
    .await;
}

#[tokio::test]
async fn a_revision_that_was_left_out_is_run_when_asked_for_and_undone_first_on_sqlite() {
    on_sqlite(async |database| come_late(database).await).await;
}

#[tokio::test]
async fn a_revision_that_was_left_out_is_run_when_asked_for_and_undone_first_on_postgresql() {
    on_postgres(async |database| come_late(database).await).await;
}

async fn meet_the_unknown(database: &TestDatabase) {
    let program = Program::migration(database);
    program.run("upgrade 002").await.with_code(0);
    database
        .execute("INSERT INTO seaql_migrations VALUES ('m20300101_000000_from_the_future', 1893456000)")
        .await;
    let unknown =
        "m20300101_000000_from_the_future (applied 2030-01-01T00:00:00Z by a tool that keeps no history)";
    for verb in ["upgrade head", "downgrade -1 --yes", "up", "down", "stamp 001"] {
        program.run(verb).await.with_code(1).saying(&[
            &format!("error: the database is at {unknown}, which this program does not know"),
            "hint: run the program that has these revisions, or declare where the database stands with `stamp --purge",
        ]);
    }
    program
        .run("current")
        .await
        .with_code(0)
        .saying(&["002", unknown]);
    program.run("status").await.with_code(0).saying(&[unknown]);
    program
        .run("plan")
        .await
        .with_code(3)
        .saying(&[unknown, "upgrade 002 -> 003", "Refused:"]);
    program
        .run("history --indicate-current")
        .await
        .with_code(0)
        .saying(&["002 (current)"]);
    for verb in ["heads", "branches", "show 002", "history --applied"] {
        program.run(verb).await.with_code(0);
    }

    program
        .run("stamp --purge 002")
        .await
        .with_code(5)
        .saying(&["hint: pass --yes"]);
    program
        .run("stamp --purge 002 --yes")
        .await
        .with_code(0)
        .saying(&["Forgot that m20300101_000000_from_the_future is applied"]);
    program.run("upgrade head").await.with_code(0);
    assert_head(database).await;
}

/// The database of somebody who had 001 and 003 before 002 was merged.
async fn come_late(database: &TestDatabase) {
    let program = Program::migration(database);
    program.run("upgrade phase-VIII").await.with_code(0);
    for sql in [
        "DROP TABLE messages",
        "DROP TABLE conversations",
        "DELETE FROM seaql_migrations WHERE version LIKE '%conversations'",
        "DELETE FROM seaworthy_history WHERE revision = '002'",
    ] {
        database.execute(sql).await;
    }
    program
        .run("status")
        .await
        .with_code(0)
        .saying(&["Left out: 002"]);
    program.run("upgrade phase-VIII").await.with_code(5).saying(&[
        "error: 002 is not applied although newer revisions are",
        "hint: apply them too with --allow-out-of-order",
    ]);
    program
        .run("upgrade phase-VIII --allow-out-of-order")
        .await
        .with_code(0)
        .saying(&["Running upgrade 001 -> 002"]);
    program
        .run("downgrade -1 --yes")
        .await
        .with_code(0)
        .saying(&["Running downgrade 002 -> 001"]);
    program
        .run("downgrade base --yes")
        .await
        .with_code(0)
        .saying(&["Running downgrade 003 -> 002", "Running downgrade 001 -> "]);
    program.run("upgrade head").await.with_code(0);
    assert_head(database).await;
}
