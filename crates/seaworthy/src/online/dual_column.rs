//! A column that lives under two names for a while: a rename, another type, or a part of another column, without a moment
//! in which a version of the application finds it missing.
//!
//! The old and the new column are kept the same by a trigger, whoever writes which of the two. What it takes on each database
//! is in `trigger`.

use sea_orm::sea_query::{Alias, ColumnDef, Expr, ExprTrait, IntoColumnDef, IntoIden};
use sea_orm::{DbBackend, DbErr};
use sea_orm_migration::SchemaManager;

use super::constraint::written;
use super::name::{found, joined, name, text};
use super::site::Site;
use super::{column, drop_not_null, rebuild, set_not_null};
use crate::backfill::Backfill;
use crate::session::dialect_of;
use crate::sql::Dialect;

mod swap;
mod trigger;

/// A column on its way to another name or type: as a value that the revisions of the change share.
///
/// 1. [`expand`](Self::expand) adds the new column and the trigger; the new code may come after [the
///    backfill](Self::backfill), which fills the rows that were there before.
/// 2. [`verify`](Self::verify) finds no row in which the two differ.
/// 3. [`contract`](Self::contract) takes the trigger away when no code writes the old column any more. It can be dropped in
///    the release after.
///
/// ```
/// use sea_orm_migration::prelude::*;
/// use seaworthy::online::DualColumn;
///
/// # fn renamed() -> DualColumn {
/// DualColumn::new("tasks", "description", ColumnDef::new("notes").text())
/// # }
/// # fn with_another_type() -> DualColumn {
/// DualColumn::new("tasks", "priority", ColumnDef::new("rank").small_integer().not_null())
///     .up(Expr::cust("CASE priority WHEN 'high' THEN 3 WHEN 'low' THEN 1 ELSE 2 END"))
///     .down(Expr::cust("CASE rank WHEN 3 THEN 'high' WHEN 1 THEN 'low' ELSE 'medium' END"))
/// # }
/// ```
///
/// A column that is to have another type under the name that it has: see [`swap`](Self::swap).
///
/// A column that is to be split has one of these for each part, whose `up` takes the part out of the whole and whose `down`
/// makes the whole of all parts. All parts are [added](super::add_column) before the first is expanded, and all triggers
/// [taken away](Self::unlink) before the first part goes again: each trigger names all of them.
///
/// What it cannot do: tell a new column that was set to NULL by an insert from one that was left out; see what another
/// `BEFORE` trigger changes that fires later, since its own is named to fire last; compare types that know no equality, such
/// as `json`. A subscriber of logical replication does not fire it.
#[derive(Clone, Debug)]
pub struct DualColumn {
    table: String,
    from: String,
    to: ColumnDef,
    up: Expr,
    down: Expr,
    /// Indexes of the old column, each with its likeness over the new one.
    indexes: Vec<(String, String)>,
}

impl DualColumn {
    /// Returns a column that gets another name; `to` is the new one, with its type, and `NOT NULL` where the old one is.
    pub fn new(table: impl IntoIden, from: impl IntoIden, to: impl IntoColumnDef) -> Self {
        let (from, to) = (from.into_iden().inner().into_owned(), to.into_column_def());
        Self {
            table: table.into_iden().inner().into_owned(),
            up: Expr::col(Alias::new(&from)),
            down: Expr::col(Alias::new(to.get_column_name())),
            from,
            to,
            indexes: Vec::new(),
        }
    }

    /// Sets what the new column holds, as an expression over the columns of the row.
    #[must_use]
    pub fn up(mut self, value: impl Into<Expr>) -> Self {
        self.up = value.into();
        self
    }

    /// Sets what the old column holds, for the code that still reads it.
    #[must_use]
    pub fn down(mut self, value: impl Into<Expr>) -> Self {
        self.down = value.into();
        self
    }

    /// Names an index of the old column and its likeness over the new one: they trade names when the columns
    /// [do](Self::swap).
    #[must_use]
    pub fn index(mut self, of_old: impl Into<String>, of_new: impl Into<String>) -> Self {
        self.indexes.push((of_old.into(), of_new.into()));
        self
    }

    /// Adds the new column, which may be NULL for now, and the trigger that keeps both the same.
    ///
    /// Both come in one moment: code that writes whichever of the two it finds meets neither without the trigger.
    ///
    /// # Errors
    ///
    /// Fails when the role may not create triggers on the table, and when the database refuses.
    pub async fn expand(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        self.keep_same(manager, Some(&self.new_column())).await
    }

    /// Takes back what [`expand`](Self::expand) did, for `down`; the old column has everything.
    ///
    /// The trigger and the new column go in one moment: nobody writes into the one while nothing copies it to the other.
    ///
    /// # Errors
    ///
    /// Fails when the database refuses.
    pub async fn collapse(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let site = Site::of(manager);
        self.drop_with_trigger(&site, &self.to.get_column_name()).await?;
        if dialect_of(site.backend()) != Dialect::Postgresql && self.is_not_null() {
            set_not_null(manager, self.table.clone(), self.from.clone()).await?;
        }
        Ok(())
    }

