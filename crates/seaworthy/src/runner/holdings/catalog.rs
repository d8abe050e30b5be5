//! Asks the database what its tables hold.
//!
//! Sources: PostgreSQL manual, "The Cumulative Statistics System" (`pg_stat_get_xact_tuples_deleted`), "Database Object Size
//! Functions" and "`pg_locks`"; SQLite, "PRAGMA Statements" (`table_list`, `table_xinfo`, `foreign_key_list`).

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult, Statement, TransactionTrait};

use super::{Amount, Follower, Foreseen, HeldTable, Holdings, Name};
use crate::session::dialect_of;
use crate::sql::{Dialect, quoted};

/// Ordinary tables with the size of their rows, and partitioned ones. A table without rows has the size zero; one that another
/// session has for itself or waits to have is not waited for, and one that may not be read is not counted.
const TABLES_ON_POSTGRESQL: &str = "WITH taken AS MATERIALIZED (SELECT l.relation FROM pg_locks l JOIN pg_database d \
     ON d.oid = l.database WHERE d.datname = current_database() AND l.mode = 'AccessExclusiveLock' \
     AND l.pid IS DISTINCT FROM pg_backend_pid() AND l.relation IS NOT NULL) \
     SELECT c.oid::bigint AS id, n.nspname::text AS schema, c.relname::text AS name, pg_table_is_visible(c.oid) AS is_visible, \
     c.oid::regclass::text AS shown, CASE WHEN c.relkind = 'p' THEN 0 WHEN c.oid IN (SELECT relation FROM taken) THEN 1 \
     ELSE coalesce(pg_relation_size(c.oid), 0) END AS size, c.relkind = 'r' AND c.oid NOT IN (SELECT relation FROM taken) \
     AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS may_be_read, \
     pg_stat_get_live_tuples(c.oid) = 0 AS is_doubtful, \
     pg_stat_get_xact_tuples_deleted(c.oid) AS deleted, pg_stat_get_xact_tuples_inserted(c.oid) AS inserted, \
     coalesce(pg_relation_filenode(c.oid), 0)::bigint AS file, \
     coalesce(pg_partition_root(c.oid), c.oid)::bigint AS root, \
     coalesce((SELECT json_object_agg(a.attnum, a.attname) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 \
     AND NOT a.attisdropped AND a.attgenerated = ''), '{}')::text AS columns \
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' \
     AND n.nspname NOT IN ('pg_catalog', 'information_schema')";

/// Ordinary tables; what a virtual one keeps its contents in is its own affair.
const TABLES_ON_SQLITE: &str = "SELECT t.rootpage AS id, 'main' AS schema, t.name AS name, true AS is_visible, t.name AS shown, \
     1 AS size, true AS may_be_read, false AS is_doubtful, 0 AS deleted, 0 AS inserted, 0 AS file, t.rootpage AS root, \
     (SELECT json_group_object(c.cid, c.name) FROM pragma_table_xinfo(t.name) c WHERE c.hidden = 0) AS columns \
     FROM main.sqlite_schema t JOIN pragma_table_list(t.name) l ON l.schema = 'main' AND l.type = 'table' \
     WHERE t.type = 'table' AND t.rootpage > 0 AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";

const FOLLOWERS_ON_POSTGRESQL: &str = "SELECT conrelid::bigint AS id, confrelid::bigint AS of, false AS is_part \
     FROM pg_constraint WHERE contype = 'f' AND confdeltype = 'c' \
     UNION ALL SELECT inhrelid::bigint, inhparent::bigint, true FROM pg_inherits";

const FOLLOWERS_ON_SQLITE: &str = "SELECT child.rootpage AS id, parent.rootpage AS of, false AS is_part \
     FROM main.sqlite_schema child JOIN pragma_foreign_key_list(child.name) k JOIN main.sqlite_schema parent \
     ON lower(parent.name) = lower(k.\"table\") WHERE child.type = 'table' AND parent.type = 'table' AND k.on_delete = 'CASCADE'";

