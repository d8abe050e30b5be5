//! What a database has been through: the applied set, and the append-only history.
//!
//! The applied set is SeaORM's own table, exactly as SeaORM makes it. The history is a table of ours beside it. Only this
//! room writes either, and writing needs the migration lock.

use std::collections::HashMap;

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, TransactionTrait};
use thiserror::Error;

pub use announcement::{Announcement, CHANNEL};
pub use entry::{Entry, Kind, Moment, Outcome, now};

use crate::revision::{Direction, Stage};
use crate::session::{DatabaseError, Fault, Locked, Session};
use entry::Layout;

mod announcement;
mod entry;
mod precondition;
mod sql;

/// The two tables of one migrator.
#[derive(Clone, Debug)]
pub struct Ledger {
    version_table: String,
    history_table: String,
}

/// What the two tables say about the present.
#[derive(Clone, Debug, Default)]
pub struct Records {
    /// The applied set, in no particular order.
    pub applied: Vec<AppliedRow>,
    /// For each migration name the last entry that changed the database or began to.
    pub latest: HashMap<String, Entry>,
    /// Whether both tables exist, with all their columns.
    pub installed: bool,
}

/// A row of the applied set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedRow {
    /// SeaORM's name for the migration.
    pub name: String,
    /// When it was applied: seconds since 1970 in UTC.
    pub applied_at: i64,
    /// Its place in the history; zero when another tool applied it.
    pub sequence: i64,
}

/// The ledger could not be read or written.
#[derive(Debug, Error)]
#[error("could not {action} the ledger ({table})")]
#[non_exhaustive]
pub struct LedgerError {
    /// What was tried: `read`, `create`, `write`.
    pub action: &'static str,
    /// The table it was tried on.
    pub table: String,
    /// What the database said.
    pub source: DatabaseError,
}

impl Ledger {
    /// Returns the ledger whose applied set is in this table: `seaql_migrations` unless the migrator names another.
    #[must_use]
    pub fn new(version_table: &str) -> Self {
        let history_table = match version_table {
            "seaql_migrations" => "seaworthy_history".to_owned(),
            other => format!("seaworthy_history_{other}"),
        };
        Self {
            version_table: version_table.to_owned(),
            history_table,
        }
    }

    /// Returns the name of the table that holds the applied set.
    #[must_use]
    pub fn version_table(&self) -> &str {
        &self.version_table
    }

    /// Returns the name of the table that holds the history.
    #[must_use]
    pub fn history_table(&self) -> &str {
        &self.history_table
    }

    /// Reads what is applied and what happened last; creates nothing.
    ///
    /// # Errors
    ///
    /// Fails when a table exists and cannot be read.
    pub async fn read(&self, session: &Session) -> Result<Records, LedgerError> {
        let queries = [
            self.select_applied(session.backend()),
            self.select_latest(session.backend(), Layout::Complete),
        ];
        let mut answers = session.row_sets(&queries).await.into_iter();
        let applied = answers.next().unwrap_or_else(|| Ok(Vec::new()));
        let applied = existing(applied).map_err(|source| self.error("read", &self.version_table, source))?;
        let latest = match answers.next() {
            Some(rows) => rows,
            // Where the first table is missing, the server has not looked at the second query.
            None => session.rows(&queries[1]).await,
        };
        let (latest, layout) = self
            .of_any_layout(session, latest, Self::select_latest)
            .await
            .map_err(|source| self.error("read", &self.history_table, source))?;
        self.records(applied.as_deref(), latest.as_deref(), layout)
            .map_err(|source| self.error("read", &self.version_table, source))
    }

    /// Reads the whole history, oldest first; empty when there is none.
    ///
    /// # Errors
    ///
    /// Fails when the table exists and cannot be read.
    pub async fn history(&self, session: &Session) -> Result<Vec<Entry>, LedgerError> {
        let failed = |source| self.error("read", &self.history_table, source);
        let rows = session
            .rows(&self.select_history(session.backend(), Layout::Complete))
            .await;
        let (rows, _) = self
            .of_any_layout(session, rows, Self::select_history)
            .await
            .map_err(failed)?;
        rows.unwrap_or_default()
            .iter()
            .map(|row| Entry::from_row(row).map_err(failed))
            .collect()
    }

