//! The plans of both databases for lists of a hundred thousand tasks: each part is read out of an index, from where the page
//! begins, and no further than the page goes.

use migration::Migrator;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use sea_orm_migration::MigratorTrait;
use seaworthy::verify::ScratchDatabase;
use serde_json::Value;

use super::*;
use crate::domain::{TaskFilter, UserId};
use crate::store::unit::Unit;
use crate::store::{Limits, Store};

/// Every order that has an index, with filters that lead into it.
const LISTS: [(&str, Option<bool>); 29] = [
    ("id", None),
    ("id", Some(false)),
    ("-id", None),
    ("due_date,id", None),
    ("due_date,id", Some(false)),
    ("-due_date,-id", Some(false)),
    ("-due_date,-id", None),
    ("-priority,due_date,id", None),
    ("-priority,due_date,id", Some(false)),
    ("-priority,-id", None),
    ("priority,id", Some(true)),
    ("-created_at,-id", None),
    ("created_at,id", Some(false)),
    ("-updated_at,-id", None),
    ("updated_at,id", Some(true)),
    ("title,id", None),
    ("-title,-id", Some(false)),
    ("completed,-due_date,-id", None),
    ("-completed,title,id", None),
    ("-due_date,id", Some(false)),
    ("-due_date,id", None),
    ("due_date,-id", None),
    ("-priority,id", None),
    ("priority,-id", Some(true)),
    ("-created_at,id", None),
    ("-updated_at,id", Some(true)),
    ("-updated_at,id", None),
    ("-title,id", None),
    ("completed,-due_date,id", None),
];

#[tokio::test]
async fn a_page_of_a_hundred_thousand_tasks_reads_what_it_shows_on_sqlite() {
    let scratch = ScratchDatabase::sqlite(&std::env::temp_dir()).unwrap();
    check(scratch, async |scope, query, block| {
        let select = statement(scope, query, block);
        let statement = explained("EXPLAIN QUERY PLAN ", DbBackend::Sqlite, &select);
        let rows = connection(scope).query_all_raw(statement).await.unwrap();
        let plan: Vec<String> = rows
            .iter()
            .map(|row| row.try_get("", "detail").unwrap())
            .collect();
        assert_is_lean(&plan, query, block.is_none());
    })
    .await;
}

#[tokio::test]
async fn a_page_of_a_hundred_thousand_tasks_reads_what_it_shows_on_postgresql() {
    #[expect(
        clippy::disallowed_methods,
        reason = "tests are told about the server by a variable"
    )]
    let Ok(server) = std::env::var("TEST_POSTGRES_URL") else {
        return;
    };
    let scratch = ScratchDatabase::postgres(&server).await.unwrap();
    check(scratch, async |scope, query, block| {
        let select = statement(scope, query, block);
        // A plan for whoever it is, which the server keeps, and one for this user alone.
        for mode in ["force_generic_plan", "force_custom_plan"] {
            let plan = postgres_plan(connection(scope), mode, &select).await;
            assert_reads_little(&plan[0]["Plan"], &format!("{mode}: {query:?}\n{plan:#}"));
        }
    })
    .await;
}

/// Returns the statement for a page, or for those that tie with a task.
fn statement(scope: &Scope, query: &TaskQuery, block: Option<&Task>) -> SelectStatement {
    match block {
        Some(one) => scope.block(query, one, now()),
        None => scope.page(query, now()).0,
    }
}

/// Runs a check on the first page of each list, on one far behind it, and on what ties with the last task of each.
async fn check(scratch: ScratchDatabase, check: impl AsyncFn(&Scope, &TaskQuery, Option<&Task>)) {
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let store = Store::open(&scratch.address().to_owned().into(), &limits, Vec::new())
        .await
        .unwrap();
    Migrator::up(store.0.pool.connection(), None).await.unwrap();
    store.check().await.unwrap();
    fill(store.0.pool.connection()).await;
    let scope = Scope {
        began: std::time::Instant::now(),
        unit: Unit::default(),
        shape: store.shape(),
        owner: UserId::parse("usr_ada").unwrap(),
        store,
    };
    for (sort, completed) in LISTS {
        let mut query = TaskQuery {
            skip: 0,
            filter: TaskFilter {
                completed,
                ..TaskFilter::default()
            },
            sort: terms(sort),
            limit: 50,
            after: None,
            with_total: false,
        };
        for _ in 0..2 {
            check(&scope, &query, None).await;
            let page = scope.tasks(&query, now()).await.unwrap();
            assert_eq!(page.items.len(), 50, "{query:?}");
            if ties::is_turned(&query) {
                check(&scope, &query, page.items.last()).await;
            }
            query.limit = 20_000;
            query.after = scope.tasks(&query, now()).await.unwrap().next;
            assert!(query.after.is_some(), "{query:?}");
            query.limit = 50;
        }
    }
    scope.store.close().await;
    scratch.remove().await.unwrap();
}

