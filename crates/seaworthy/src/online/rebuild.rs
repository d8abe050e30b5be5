//! SQLite: what it cannot alter in place is built again, in one transaction that keeps rows, indexes, triggers and views.

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, QueryResult,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};

use super::OnlineError;
use super::name::{name, text};
use super::site::Site;
use crate::autogenerate::{self, Operation, SqlError};
use crate::catalog::{Catalog, Scope, Table, inspect};

/// A rule that the rows of a table have to fulfil: what it is, and the condition of those that break it.
pub(super) type Rule<'a> = (&'a str, &'a str);

/// Statements that are to be sent together with an operation.
#[derive(Clone, Copy, Default)]
pub(super) struct Beside<'a> {
    pub(super) before: &'a [String],
    pub(super) after: &'a [String],
}

/// Carries an operation out on a table, unless it is done; refuses it where rows break a rule.
pub(super) async fn unless(
    site: &Site<'_>,
    table: &str,
    is_done: impl FnOnce(&Table) -> Result<bool, OnlineError>,
    rule: Option<Rule<'_>>,
    operation: Operation,
) -> Result<(), DbErr> {
    let Some(catalog) = catalog(site, table).await? else {
        return describe(site, table, &operation).await;
    };
    if is_done(known(&catalog, table)?)? {
        return Ok(());
    }
    if let Some((rule, broken)) = rule {
        site.refuse_offenders(table, rule, broken).await?;
    }
    carry_out(site, &catalog, table, &operation).await
}

/// Drops a check or a foreign key; returns whether there was one.
pub(super) async fn drop_constraint(site: &Site<'_>, table: &str, constraint: &str) -> Result<bool, DbErr> {
    let Some(catalog) = catalog(site, table).await? else {
        return Ok(false);
    };
    let known = known(&catalog, table)?;
    let is_it = |other: &Option<String>| other.as_deref() == Some(constraint);
    let (table, owned) = (table, table.to_owned());
    let check = known.checks.iter().find(|check| is_it(&check.name));
    let key = known.foreign_keys.iter().find(|key| is_it(&key.name));
    let unique = known.uniques.iter().find(|unique| is_it(&unique.name));
    let operation = match (check, key, unique) {
        (Some(check), _, _) => Operation::DropCheck {
            table: owned,
            check: check.clone(),
        },
        (_, Some(key), _) => Operation::DropForeignKey {
            table: owned,
            foreign_key: key.clone(),
        },
        (_, _, Some(unique)) => Operation::DropUnique {
            table: owned,
            unique: unique.clone(),
        },
        _ => return Ok(false),
    };
    carry_out(site, &catalog, table, &operation).await?;
    Ok(true)
}

/// Returns the schema, or nothing while somebody records: then what is there is not known.
pub(super) async fn catalog(site: &Site<'_>, table: &str) -> Result<Option<Catalog>, DbErr> {
    if site.is_recording() {
        let sql = format!("SELECT sql FROM sqlite_schema WHERE tbl_name = {}", text(table));
        site.rows(&sql).await?;
        return Ok(None);
    }
    let catalog = inspect(site.executor(), &Scope::default()).await;
    Ok(Some(catalog.map_err(|source| cannot(table, source))?))
}

pub(super) fn known<'a>(catalog: &'a Catalog, table: &str) -> Result<&'a Table, OnlineError> {
    let is_it = |known: &&Table| known.name.eq_ignore_ascii_case(table);
    catalog
        .tables
        .iter()
        .find(is_it)
        .ok_or_else(|| OnlineError::NoTable {
            table: table.to_owned(),
        })
}

/// Says what would be done, where the statements depend on what there is.
async fn describe(site: &Site<'_>, table: &str, operation: &Operation) -> Result<(), DbErr> {
    let what = serde_json::to_string(&operation.summary()).expect("a summary is text");
    site.send("PRAGMA foreign_keys = OFF").await?;
    site.send(&format!("-- the table {table} is built again: {what}"))
        .await?;
    site.send("PRAGMA foreign_keys = ON").await
}

/// Carries an operation out, with whatever it takes on SQLite.
pub(super) async fn carry_out(
    site: &Site<'_>,
    catalog: &Catalog,
    table: &str,
    operation: &Operation,
) -> Result<(), DbErr> {
    carry_out_with(site, catalog, table, Beside::default(), operation).await
}

/// Does so with other statements in the same transaction.
pub(super) async fn carry_out_with(
    site: &Site<'_>,
    catalog: &Catalog,
    table: &str,
    beside: Beside<'_>,
    operation: &Operation,
) -> Result<(), DbErr> {
    let work = Work {
        table: known(catalog, table)?,
        beside,
        operation,
        rebuilds: rebuilds(catalog, operation).map_err(|source| cannot(table, source))?,
    };
    let is_referenced = catalog.tables.iter().any(|other| {
        other
            .foreign_keys
            .iter()
            .any(|key| key.ref_table.eq_ignore_ascii_case(table))
    });
    let Some(connection) = site.open_connection() else {
        let enforced = number(site.executor(), "PRAGMA foreign_keys").await? == Some(1);
        if work.rebuilds && is_referenced && enforced {
            let table = table.to_owned();
            return Err(OnlineError::KeysEnforced { table }.into());
        }
        return work.send(site.executor()).await;
    };
    if !work.rebuilds {
        return in_transaction(connection, &work, false).await;
    }
    // Inside of a transaction it would have no effect (manual, "PRAGMA foreign_keys").
    let enforced = number(connection, "PRAGMA foreign_keys").await? == Some(1);
    connection.execute_unprepared("PRAGMA foreign_keys = OFF").await?;
    let done = in_transaction(connection, &work, is_referenced).await;
    if enforced {
        connection.execute_unprepared("PRAGMA foreign_keys = ON").await?;
    }
    done
}