    /// Returns the stages of applied revisions by SeaORM's name, as the history has them; for a program that finds revisions
    /// applied which it does not know.
    ///
    /// A name is missing when another tool applied the revision, or a version of this one that recorded no stages.
    ///
    /// # Errors
    ///
    /// Fails when the history cannot be read; that there is none is no failure.
    pub async fn stages(
        &self,
        connection: &impl ConnectionTrait,
        names: &[&str],
    ) -> Result<HashMap<String, Stage>, DatabaseError> {
        let backend = connection.get_database_backend();
        let select = self.select_newest(backend, Layout::WithoutAccepted, |newest| {
            newest.and_where(Expr::col("name").is_in(names.iter().copied()));
        });
        let rows = match connection.query_all(&select).await {
            Err(error) if matches!(Fault::of(&error), Fault::UndefinedTable | Fault::AlreadyDone) => {
                Vec::new()
            }
            rows => rows?,
        };
        let mut stages = HashMap::new();
        for row in &rows {
            let entry = Entry::from_row(row)?;
            if let Some(stage) = entry.stage.filter(|_| entry.direction == Direction::Up) {
                stages.insert(entry.name, stage);
            }
        }
        Ok(stages)
    }

    /// Creates the two tables where they are missing, and the columns that a history from an older version lacks.
    ///
    /// # Errors
    ///
    /// Fails when the role may not create tables.
    pub async fn install(&self, locked: &Locked<'_>) -> Result<(), LedgerError> {
        let failed = |source| self.error("create", &self.history_table, source);
        let session = locked.session();
        session
            .send(&self.create_tables(session.backend()))
            .await
            .map_err(failed)?;
        let history = sql::quoted(&self.history_table);
        for column in ["stage", "accepted"] {
            let asked = session
                .rows(&format!("SELECT {column} FROM {history} LIMIT 0"))
                .await;
            match asked {
                Err(error) if Fault::of(&error) == Fault::AlreadyDone => {
                    let add = format!("ALTER TABLE {history} ADD COLUMN {column} text");
                    session.send(&add).await.map_err(failed)?;
                }
                other => drop(other.map_err(failed)?),
            }
        }
        Ok(())
    }

    /// Writes an entry of the history and what it means for the applied set, within the caller's transaction.
    ///
    /// # Errors
    ///
    /// Fails when the database refuses, for example because another tool has recorded the same revision meanwhile.
    pub async fn record(
        &self,
        locked: &Locked<'_>,
        connection: &impl ConnectionTrait,
        entry: &Entry,
    ) -> Result<(), DbErr> {
        connection
            .execute_unprepared(&self.record_sql(locked.session().backend(), entry))
            .await
            .map(drop)
    }

