//! What a session is set to when a run begins, and how it is put back after a revision has changed it.
//!
//! On PostgreSQL by statements: roles, settings, temporary tables, cursors, sequence caches. On SQLite by a new connection,
//! which nothing survives; a private database in memory, which a new connection would lose, is put back by statements.

use sea_orm::{DbBackend, DbErr};

use super::{Pool, Session, dialect_of};
use crate::sql::Dialect;

/// Ends a revision's transaction on PostgreSQL as far as its own settings matter: what is deferred is checked as the revision
/// wants it checked, and not as the ledger does.
const CHECK_DEFERRED: &str = "SET CONSTRAINTS ALL IMMEDIATE;\n";

/// Puts a session of PostgreSQL back to how it began (manual, "DISCARD"); all of it may stand in a transaction, which
/// `DISCARD ALL` may not.
const DISCARD: &str = "RESET SESSION AUTHORIZATION;\nRESET ROLE;\nRESET ALL;\nCLOSE ALL;\nDEALLOCATE ALL;\nUNLISTEN *;\n\
                       DISCARD TEMP;\n";

/// Forgets what sequences have given; after the ledger, whose history has one of its own.
const FORGET_SEQUENCES: &str = "DISCARD SEQUENCES;\n";

/// Lets the statements that follow in the same string run as the role that began the session, and write; what a revision
/// has set otherwise is back after the string (manual, "Simple Query": several statements are one transaction).
const FOR_ONE_STRING: &str = "SET TRANSACTION READ WRITE;\nSET LOCAL session_authorization TO DEFAULT;\n\
                              SET LOCAL role TO DEFAULT;\n";

/// Pragmas that change what later statements do, as a new connection has them (manual, "Pragma statements").
const PRAGMAS: &str = "PRAGMA query_only = OFF;\nPRAGMA writable_schema = OFF;\nPRAGMA ignore_check_constraints = OFF;\n\
                       PRAGMA recursive_triggers = OFF;\nPRAGMA case_sensitive_like = OFF;\n\
                       PRAGMA legacy_alter_table = OFF;\nPRAGMA reverse_unordered_selects = OFF;\n\
                       PRAGMA read_uncommitted = OFF;\nPRAGMA automatic_index = ON;\nPRAGMA trusted_schema = ON;\n";

/// How a session was set when it was remembered.
#[derive(Clone, Debug)]
pub(crate) struct SessionState {
    dialect: Dialect,
    /// The statements that set the run's own settings again, on PostgreSQL.
    own_settings: String,
}

impl SessionState {
    /// Returns the statements that write the ledger inside of a revision's transaction, the session put back around them; on
    /// PostgreSQL that is all there is to do, for it stays so with the commit.
    pub(crate) fn with_ledger(&self, record: &str, is_changed: bool) -> String {
        match self.dialect {
            Dialect::Postgresql => format!("{CHECK_DEFERRED}{}{record}{FORGET_SEQUENCES}", self.put_back()),
            Dialect::Sqlite if is_changed => format!("{PRAGMAS}{record}"),
            Dialect::Sqlite => record.to_owned(),
        }
    }

    /// Returns the statements that write the ledger where the session is put back already.
    pub(crate) fn after_ledger(&self, record: &str) -> String {
        match self.dialect {
            Dialect::Postgresql => format!("{record}{FORGET_SEQUENCES}"),
            Dialect::Sqlite => record.to_owned(),
        }
    }

    /// Returns the statements that write a note into the ledger between two parts of a revision; what the revision has set is
    /// in force again for its next part.
    pub(crate) fn with_note(&self, record: &str) -> String {
        match self.dialect {
            Dialect::Postgresql => format!("{FOR_ONE_STRING}{record}"),
            Dialect::Sqlite => record.to_owned(),
        }
    }

    fn put_back(&self) -> String {
        format!("{DISCARD}{}", self.own_settings)
    }
}