    /// Returns what fills the rows that were there before the trigger: the `backfills` of a revision of its own.
    #[must_use]
    pub fn backfill(&self) -> Backfill {
        let to = self.to.get_column_name();
        let missing = Expr::col(Alias::new(&to))
            .is_null()
            .and(self.up.clone().is_not_null());
        Backfill::new(joined(&[&self.table, &self.from, &to], "dual"), &self.table)
            .set(to, self.up.clone())
            .only(missing)
    }

    /// Fills the rows that were there before the trigger, for `down`: there no revision declares a [backfill](Self::backfill).
    ///
    /// # Errors
    ///
    /// Fails inside of a transaction, and when the database refuses.
    pub async fn fill(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let backfill = self.backfill();
        column::fill(manager, &Site::of(manager), &backfill).await?;
        backfill.forget(manager).await
    }

    /// Fails where the two columns differ in a row, and names it.
    ///
    /// # Errors
    ///
    /// Fails with the keys of a few rows, and when the database refuses.
    pub async fn verify(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let site = Site::of(manager);
        let (from, to) = (name(&self.from), name(&self.to.get_column_name()));
        let rule = format!("that {from} and {to} say the same");
        let broken = self.differing(site.backend());
        site.refuse_offenders(&self.table, &rule, &broken).await
    }

    /// Takes the trigger away, and lets the old column be left out: nobody writes it any more.
    ///
    /// The new column is made `NOT NULL` where it is to be. The old one goes with [`drop_column`](super::drop_column) in a
    /// revision of its own, so that there is a way back until then.
    ///
    /// # Errors
    ///
    /// Fails when the two columns differ in a row, and when the database refuses.
    pub async fn contract(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let site = Site::of(manager);
        if self.is_kept_same(&site).await? {
            self.verify(manager).await?;
        }
        if self.is_not_null() {
            set_not_null(manager, self.table.clone(), self.to.get_column_name()).await?;
            drop_not_null(manager, self.table.clone(), self.from.clone()).await?;
        }
        self.unlink(manager).await
    }

    /// Takes the trigger and the old column away in one moment: [`contract`](Self::contract) and [`drop_column`] in one.
    ///
    /// For code that looks which of the two columns there are, and goes by that. A writer that has looked a moment too early
    /// either finds the trigger or is told by the database that the column is gone; with a step in between, what it wrote
    /// into the old column would be lost. [`reopen`](Self::reopen) is for `down`.
    ///
    /// [`drop_column`]: super::drop_column
    ///
    /// # Errors
    ///
    /// Fails when the two columns differ in a row, when something else depends on the old one, and when the database refuses.
    pub async fn replace(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let site = Site::of(manager);
        if self.is_kept_same(&site).await? {
            self.verify(manager).await?;
        }
        if self.is_not_null() {
            set_not_null(manager, self.table.clone(), self.to.get_column_name()).await?;
        }
        self.drop_with_trigger(&site, &self.from).await
    }

    /// Takes back what [`replace`](Self::replace) did, for `down`: the old column is there again, with the trigger from the
    /// first moment on. What it holds comes with [`restore`](Self::restore), or by statements of one's own.
    ///
    /// Of `old` the name and the type count.
    ///
    /// # Errors
    ///
    /// Fails when the role may not create triggers on the table, and when the database refuses.
    pub async fn reopen(&self, manager: &SchemaManager<'_>, old: impl IntoColumnDef) -> Result<(), DbErr> {
        if self.is_not_null() {
            drop_not_null(manager, self.table.clone(), self.to.get_column_name()).await?;
        }
        let old = column::without_default(&old.into_column_def());
        self.keep_same(manager, Some(&old)).await
    }

    /// Takes back what [`contract`](Self::contract) did, for `down`: the trigger is there again, and the old column holds
    /// what was written without it.
    ///
    /// # Errors
    ///
    /// Fails when the database refuses, or when a row has no value for the old column.
    pub async fn restore(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let site = Site::of(manager);
        let to = self.to.get_column_name();
        if self.is_not_null() {
            drop_not_null(manager, self.table.clone(), to.clone()).await?;
        }
        self.keep_same(manager, None).await?;
        let differs = self.differing(site.backend());
        let back = Backfill::new(joined(&[&self.table, &to, &self.from], "restored"), &self.table)
            .set(&self.from, self.down.clone())
            .only(Expr::cust(differs));
        column::fill(manager, &site, &back).await?;
        back.forget(manager).await?;
        match self.is_not_null() && dialect_of(site.backend()) == Dialect::Postgresql {
            true => set_not_null(manager, self.table.clone(), self.from.clone()).await,
            false => Ok(()),
        }
    }

