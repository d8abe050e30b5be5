//! SeaORM's `fresh`, `reset` and `refresh`, which take a schema back to nothing: the first one of the search path, and no other.

use sea_orm::{ConnectionTrait, DbErr, TransactionTrait};

use super::downgrade::down;
use super::upgrade::{OutOfOrder, close, up};
use super::{CommandError, Conduct, Outcome, Project};
use crate::catalog::ddl::text;
use crate::environment::Environment;
use crate::graph::Target;
use crate::ledger::Kind;
use crate::revision::Direction;
use crate::session::{Locked, Session, dialect_of};
use crate::sql::Dialect;
use inventory::Inventory;

mod inventory;

/// Undoes everything, and drops the table that holds the applied set. The history stays.
///
/// # Errors
///
/// As for [`down`].
pub async fn reset(environment: &Environment, conduct: &Conduct<'_>) -> Result<Outcome, CommandError> {
    let project = Project::of(environment)?;
    project.have_own_ledger("reset", conduct).await?;
    let outcome = down(environment, None, conduct).await?;
    if let Some(session) = conduct.unless_stopped(project.reader()).await? {
        let locked = project.lock(&session, "reset", conduct).await?;
        project.ledger.uninstall(&locked).await?;
        locked.release().await;
        session.close().await;
    }
    Ok(outcome)
}

/// Undoes everything, and applies it again.
///
/// # Errors
///
/// As for [`down`] and [`up`].
pub async fn refresh(environment: &Environment, conduct: &Conduct<'_>) -> Result<Outcome, CommandError> {
    Project::of(environment)?
        .have_own_ledger("refresh", conduct)
        .await?;
    down(environment, None, conduct).await?;
    up(environment, None, OutOfOrder::Refuse, conduct).await
}

/// Drops everything in the schema that no extension owns, and applies everything. The history stays.
///
/// What in other schemas depends on it goes, too, and is named in the question. What belongs to no schema stays: extensions,
/// roles, publications, servers of foreign data.
///
/// # Errors
///
/// Fails when what would be lost is not given up, the lock is not obtained, something cannot be dropped (nothing is dropped
/// then), or a step fails.
pub async fn fresh(environment: &Environment, conduct: &Conduct<'_>) -> Result<Outcome, CommandError> {
    let project = Project::of(environment)?;
    // Revisions that make no sense must be found before anything is dropped.
    project
        .graph
        .upgrade(&crate::graph::Applied::default(), &Target::heads())?;
    let mut emptied = None;
    if let Some(session) = conduct.unless_stopped(project.reader()).await? {
        let dropped = project.drop_everything(&session, conduct).await;
        session.close().await;
        emptied = dropped?;
    }
    let mut outcome = up(environment, None, OutOfOrder::Refuse, conduct).await?;
    let note = emptied.map(|schema| format!("schema {schema} was emptied first"));
    outcome.notes.splice(..0, note);
    Ok(outcome)
}

