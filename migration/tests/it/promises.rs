//! Our own revisions keep their promises: up, down and up again, empty and with rows.

use migration::Migrator;
use seaworthy::command::{Verification, verify};
use seaworthy::environment::Environment;

use crate::databases::{on_postgres, on_sqlite, server};
use crate::program::Program;

#[tokio::test]
async fn every_revision_keeps_its_promises_on_sqlite() {
    let verification = Verification::new();
    let environment = Environment::new(Migrator::revisions());
    let verified = verify(&environment, &verification).await.unwrap();
    let verified = verified.into_result().unwrap();
    assert_eq!(verified.databases[0].unfilled, []);
}

#[tokio::test]
async fn every_revision_keeps_its_promises_on_postgresql() {
    let Some(server) = server() else { return };
    let verification = Verification::default().on_postgresql(server);
    let environment = Environment::new(Migrator::revisions());
    let verified = verify(&environment, &verification).await.unwrap();
    let verified = verified.into_result().unwrap();
    assert_eq!(verified.databases[0].unfilled, []);
}

#[tokio::test]
async fn verify_works_beside_the_database_that_is_named_and_not_in_it() {
    on_sqlite(async |database| {
        let verified = Program::migration(database).run("verify").await.with_code(0);
        verified.saying(&["SQLite: ", "Every promise is kept"]);
        let file = database.address().trim_start_matches("sqlite://");
        assert!(!std::path::Path::new(file).exists());
        let refused = Program::migration(database).run("verify --on postgresql").await;
        refused.with_code(2).saying(&["--on postgresql wants a server"]);
    })
    .await;
    on_postgres(async |database| {
        let verified = Program::migration(database).run("verify").await.with_code(0);
        verified.saying(&["PostgreSQL: ", "Every promise is kept"]);
        let program = Program::migration(database);
        let both = program.run("verify --on sqlite,postgresql").await.with_code(0);
        both.saying(&["SQLite: ", "PostgreSQL: ", "Every promise is kept"]);
        assert!(!database.has("tasks").await);
    })
    .await;
}
