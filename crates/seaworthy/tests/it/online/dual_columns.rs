//! Columns on their way to another name or type, while code of before and after writes them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::sea_query::Expr;
use seaworthy::online::DualColumn;
use tokio_util::sync::CancellationToken;

use super::*;

/// How many rows there are before anything changes.
const ROWS: i64 = 700;

/// A change of one column, and how each version of the code writes its values.
#[derive(Clone)]
struct Change {
    column: fn() -> DualColumn,
    old: &'static str,
    new: &'static str,
    /// The same value as each version writes it, as SQL.
    value: fn(i64) -> (String, String),
}

const RENAME: Change = Change {
    column: || {
        DualColumn::new(
            "tasks",
            "description",
            ColumnDef::new("notes").text().not_null().take(),
        )
    },
    old: "description",
    new: "notes",
    value: |number| (format!("'n {number}'"), format!("'n {number}'")),
};

const TYPE_CHANGE: Change = Change {
    column: || {
        DualColumn::new(
            "tasks",
            "description",
            ColumnDef::new("rank").integer().not_null().take(),
        )
        .up(Expr::cust("CAST(substr(description, 3) AS integer)"))
        .down(Expr::cust("'n ' || rank"))
    },
    old: "description",
    new: "rank",
    value: |number| (format!("'n {number}'"), number.to_string()),
};

async fn table(session: &Session) {
    let sql = format!(
        "CREATE TABLE tasks (id integer PRIMARY KEY, description text NOT NULL); \
         INSERT INTO tasks WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ROWS}) \
         SELECT n, 'n ' || n FROM numbers"
    );
    let sql = match session.backend() {
        DbBackend::Postgres => sql.replace(
            "INSERT INTO tasks WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 700) SELECT n, 'n ' || n FROM numbers",
            "INSERT INTO tasks SELECT n, 'n ' || n FROM generate_series(1, 700) AS n",
        ),
        _ => sql,
    };
    session.send(&sql).await.unwrap();
}

/// Writes rows as one version of the code does until it is told to stop; returns what each row it has written should hold.
///
/// It also changes those of the first rows that are its own: each version has every other one.
async fn write(
    session: Session,
    column: &'static str,
    change: Change,
    lane: i64,
    stop: CancellationToken,
) -> BTreeMap<i64, i64> {
    let is_old = column == change.old;
    let sql_value = |number| match (change.value)(number) {
        (old, _) if is_old => old,
        (_, new) => new,
    };
    let mut expected = BTreeMap::new();
    let mut number = lane * 100_000;
    while !stop.is_cancelled() {
        number += 1;
        let first = 1 + (number * 2 + lane) % ROWS;
        let first = first - (first - lane % 2).rem_euclid(2);
        let value = sql_value(number);
        let mut statements = vec![(
            number,
            format!("INSERT INTO tasks (id, {column}) VALUES ({number}, {value})"),
        )];
        if first >= 1 {
            statements.push((
                first,
                format!("UPDATE tasks SET {column} = {value} WHERE id = {first}"),
            ));
        }
        if number % 3 == 0 && expected.contains_key(&(number - 1)) {
            let earlier = number - 1;
            statements.push((
                earlier,
                format!("UPDATE tasks SET {column} = {value} WHERE id = {earlier}"),
            ));
        }
        for (id, statement) in statements {
            session
                .send(&statement)
                .await
                .unwrap_or_else(|error| panic!("{statement}: {error}"));
            expected.insert(id, number);
        }
        // On one file there is one writer, and the others shall have their turn.
        tokio::task::yield_now().await;
    }
    session.close().await;
    expected
}

