//! Columns that get another type under the name that they have.

use std::time::Duration;

use sea_orm::sea_query::Expr;
use seaworthy::backfill::{State, known};
use seaworthy::online::DualColumn;
use tokio_util::sync::CancellationToken;

use super::*;

/// How many rows there are before anything changes.
const ROWS: i64 = 300;

fn column(to: &mut ColumnDef) -> DualColumn {
    let other = |column: &str| Expr::cust(format!("{column} AT TIME ZONE 'UTC'"));
    DualColumn::new(
        "tasks",
        "at",
        to.not_null().default(Expr::current_timestamp()).take(),
    )
    .up(other("at"))
    .down(other("at_utc"))
    .index("idx_tasks_at", "idx_tasks_at_utc")
}

fn zoned() -> DualColumn {
    column(ColumnDef::new("at_utc").timestamp_with_time_zone())
}

fn zoneless() -> DualColumn {
    column(ColumnDef::new("at_utc").timestamp())
}

async fn table(session: &Session) {
    let sql = format!(
        "SET timezone = 'UTC'; \
         CREATE TABLE tasks (id integer PRIMARY KEY, at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP); \
         CREATE INDEX idx_tasks_at ON tasks (at); \
         INSERT INTO tasks SELECT n, {} FROM generate_series(1, {ROWS}) AS n",
        at("n")
    );
    session.send(&sql).await.unwrap();
}

/// The time of a row, as code says it that knows of no zone.
fn at(number: impl std::fmt::Display) -> String {
    format!("timestamp '2026-01-01' + {number} * interval '1 second'")
}

