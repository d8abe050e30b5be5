//! Up and down the phases with SeaORM's own runner, checked against the fixtures after every step.
//!
//! The fixtures of the inherited revisions are what Alembic makes of the guide's: `pg_002.json` is the schema at revision 002.
//! Those of ours say what the revision changes about the schema before it, as a merge patch (RFC 7396).

use migration::Migrator;
use sea_orm_migration::MigratorTrait;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection};

use crate::databases::{on_postgres, on_sqlite, value};
use crate::schema::{assert_revision, differences, ids, inspect};

#[tokio::test]
async fn every_phase_has_the_schema_of_its_fixture_up_and_down_on_sqlite() {
    on_sqlite(async |database| walk(&database.connect().await).await).await;
}

#[tokio::test]
async fn every_phase_has_the_schema_of_its_fixture_up_and_down_on_postgresql() {
    on_postgres(async |database| walk(&database.connect().await).await).await;
}

#[tokio::test]
async fn a_new_task_is_not_completed_and_is_found_as_such_on_sqlite() {
    on_sqlite(async |database| {
        let connection = database.connect().await;
        Migrator::up(&connection, Some(3)).await.unwrap();
        add_task(&connection).await;

        let column = "SELECT typeof(completed) || ' ' || typeof(is_recurring) FROM tasks";
        assert_eq!(value::<String>(&connection, column).await, "integer integer");
        let found = "SELECT count(*) FROM tasks WHERE completed = 0 AND is_recurring = 0";
        assert_eq!(value::<i64>(&connection, found).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_new_task_is_not_completed_and_is_found_as_such_on_postgresql() {
    on_postgres(async |database| {
        let connection = database.connect().await;
        Migrator::up(&connection, Some(3)).await.unwrap();
        add_task(&connection).await;

        let found = "SELECT count(*) FROM tasks WHERE NOT completed AND NOT is_recurring";
        assert_eq!(value::<i64>(&connection, found).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_task_from_before_phase_v_gets_the_defaults() {
    on_sqlite(async |database| {
        let connection = database.connect().await;
        Migrator::up(&connection, Some(2)).await.unwrap();
        add_task(&connection).await;
        Migrator::up(&connection, Some(3)).await.unwrap();

        let shown = "SELECT priority || ' ' || is_recurring FROM tasks";
        assert_eq!(value::<String>(&connection, shown).await, "medium 0");
    })
    .await;
}

#[tokio::test]
async fn a_revision_that_fails_halfway_leaves_nothing_behind_on_sqlite() {
    on_sqlite(async |database| fail_halfway(&database.connect().await).await).await;
}

#[tokio::test]
async fn a_revision_that_fails_halfway_leaves_nothing_behind_on_postgresql() {
    on_postgres(async |database| fail_halfway(&database.connect().await).await).await;
}

/// A database that Alembic made holds the names that PostgreSQL thought of; ours must be the same ones, or a later
/// `DROP CONSTRAINT` works on one of the two only.
#[tokio::test]
async fn constraints_have_the_names_that_postgresql_would_give_them() {
    on_postgres(async |database| {
        let connection = database.connect().await;
        Migrator::up(&connection, Some(3)).await.unwrap();
        let names = "SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint \
                     WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'u', 'f') \
                     AND conname NOT LIKE 'seaql%'";
        assert_eq!(
            value::<String>(&connection, names).await,
            "conversations_pkey conversations_user_id_fkey \
             messages_conversation_id_fkey messages_pkey messages_user_id_fkey \
             tags_name_key tags_pkey task_tags_pkey task_tags_tag_id_fkey task_tags_task_id_fkey \
             tasks_pkey tasks_user_id_fkey users_email_key users_pkey"
        );
    })
    .await;
}

async fn walk(connection: &DatabaseConnection) {
    assert_revision(connection, 0).await;
    for number in 1..=ids().len() {
        Migrator::up(connection, Some(1)).await.unwrap();
        assert_revision(connection, number).await;
    }
    for number in (0..ids().len()).rev() {
        Migrator::down(connection, Some(1)).await.unwrap();
        assert_revision(connection, number).await;
    }
}

/// Revision 001 makes `users` first and then stumbles over a `tasks` that is already there.
async fn fail_halfway(connection: &DatabaseConnection) {
    let in_the_way = "CREATE TABLE tasks (id integer)";
    connection.execute_unprepared(in_the_way).await.unwrap();
    let before = inspect(connection).await;

    Migrator::up(connection, None).await.unwrap_err();

    assert_eq!(differences(&before, &inspect(connection).await), [""; 0]);
    assert_eq!(
        value::<i64>(connection, "SELECT count(*) FROM seaql_migrations").await,
        0
    );
}

async fn add_task(connection: &DatabaseConnection) {
    connection
        .execute_unprepared("INSERT INTO users (id, email) VALUES ('ada', 'ada@example.org')")
        .await
        .unwrap();
    connection
        .execute_unprepared("INSERT INTO tasks (user_id, title) VALUES ('ada', 'caulk the hull')")
        .await
        .unwrap();
}
