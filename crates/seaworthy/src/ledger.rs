//! What a database has been through: the applied set, and the append-only history.
//!
//! The applied set is SeaORM's own table, exactly as SeaORM makes it. The history is a table of ours beside it. Only this
//! room writes either, and writing needs the migration lock.

use std::collections::HashMap;

use sea_orm::sea_query::{Alias, Expr, ExprTrait, IntoTableRef, Query, SelectStatement, TableRef};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, TransactionTrait};
use thiserror::Error;

pub use announcement::{Announcement, CHANNEL};
pub use entry::{Entry, Kind, Moment, Outcome, now};

use crate::revision::{Direction, Stage};
use crate::session::{DatabaseError, Fault, Locked, Session};
use crate::session::{dialect_of, inline};
use crate::sql::Dialect;
use entry::Layout;

mod announcement;
mod entry;
mod precondition;
mod sql;

/// What the history of a migrator with a version table of its own begins with; the name of that table follows.
pub const HISTORY_PREFIX: &str = "seaworthy_history_";

/// The two tables of one migrator.
#[derive(Clone, Debug)]
pub struct Ledger {
    version_table: String,
    history_table: String,
    /// The schemas of the two tables, where they have been looked up.
    schemas: Option<Schemas>,
}

#[derive(Clone, Debug)]
struct Schemas {
    version: String,
    history: String,
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
    /// What was tried: `read`, `find`, `create`, `write`, `drop`.
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
            other => format!("{HISTORY_PREFIX}{other}"),
        };
        Self {
            version_table: version_table.to_owned(),
            history_table,
            schemas: None,
        }
    }

    /// Returns the same ledger with the schemas that its tables are in now, so that it finds them whatever a revision does to
    /// the search path, or names like them.
    ///
    /// # Errors
    ///
    /// Fails when the server does not answer.
    pub async fn located(&self, session: &Session) -> Result<Self, LedgerError> {
        let schemas = match dialect_of(session.backend()) {
            Dialect::Postgresql => self
                .find_schemas(session)
                .await
                .map_err(|source| self.error("find", &self.version_table, source))?,
            Dialect::Sqlite => Some(Schemas {
                version: "main".to_owned(),
                history: "main".to_owned(),
            }),
        };
        Ok(Self {
            schemas,
            ..self.clone()
        })
    }

    /// Returns the schemas of the two tables, or nothing where one is missing; on PostgreSQL.
    async fn find_schemas(&self, session: &Session) -> Result<Option<Schemas>, DbErr> {
        let schema = |table: &str| {
            let name = sql::quoted(table).replace('\'', "''");
            format!(
                "(SELECT nspname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                 WHERE c.oid = pg_catalog.to_regclass('{name}'))"
            )
        };
        let (version, history) = (schema(&self.version_table), schema(&self.history_table));
        let rows = session
            .rows(&format!("SELECT {version} AS version, {history} AS history"))
            .await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let version: Option<String> = row.try_get("", "version")?;
        let history: Option<String> = row.try_get("", "history")?;
        Ok(version
            .zip(history)
            .map(|(version, history)| Schemas { version, history }))
    }

    /// Returns the table that holds the applied set, as a statement names it.
    fn version_ref(&self) -> TableRef {
        self.table_ref(&self.version_table, |schemas| &schemas.version)
    }

    /// Returns the table that holds the history, as a statement names it.
    fn history_ref(&self) -> TableRef {
        self.table_ref(&self.history_table, |schemas| &schemas.history)
    }

    fn table_ref(&self, table: &str, schema: impl Fn(&Schemas) -> &String) -> TableRef {
        match &self.schemas {
            Some(schemas) => (Alias::new(schema(schemas)), Alias::new(table)).into_table_ref(),
            None => Alias::new(table).into_table_ref(),
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

    /// Writes an entry of the history and what it means for the applied set, within the caller's transaction;
    /// `surround` puts other statements around those of the ledger, for the same round trip.
    ///
    /// # Errors
    ///
    /// Fails when the database refuses, for example because another tool has recorded the same revision meanwhile.
    pub async fn record(
        &self,
        locked: &Locked<'_>,
        connection: &impl ConnectionTrait,
        entry: &Entry,
        surround: impl FnOnce(&str) -> String,
    ) -> Result<(), DbErr> {
        let record = self.record_sql(locked.session().backend(), entry);
        connection.execute_unprepared(&surround(&record)).await.map(drop)
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
            .from(self.version_ref())
            .to_owned();
        inline(backend, &select)
    }

    fn select_latest(&self, backend: DbBackend, layout: Layout) -> String {
        inline(backend, &self.select_newest(backend, layout, |_| {}))
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
            .from(self.history_ref())
            .and_where(Expr::cust("outcome IN ('done', 'started', 'progressed')"))
            .group_by_col("name")
            .to_owned();
        narrow(&mut newest);
        Entry::select(self.history_ref(), backend, layout)
            .and_where(Expr::col("id").in_subquery(newest))
            .to_owned()
    }

    fn select_history(&self, backend: DbBackend, layout: Layout) -> String {
        let select = Entry::select(self.history_ref(), backend, layout)
            .order_by("id", sea_orm::sea_query::Order::Asc)
            .to_owned();
        inline(backend, &select)
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