impl Project<'_> {
    /// Empties the schema and takes its revisions out of the applied set, in one transaction. Returns the schema's name.
    async fn drop_everything(
        &self,
        session: &Session,
        conduct: &Conduct<'_>,
    ) -> Result<Option<String>, CommandError> {
        let kept = [
            self.ledger.version_table(),
            self.ledger.history_table(),
            crate::heartbeat::TABLE,
            crate::backfill::TABLE,
        ];
        let failed = |source| query_failed("look for what stands in the schema", source);
        let inventory = Inventory::read(session, &kept).await.map_err(failed)?;
        let uncounted = |source| query_failed("count the rows at stake", source);
        let stakes = inventory.stakes(session).await.map_err(uncounted)?;
        if !stakes.is_nothing() && !(conduct.consent)(&stakes) {
            return Err(CommandError::Refused {
                stakes: Box::new(stakes),
            });
        }
        let locked = self.lock(session, "fresh", conduct).await?;
        let dropped = async {
            // Consent was given for what was there.
            if Inventory::read(session, &kept).await.map_err(failed)? != inventory {
                return Err(CommandError::ChangedMeanwhile);
            }
            let now = inventory.stakes(session).await.map_err(uncounted)?;
            now.refuse_more_than(&stakes)?;
            let sql = inventory.drop_sql() + &self.forget_sql(&locked, conduct).await?;
            in_one_transaction(&locked, &sql)
                .await
                .map_err(|source| query_failed("drop everything", source))
        };
        let dropped = dropped.await;
        locked.release().await;
        dropped.map(|()| inventory.schema)
    }

    /// Returns the statements that take everything out of the applied set of this schema.
    async fn forget_sql(&self, locked: &Locked<'_>, conduct: &Conduct<'_>) -> Result<String, CommandError> {
        let session = locked.session();
        let mut state = self.state(Some(session)).await?;
        if self.has_ledger_of_another_schema(session).await? {
            state.records.installed = false;
        }
        if !state.records.installed {
            self.install(locked, &state, conduct).await?;
            state = self.state(Some(session)).await?;
        }
        let run = super::new_run();
        let mut sql = String::new();
        for id in state.order.iter().rev() {
            let entry = self.declared_revision(&run, Kind::Downgrade, Direction::Down, id);
            sql.push_str(&self.ledger.record_sql(session.backend(), &entry));
        }
        for row in &state.unknown {
            let at = crate::ledger::Moment::At(crate::ledger::now());
            let entry = self.declared(&run, Kind::Downgrade, Direction::Down, &row.name, &row.name, at);
            sql.push_str(&self.ledger.record_sql(session.backend(), &entry));
        }
        Ok(sql)
    }

    /// Gives the schema a ledger of its own where the search path would lead to that of another one, whose revisions would be
    /// undone.
    async fn have_own_ledger(&self, doing: &str, conduct: &Conduct<'_>) -> Result<(), CommandError> {
        let session = conduct.unless_stopped(self.reader()).await?;
        let installed = match &session {
            Some(session) if self.has_ledger_of_another_schema(session).await? => {
                let locked = self.lock(session, doing, conduct).await?;
                let installed = self.ledger.install(&locked).await;
                locked.release().await;
                installed
            }
            _ => Ok(()),
        };
        close(session).await;
        Ok(installed?)
    }

    /// Returns whether a table of the ledger is found in another schema than the first one of the search path.
    async fn has_ledger_of_another_schema(&self, session: &Session) -> Result<bool, CommandError> {
        if dialect_of(session.backend()) != Dialect::Postgresql {
            return Ok(false);
        }
        let tables = [self.ledger.version_table(), self.ledger.history_table()];
        let names = tables.map(text).join(", ");
        let sql = format!(
            "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relname IN ({names}) AND c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid) \
             AND n.nspname <> current_schema()"
        );
        let rows = session
            .rows(&sql)
            .await
            .map_err(|source| query_failed("look for the ledger", source))?;
        Ok(!rows.is_empty())
    }
}

async fn in_one_transaction(locked: &Locked<'_>, sql: &str) -> Result<(), DbErr> {
    let session = locked.session();
    let sqlite = dialect_of(session.backend()) == Dialect::Sqlite;
    if sqlite {
        // Inside a transaction this setting has no effect (SQLite manual, "PRAGMA foreign_keys").
        session.send("PRAGMA foreign_keys = OFF").await?;
    }
    let dropped = async {
        let transaction = session.connection().begin().await?;
        if !sqlite {
            // Each thing that went with another one is a notice otherwise.
            transaction
                .execute_unprepared("SET LOCAL client_min_messages = warning")
                .await?;
        }
        transaction.execute_unprepared(sql).await?;
        transaction.commit().await
    };
    let dropped = dropped.await;
    if sqlite {
        session.send("PRAGMA foreign_keys = ON").await?;
    }
    dropped
}

fn query_failed(action: &'static str, source: DbErr) -> CommandError {
    CommandError::Query {
        action,
        source: source.into(),
    }
}
