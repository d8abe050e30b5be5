//! Asks the database what its tables hold.
//!
//! Sources: PostgreSQL manual, "The Cumulative Statistics System" (`pg_stat_get_xact_tuples_deleted`), "Database Object Size
//! Functions" and "`pg_locks`"; SQLite, "PRAGMA Statements" (`table_list`, `table_xinfo`, `foreign_key_list`).

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult, Statement};

use super::{Follower, Held, Holdings, Name};
use crate::session::dialect_of;
use crate::sql::{Dialect, quoted};

/// Ordinary tables with the size of their rows, and partitioned ones. A table without rows has the size zero; one that another
/// session has for itself is not waited for.
const TABLES_ON_POSTGRESQL: &str = "WITH taken AS MATERIALIZED (SELECT l.relation FROM pg_locks l JOIN pg_database d \
     ON d.oid = l.database WHERE d.datname = current_database() AND l.mode = 'AccessExclusiveLock' AND l.granted \
     AND l.pid <> pg_backend_pid() AND l.relation IS NOT NULL) \
     SELECT c.oid::bigint AS id, n.nspname::text AS schema, c.relname::text AS name, pg_table_is_visible(c.oid) AS is_visible, \
     c.oid::regclass::text AS shown, CASE WHEN c.relkind = 'p' THEN 0 WHEN c.oid IN (SELECT relation FROM taken) THEN 1 \
     ELSE pg_relation_size(c.oid) END AS rows, c.relkind = 'r' AND c.oid NOT IN (SELECT relation FROM taken) AS is_counted, \
     pg_stat_get_xact_tuples_deleted(c.oid) AS deleted, pg_stat_get_xact_tuples_inserted(c.oid) AS inserted, \
     coalesce(pg_partition_root(c.oid), c.oid)::bigint AS root, \
     c.relkind = 'r' AND c.oid NOT IN (SELECT relation FROM taken) AND pg_stat_get_live_tuples(c.oid) = 0 AS is_doubtful, \
     coalesce((SELECT json_object_agg(a.attnum, a.attname) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 \
     AND NOT a.attisdropped AND a.attgenerated = ''), '{}')::text AS columns \
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' \
     AND n.nspname NOT IN ('pg_catalog', 'information_schema')";

/// Ordinary tables; what a virtual one keeps its contents in is its own affair.
const TABLES_ON_SQLITE: &str = "SELECT t.rootpage AS id, 'main' AS schema, t.name AS name, true AS is_visible, t.name AS shown, \
     0 AS rows, true AS is_counted, 0 AS deleted, 0 AS inserted, t.rootpage AS root, false AS is_doubtful, \
     (SELECT json_group_object(c.cid, c.name) FROM pragma_table_xinfo(t.name) c WHERE c.hidden = 0) AS columns \
     FROM main.sqlite_schema t JOIN pragma_table_list(t.name) l ON l.schema = 'main' AND l.type = 'table' \
     WHERE t.type = 'table' AND t.rootpage > 0 AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";

const FOLLOWERS_ON_POSTGRESQL: &str = "SELECT conrelid::bigint AS id, confrelid::bigint AS of, false AS is_part \
     FROM pg_constraint WHERE contype = 'f' AND confdeltype = 'c' \
     UNION ALL SELECT inhrelid::bigint, inhparent::bigint, true FROM pg_inherits";

const FOLLOWERS_ON_SQLITE: &str = "SELECT child.rootpage AS id, parent.rootpage AS of, false AS is_part \
     FROM main.sqlite_schema child JOIN pragma_foreign_key_list(child.name) k JOIN main.sqlite_schema parent \
     ON lower(parent.name) = lower(k.\"table\") WHERE child.type = 'table' AND parent.type = 'table' AND k.on_delete = 'CASCADE'";

/// Reads what is there; on PostgreSQL, the rows of those tables alone are counted whose names `is_counted` wants.
pub(super) async fn read(
    transaction: &DatabaseTransaction,
    is_counted: impl Fn(&Name) -> bool,
) -> Result<Holdings, DbErr> {
    let dialect = dialect_of(transaction.get_database_backend());
    let (tables_sql, followers_sql) = match dialect {
        Dialect::Postgresql => (TABLES_ON_POSTGRESQL, FOLLOWERS_ON_POSTGRESQL),
        Dialect::Sqlite => (TABLES_ON_SQLITE, FOLLOWERS_ON_SQLITE),
    };
    let mut tables = BTreeMap::new();
    for row in rows(transaction, tables_sql).await? {
        let mut held = held(&row, dialect)?;
        let is_asked = match dialect {
            Dialect::Postgresql => is_counted(&held.name),
            Dialect::Sqlite => true,
        };
        if is_asked && row.try_get("", "is_counted")? {
            held.rows = count(transaction, &held.name).await?;
        }
        tables.insert(row.try_get("", "id")?, held);
    }
    let mut followers = Vec::new();
    for row in rows(transaction, followers_sql).await? {
        followers.push(Follower {
            id: row.try_get("", "id")?,
            of: row.try_get("", "of")?,
            is_part: row.try_get("", "is_part")?,
        });
    }
    Ok(Holdings {
        dialect,
        tables,
        followers,
    })
}

/// Forgets the size of tables that hold nothing but deleted rows, which PostgreSQL drops whenever it writes a table anew.
pub(super) async fn leave_out_dead_rows(
    transaction: &DatabaseTransaction,
    holdings: &mut Holdings,
) -> Result<(), DbErr> {
    let doubtful = holdings
        .tables
        .values_mut()
        .filter(|held| held.is_doubtful && held.rows > 0);
    for held in doubtful {
        let first = format!("SELECT 1 FROM {} LIMIT 1", sql_name(&held.name));
        if rows(transaction, &first).await?.is_empty() {
            held.rows = 0;
        }
    }
    Ok(())
}

fn held(row: &QueryResult, dialect: Dialect) -> Result<Held, DbErr> {
    let columns: String = row.try_get("", "columns")?;
    Ok(Held {
        name: Name {
            dialect,
            schema: row.try_get("", "schema")?,
            table: row.try_get("", "name")?,
            is_visible: row.try_get("", "is_visible")?,
            shown: row.try_get("", "shown")?,
        },
        columns: serde_json::from_str(&columns).map_err(|error| DbErr::Type(error.to_string()))?,
        rows: row.try_get("", "rows")?,
        deleted: row.try_get("", "deleted")?,
        inserted: row.try_get("", "inserted")?,
        root: row.try_get("", "root")?,
        is_doubtful: row.try_get("", "is_doubtful")?,
    })
}

async fn count(transaction: &DatabaseTransaction, name: &Name) -> Result<i64, DbErr> {
    let counted = rows(
        transaction,
        &format!("SELECT count(*) AS rows FROM {}", sql_name(name)),
    )
    .await?;
    counted.first().map_or(Ok(0), |row| row.try_get("", "rows"))
}

fn sql_name(name: &Name) -> String {
    format!("{}.{}", quoted(&name.schema), quoted(&name.table))
}

async fn rows(transaction: &DatabaseTransaction, sql: &str) -> Result<Vec<QueryResult>, DbErr> {
    let statement = Statement::from_string(transaction.get_database_backend(), sql);
    transaction.query_all_raw(statement).await
}
