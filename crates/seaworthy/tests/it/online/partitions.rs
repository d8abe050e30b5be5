//! Partitioned tables of PostgreSQL: each partition gets what it needs while it is read and written.

use sea_orm::sea_query::{ForeignKey, ForeignKeyCreateStatement};
use sea_orm_migration::SchemaManager;
use seaworthy::online;
use seaworthy::session::Session;

use crate::databases::{postgres, session};

const EVENTS: &str = "
    CREATE TABLE kinds (id integer PRIMARY KEY); INSERT INTO kinds VALUES (1), (2);
    CREATE TABLE ev (id integer NOT NULL, d date NOT NULL, n text, kind integer) PARTITION BY RANGE (d);
    CREATE TABLE \"Ev 1\" PARTITION OF ev FOR VALUES FROM ('2025-01-01') TO ('2025-02-01');
    CREATE TABLE ev_2 PARTITION OF ev FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') PARTITION BY LIST (n);
    CREATE TABLE ev_2_y PARTITION OF ev_2 FOR VALUES IN ('y');
    CREATE TABLE ev_d PARTITION OF ev DEFAULT;
    INSERT INTO ev VALUES (1, '2025-01-05', 'x', 1), (2, '2026-01-05', 'y', 2), (3, '2030-01-05', 'z', NULL)";

async fn numbers(session: &Session, sql: &str) -> Vec<i64> {
    let rows = session.rows(sql).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

/// Returns how many indexes of these tables are valid, and how many are not.
async fn indexes(session: &Session) -> Vec<i64> {
    let sql = "SELECT count(*) FILTER (WHERE indisvalid = valid) FROM pg_index JOIN pg_class c ON c.oid = indrelid, \
               (VALUES (1, true), (2, false)) AS v (place, valid) WHERE c.relname ILIKE 'ev%' GROUP BY place ORDER BY place";
    match numbers(session, sql).await {
        none if none.is_empty() => vec![0, 0],
        numbers => numbers,
    }
}

fn reference() -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name("ev_kind_fkey")
        .from("ev", "kind")
        .to("kinds", "id")
        .to_owned()
}

#[tokio::test]
async fn an_index_is_built_on_each_partition_and_dropped_with_all() {
    let Some(database) = postgres().await else {
        return;
    };
    let session = session(&database).await;
    session.send(EVENTS).await.unwrap();
    let manager = SchemaManager::new(session.connection());
    for _ in 0..2 {
        online::create_index(&manager, "CREATE INDEX ix_n ON ev (lower(n)) WHERE id > 0")
            .await
            .unwrap();
        assert_eq!(indexes(&session).await, [5, 0]);
    }
    session
        .send("CREATE TABLE ev_3 PARTITION OF ev FOR VALUES FROM ('2028-01-01') TO ('2029-01-01')")
        .await
        .unwrap();
    assert_eq!(indexes(&session).await, [6, 0]);
    for _ in 0..2 {
        online::drop_index(&manager, "ix_n").await.unwrap();
        assert_eq!(indexes(&session).await, [0, 0]);
    }
    session.close().await;
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_build_on_partitions_that_was_killed_goes_on() {
    let Some(database) = postgres().await else {
        return;
    };
    let session = session(&database).await;
    session.send(EVENTS).await.unwrap();
    let manager = SchemaManager::new(session.connection());
    let steps = [
        "CREATE INDEX ix_n ON ONLY ev (n)",
        "CREATE INDEX ev_d_ix_n_idx ON ev_d (n)",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ev_d_ix_n_idx'::regclass",
    ];
    for count in 1..=steps.len() {
        for step in &steps[..count] {
            session.send(step).await.unwrap();
        }
        online::create_index(&manager, "CREATE INDEX ix_n ON ev (n)")
            .await
            .unwrap();
        assert_eq!(indexes(&session).await, [5, 0], "after {count} steps");
        online::drop_index(&manager, "ix_n").await.unwrap();
    }
    session.close().await;
    database.remove().await.unwrap();
}

#[tokio::test]
async fn columns_of_a_partitioned_table_become_unique_and_twins_are_named() {
    let Some(database) = postgres().await else {
        return;
    };
    let session = session(&database).await;
    session.send(EVENTS).await.unwrap();
    let manager = SchemaManager::new(session.connection());
    let unique = async || online::add_unique(&manager, "ev", "ev_key", ["id", "d", "n"]).await;
    session
        .send("INSERT INTO ev VALUES (3, '2030-01-05', 'z', 1)")
        .await
        .unwrap();
    let error = unique().await.unwrap_err().to_string();
    assert!(error.contains("ev_d") && error.contains('z'), "{error}");
    assert_eq!(indexes(&session).await, [0, 0]);
    session.send("DELETE FROM ev WHERE kind IS NULL").await.unwrap();
    for _ in 0..2 {
        unique().await.unwrap();
        assert_eq!(indexes(&session).await, [5, 0]);
    }
    let constraints = "SELECT count(*) FROM pg_constraint WHERE contype = 'u' AND conrelid >= 16384";
    assert_eq!(numbers(&session, constraints).await, [5]);
    online::drop_constraint(&manager, "ev", "ev_key").await.unwrap();
    assert_eq!(indexes(&session).await, [0, 0]);
    session.close().await;
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_partitioned_table_gets_a_foreign_key_that_all_rows_fulfil() {
    let Some(database) = postgres().await else {
        return;
    };
    let session = session(&database).await;
    session.send(EVENTS).await.unwrap();
    let manager = SchemaManager::new(session.connection());
    session.send("UPDATE ev SET kind = 9 WHERE id = 3").await.unwrap();
    let error = online::add_foreign_key(&manager, reference())
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("ev_kind_fkey"), "{error}");
    let count = "SELECT count(*) FROM pg_constraint WHERE contype = 'f'";
    assert_eq!(numbers(&session, count).await, [0]);
    session.send("UPDATE ev SET kind = 1 WHERE id = 3").await.unwrap();
    // As a run that was killed leaves it.
    let begun =
        "ALTER TABLE ev_d ADD CONSTRAINT ev_kind_fkey FOREIGN KEY (kind) REFERENCES kinds (id) NOT VALID";
    session.send(begun).await.unwrap();
    for _ in 0..2 {
        online::add_foreign_key(&manager, reference()).await.unwrap();
        let attached = "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated GROUP BY conparentid = 0 ORDER BY 1";
        assert_eq!(numbers(&session, attached).await, [1, 4]);
    }
    session
        .send("INSERT INTO ev VALUES (9, '2025-01-09', 'q', 7)")
        .await
        .unwrap_err();
    online::drop_constraint(&manager, "ev", "ev_kind_fkey")
        .await
        .unwrap();
    assert_eq!(numbers(&session, count).await, [0]);
    session.close().await;
    database.remove().await.unwrap();
}