/// The tables that this session alone may touch until its transaction ends.
const LOCKED_ON_POSTGRESQL: &str = "SELECT relation::bigint AS id FROM pg_locks WHERE pid = pg_backend_pid() \
     AND mode = 'AccessExclusiveLock' AND granted AND relation IS NOT NULL";

const HAS_TRIGGERS_ON_SQLITE: &str = "SELECT 1 FROM main.sqlite_schema WHERE type = 'trigger' \
     UNION ALL SELECT 1 FROM temp.sqlite_schema WHERE type = 'trigger' LIMIT 1";

/// Reads what is there before a step.
///
/// To look at a table's rows locks it against those who alter it. Whoever goes back to a savepoint gives up the locks that he took
/// behind it (PostgreSQL manual, "Explicit Locking").
pub(super) async fn read_before(
    transaction: &DatabaseTransaction,
    foreseen: &Foreseen,
) -> Result<Holdings, DbErr> {
    let reading = transaction.begin().await?;
    let (mut holdings, asked) = tables(&reading).await?;
    let counted = match holdings.dialect {
        Dialect::Postgresql => holdings.built_again(foreseen),
        // Without triggers nothing goes but what is named, and what refers to it.
        Dialect::Sqlite if foreseen.is_known && rows(&reading, HAS_TRIGGERS_ON_SQLITE).await?.is_empty() => {
            holdings.touched(foreseen)
        }
        Dialect::Sqlite => holdings.tables.keys().copied().collect(),
    };
    for (id, held) in holdings
        .tables
        .iter_mut()
        .filter(|(id, _)| asked.may_be_read.contains(id))
    {
        let is_doubtful = asked.is_doubtful.contains(id) || held.name.is_among(&foreseen.rewritten);
        if counted.contains(id) {
            held.amount = count(&reading, &held.name).await?;
        } else if is_doubtful && held.amount == Amount::Some {
            held.amount = any(&reading, &held.name).await?;
        }
    }
    reading.rollback().await?;
    Ok(holdings)
}

/// Reads what is there after a step; rows are counted of what takes the place of tables whose rows were counted before it.
pub(super) async fn read_after(
    transaction: &DatabaseTransaction,
    before: &Holdings,
) -> Result<Holdings, DbErr> {
    let reading = transaction.begin().await?;
    let (mut holdings, asked) = tables(&reading).await?;
    for (id, held) in holdings
        .tables
        .iter_mut()
        .filter(|(id, _)| asked.may_be_read.contains(id))
    {
        let was_counted = match (before.dialect, before.named(&held.name)) {
            (_, Some((was, then))) => {
                matches!(then.amount, Amount::Rows(_)) && (was != *id || before.dialect == Dialect::Sqlite)
            }
            (Dialect::Sqlite, None) => true,
            (Dialect::Postgresql, None) => false,
        };
        if was_counted {
            held.amount = count(&reading, &held.name).await?;
        }
    }
    if holdings.dialect == Dialect::Postgresql {
        for row in rows(&reading, LOCKED_ON_POSTGRESQL).await? {
            holdings.locked.insert(row.try_get("", "id")?);
        }
    }
    reading.rollback().await?;
    Ok(holdings)
}

impl Holdings {
    /// Returns the tables that go or are copied, with their parts, and whose rows are to be found again.
    fn built_again(&self, foreseen: &Foreseen) -> BTreeSet<i64> {
        let given_up = [&foreseen.accepted, &foreseen.agreed];
        let named = &foreseen.named;
        let is_emptied =
            |name: &Name| name.is_among(&named.rows) && named.copied.keys().any(|said| name.is(said));
        let is_one = |name: &Name| {
            (name.is_among(&named.tables) || is_emptied(name))
                && !given_up.iter().any(|taken| name.is_among(&taken.tables))
        };
        let found = self.tables.iter().filter(|(_, held)| is_one(&held.name));
        self.with_followers(found.map(|(id, _)| *id).collect(), |follower| follower.is_part)
    }