/// Returns whether an operation builds its table again. What other statements do to triggers first does not matter for that.
fn rebuilds(catalog: &Catalog, operation: &Operation) -> Result<bool, SqlError> {
    let mut bare = catalog.clone();
    bare.objects = None;
    Ok(autogenerate::sql(&bare, std::slice::from_ref(operation))?.len() > 1)
}

/// An operation on a table, which may build it again.
struct Work<'a> {
    table: &'a Table,
    beside: Beside<'a>,
    operation: &'a Operation,
    rebuilds: bool,
}

async fn in_transaction(
    connection: &DatabaseConnection,
    work: &Work<'_>,
    is_referenced: bool,
) -> Result<(), DbErr> {
    let transaction = begin(connection).await?;
    let done = async {
        // A pool may have answered with another connection.
        if is_referenced && number(&transaction, "PRAGMA foreign_keys").await? == Some(1) {
            let table = work.table.name.clone();
            return Err(OnlineError::KeysEnforced { table }.into());
        }
        work.send(&transaction).await
    };
    let done = done.await;
    end(transaction, done).await
}

/// Sends statements in one transaction; in somebody else's where one is open.
pub(super) async fn together(site: &Site<'_>, statements: &[String]) -> Result<(), DbErr> {
    let Some(connection) = site.open_connection() else {
        return site.send_all(statements).await;
    };
    let transaction = begin(connection).await?;
    let done = send_all(&transaction, statements).await;
    end(transaction, done).await
}

async fn begin(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    // A deferred transaction fails when it turns into a writer behind another one; an immediate one waits its turn.
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    connection.begin_with_options(options).await
}

async fn end(transaction: DatabaseTransaction, done: Result<(), DbErr>) -> Result<(), DbErr> {
    match done {
        Ok(()) => transaction.commit().await,
        Err(error) => {
            transaction.rollback().await?;
            Err(error)
        }
    }
}

impl Work<'_> {
    async fn send<C>(&self, connection: &C) -> Result<(), DbErr>
    where
        C: ConnectionTrait + TransactionTrait,
    {
        send_all(connection, self.beside.before).await?;
        match self.rebuilds {
            true => self.send_rebuild(connection).await?,
            false => send_all(connection, &self.statements(connection).await?).await?,
        }
        send_all(connection, self.beside.after).await
    }

    /// Returns what the operation takes on the schema as it is by then.
    async fn statements<C>(&self, connection: &C) -> Result<Vec<String>, DbErr>
    where
        C: ConnectionTrait + TransactionTrait,
    {
        let table = &self.table.name;
        let catalog = inspect(connection, &Scope::default()).await;
        let catalog = catalog.map_err(|source| cannot(table, source))?;
        let statements = autogenerate::sql(&catalog, std::slice::from_ref(self.operation));
        Ok(statements.map_err(|source| cannot(table, source))?)
    }

    async fn send_rebuild<C>(&self, connection: &C) -> Result<(), DbErr>
    where
        C: ConnectionTrait + TransactionTrait,
    {
        let broken_before = broken_keys(connection).await?;
        send_all(connection, &self.statements(connection).await?).await?;
        let broken = broken_keys(connection).await?;
        let new: Vec<String> = broken
            .into_iter()
            .filter(|row| !broken_before.contains(row))
            .take(5)
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        Err(OnlineError::Offenders {
            table: self.table.name.clone(),
            rule: "its foreign keys".to_owned(),
            keys: new.join("; "),
        }
        .into())
    }
}

/// Returns the rows whose foreign keys point nowhere: `table rowid to parent`.
async fn broken_keys(connection: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    let sql = "SELECT \"table\" || ' ' || coalesce(rowid, '?') || ' to ' || parent AS row FROM pragma_foreign_key_check";
    let rows = rows(connection, sql).await?;
    rows.iter().map(|row| row.try_get("", "row")).collect()
}

async fn send_all(connection: &impl ConnectionTrait, statements: &[String]) -> Result<(), DbErr> {
    for statement in statements {
        connection.execute_unprepared(statement).await?;
    }
    Ok(())
}

async fn number(connection: &impl ConnectionTrait, sql: &str) -> Result<Option<i64>, DbErr> {
    let rows = rows(connection, sql).await?;
    rows.first().map(|row| row.try_get_by_index(0)).transpose()
}

async fn rows(connection: &impl ConnectionTrait, sql: &str) -> Result<Vec<QueryResult>, DbErr> {
    let statement = Statement::from_string(DbBackend::Sqlite, sql);
    connection.query_all_raw(statement).await
}

fn cannot(table: &str, source: impl std::error::Error + Send + Sync + 'static) -> OnlineError {
    OnlineError::Rebuild {
        table: table.to_owned(),
        source: Box::new(source),
    }
}

/// Returns a name as SQLite reads it in `ALTER TABLE`.
pub(super) fn altered(table: &str) -> String {
    format!("ALTER TABLE {}", name(table))
}
