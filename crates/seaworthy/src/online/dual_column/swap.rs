//! Two columns trade names: one keeps its name and gets another type, in an instant.

use sea_orm::{DbBackend, DbErr};
use sea_orm_migration::SchemaManager;

use super::DualColumn;
use crate::online::OnlineError;
use crate::online::column;
use crate::online::constraint::written;
use crate::online::name::{found, joined, name, text};
use crate::online::set_not_null;
use crate::online::site::Site;
use crate::session::dialect_of;
use crate::sql::Dialect;

impl DualColumn {
    /// Lets the old and the new column trade names, with their indexes, in one short transaction.
    ///
    /// From then on the name stands for the new type, and the other name for the old one; `swapped` is the change seen from
    /// there, whose trigger keeps the two the same as before. Of the new column's definition the default and `NOT NULL` come
    /// into force now. The old column goes with `swapped.`[`collapse`](Self::collapse), and the way back begins with
    /// `swapped.`[`expand`](Self::expand), its [`backfill`](Self::backfill), and `swapped.swap(manager, self)`.
    ///
    /// Code that runs meanwhile has to bear either type under the name. A view keeps what it was made of, so a column that
    /// something else than its indexes hangs on is refused.
    ///
    /// ```
    /// use sea_orm_migration::prelude::*;
    /// use seaworthy::online::DualColumn;
    ///
    /// # async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    /// let other = || Expr::cust("due_date AT TIME ZONE 'UTC'");
    /// let back = || Expr::cust("due_date_utc AT TIME ZONE 'UTC'");
    /// let zoned = ColumnDef::new("due_date_utc").timestamp_with_time_zone().take();
    /// let zoneless = ColumnDef::new("due_date_utc").timestamp().take();
    /// let before = DualColumn::new("tasks", "due_date", zoned).up(other()).down(back());
    /// let after = DualColumn::new("tasks", "due_date", zoneless).up(other()).down(back());
    /// before.index("idx_tasks_due_date", "idx_tasks_due_date_utc").swap(manager, &after).await
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails inside of a transaction, when the two columns differ in a row, when they are of one type, when something else depends on the old one, on
    /// SQLite, and when the database refuses.
    pub async fn swap(&self, manager: &SchemaManager<'_>, swapped: &Self) -> Result<(), DbErr> {
        let site = Site::of(manager);
        if dialect_of(site.backend()) != Dialect::Postgresql {
            let instead = "let the new column keep its name, and use DualColumn::replace";
            let operation = "DualColumn::swap";
            return Err(OnlineError::NotHere { operation, instead }.into());
        }
        site.outside_of_transactions("DualColumn::swap")?;
        if !self.is_to_swap(&site).await? {
            return Ok(());
        }
        self.refuse_dependents(&site).await?;
        self.verify(manager).await?;
        if self.is_not_null() {
            set_not_null(manager, self.table.clone(), self.to.get_column_name()).await?;
        }
        let mut statements = vec![self.dropped_trigger()];
        statements.extend(self.trades());
        statements.extend(self.takeovers());
        statements.extend([swapped.function(), swapped.trigger()]);
        site.briefly_together_if(
            &format!(
                "SELECT 1 AS pending FROM ({}) AS types WHERE pending",
                self.types()
            ),
            &statements,
        )
        .await
    }

    /// Returns whether the name still stands for the old type.
    async fn is_to_swap(&self, site: &Site<'_>) -> Result<bool, DbErr> {
        if site.is_recording() {
            return Ok(true);
        }
        let Some(row) = site.row(&self.types()).await? else {
            return Ok(true);
        };
        let (table, to) = (&self.table, self.to.get_column_name());
        for (lacking, column) in [("lacks_old", &self.from), ("lacks_new", &to)] {
            if row.try_get("", lacking)? {
                let (table, column) = (table.clone(), column.clone());
                return Err(OnlineError::NoColumn { table, column }.into());
            }
        }
        if row.try_get("", "same")? {
            let (table, from) = (table.clone(), self.from.clone());
            return Err(OnlineError::SameType { table, from, to }.into());
        }
        row.try_get("", "pending")
    }

