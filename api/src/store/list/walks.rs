//! Every order walked page by page and held against a sort of all tasks, with many that tie and many that miss a value.

use std::cmp::Ordering;

use migration::Migrator;
use sea_orm::{ConnectionTrait, DbBackend};
use sea_orm_migration::MigratorTrait;
use seaworthy::verify::ScratchDatabase;

use super::plans::{now, terms};
use super::*;
use crate::domain::{TaskFilter, UserId};
use crate::store::unit::Unit;
use crate::store::{Limits, Store};

const TASKS: u32 = 240;
const MIXED: [&str; 11] = [
    "due_date,-id",
    "created_at,-id",
    "priority,-id",
    "-updated_at,-id",
    "completed,-due_date,id",
    "-due_date,completed,id",
    "-completed,-priority,id",
    "-priority,due_date,id",
    "-priority,-due_date,id",
    "due_date,-title,id",
    "-title,-due_date,-updated_at,id",
];

#[tokio::test]
async fn pages_put_together_are_the_whole_list_in_order_on_sqlite() {
    for steps in [Some(3), None] {
        walk(
            ScratchDatabase::sqlite(&std::env::temp_dir()).unwrap(),
            "?mode=rwc",
            steps,
        )
        .await;
    }
}

#[tokio::test]
async fn pages_put_together_are_the_whole_list_in_order_on_postgresql() {
    #[expect(
        clippy::disallowed_methods,
        reason = "tests are told about the server by a variable"
    )]
    let Ok(server) = std::env::var("TEST_POSTGRES_URL") else {
        return;
    };
    for steps in [Some(3), None] {
        walk(ScratchDatabase::postgres(&server).await.unwrap(), "", steps).await;
    }
}

async fn walk(scratch: ScratchDatabase, mode: &str, steps: Option<u32>) {
    let address = format!("{}{mode}", scratch.address());
    let store = Store::open(&address.into(), &Limits::default(), Vec::new())
        .await
        .unwrap();
    let connection = store.0.pool.connection();
    Migrator::up(connection, steps).await.unwrap();
    fill(connection).await;
    store.check().await.unwrap();
    let scope = Scope {
        began: std::time::Instant::now(),
        unit: Unit::default(),
        shape: store.shape(),
        owner: UserId::parse("usr_ada").unwrap(),
        store,
    };
    let all = read(&scope, &query("id", None, 1000)).await.items;
    assert_eq!(all.len(), usize::try_from(TASKS).unwrap());
    let single = SortKey::ALL.into_iter().flat_map(|key| {
        let tie = if key == SortKey::Id { "" } else { ",id" };
        ["", "-"].map(|sign| format!("{sign}{}{tie}", key.name()))
    });
    for sort in single.chain(MIXED.map(str::to_owned)) {
        for completed in [None, Some(false), Some(true)] {
            let mut expected: Vec<&Task> = all
                .iter()
                .filter(|task| completed.is_none_or(|completed| task.completed == completed))
                .collect();
            expected.sort_by(|one, other| compare(&terms(&sort), one, other));
            let expected: Vec<i32> = expected.into_iter().map(|task| task.id).collect();
            for limit in [7, 40] {
                let about = format!("{sort}, completed {completed:?}, {limit} a page");
                assert_eq!(
                    by_cursor(&scope, &sort, completed, limit).await,
                    expected,
                    "{about}"
                );
            }
            let mut skipping = query(&sort, completed, 11);
            skipping.skip = 13;
            let skipped = read(&scope, &skipping).await.items;
            let skipped: Vec<i32> = skipped.iter().map(|task| task.id).collect();
            assert_eq!(skipped, expected[13..24], "{sort}, completed {completed:?}");
        }
    }
    scope.store.close().await;
    scratch.remove().await.unwrap();
}

/// A third ties in when it was made, all in when it was changed, and of the due dates half are missing.
async fn fill(connection: &sea_orm::DatabaseConnection) {
    let numbers = match connection.get_database_backend() {
        DbBackend::Postgres => format!("SELECT generate_series(1, {TASKS})"),
        _ => format!(
            "WITH RECURSIVE n(g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM n WHERE g < {TASKS}) SELECT g FROM n"
        ),
    };
    let moment = |of: &str| match connection.get_database_backend() {
        DbBackend::Postgres => format!("timestamp '2026-01-01' + ({of}) * interval '1 hour'"),
        _ => format!("datetime('2026-01-01', ({of}) || ' hours')"),
    };
    let (due, made, changed) = (
        moment("g * 7 % 11"),
        moment("CASE WHEN g % 3 = 0 THEN 5 ELSE g * 13 % 89 END"),
        moment("0"),
    );
    let tasks = format!(
        "WITH numbers (g) AS ({numbers}) \
         INSERT INTO tasks (user_id, title, completed, priority, due_date, created_at, updated_at) \
         SELECT 'usr_ada', 't' || (g * 17 % 6), g % 5 = 0, \
         CASE g % 7 WHEN 0 THEN 'low' WHEN 1 THEN 'high' ELSE 'medium' END, CASE WHEN g % 2 = 0 THEN {due} END, \
         CASE WHEN g % 19 > 0 THEN {made} END, {changed} FROM numbers"
    );
    for sql in [
        "INSERT INTO users (id, email) VALUES ('usr_ada', 'ada@example.org')",
        &tasks,
    ] {
        connection.execute_unprepared(sql).await.unwrap();
    }
}

fn query(sort: &str, completed: Option<bool>, limit: u64) -> TaskQuery {
    TaskQuery {
        filter: TaskFilter {
            completed,
            ..TaskFilter::default()
        },
        sort: terms(sort),
        limit,
        after: None,
        skip: 0,
        with_total: false,
    }
}

async fn read(scope: &Scope, query: &TaskQuery) -> Page<Task> {
    scope.tasks(query, now()).await.unwrap()
}

async fn by_cursor(scope: &Scope, sort: &str, completed: Option<bool>, limit: u64) -> Vec<i32> {
    let mut query = query(sort, completed, limit);
    let mut ids = Vec::new();
    loop {
        let page = read(scope, &query).await;
        ids.extend(page.items.iter().map(|task| task.id));
        assert!(
            ids.len() <= usize::try_from(TASKS).unwrap(),
            "{sort} goes round in circles"
        );
        query.after = page.next;
        if query.after.is_none() {
            return ids;
        }
    }
}

/// Compares by what a list is sorted by; what is missing comes last in both directions.
fn compare(sort: &[SortTerm], one: &Task, other: &Task) -> Ordering {
    let number = |task: &Task, key| match key {
        SortKey::DueDate => task.due_date.map(Instant::seconds),
        SortKey::CreatedAt => task.created_at.map(Instant::seconds),
        SortKey::UpdatedAt => task.updated_at.map(Instant::seconds),
        SortKey::Title => task.title[1..].parse().ok(),
        SortKey::Id => Some(task.id.into()),
        SortKey::Completed => Some(task.completed.into()),
        SortKey::Priority => Some(task.priority.rank()),
    };
    let by_term = sort
        .iter()
        .map(|term| match (number(one, term.key), number(other, term.key)) {
            (Some(one), Some(other)) if term.direction == Direction::Ascending => one.cmp(&other),
            (Some(one), Some(other)) => other.cmp(&one),
            (one, other) => one.is_none().cmp(&other.is_none()),
        });
    by_term.fold(Ordering::Equal, Ordering::then)
}