/// Inserts rows and changes them until it is told to stop; returns how many.
async fn write(session: Session, lane: i64, stop: CancellationToken) -> i64 {
    session.send("SET timezone = 'UTC'").await.unwrap();
    let mut number = 0;
    while !stop.is_cancelled() {
        number += 1;
        let id = lane * 1_000_000 + number;
        for statement in [
            format!("INSERT INTO tasks (id, at) VALUES ({id}, {})", at(number)),
            format!("UPDATE tasks SET at = {} WHERE id = {id}", at(id)),
        ] {
            session.send(&statement).await.unwrap();
        }
        // As fast as it can it would make more rows than a test has time for.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    session.close().await;
    number
}

async fn text(session: &Session, query: &str) -> String {
    let rows = session
        .rows(&format!("SELECT CAST(({query}) AS text) AS found"))
        .await
        .unwrap();
    rows[0].try_get("", "found").unwrap()
}

/// Returns the type of the column, whether it may be NULL, its default, and its index.
async fn shape(session: &Session) -> String {
    let catalog = schema(session).await;
    let [table] = catalog.tables.as_slice() else {
        panic!("{:?}", catalog.tables)
    };
    let column = table.column("at").unwrap();
    let indexed: Vec<String> = table.indexes.iter().map(|index| format!("{index:?}")).collect();
    assert_eq!(table.columns.len(), 2, "{:?}", table.columns);
    assert!(table.triggers.is_empty(), "{:?}", table.triggers);
    assert_eq!(indexed.len(), 1, "{indexed:?}");
    let definition = "SELECT indexdef FROM pg_indexes WHERE indexname = 'idx_tasks_at'";
    format!(
        "{} {} {} {}",
        column.data_type,
        column.nullable,
        column.default.as_deref().unwrap_or("none"),
        text(session, definition).await
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_gets_another_type_under_its_name_while_it_is_written() {
    let Some(database) = postgres().await else { return };
    let session = session(&database).await;
    table(&session).await;
    let manager = SchemaManager::new(session.connection());
    let stop = CancellationToken::new();
    let mut writers = Vec::new();
    for lane in 1..=2 {
        let own = crate::databases::session(&database).await;
        writers.push(tokio::spawn(write(own, lane, stop.clone())));
    }
    let at_first = shape(&session).await;
    let mut shapes = Vec::new();
    for _ in 0..2 {
        for (now, then) in [(zoned(), zoneless()), (zoneless(), zoned())] {
            until_written(&session, "tasks").await;
            now.expand(&manager).await.unwrap();
            now.fill(&manager).await.unwrap();
            online::create_index(&manager, "CREATE INDEX idx_tasks_at_utc ON tasks (at_utc)")
                .await
                .unwrap();
            until_written(&session, "tasks").await;
            now.swap(&manager, &then).await.unwrap();
            // Done is done.
            now.swap(&manager, &then).await.unwrap();
            until_written(&session, "tasks").await;
            then.verify(&manager).await.unwrap();
            then.collapse(&manager).await.unwrap();
            shapes.push(shape(&session).await);
        }
    }
    let [zoned, zoneless, ..] = &*shapes else {
        panic!("{shapes:?}")
    };
    assert_snapshot!(zoned, @"timestamp with time zone false CURRENT_TIMESTAMP CREATE INDEX idx_tasks_at ON public.tasks USING btree (at)");
    assert_eq!(*zoneless, at_first);
    assert_eq!(shapes[2..], shapes[..2]);
    stop.cancel();
    let mut written = 0;
    for writer in writers {
        written += writer.await.unwrap();
    }
    let (found, right) = (
        text(&session, "SELECT count(*) FROM tasks").await,
        format!("SELECT count(*) FROM tasks WHERE at = {}", at("id")),
    );
    assert_eq!(found, (ROWS + written).to_string());
    assert_eq!(text(&session, &right).await, found);
    session.close().await;
    database.remove().await.unwrap();
}

#[tokio::test]
async fn what_would_stay_with_the_old_column_is_named() {
    let Some(database) = postgres().await else { return };
    let session = session(&database).await;
    table(&session).await;
    let manager = SchemaManager::new(session.connection());
    session
        .send("CREATE VIEW late AS SELECT id FROM tasks WHERE at < now(); CREATE INDEX forgotten ON tasks (at, id)")
        .await
        .unwrap();
    zoned().expand(&manager).await.unwrap();
    zoned().fill(&manager).await.unwrap();
    let error = zoned().swap(&manager, &zoneless()).await.unwrap_err();
    assert_snapshot!(error, @"Migration Error: these would stay with what the column at of the table tasks was: index forgotten, rule _RETURN on view late. Make each anew for the new column first; for an index, say so by DualColumn::index");
    let same = DualColumn::new("tasks", "at", ColumnDef::new("at").timestamp().take());
    let error = same.swap(&manager, &same).await.unwrap_err();
    assert_snapshot!(error, @"Migration Error: at and at of the table tasks are of the same type and cannot trade names; give the new column the name that it is to keep, and use DualColumn::replace");
    let missing = DualColumn::new("tasks", "at", ColumnDef::new("elsewhere").timestamp().take());
    let error = missing.swap(&manager, &missing).await.unwrap_err();
    assert_snapshot!(error, @"Migration Error: the table tasks has no column elsewhere");
    session.close().await;
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_backfill_that_one_kind_of_database_needs_is_done_on_the_other() {
    for database in databases().await {
        let session = session(&database).await;
        let other = match session.backend() {
            DbBackend::Postgres => DbBackend::Sqlite,
            _ => DbBackend::Postgres,
        };
        let manager = SchemaManager::new(session.connection());
        let backfill = zoned().backfill().on(other);
        // There is not even a table.
        backfill.run(&manager).await.unwrap();
        backfill.run(&manager).await.unwrap();
        let standings = known(session.connection()).await.unwrap();
        assert_eq!(standings.len(), 1);
        assert_eq!(standings[0].state, State::Verified);
        backfill.forget(&manager).await.unwrap();
        session.send(&backfill.portable(session.backend())).await.unwrap();
        let standings = known(session.connection()).await.unwrap();
        assert_eq!(standings[0].state, State::Verified);
        if session.backend() == DbBackend::Sqlite {
            let error = zoned().swap(&manager, &zoneless()).await.unwrap_err();
            assert_snapshot!(error, @"Migration Error: DualColumn::swap is for PostgreSQL; on SQLite let the new column keep its name, and use DualColumn::replace");
        }
        session.close().await;
        database.remove().await.unwrap();
    }
}