    /// Returns the tables that statements take something from, with those that follow them.
    fn touched(&self, foreseen: &Foreseen) -> BTreeSet<i64> {
        let named = &foreseen.named;
        let is_one = |name: &Name| {
            name.is_among(&named.tables)
                || name.is_among(&named.rows)
                || named.columns.iter().any(|(table, _)| name.is(table))
                || named.copied.values().any(|others| name.is_among(others))
        };
        let found = self.tables.iter().filter(|(_, held)| is_one(&held.name));
        self.with_followers(found.map(|(id, _)| *id).collect(), |_| true)
    }
}

/// What is known of tables besides what they hold.
#[derive(Default)]
struct Asked {
    may_be_read: BTreeSet<i64>,
    /// Those that may hold nothing but deleted rows, which PostgreSQL drops whenever it writes a table anew.
    is_doubtful: BTreeSet<i64>,
}

async fn tables(transaction: &DatabaseTransaction) -> Result<(Holdings, Asked), DbErr> {
    let dialect = dialect_of(transaction.get_database_backend());
    let (tables_sql, followers_sql) = match dialect {
        Dialect::Postgresql => (TABLES_ON_POSTGRESQL, FOLLOWERS_ON_POSTGRESQL),
        Dialect::Sqlite => (TABLES_ON_SQLITE, FOLLOWERS_ON_SQLITE),
    };
    let (mut tables, mut asked) = (BTreeMap::new(), Asked::default());
    for row in rows(transaction, tables_sql).await? {
        let id: i64 = row.try_get("", "id")?;
        if row.try_get("", "may_be_read")? {
            asked.may_be_read.insert(id);
        }
        if row.try_get("", "is_doubtful")? {
            asked.is_doubtful.insert(id);
        }
        tables.insert(id, held(&row, dialect)?);
    }
    let mut followers = Vec::new();
    for row in rows(transaction, followers_sql).await? {
        followers.push(Follower {
            id: row.try_get("", "id")?,
            of: row.try_get("", "of")?,
            is_part: row.try_get("", "is_part")?,
        });
    }
    let by_name = tables
        .iter()
        .map(|(id, held): (&i64, &HeldTable)| (held.name.key(), *id));
    let holdings = Holdings {
        dialect,
        by_name: by_name.collect(),
        tables,
        followers,
        locked: BTreeSet::new(),
    };
    Ok((holdings, asked))
}

fn held(row: &QueryResult, dialect: Dialect) -> Result<HeldTable, DbErr> {
    let columns: String = row.try_get("", "columns")?;
    let size: i64 = row.try_get("", "size")?;
    Ok(HeldTable {
        name: Name {
            dialect,
            schema: row.try_get("", "schema")?,
            table: row.try_get("", "name")?,
            is_visible: row.try_get("", "is_visible")?,
            shown: row.try_get("", "shown")?,
        },
        columns: serde_json::from_str(&columns).map_err(|error| DbErr::Type(error.to_string()))?,
        amount: if size == 0 { Amount::None } else { Amount::Some },
        deleted: row.try_get("", "deleted")?,
        inserted: row.try_get("", "inserted")?,
        file: row.try_get("", "file")?,
        root: row.try_get("", "root")?,
    })
}

async fn count(transaction: &DatabaseTransaction, name: &Name) -> Result<Amount, DbErr> {
    let counted = rows(
        transaction,
        &format!("SELECT count(*) AS rows FROM {}", sql_name(name)),
    )
    .await?;
    let counted: i64 = counted.first().map_or(Ok(0), |row| row.try_get("", "rows"))?;
    Ok(match counted {
        0 => Amount::None,
        rows => Amount::Rows(rows),
    })
}

async fn any(transaction: &DatabaseTransaction, name: &Name) -> Result<Amount, DbErr> {
    let first = rows(transaction, &format!("SELECT 1 FROM {} LIMIT 1", sql_name(name))).await?;
    Ok(if first.is_empty() {
        Amount::None
    } else {
        Amount::Some
    })
}

fn sql_name(name: &Name) -> String {
    format!("{}.{}", quoted(&name.schema), quoted(&name.table))
}

async fn rows(transaction: &DatabaseTransaction, sql: &str) -> Result<Vec<QueryResult>, DbErr> {
    let statement = Statement::from_string(transaction.get_database_backend(), sql);
    transaction.query_all_raw(statement).await
}