    /// Returns the question which of the two columns are there, and whether the new one still has the new type.
    fn types(&self) -> String {
        let type_of = |column: &str| {
            format!(
                "(SELECT atttypid FROM pg_attribute WHERE attrelid = {} AND attname = {} AND NOT attisdropped)",
                found(&name(&self.table)),
                text(column)
            )
        };
        format!(
            "SELECT old IS NULL AS lacks_old, new IS NULL AS lacks_new, old = new AS same, \
             new = pg_typeof(CAST(NULL AS {})) AS pending FROM (SELECT {} AS old, {} AS new) AS found",
            column::type_on_postgres(&self.table, &self.to),
            type_of(&self.from),
            type_of(&self.to.get_column_name()),
        )
    }

    /// Refuses to leave something behind with the old column.
    async fn refuse_dependents(&self, site: &Site<'_>) -> Result<(), DbErr> {
        let indexes: Vec<String> = self.indexes.iter().map(|(of_old, _)| text(of_old)).collect();
        let known = match indexes.as_slice() {
            [] => "NULL".to_owned(),
            indexes => indexes.join(", "),
        };
        // What PostgreSQL keeps with a column by itself: its default, and since 18 that it is NOT NULL.
        let sql = format!(
            "SELECT string_agg(DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid), ', ') AS dependents \
             FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid \
             WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = {table} AND a.attname = {column} \
             AND d.classid <> 'pg_attrdef'::regclass \
             AND NOT EXISTS (SELECT FROM pg_trigger t WHERE d.classid = 'pg_trigger'::regclass AND t.oid = d.objid \
             AND t.tgname = {trigger}) \
             AND NOT EXISTS (SELECT FROM pg_constraint c WHERE d.classid = 'pg_constraint'::regclass AND c.oid = d.objid \
             AND c.contype = 'n') \
             AND NOT EXISTS (SELECT FROM pg_class c WHERE d.classid = 'pg_class'::regclass AND c.oid = d.objid \
             AND c.relname IN ({known}))",
            table = found(&name(&self.table)),
            column = text(&self.from),
            trigger = text(&self.trigger_name()),
        );
        let row = site.row(&sql).await?;
        let dependents: Option<String> = row
            .map(|row| row.try_get("", "dependents"))
            .transpose()?
            .flatten();
        match dependents {
            None => Ok(()),
            Some(dependents) => {
                let (table, column) = (self.table.clone(), self.from.clone());
                Err(OnlineError::Dependents {
                    table,
                    column,
                    dependents,
                }
                .into())
            }
        }
    }

    /// Returns the statements by which columns and indexes trade names.
    fn trades(&self) -> Vec<String> {
        let (table, to) = (name(&self.table), self.to.get_column_name());
        let columns = three_renames(&self.from, &to).map(|(old, new)| {
            format!(
                "ALTER TABLE {table} RENAME COLUMN {} TO {}",
                name(&old),
                name(&new)
            )
        });
        let indexes = self.indexes.iter().flat_map(|(of_old, of_new)| {
            three_renames(of_old, of_new)
                .map(|(old, new)| format!("ALTER INDEX {} RENAME TO {}", name(&old), name(&new)))
        });
        columns.into_iter().chain(indexes).collect()
    }

    /// Returns the statements by which the new column, which has the name by then, takes the place of the old one.
    fn takeovers(&self) -> Vec<String> {
        let (from, to) = (name(&self.from), name(&self.to.get_column_name()));
        let alter = |column: &str, what: String| {
            format!("ALTER TABLE {} ALTER COLUMN {column} {what}", name(&self.table))
        };
        let mut statements = Vec::new();
        if let Some(default) = self.to.get_column_spec().default.clone() {
            let default = written(DbBackend::Postgres, default);
            statements.push(alter(&to, "DROP DEFAULT".to_owned()));
            statements.push(alter(&from, format!("SET DEFAULT {default}")));
        }
        if self.is_not_null() {
            statements.push(alter(&to, "DROP NOT NULL".to_owned()));
        }
        statements
    }
}

/// Returns the three renames by which two names are traded.
fn three_renames(one: &str, other: &str) -> [(String, String); 3] {
    let between = joined(&["seaworthy", one], "between");
    [(one, &*between), (other, one), (&*between, other)].map(|(old, new)| (old.to_owned(), new.to_owned()))
}
