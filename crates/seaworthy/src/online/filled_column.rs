//! A column that begins to demand a value, on a table that has too many rows for one statement.
//!
//! Until the demand, a trigger gives a value to what is written without one, whoever writes it. What a trigger takes on each
//! database is told here; `backfill` does the rest.

use sea_orm::sea_query::{Alias, Expr, ExprTrait, IntoIden};
use sea_orm::{DbBackend, DbErr};
use sea_orm_migration::SchemaManager;

use super::constraint::written;
use super::name::{found, joined, name, text};
use super::site::Site;
use super::{drop_not_null, rebuild, set_not_null};
use crate::backfill::Backfill;
use crate::session::dialect_of;
use crate::sql::Dialect;

/// A column on its way to `NOT NULL`: as a value that the revisions of the change share.
///
/// 1. [`expand`](Self::expand) makes the trigger, after [`add_column`](super::add_column) where the column is new. Code that
///    does not know the column goes on as before, and what it writes has a value.
/// 2. [`backfill`](Self::backfill) fills the rows that were there before.
/// 3. [`contract`](Self::contract) demands a value and takes the trigger away. From then on code that leaves the column out
///    fails.
///
/// ```
/// use sea_orm_migration::prelude::*;
/// use seaworthy::online::FilledColumn;
///
/// # fn constant() -> FilledColumn {
/// FilledColumn::new("tasks", "owner", Expr::cust("'nobody'"))
/// # }
/// # fn computed() -> FilledColumn {
/// FilledColumn::new("tasks", "slug", Expr::cust("lower(title)"))
/// # }
/// ```
///
/// What it cannot do: see what another `BEFORE` trigger changes that fires later, since its own is named to fire last. A
/// subscriber of logical replication does not fire it. On SQLite, where a trigger comes after the row, the table needs a
/// `rowid`.
#[derive(Clone, Debug)]
pub struct FilledColumn {
    table: String,
    column: String,
    value: Expr,
}

impl FilledColumn {
    /// Returns a column that is filled with the value of an expression over the other columns of the row.
    pub fn new(table: impl IntoIden, column: impl IntoIden, value: impl Into<Expr>) -> Self {
        Self {
            table: table.into_iden().inner().into_owned(),
            column: column.into_iden().inner().into_owned(),
            value: value.into(),
        }
    }

    /// Makes the trigger that gives a value to rows that are written without one, unless it is there.
    ///
    /// # Errors
    ///
    /// Fails when the value means nothing, when the role may not create triggers on the table, and when the database refuses.
    pub async fn expand(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let site = Site::of(manager);
        self.try_value(&site).await?;
        if dialect_of(site.backend()) != Dialect::Postgresql {
            return rebuild::together(&site, &self.triggers_on_sqlite()).await;
        }
        if self.is_filled(&site).await? && !site.is_recording() {
            return Ok(());
        }
        site.send(&self.function()).await?;
        site.briefly(&self.trigger()).await
    }

    /// Takes the trigger away, unless it is gone: for `down` of what [`expand`](Self::expand) did.
    ///
    /// # Errors
    ///
    /// Fails when the database refuses.
    pub async fn collapse(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let site = Site::of(manager);
        if dialect_of(site.backend()) != Dialect::Postgresql {
            let dropped = self
                .names_on_sqlite()
                .map(|trigger| format!("DROP TRIGGER IF EXISTS {}", name(&trigger)));
            return site.send_all(&dropped).await;
        }
        if self.is_filled(&site).await? {
            let (trigger, table) = (name(&self.trigger_name()), name(&self.table));
            site.briefly(&format!("DROP TRIGGER IF EXISTS {trigger} ON {table}"))
                .await?;
        }
        let function = name(&self.function_name());
        site.send(&format!("DROP FUNCTION IF EXISTS {function}()")).await
    }

    /// Returns what fills the rows that were there before the trigger: the `backfills` of a revision of its own.
    #[must_use]
    pub fn backfill(&self) -> Backfill {
        Backfill::new(joined(&[&self.table, &self.column], "filled"), &self.table)
            .set(&self.column, self.value.clone())
            .only(Expr::col(Alias::new(&self.column)).is_null())
    }