impl Session {
    /// Remembers how the session is set.
    ///
    /// # Errors
    ///
    /// Fails when the server does not answer.
    pub(crate) async fn remember(&self) -> Result<SessionState, DbErr> {
        let mut own_settings = String::new();
        if self.backend() == DbBackend::Postgres {
            // What comes from the address, the role or the database comes back with RESET; the rest was set by this tool.
            let sql = "SELECT 'SELECT ' || string_agg(format('pg_catalog.set_config(%L, %L, false)', name, setting), ', ' \
                       ORDER BY name) || ';' AS sql FROM pg_catalog.pg_settings WHERE source = 'session' \
                       AND name NOT IN ('role', 'session_authorization') AND context IN ('user', 'superuser')";
            let rows = self.rows(sql).await?;
            let own: Option<Option<String>> = rows.first().map(|row| row.try_get("", "sql")).transpose()?;
            own_settings = own.flatten().map_or_else(String::new, |own| format!("{own}\n"));
        }
        Ok(SessionState {
            dialect: dialect_of(self.backend()),
            own_settings,
        })
    }

    /// Puts the session back to how it was remembered, outside of a transaction; one that a revision has left open is rolled
    /// back.
    ///
    /// # Errors
    ///
    /// Fails when the connection is gone.
    pub(crate) async fn put_back(&self, state: &SessionState) -> Result<(), DbErr> {
        let Pool::Sqlite(pool) = &self.pool else {
            let is_open = "SELECT transaction_timestamp() <> statement_timestamp() AS is_open";
            let is_open = match self.rows(is_open).await {
                Ok(rows) => rows.first().map_or(Ok(false), |row| row.try_get("", "is_open"))?,
                // A transaction that has failed refuses every question.
                Err(_) => true,
            };
            if is_open {
                self.send("ROLLBACK").await?;
            }
            return self.send_put_back(state).await;
        };
        if self.url.file().is_none() {
            return self.put_back_in_place().await;
        }
        let connection = pool.acquire().await.map_err(super::connection_error)?;
        connection.close().await.map_err(super::connection_error)?;
        Ok(())
    }

    /// Puts the session back after a revision that runs without a transaction, where the connection goes on; on PostgreSQL.
    ///
    /// # Errors
    ///
    /// Fails when the connection is gone.
    pub(crate) async fn send_put_back(&self, state: &SessionState) -> Result<(), DbErr> {
        if self.backend() != DbBackend::Postgres {
            return Ok(());
        }
        self.send(&format!("{}{FORGET_SEQUENCES}", state.put_back()))
            .await
    }

    /// Returns whether the connection enforces foreign keys, and a `DROP TABLE` therefore deletes what references its rows; on
    /// SQLite.
    ///
    /// # Errors
    ///
    /// Fails when the file cannot be read.
    pub(crate) async fn enforces_keys(&self) -> Result<bool, DbErr> {
        if self.backend() != DbBackend::Sqlite {
            return Ok(false);
        }
        let rows = self.rows("PRAGMA foreign_keys").await?;
        let is_on: Option<i64> = rows.first().map(|row| row.try_get_by_index(0)).transpose()?;
        Ok(is_on == Some(1))
    }

    /// Drops what is temporary, detaches other databases and sets pragmas as they were, on SQLite.
    async fn put_back_in_place(&self) -> Result<(), DbErr> {
        let mut sql = format!("PRAGMA foreign_keys = ON;\n{PRAGMAS}");
        // A table takes its triggers along.
        let rows = self
            .rows("SELECT type, name FROM sqlite_temp_schema WHERE type IN ('table', 'view')")
            .await?;
        for row in rows {
            let (kind, name): (String, String) = (row.try_get("", "type")?, row.try_get("", "name")?);
            sql.push_str(&format!("DROP {kind} IF EXISTS temp.{};\n", quoted(&name)));
        }
        let attached = "SELECT name FROM pragma_database_list WHERE name NOT IN ('main', 'temp')";
        for row in self.rows(attached).await? {
            let name: String = row.try_get("", "name")?;
            sql.push_str(&format!("DETACH {};\n", quoted(&name)));
        }
        self.send(&sql).await
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