    /// Writes several entries in one transaction, for runs that execute nothing: stamp and adopt.
    ///
    /// # Errors
    ///
    /// Fails when the database refuses; nothing is written then.
    pub async fn record_all(&self, locked: &Locked<'_>, entries: &[Entry]) -> Result<(), LedgerError> {
        let failed = |source| self.error("write", &self.version_table, source);
        let session = locked.session();
        let transaction = session.connection().begin().await.map_err(failed)?;
        let sql: String = entries
            .iter()
            .map(|entry| self.record_sql(session.backend(), entry))
            .collect();
        if !sql.is_empty() {
            transaction.execute_unprepared(&sql).await.map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    /// Drops the table that holds the applied set; the history stays.
    ///
    /// # Errors
    ///
    /// Fails when the role may not drop it.
    pub async fn uninstall(&self, locked: &Locked<'_>) -> Result<(), LedgerError> {
        let session = locked.session();
        let drop = format!("DROP TABLE IF EXISTS {}", sql::quoted(&self.version_table));
        session
            .send(&drop)
            .await
            .map_err(|source| self.error("drop", &self.version_table, source))
    }

    fn records(
        &self,
        applied: Option<&[QueryResult]>,
        latest: Option<&[QueryResult]>,
        layout: Layout,
    ) -> Result<Records, DbErr> {
        let installed = applied.is_some() && latest.is_some() && layout == Layout::Complete;
        let mut entries = HashMap::new();
        for row in latest.unwrap_or_default() {
            let entry = Entry::from_row(row)?;
            entries.insert(entry.name.clone(), entry);
        }
        let mut rows = Vec::new();
        for row in applied.unwrap_or_default() {
            let name: String = row.try_get("", "version")?;
            let applied_at = row.try_get("", "applied_at")?;
            let sequence = entries
                .get(&name)
                .filter(|entry: &&Entry| entry.tells_of(applied_at))
                .map_or(0, |entry| entry.id);
            rows.push(AppliedRow {
                name,
                applied_at,
                sequence,
            });
        }
        Ok(Records {
            applied: rows,
            latest: entries,
            installed,
        })
    }

    fn select_applied(&self, backend: DbBackend) -> String {
        let select = Query::select()
            .columns(["version", "applied_at"])
            .from(Alias::new(&self.version_table))
            .to_owned();
        sql::inline(backend, &select)
    }

    fn select_latest(&self, backend: DbBackend, layout: Layout) -> String {
        sql::inline(backend, &self.select_newest(backend, layout, |_| {}))
    }

    /// Returns the query for the last entry of each name that changed the database or began to.
    fn select_newest(
        &self,
        backend: DbBackend,
        layout: Layout,
        narrow: impl FnOnce(&mut SelectStatement),
    ) -> SelectStatement {
        let mut newest = Query::select()
            .expr(Expr::cust("max(id)"))
            .from(Alias::new(&self.history_table))
            .and_where(Expr::cust("outcome IN ('done', 'started', 'progressed')"))
            .group_by_col("name")
            .to_owned();
        narrow(&mut newest);
        Entry::select(&self.history_table, backend, layout)
            .and_where(Expr::col("id").in_subquery(newest))
            .to_owned()
    }

    fn select_history(&self, backend: DbBackend, layout: Layout) -> String {
        let select = Entry::select(&self.history_table, backend, layout)
            .order_by("id", sea_orm::sea_query::Order::Asc)
            .to_owned();
        sql::inline(backend, &select)
    }

    /// Returns the rows of a query on the history; asked again where the history is one of an older version.
    async fn of_any_layout(
        &self,
        session: &Session,
        rows: Result<Vec<QueryResult>, DbErr>,
        select: impl Fn(&Self, DbBackend, Layout) -> String,
    ) -> Result<(Option<Vec<QueryResult>>, Layout), DbErr> {
        let mut layout = Layout::Complete;
        let mut rows = existing(rows);
        loop {
            match (rows, layout.older()) {
                // To a question, the fault can only be that a column is not there.
                (Err(error), Some(older)) if Fault::of(&error) == Fault::AlreadyDone => {
                    layout = older;
                    rows = existing(session.rows(&select(self, session.backend(), layout)).await);
                }
                (rows, _) => return Ok((rows?, layout)),
            }
        }
    }

    fn error(&self, action: &'static str, table: &str, source: DbErr) -> LedgerError {
        LedgerError {
            action,
            table: table.to_owned(),
            source: source.into(),
        }
    }
}

/// Returns the rows, or nothing when the table does not exist.
fn existing(rows: Result<Vec<QueryResult>, DbErr>) -> Result<Option<Vec<QueryResult>>, DbErr> {
    match rows {
        Ok(rows) => Ok(Some(rows)),
        Err(error) if Fault::of(&error) == Fault::UndefinedTable => Ok(None),
        Err(error) => Err(error),
    }
}
