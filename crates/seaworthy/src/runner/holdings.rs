//! What the tables of a database hold before a step whose statements are not all known, compared with what they hold after it.
//!
//! The database itself says then what the step has destroyed, while it can still be rolled back. Sources: PostgreSQL manual, "The
//! Cumulative Statistics System" (`pg_stat_get_xact_tuples_deleted`) and "Database Object Size Functions".

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult, Statement};

use crate::session::dialect_of;
use crate::sql::{Dialect, literal, quoted};

/// The tables with rows in them, by what stays the same when their names change.
pub(super) struct Holdings(BTreeMap<i64, Held>);

/// A table.
struct Held {
    name: String,
    /// By their numbers.
    columns: BTreeMap<i64, String>,
    /// At least; PostgreSQL is asked for the size alone.
    rows: i64,
    /// How many rows PostgreSQL says that this session deleted. What it has not yet handed to the server's statistics counts too,
    /// be it of earlier transactions, so that only the difference between two answers says something.
    deleted: i64,
}

/// Ordinary tables with the size of their rows; a table without any has the size zero.
const POSTGRESQL: &str = "SELECT c.oid::bigint AS id, c.oid::regclass::text AS name, pg_relation_size(c.oid) AS rows, \
     pg_stat_get_xact_tuples_deleted(c.oid) AS deleted, \
     coalesce((SELECT json_object_agg(a.attnum, a.attname) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 \
     AND NOT a.attisdropped AND a.attgenerated = ''), '{}')::text AS columns \
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND c.relpersistence <> 't' \
     AND n.nspname NOT IN ('pg_catalog', 'information_schema')";

const SQLITE: &str = "SELECT t.rootpage AS id, t.name AS name, 0 AS rows, 0 AS deleted, \
     (SELECT json_group_object(c.cid, c.name) FROM pragma_table_xinfo(t.name) c WHERE c.hidden = 0) AS columns \
     FROM main.sqlite_schema t WHERE t.type = 'table' AND t.rootpage > 0 AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";

impl Holdings {
    /// Reads what is there.
    pub(super) async fn read(transaction: &DatabaseTransaction) -> Result<Self, DbErr> {
        let dialect = dialect_of(transaction.get_database_backend());
        let sql = match dialect {
            Dialect::Postgresql => POSTGRESQL,
            Dialect::Sqlite => SQLITE,
        };
        let mut tables = BTreeMap::new();
        for row in rows(transaction, sql).await? {
            let mut held = Held {
                name: row.try_get("", "name")?,
                columns: columns(&row)?,
                rows: row.try_get("", "rows")?,
                deleted: row.try_get("", "deleted")?,
            };
            match dialect {
                Dialect::Postgresql => {}
                Dialect::Sqlite => {
                    let count = format!("SELECT count(*) AS rows FROM main.{}", quoted(&held.name));
                    let counted = rows(transaction, &count).await?;
                    held.rows = counted.first().map_or(Ok(0), |row| row.try_get("", "rows"))?;
                }
            }
            if held.rows > 0 || dialect == Dialect::Sqlite {
                tables.insert(row.try_get("", "id")?, held);
            }
        }
        Ok(Self(tables))
    }

    /// Returns what is gone of it: tables, columns, and rows of tables.
    pub(super) async fn lost(self, transaction: &DatabaseTransaction) -> Result<Vec<String>, DbErr> {
        let now = Self::read(transaction).await?;
        let mut lost = Vec::new();
        match dialect_of(transaction.get_database_backend()) {
            Dialect::Postgresql => {
                for (id, before) in &self.0 {
                    let is_gone = match now.0.get(id) {
                        Some(_) => false,
                        // Without rows it is not listed, and it is there all the same.
                        None => !is_relation(transaction, *id).await?,
                    };
                    match now.0.get(id) {
                        None if is_gone => lost.push(format!("table {}", before.name)),
                        None => lost.push(format!("rows of table {}", before.name)),
                        Some(after) => before.compare(after, after.deleted > before.deleted, &mut lost),
                    }
                }
            }
            Dialect::Sqlite => {
                for (id, before) in self.0.iter().filter(|(_, held)| held.rows > 0) {
                    // A table that is built again is another one of the same name.
                    let same_name = now
                        .0
                        .values()
                        .find(|after| after.name.eq_ignore_ascii_case(&before.name));
                    match same_name.or_else(|| now.0.get(id)) {
                        None => lost.push(format!("table {}", before.name)),
                        Some(after) => before.compare(after, after.rows < before.rows, &mut lost),
                    }
                }
            }
        }
        Ok(lost)
    }
}

impl Held {
    fn compare(&self, after: &Self, has_lost_rows: bool, lost: &mut Vec<String>) {
        if has_lost_rows {
            lost.push(format!("rows of table {}", self.name));
        }
        // A column that only has another name keeps its number.
        let is_gone = |(number, name): &(&i64, &String)| {
            !after.columns.contains_key(number) && !after.columns.values().any(|other| other == *name)
        };
        let gone = self.columns.iter().filter(is_gone);
        lost.extend(gone.map(|(_, column)| format!("column {}.{column}", self.name)));
    }
}

fn columns(row: &QueryResult) -> Result<BTreeMap<i64, String>, DbErr> {
    let columns: String = row.try_get("", "columns")?;
    serde_json::from_str(&columns).map_err(|error| DbErr::Type(error.to_string()))
}

async fn is_relation(transaction: &DatabaseTransaction, id: i64) -> Result<bool, DbErr> {
    let sql = format!(
        "SELECT 1 FROM pg_class WHERE oid = {}::oid",
        literal(&id.to_string())
    );
    Ok(!rows(transaction, &sql).await?.is_empty())
}

async fn rows(transaction: &DatabaseTransaction, sql: &str) -> Result<Vec<QueryResult>, DbErr> {
    let statement = Statement::from_string(transaction.get_database_backend(), sql);
    transaction.query_all_raw(statement).await
}