    /// Takes the trigger away and leaves both columns, for `down`: what names another column that is to go has to go first.
    ///
    /// The parts that a column is split into have triggers that make it whole, and so name each other's columns: all are
    /// taken away before the first part [goes](Self::collapse).
    ///
    /// # Errors
    ///
    /// Fails when the database refuses.
    pub async fn unlink(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let site = Site::of(manager);
        if dialect_of(site.backend()) != Dialect::Postgresql {
            for statement in self.dropped_triggers_on_sqlite() {
                site.send(&statement).await?;
            }
            return Ok(());
        }
        if self.is_kept_same(&site).await? {
            site.briefly(&self.dropped_trigger()).await?;
        }
        self.drop_function(&site).await
    }

    /// Adds the trigger, and with it one of the two columns.
    async fn keep_same(&self, manager: &SchemaManager<'_>, added: Option<&ColumnDef>) -> Result<(), DbErr> {
        let site = Site::of(manager);
        if dialect_of(site.backend()) != Dialect::Postgresql {
            // A trigger fills the old column only after the row is there.
            if self.is_not_null() && added.is_none_or(|added| added.get_column_name() != self.from) {
                drop_not_null(manager, self.table.clone(), self.from.clone()).await?;
            }
            let mut statements = self.triggers_on_sqlite().to_vec();
            if !site.is_recording() {
                // SQLite makes triggers on columns that are not there; a run that nothing keeps out may have dropped one.
                statements.insert(0, self.both_selected());
            }
            return match added {
                Some(added) => column::add_on_sqlite(&site, &self.table, added, &statements).await,
                None => rebuild::together(&site, &statements).await,
            };
        }
        let column = match added {
            Some(added) => column::adding(&site, &self.table, added).await?,
            None => None,
        };
        let is_kept = self.is_kept_same(&site).await? && !site.is_recording();
        if !is_kept {
            site.send(&self.function()).await?;
        }
        let trigger = (!is_kept).then(|| self.trigger());
        let both: Vec<String> = column.into_iter().chain(trigger).collect();
        site.briefly_together(&both).await
    }

    /// Drops the trigger and one of the two columns, together.
    async fn drop_with_trigger(&self, site: &Site<'_>, one: &str) -> Result<(), DbErr> {
        if dialect_of(site.backend()) != Dialect::Postgresql {
            let first = self.dropped_triggers_on_sqlite();
            return column::drop_on_sqlite(site, &self.table, one, &first).await;
        }
        let trigger = self.is_kept_same(site).await?.then(|| self.dropped_trigger());
        let column = column::dropping(site, &self.table, one).await?;
        let both: Vec<String> = trigger.into_iter().chain(column).collect();
        site.briefly_together(&both).await?;
        self.drop_function(site).await
    }

    async fn drop_function(&self, site: &Site<'_>) -> Result<(), DbErr> {
        let function = name(&self.function_name());
        site.send(&format!("DROP FUNCTION IF EXISTS {function}()")).await
    }

    /// Returns whether the trigger is there; while somebody records, it has to be thought so.
    async fn is_kept_same(&self, site: &Site<'_>) -> Result<bool, DbErr> {
        let (trigger, table) = (self.trigger_name(), found(&name(&self.table)));
        let sql = match dialect_of(site.backend()) {
            Dialect::Postgresql => format!(
                "SELECT 1 AS is_there FROM pg_trigger WHERE tgrelid = {table} AND tgname = {}",
                text(&trigger)
            ),
            Dialect::Sqlite => format!(
                "SELECT 1 AS is_there FROM sqlite_schema WHERE type = 'trigger' AND name = {}",
                text(&self.trigger_names_on_sqlite()[0])
            ),
        };
        site.is_pending(&sql).await
    }

    /// Returns the condition of rows in which neither column stands for the other.
    fn differing(&self, backend: DbBackend) -> String {
        let is_not = match dialect_of(backend) {
            Dialect::Postgresql => "IS DISTINCT FROM",
            Dialect::Sqlite => "IS NOT",
        };
        let (from, to) = (name(&self.from), name(&self.to.get_column_name()));
        let (up, down) = self.expressions(backend);
        format!("{to} {is_not} ({up}) AND {from} {is_not} ({down})")
    }

    /// Returns a statement that fails where one of the two columns is missing.
    fn both_selected(&self) -> String {
        let (table, to) = (name(&self.table), self.to.get_column_name());
        let (from, to) = (name(&self.from), name(&to));
        format!("SELECT {table}.{from}, {table}.{to} FROM {table} LIMIT 0")
    }

    fn is_not_null(&self) -> bool {
        self.to.get_column_spec().nullable == Some(false)
    }

    /// Returns the new column as it is added: nothing is known of the rows yet.
    fn new_column(&self) -> ColumnDef {
        column::without_default(&self.to)
    }

    /// Returns what the new column holds, and what the old one.
    fn expressions(&self, backend: DbBackend) -> (String, String) {
        (
            written(backend, self.up.clone()),
            written(backend, self.down.clone()),
        )
    }
}