async fn nothing_is_lost(change: Change) {
    for database in databases().await {
        let session = patient(&database).await;
        table(&session).await;
        if session.backend() == DbBackend::Sqlite {
            session.send("PRAGMA journal_mode = WAL").await.unwrap();
        }
        let manager = SchemaManager::new(session.connection());
        let column = (change.column)();
        let spawn = |own: Session, column: &'static str, lane: i64, stop: &CancellationToken| {
            tokio::spawn(write(own, column, change.clone(), lane, stop.clone()))
        };
        let (stop_old, stop_new) = (CancellationToken::new(), CancellationToken::new());
        let old = spawn(patient(&database).await, change.old, 1, &stop_old);
        until_written(&session, "tasks").await;
        column.expand(&manager).await.unwrap();
        let new = spawn(patient(&database).await, change.new, 2, &stop_new);
        until_written(&session, "tasks").await;
        column.backfill().batch_rows(50).run(&manager).await.unwrap();
        until_written(&session, "tasks").await;
        column.verify(&manager).await.unwrap();
        stop_old.cancel();
        let mut expected = old.await.unwrap();
        column.contract(&manager).await.unwrap();
        until_written(&session, "tasks").await;
        stop_new.cancel();
        let of_new = new.await.unwrap();
        let both = [expected.clone(), of_new.clone()];
        expected.extend(of_new);

        let rows: i64 = expected.keys().map(|id| i64::from(*id > ROWS)).sum();
        let found = count(&session, "SELECT count(*) FROM tasks").await;
        assert_eq!(found, ROWS + rows, "rows were lost or doubled");
        for written in both {
            assert!(written.len() > 20, "a version wrote next to nothing");
            for (id, number) in written {
                let (_, value) = (change.value)(number);
                let right = format!(
                    "SELECT count(*) FROM tasks WHERE id = {id} AND {} = {value}",
                    change.new
                );
                assert_eq!(
                    count(&session, &right).await,
                    1,
                    "the row {id} does not hold {value}"
                );
            }
        }
        // Back again: the old column gets what was written without it, and then the new one goes.
        column.restore(&manager).await.unwrap();
        column.verify(&manager).await.unwrap();
        column.collapse(&manager).await.unwrap();
        let catalog = schema(&session).await;
        let [table] = catalog.tables.as_slice() else {
            panic!("{:?}", catalog.tables)
        };
        assert_eq!(table.columns.len(), 2);
        assert!(table.triggers.is_empty());
        assert!(!table.column("description").unwrap().nullable);
        for (id, number) in expected {
            let (value, _) = (change.value)(number);
            let right = format!("SELECT count(*) FROM tasks WHERE id = {id} AND description = {value}");
            assert_eq!(
                count(&session, &right).await,
                1,
                "the row {id} does not hold {value} any more"
            );
        }
        session.close().await;
        database.remove().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_is_renamed_under_writers_of_both_names() {
    nothing_is_lost(RENAME).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_gets_another_type_under_writers_of_both() {
    nothing_is_lost(TYPE_CHANGE).await;
}

/// Writes rows by the name that works, whichever it is: the other one only after an error. Returns how many.
async fn write_by_what_works(session: Session, lane: i64, stop: CancellationToken) -> i64 {
    let mut names = ["description", "notes"];
    let mut number = 0;
    while !stop.is_cancelled() {
        number += 1;
        let id = lane * 10_000_000 + number;
        let insert = |name| format!("INSERT INTO tasks (id, {name}) VALUES ({id}, 'n {id}')");
        let mut tries = 0;
        // A busy machine may make it wait in vain for the lock of a SQLite file, too.
        while let Err(error) = session.send(&insert(names[0])).await {
            names.reverse();
            tries += 1;
            assert!(tries < 10, "{error}");
        }
        // As fast as it can it would make more rows than a test has time for.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    session.close().await;
    number
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_is_replaced_under_writers_that_go_by_the_name_they_find() {
    for database in databases().await {
        let session = session(&database).await;
        table(&session).await;
        if session.backend() == DbBackend::Sqlite {
            session.send("PRAGMA journal_mode = WAL").await.unwrap();
        }
        let manager = SchemaManager::new(session.connection());
        let column = (RENAME.column)();
        let stop = CancellationToken::new();
        let mut writers = Vec::new();
        for lane in 1..=2 {
            let own = crate::databases::session(&database).await;
            writers.push(tokio::spawn(write_by_what_works(own, lane, stop.clone())));
        }
        let old = || ColumnDef::new("description").text().take();
        for _ in 0..2 {
            until_written(&session, "tasks").await;
            column.expand(&manager).await.unwrap();
            column.backfill().run(&manager).await.unwrap();
            column.backfill().forget(&manager).await.unwrap();
            column.replace(&manager).await.unwrap();
            // Done is done.
            column.replace(&manager).await.unwrap();
            assert!(schema(&session).await.tables[0].column("description").is_none());
            until_written(&session, "tasks").await;
            let wrong = "SELECT count(*) FROM tasks WHERE notes IS NULL OR id > 700 AND notes <> 'n ' || id";
            assert_eq!(count(&session, wrong).await, 0);
            column.reopen(&manager, old()).await.unwrap();
            column.reopen(&manager, old()).await.unwrap();
            until_written(&session, "tasks").await;
            column.restore(&manager).await.unwrap();
            column.collapse(&manager).await.unwrap();
            until_written(&session, "tasks").await;
        }
        stop.cancel();
        let mut written = 0;
        for writer in writers {
            written += writer.await.unwrap();
        }
        assert_eq!(
            count(&session, "SELECT count(*) FROM tasks").await,
            ROWS + written
        );
        let lost = "SELECT count(*) FROM tasks WHERE description <> 'n ' || id";
        assert_eq!(count(&session, lost).await, 0);
        session.close().await;
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_value_that_the_old_column_says_better_is_left_alone() {
    let lossy = Arc::new(
        DualColumn::new("tasks", "description", ColumnDef::new("rank").integer().take())
            .up(Expr::cust(
                "CASE description WHEN 'urgent' THEN 3 WHEN 'high' THEN 3 ELSE 1 END",
            ))
            .down(Expr::cust("CASE rank WHEN 3 THEN 'high' ELSE 'low' END")),
    );
    for database in databases().await {
        let session = session(&database).await;
        let manager = SchemaManager::new(session.connection());
        session
            .send("CREATE TABLE tasks (id integer PRIMARY KEY, description text)")
            .await
            .unwrap();
        session
            .send("INSERT INTO tasks VALUES (1, 'urgent')")
            .await
            .unwrap();
        lossy.expand(&manager).await.unwrap();
        lossy.backfill().run(&manager).await.unwrap();
        for statement in [
            "INSERT INTO tasks (id, description) VALUES (2, 'urgent')",
            "INSERT INTO tasks (id, rank) VALUES (3, 3)",
            "UPDATE tasks SET rank = 3 WHERE id = 1",
            "UPDATE tasks SET rank = 1 WHERE id = 2",
            "UPDATE tasks SET description = 'urgent' WHERE id = 3",
        ] {
            session.send(statement).await.unwrap();
        }
        let rows = session
            .rows("SELECT id || ' ' || description || ' ' || rank AS line FROM tasks ORDER BY id")
            .await
            .unwrap();
        let lines: Vec<String> = rows.iter().map(|row| row.try_get("", "line").unwrap()).collect();
        assert_eq!(lines, ["1 urgent 3", "2 low 1", "3 urgent 3"]);
        session.close().await;
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn rows_that_differ_are_named() {
    for database in databases().await {
        let session = session(&database).await;
        let manager = SchemaManager::new(session.connection());
        table(&session).await;
        let column = (RENAME.column)();
        column.expand(&manager).await.unwrap();
        session.send("DELETE FROM tasks WHERE id > 7").await.unwrap();
        let error = column.contract(&manager).await.unwrap_err();
        insta::allow_duplicates! {
            assert_snapshot!(error, @"Migration Error: that description and notes say the same cannot hold for the table tasks: these rows break it: id = 1; 2; 3; 4; 5 and more. Change them, then run it again");
        }
        session.close().await;
        database.remove().await.unwrap();
    }
}
