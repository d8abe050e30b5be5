//! How large the tables of a database are, and from which size on a lock that lasts as long as the table is worth a refusal.

use sea_orm::{DbBackend, DbErr, QueryResult};
use serde::Serialize;

use super::{Fault, Session};

/// A table with fewer rows and fewer bytes than these is small: what scans or copies it is over before anybody notices.
///
/// A scan of ten thousand rows takes some milliseconds, which is what a request waits for anyway.
pub const SMALL_ROWS: i64 = 10_000;

/// See [`SMALL_ROWS`].
pub const SMALL_BYTES: i64 = 10 * 1024 * 1024;

/// The fewest bytes that hold [`SMALL_ROWS`]: a row takes at least 28 ("Database Page Layout").
const LEAST_BYTES: i64 = SMALL_ROWS * 28;

/// A table and how large it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableWeight {
    /// Its name, with its schema where that has to be said.
    pub table: String,
    /// About how many rows it has; exact below [`SMALL_ROWS`].
    pub rows: i64,
    /// How many bytes it takes on disk, without its indexes.
    pub bytes: i64,
    /// How many bytes its indexes take.
    pub index_bytes: i64,
}

impl TableWeight {
    /// Returns whether a lock that lasts as long as the table is large is not worth a word.
    #[must_use]
    pub fn is_small(&self) -> bool {
        self.rows < SMALL_ROWS && self.bytes < SMALL_BYTES
    }
}

impl Session {
    /// Returns every table with its size, on PostgreSQL; on SQLite, where every write waits for every other, none.
    ///
    /// # Errors
    ///
    /// Fails when the query does.
    pub async fn weights(&self) -> Result<Vec<TableWeight>, DbErr> {
        if self.backend() != DbBackend::Postgres {
            return Ok(Vec::new());
        }
        let measured = self
            .rows_soon(&sizes(
                "pg_table_size(leaf.oid)",
                "pg_indexes_size(leaf.oid)",
                "SELECT relid FROM pg_partition_tree(c.oid) WHERE isleaf",
            ))
            .await;
        let rows = match measured {
            // What the last vacuum has seen needs none.
            Err(error) if Fault::of(&error) == Fault::LockNotGranted => {
                let pages = "leaf.relpages::bigint * current_setting('block_size')::bigint";
                let partitions = "SELECT inhrelid FROM pg_inherits WHERE inhparent = c.oid";
                self.rows_soon(&sizes(pages, "0", partitions)).await?
            }
            measured => measured?,
        };
        let mut weights = Vec::new();
        for row in &rows {
            weights.push(self.weight(row).await?);
        }
        Ok(weights)
    }

    /// Asks without waiting long for a lock: a size takes one, and somebody may be waiting for the table.
    ///
    /// The limit ends with the transaction that several statements in one string are (manual, "Multiple Statements in a Simple
    /// Query"): what a session sets stays with a pooler's server connection.
    async fn rows_soon(&self, query: &str) -> Result<Vec<QueryResult>, DbErr> {
        self.rows(&format!("SET LOCAL lock_timeout = '200ms'; {query}"))
            .await
    }

    async fn weight(&self, row: &QueryResult) -> Result<TableWeight, DbErr> {
        let mut weight = TableWeight {
            table: row.try_get("", "name")?,
            rows: row.try_get("", "rows")?,
            bytes: row.try_get("", "bytes")?,
            index_bytes: row.try_get("", "index_bytes")?,
        };
        // Statistics may be missing or old. Where the size leaves it open whether the table is small, counting is cheap.
        if (LEAST_BYTES..SMALL_BYTES).contains(&weight.bytes) {
            let quoted: String = row.try_get("", "quoted")?;
            let first = format!("(SELECT FROM {quoted} LIMIT {SMALL_ROWS}) AS first");
            weight.rows = match self.count(&first).await? {
                // More than the statistics know, so they know nothing.
                Some(counted) if counted >= SMALL_ROWS && weight.rows < counted => {
                    self.count(&quoted).await?.unwrap_or(counted)
                }
                Some(counted) if counted >= SMALL_ROWS => weight.rows,
                Some(counted) => counted,
                None => weight.rows,
            };
        }
        Ok(weight)
    }

    /// Counts rows; nothing when they cannot be read now.
    async fn count(&self, from: &str) -> Result<Option<i64>, DbErr> {
        let sql = format!("SELECT count(*) AS rows FROM {from}");
        let Ok(rows) = self.rows_soon(&sql).await else {
            return Ok(None);
        };
        rows.first().map(|row| row.try_get("", "rows")).transpose()
    }

    /// Returns the indexes that are INVALID: left from builds that failed.
    ///
    /// # Errors
    ///
    /// Fails when the query does.
    pub async fn invalid_indexes(&self) -> Result<Vec<String>, DbErr> {
        // One that is being built at this moment is none.
        let sql = "SELECT i.indexrelid::regclass::text AS name FROM pg_index i WHERE NOT i.indisvalid AND NOT EXISTS \
                   (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid) ORDER BY 1";
        let rows = self.rows(sql).await?;
        rows.iter().map(|row| row.try_get("", "name")).collect()
    }

    /// Returns the server's major version, on PostgreSQL.
    ///
    /// # Errors
    ///
    /// Fails when the query does.
    pub async fn server_version(&self) -> Result<u8, DbErr> {
        let rows = self
            .rows("SELECT (current_setting('server_version_num')::int / 10000) AS version")
            .await?;
        let version: i32 = rows.first().map_or(Ok(0), |row| row.try_get("", "version"))?;
        Ok(u8::try_from(version).unwrap_or(u8::MAX))
    }
}

/// Returns the query for the tables and their sizes, by these expressions; a partitioned table is as large as its partitions.
fn sizes(bytes: &str, index_bytes: &str, partitions: &str) -> String {
    // Of a table that goes at this moment the size is not known.
    format!(
        "SELECT CASE WHEN pg_table_is_visible(c.oid) THEN c.relname ELSE n.nspname || '.' || c.relname END::text AS name, \
         format('%I.%I', n.nspname, c.relname) AS quoted, p.rows, p.bytes, p.index_bytes \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, LATERAL (\
         SELECT coalesce(sum(greatest(leaf.reltuples, pg_stat_get_live_tuples(leaf.oid))), 0)::bigint AS rows, \
         coalesce(sum({bytes}), 0)::bigint AS bytes, coalesce(sum({index_bytes}), 0)::bigint AS index_bytes \
         FROM pg_class leaf WHERE leaf.oid = c.oid AND c.relkind <> 'p' OR c.relkind = 'p' AND leaf.oid IN ({partitions})) p \
         WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') \
         AND n.nspname !~ '^pg_(toast|temp)' ORDER BY 1"
    )
}