/// A hundred thousand tasks of one user, a third of them with one and the same date, and five thousand of
/// somebody else, most of them older.
async fn fill(connection: &DatabaseConnection) {
    let (numbers, date) = match connection.get_database_backend() {
        DbBackend::Postgres => (
            "SELECT generate_series(1, 105000)",
            "timestamp '2026-01-01' + (g % 977) * interval '1 hour'",
        ),
        _ => (
            "WITH RECURSIVE n(g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM n WHERE g < 105000) SELECT g FROM n",
            "datetime('2026-01-01', (g % 977) || ' hours')",
        ),
    };
    let users =
        "INSERT INTO users (id, email) VALUES ('usr_ada', 'ada@example.org'), ('usr_bob', 'bob@example.org')";
    let tasks = format!(
        "WITH numbers (g) AS ({numbers}) \
         INSERT INTO tasks (user_id, title, completed, priority, due_date, created_at, updated_at) \
         SELECT CASE WHEN g <= 3000 OR g % 51 = 0 THEN 'usr_bob' ELSE 'usr_ada' END, 'task ' || (g % 7919), g % 2 = 0, \
         CASE g % 3 WHEN 0 THEN 'low' WHEN 1 THEN 'medium' ELSE 'high' END, CASE WHEN g % 5 > 0 THEN {date} END, \
         {date}, CASE WHEN g % 3 > 0 THEN {date} ELSE '2026-03-01 00:00:00' END FROM numbers"
    );
    // A busy machine takes longer over it than the limit on a statement.
    if connection.get_database_backend() == DbBackend::Postgres {
        connection
            .execute_unprepared("SET statement_timeout = 0")
            .await
            .unwrap();
    }
    for sql in [users, &tasks] {
        connection.execute_unprepared(sql).await.unwrap();
    }
    // PostgreSQL does so by itself after a while. Nobody tells SQLite to.
    if connection.get_database_backend() == DbBackend::Postgres {
        connection.execute_unprepared("ANALYZE").await.unwrap();
    }
}

/// Reads `-priority,due_date,id`.
pub(super) fn terms(text: &str) -> Vec<SortTerm> {
    let term = |name: &str| SortTerm {
        key: SortKey::ALL
            .into_iter()
            .find(|key| key.name() == name.trim_start_matches('-'))
            .unwrap(),
        direction: match name.starts_with('-') {
            true => Direction::Descending,
            false => Direction::Ascending,
        },
    };
    text.split(',').map(term).collect()
}

pub(super) fn now() -> Instant {
    Instant::parse("2026-03-01").unwrap()
}

fn connection(scope: &Scope) -> &DatabaseConnection {
    scope.store.0.pool.connection()
}

fn explained(how: &str, backend: DbBackend, select: &SelectStatement) -> Statement {
    let mut statement = backend.build(select);
    statement.sql.insert_str(0, how);
    statement
}

async fn postgres_plan(connection: &DatabaseConnection, mode: &str, select: &SelectStatement) -> Value {
    let statement = DbBackend::Postgres.build(select);
    let values: Vec<String> = statement
        .values
        .iter()
        .flat_map(|values| &values.0)
        .map(|value| {
            let one = Statement::from_sql_and_values(DbBackend::Postgres, "$1", [value.clone()]);
            one.to_string()
        })
        .collect();
    for sql in [
        format!("SET plan_cache_mode = {mode}"),
        format!("PREPARE page AS {}", statement.sql),
    ] {
        connection.execute_unprepared(&sql).await.unwrap();
    }
    let explain = format!(
        "EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE page({})",
        values.join(", ")
    );
    let mut stream = connection.get_postgres_connection_pool().acquire().await.unwrap();
    let row: (Value,) = sea_orm::sqlx::query_as(sea_orm::sqlx::AssertSqlSafe(explain))
        .persistent(false)
        .fetch_one(&mut *stream)
        .await
        .unwrap();
    drop(stream);
    connection
        .execute_unprepared("DEALLOCATE page; RESET plan_cache_mode")
        .await
        .unwrap();
    row.0
}

/// Asserts that no node of a plan reads more rows of `tasks` than a page of each part has.
fn assert_reads_little(node: &Value, about: &str) {
    let number = |name: &str| node[name].as_f64().unwrap_or_default();
    let rows = (number("Actual Rows") + number("Rows Removed by Filter")) * number("Actual Loops");
    if node["Relation Name"] == "tasks" {
        assert_ne!(node["Node Type"], "Seq Scan", "{about}");
        assert!(rows <= 51.0 * 3.0, "{rows} rows are read: {about}");
    }
    for child in node["Plans"].as_array().into_iter().flatten() {
        assert_reads_little(child, about);
    }
}

/// Asserts that each part is a range of an index that needs no sorting, and that it begins where the page does.
fn assert_is_lean(plan: &[String], query: &TaskQuery, is_page: bool) {
    let about = format!("{query:?}\n{}", plan.join("\n"));
    let parts: Vec<&String> = plan.iter().filter(|line| line.contains(" tasks ")).collect();
    assert!(!parts.is_empty(), "{about}");
    for part in &parts {
        assert!(
            part.starts_with("SEARCH tasks USING INDEX idx_tasks_list_"),
            "{about}"
        );
    }
    // What the parts give is put into order in the end: at most a page of each. A part itself is read in order.
    let mut is_inside = parts.len() == 1;
    for line in plan {
        match line.as_str() {
            "CO-ROUTINE part" => is_inside = true,
            "SCAN part" => is_inside = false,
            line => assert!(!(is_inside && line.contains("TEMP B-TREE")), "{about}"),
        }
    }
    let whole = parts
        .iter()
        .filter(|part| part.ends_with("(user_id=? AND completed=?)"))
        .count();
    let may_begin_anywhere = is_page && query.after.is_none();
    assert!(
        may_begin_anywhere || whole <= usize::from(query.sort[0].key == SortKey::Completed),
        "{about}"
    );
}
