//! Revisions that fail: what was done before stays, what failed is gone, and the history and the error name the cause.

use crate::databases::{TestDatabase, on_postgres, on_sqlite};
use crate::program::Program;

#[tokio::test]
async fn a_revision_that_fails_midway_is_gone_and_named_on_sqlite() {
    on_sqlite(async |database| fail(database, "halfway", &["no such table: nowhere"]).await).await;
}

#[tokio::test]
async fn a_revision_that_fails_midway_is_gone_and_named_on_postgresql() {
    let causes = ["relation \"nowhere\" does not exist", "42P01"];
    on_postgres(async |database| fail(database, "halfway", &causes).await).await;
}

#[tokio::test]
async fn a_revision_that_fails_at_its_commit_is_gone_and_named_on_sqlite() {
    on_sqlite(async |database| fail(database, "commit", &["FOREIGN KEY constraint failed"]).await).await;
}

#[tokio::test]
async fn a_revision_that_fails_at_its_commit_is_gone_and_named_on_postgresql() {
    let causes = ["violates foreign key constraint \"crew_boat_id_fkey\"", "23503"];
    on_postgres(async |database| fail(database, "commit", &causes).await).await;
}

#[tokio::test]
async fn a_revision_that_panics_is_an_error_on_sqlite() {
    on_sqlite(async |database| fail(database, "panic", &["the mast broke"]).await).await;
}

#[tokio::test]
async fn a_revision_that_panics_is_an_error_on_postgresql() {
    on_postgres(async |database| fail(database, "panic", &["the mast broke"]).await).await;
}

#[tokio::test]
async fn a_revision_that_cannot_be_undone_stays_as_it_was_on_sqlite() {
    on_sqlite(async |database| fail_downwards(database).await).await;
}

#[tokio::test]
async fn a_revision_that_cannot_be_undone_stays_as_it_was_on_postgresql() {
    on_postgres(async |database| fail_downwards(database).await).await;
}

#[tokio::test]
async fn a_revision_that_reads_the_database_gets_its_answers_on_sqlite() {
    on_sqlite(async |database| read(database).await).await;
}

#[tokio::test]
async fn a_revision_that_reads_the_database_gets_its_answers_on_postgresql() {
    on_postgres(async |database| read(database).await).await;
}

async fn fail(database: &TestDatabase, revision: &str, causes: &[&str]) {
    let program = Program::troubles(database);
    let ended = program
        .run(&format!("upgrade {revision}"))
        .await
        .with_code(1)
        .saying(causes)
        .saying(&[
            "Running upgrade <base> -> calm",
            &format!("error: upgrade of {revision} failed"),
        ]);
    // What happens while the SQL is recorded beforehand is nobody's business.
    for said_once in ["error: ", "panicked at"] {
        let times = ended.stderr.matches(said_once).count();
        assert!(times <= 1, "{times} times {said_once:?} in {ended:#?}");
    }

    assert!(database.has("boats").await);
    for table in ["halfway", "crew", "panic"] {
        assert!(!database.has(table).await, "{table} is left behind");
    }
    assert_eq!(
        database
            .value::<String>("SELECT version FROM seaql_migrations")
            .await,
        "calm"
    );
    assert_eq!(
        database.last_entry().await,
        format!("upgrade up {revision} failed")
    );
    let recorded: String = database
        .value("SELECT error FROM seaworthy_history ORDER BY id DESC LIMIT 1")
        .await;
    for cause in causes {
        assert!(recorded.contains(cause), "{recorded}");
    }
    program
        .run("status")
        .await
        .with_code(0)
        .saying(&["Current:  calm", &format!("failed at {revision}")])
        .saying(causes);
    program.run("history --applied").await.with_code(0).saying(causes);
}

async fn fail_downwards(database: &TestDatabase) {
    let program = Program::troubles(database);
    program.run("upgrade stuck").await.with_code(0);
    program
        .run("downgrade base --yes")
        .await
        .with_code(1)
        .saying(&["error: downgrade of stuck failed", "nowhere"]);
    assert!(database.has("stuck").await);
    assert!(database.has("boats").await);
    assert_eq!(database.last_entry().await, "downgrade down stuck failed");
    program.run("current").await.with_code(0).saying(&["stuck"]);
}

async fn read(database: &TestDatabase) {
    let program = Program::troubles(database);
    program.run("upgrade reader").await.with_code(0);
    let names = database.either(
        "SELECT group_concat(name, ', ') FROM (SELECT name FROM names ORDER BY name)",
        "SELECT string_agg(name, ', ' ORDER BY name) FROM names",
    );
    assert_eq!(database.value::<String>(names).await, "Argo, Vasa, the end");
    // There is no checksum of what was not known beforehand, so nothing is ever said to have changed.
    let ended = program.run("upgrade reader").await.with_code(0);
    assert_eq!(ended.stderr, "");
}