    /// Forbids NULL as [`set_not_null`] does, and takes the trigger away: no code leaves the column out any more.
    ///
    /// # Errors
    ///
    /// Fails when rows have NULL there, naming them; inside of a transaction on PostgreSQL, and when the database refuses.
    pub async fn contract(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        set_not_null(manager, self.table.clone(), self.column.clone()).await?;
        self.collapse(manager).await
    }

    /// Takes back what [`contract`](Self::contract) did, for `down`: what is written without a value gets one again.
    ///
    /// # Errors
    ///
    /// Fails when the database refuses.
    pub async fn restore(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        self.expand(manager).await?;
        drop_not_null(manager, self.table.clone(), self.column.clone()).await
    }

    /// Fails where the value means nothing to the database. A trigger is made all the same then, and everybody's writes fail.
    async fn try_value(&self, site: &Site<'_>) -> Result<(), DbErr> {
        if site.is_recording() {
            return Ok(());
        }
        let (table, column) = (name(&self.table), name(&self.column));
        let value = written(site.backend(), self.value.clone());
        let update = format!("EXPLAIN UPDATE {table} SET {column} = ({value}) WHERE {column} IS NULL");
        site.rows(&update).await.map(drop)
    }

    /// Returns whether the trigger is there; while somebody records, it has to be thought so.
    async fn is_filled(&self, site: &Site<'_>) -> Result<bool, DbErr> {
        let sql = format!(
            "SELECT 1 AS is_there FROM pg_trigger WHERE tgrelid = {} AND tgname = {}",
            found(&name(&self.table)),
            text(&self.trigger_name())
        );
        site.is_pending(&sql).await
    }

    /// Triggers fire in the order of their names: this one sees what others have done to the row.
    fn trigger_name(&self) -> String {
        joined(&["zz_seaworthy", &self.column], "filled")
    }

    fn function_name(&self) -> String {
        joined(&["seaworthy", &self.table, &self.column], "filled")
    }

    /// Returns the statement that creates PostgreSQL's trigger. Its condition keeps the function out of all other writes.
    fn trigger(&self) -> String {
        format!(
            "CREATE TRIGGER {} BEFORE INSERT OR UPDATE ON {} FOR EACH ROW WHEN (NEW.{} IS NULL) EXECUTE FUNCTION {}()",
            name(&self.trigger_name()),
            name(&self.table),
            name(&self.column),
            name(&self.function_name())
        )
    }

    /// Returns the statement that creates the function of PostgreSQL's trigger.
    ///
    /// The row goes by the name of its table, so that the expression means what it means in an update of the table. Whoever
    /// writes the row may look for tables and functions elsewhere than the migration does.
    fn function(&self) -> String {
        let tag = "$seaworthy$";
        format!(
            "CREATE OR REPLACE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS {tag}\n\
             BEGIN\n  \
               NEW.{} := (SELECT {} FROM (SELECT NEW.*) AS {});\n  \
               RETURN NEW;\n\
             END\n{tag}",
            name(&self.function_name()),
            name(&self.column),
            written(DbBackend::Postgres, self.value.clone()),
            name(&self.table)
        )
    }

    /// Returns the names of SQLite's triggers: of inserts and of updates.
    fn names_on_sqlite(&self) -> [String; 2] {
        ["inserted", "updated"].map(|event| joined(&["seaworthy", &self.table, &self.column], event))
    }

    /// Returns the statements that create SQLite's triggers.
    fn triggers_on_sqlite(&self) -> [String; 2] {
        let (table, column) = (name(&self.table), name(&self.column));
        let value = written(DbBackend::Sqlite, self.value.clone());
        let [inserted, updated] = self.names_on_sqlite().map(|trigger| name(&trigger));
        [(inserted, "INSERT"), (updated, "UPDATE")].map(|(trigger, event)| {
            // A value that is NULL would have it write the row again and again.
            format!(
                "CREATE TRIGGER IF NOT EXISTS {trigger} AFTER {event} ON {table} WHEN NEW.{column} IS NULL \
                 BEGIN UPDATE {table} SET {column} = ({value}) WHERE rowid = NEW.rowid AND ({value}) IS NOT NULL; END"
            )
        })
    }
}
