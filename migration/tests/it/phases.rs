//! Up and down the phases with SeaORM's own runner, checked against the fixtures after every step.
//!
//! The fixtures of the inherited revisions are what Alembic makes of the guide's: `pg_002.json` is the schema at revision 002.
//! Those of ours say what the revision changes about the schema before it, as a merge patch (RFC 7396).

use migration::Migrator;
use sea_orm_migration::MigratorTrait;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection};

use crate::databases::{on_postgres, on_sqlite, value};
use crate::schema::{INHERITED, assert_order_of_columns, assert_revision, differences, ids, inspect};

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

/// Code that names a time in UTC is understood before, while and after the column gets its zone, up and down.
#[tokio::test]
async fn times_mean_the_same_moment_on_every_schema_of_phase_xiii() {
    on_postgres(async |database| {
        let connection = database.connect().await;
        let before = u32::try_from(ids().iter().position(|id| id == "a71c5e20d9f3").unwrap()).unwrap();
        let steps = u32::try_from(ids().len()).unwrap() - before;
        Migrator::up(&connection, Some(before)).await.unwrap();
        add_task(&connection).await;
        let mut expected = 0;
        for step in 0..=2 * steps {
            let due = "INSERT INTO tasks (user_id, title, due_date, created_at) \
                       VALUES ('ada', 'sail', timestamp '2026-06-01 12:00', timestamp '2026-01-01 12:00')";
            let later = "UPDATE tasks SET due_date = due_date + interval '1 day' WHERE id % 2 = 0";
            for statement in ["SET timezone = 'UTC'", due, later] {
                connection.execute_unprepared(statement).await.unwrap();
            }
            expected += 1;
            match step {
                step if step < steps => Migrator::up(&connection, Some(1)).await.unwrap(),
                step if step < 2 * steps => Migrator::down(&connection, Some(1)).await.unwrap(),
                _ => (),
            }
            let right = "SELECT count(*) FROM tasks WHERE CAST(created_at AS timestamp) = '2026-01-01 12:00' \
                         AND CAST(due_date AS time) = '12:00'";
            assert_eq!(value::<i64>(&connection, right).await, expected);
            let without = "SELECT count(*) FROM tasks WHERE due_date IS NULL AND created_at IS NOT NULL";
            assert_eq!(value::<i64>(&connection, without).await, 1);
        }
    })
    .await;
}

#[tokio::test]
async fn conversations_are_called_after_what_was_said_first_on_sqlite() {
    on_sqlite(async |database| titles(&database.connect().await).await).await;
}

#[tokio::test]
async fn conversations_are_called_after_what_was_said_first_on_postgresql() {
    on_postgres(async |database| titles(&database.connect().await).await).await;
}

/// Those in which nobody has said anything that could be read stay without a title, and a title that is there stays.
async fn titles(connection: &DatabaseConnection) {
    let before = u32::try_from(ids().iter().position(|id| id == "d8e3a05c64f1").unwrap()).unwrap();
    Migrator::up(connection, Some(before)).await.unwrap();
    add_task(connection).await;
    let long = format!("{} hull", "x".repeat(59));
    for (id, words) in [
        (1, &["user: \r\n Caulk\tthe\nhull ", "user: and sail"][..]),
        (2, &["assistant: How can I help?", &format!("user: {long}")]),
        (3, &["assistant: How can I help?"]),
        (4, &["user:  \t\n "]),
        (5, &[]),
        (6, &["user: Sail"]),
    ] {
        let begin = format!("INSERT INTO conversations (id, user_id) VALUES ({id}, 'ada')");
        connection.execute_unprepared(&begin).await.unwrap();
        for words in words {
            let (role, words) = words.split_once(": ").unwrap_or(("user", " "));
            let say = format!(
                "INSERT INTO messages (conversation_id, user_id, role, content) VALUES ({id}, 'ada', '{role}', '{words}')"
            );
            connection.execute_unprepared(&say).await.unwrap();
        }
    }
    Migrator::up(connection, Some(1)).await.unwrap();
    let chosen = "UPDATE conversations SET title = 'Harbours' WHERE id = 6";
    connection.execute_unprepared(chosen).await.unwrap();
    let late = "INSERT INTO conversations (id, user_id) VALUES (7, 'ada')";
    connection.execute_unprepared(late).await.unwrap();

    Migrator::up(connection, None).await.unwrap();

    let mut titles = Vec::new();
    for id in 1..=7 {
        let title = format!("SELECT title FROM conversations WHERE id = {id}");
        titles.push(value::<String>(connection, &title).await);
    }
    assert_eq!(
        titles,
        ["Caulk the hull", &"x".repeat(59), "", "", "", "Harbours", ""]
    );
}

#[tokio::test]
async fn a_day_is_forgotten_when_the_moment_alone_changes_on_sqlite() {
    on_sqlite(async |database| forget_days(&database.connect().await).await).await;
}

#[tokio::test]
async fn a_day_is_forgotten_when_the_moment_alone_changes_on_postgresql() {
    on_postgres(async |database| forget_days(&database.connect().await).await).await;
}

/// Code of before the phase writes `due_date` alone; later code writes the day with it.
async fn forget_days(connection: &DatabaseConnection) {
    Migrator::up(connection, None).await.unwrap();
    let owner = "INSERT INTO users (id, email) VALUES ('ada', 'ada@example.org')";
    connection.execute_unprepared(owner).await.unwrap();
    const DAY: &str = "2026-12-24 Pacific/Auckland";
    for (id, change, day) in [
        (1, "title = 'sail'", DAY),
        (2, "due_date = '2026-12-24 10:59:59'", DAY),
        (3, "due_date = '2026-12-25 10:59:59'", "none"),
        (4, "due_date = NULL", "none"),
        (5, "due_date = '2026-12-25 10:59:59', title = 'sail'", "none"),
        (
            6,
            "due_date = '2026-12-25 10:59:59', due_on = '2026-12-25'",
            "2026-12-25 Pacific/Auckland",
        ),
        (
            7,
            "due_date = '2026-12-24 23:59:59', due_zone = 'UTC'",
            "2026-12-24 UTC",
        ),
        (
            8,
            "due_date = '2026-12-25 09:00:00', due_on = NULL, due_zone = NULL",
            "none",
        ),
    ] {
        let add = format!(
            "INSERT INTO tasks (id, user_id, title, due_date, due_on, due_zone) \
             VALUES ({id}, 'ada', 'row', '2026-12-24 10:59:59', '2026-12-24', 'Pacific/Auckland')"
        );
        connection.execute_unprepared(&add).await.unwrap();
        let change = format!("UPDATE tasks SET {change} WHERE id = {id}");
        connection.execute_unprepared(&change).await.unwrap();
        let kept = format!(
            "SELECT coalesce(CAST(due_on AS varchar) || ' ' || due_zone, 'none') FROM tasks WHERE id = {id}"
        );
        assert_eq!(value::<String>(connection, &kept).await, day, "{change}");
    }
}

async fn walk(connection: &DatabaseConnection) {
    assert_revision(connection, 0).await;
    for number in 1..=ids().len() {
        Migrator::up(connection, Some(1)).await.unwrap();
        assert_revision(connection, number).await;
        if number <= INHERITED {
            assert_order_of_columns(connection, number).await;
        }
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
