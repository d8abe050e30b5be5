//! One column that becomes two: two dual columns of the same old one, each of which makes it whole from both parts.

use std::collections::BTreeMap;

use sea_orm::sea_query::Expr;
use seaworthy::online::{self, DualColumn};
use tokio_util::sync::CancellationToken;

use super::*;

/// How many rows there are before anything changes.
const ROWS: i64 = 500;

/// The two parts of `name`, before and after its first space.
fn parts(backend: DbBackend) -> [DualColumn; 2] {
    let (given, family) = match backend {
        DbBackend::Postgres => ("split_part(name, ' ', 1)", "substr(name, strpos(name, ' ') + 1)"),
        _ => (
            "substr(name, 1, instr(name, ' ') - 1)",
            "substr(name, instr(name, ' ') + 1)",
        ),
    };
    [("given", given), ("family", family)].map(|(part, of_name)| {
        DualColumn::new("people", "name", ColumnDef::new(part).text().not_null().take())
            .up(Expr::cust(of_name))
            .down(Expr::cust("given || ' ' || family"))
    })
}

async fn people(session: &Session) {
    let numbers = match session.backend() {
        DbBackend::Postgres => "SELECT n FROM generate_series(1, 500) AS n",
        _ => {
            session.send("PRAGMA journal_mode = WAL").await.unwrap();
            "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 500) SELECT n FROM numbers"
        }
    };
    let create = "CREATE TABLE people (id integer PRIMARY KEY, name text NOT NULL)";
    session.send(create).await.unwrap();
    let fill = format!("INSERT INTO people SELECT n, 'g' || n || ' f' || n FROM ({numbers}) AS numbers");
    session.send(&fill).await.unwrap();
}

/// Writes whole names, as code of before does; returns what each person is called.
async fn write_names(session: Session, stop: CancellationToken) -> BTreeMap<i64, String> {
    let mut called = BTreeMap::new();
    let mut number = 100_000;
    while !stop.is_cancelled() {
        number += 1;
        let name = format!("g{number} f{number}");
        let insert = format!("INSERT INTO people (id, name) VALUES ({number}, '{name}')");
        session.send(&insert).await.unwrap();
        called.insert(number, name);
        // One in two of the first rows belongs to code of before.
        let first = 1 + number * 2 % ROWS;
        for id in [first, number - 1] {
            let name = format!("G{number} F{number}");
            if id == first || called.contains_key(&id) {
                let update = format!("UPDATE people SET name = '{name}' WHERE id = {id}");
                session.send(&update).await.unwrap();
                called.insert(id, name);
            }
        }
        tokio::task::yield_now().await;
    }
    session.close().await;
    called
}

/// Writes the parts, each alone and both together, as code of after does.
async fn write_parts(session: Session, stop: CancellationToken) -> BTreeMap<i64, String> {
    let mut called = BTreeMap::new();
    let mut number = 200_000;
    while !stop.is_cancelled() {
        number += 1;
        let insert = format!("INSERT INTO people (id, given, family) VALUES ({number}, 'g', 'f')");
        session.send(&insert).await.unwrap();
        let (change, name) = match number % 4 {
            0 => (String::new(), "g f".to_owned()),
            1 => (format!("given = 'g{number}'"), format!("g{number} f")),
            2 => (format!("family = 'f{number}'"), format!("g f{number}")),
            _ => (
                format!("given = 'g{number}', family = 'f{number}'"),
                format!("g{number} f{number}"),
            ),
        };
        if !change.is_empty() {
            let update = format!("UPDATE people SET {change} WHERE id = {number}");
            session.send(&update).await.unwrap();
        }
        called.insert(number, name);
        // The others of the first rows.
        let first = 2 + number * 2 % ROWS;
        if first <= ROWS {
            let update = format!("UPDATE people SET given = 'x', family = 'y{number}' WHERE id = {first}");
            session.send(&update).await.unwrap();
            called.insert(first, format!("x y{number}"));
        }
        tokio::task::yield_now().await;
    }
    session.close().await;
    called
}

/// Returns those who are not called so.
async fn miscalled(session: &Session, called: &BTreeMap<i64, String>, shown: &str) -> Vec<(i64, String)> {
    let rows = session
        .rows(&format!("SELECT id, {shown} AS shown FROM people"))
        .await
        .unwrap();
    let found: BTreeMap<i64, String> = rows
        .iter()
        .map(|row| {
            let id: i32 = row.try_get("", "id").unwrap();
            (i64::from(id), row.try_get("", "shown").unwrap())
        })
        .collect();
    called
        .iter()
        .filter(|(id, name)| found.get(id) != Some(name))
        .map(|(id, name)| (*id, format!("{name}, not {:?}", found.get(id))))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_is_split_in_two_under_writers_of_the_whole_and_of_its_parts() {
    for database in databases().await {
        let session = patient(&database).await;
        people(&session).await;
        let manager = SchemaManager::new(session.connection());
        let parts = parts(session.backend());
        let (stop_old, stop_new) = (CancellationToken::new(), CancellationToken::new());
        let old = tokio::spawn(write_names(patient(&database).await, stop_old.clone()));
        until_written(&session, "people").await;
        // Both before the first trigger, which names both.
        for part in ["given", "family"] {
            let column = ColumnDef::new(part).text().take();
            online::add_column(&manager, "people", column).await.unwrap();
        }
        for part in &parts {
            part.expand(&manager).await.unwrap();
        }
        let new = tokio::spawn(write_parts(patient(&database).await, stop_new.clone()));
        until_written(&session, "people").await;
        for part in &parts {
            part.backfill().batch_rows(50).run(&manager).await.unwrap();
            until_written(&session, "people").await;
            part.verify(&manager).await.unwrap();
        }
        stop_old.cancel();
        let of_old = old.await.unwrap();
        assert_eq!(miscalled(&session, &of_old, "given || ' ' || family").await, []);
        assert_eq!(miscalled(&session, &of_old, "name").await, []);
        for part in &parts {
            part.contract(&manager).await.unwrap();
        }
        until_written(&session, "people").await;
        stop_new.cancel();
        let of_new = new.await.unwrap();
        assert_eq!(miscalled(&session, &of_new, "given || ' ' || family").await, []);
        assert!(of_old.len() > 20 && of_new.len() > 20);

        // Back again: the whole gets what was written in parts.
        for part in &parts {
            part.restore(&manager).await.unwrap();
            part.verify(&manager).await.unwrap();
        }
        for part in &parts {
            part.unlink(&manager).await.unwrap();
        }
        for part in &parts {
            part.collapse(&manager).await.unwrap();
        }
        let called = of_old.into_iter().chain(of_new).collect();
        assert_eq!(miscalled(&session, &called, "name").await, []);
        let catalog = schema(&session).await;
        assert_eq!(catalog.tables[0].columns.len(), 2);
        assert!(catalog.tables[0].triggers.is_empty());
        assert!(!catalog.tables[0].column("name").unwrap().nullable);
        session.close().await;
        database.remove().await.unwrap();
    }
}
