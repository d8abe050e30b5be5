//! Counts values that are lost although their rows stay: by another type, in another form, or apart from their rows.

use std::collections::BTreeSet;

use sea_orm::DbErr;

use super::super::catalog::type_of;
use super::super::form::Reshaping;
use super::super::{Loss, retype};
use super::Counter;
use crate::script::Form;
use crate::session::{Fault, dialect_of};
use crate::sql::{Check, Dialect, Template, quoted, quoted_name};

impl Counter<'_> {
    /// Counts the values that are not the same when they come back from the new type.
    pub(super) async fn retyped(
        &mut self,
        table: String,
        column: String,
        (to, using, is_cleaned): (String, Option<Form>, bool),
    ) -> Result<(), DbErr> {
        let dialect = dialect_of(self.session.backend());
        let (lost, refused) = match dialect {
            Dialect::Sqlite => (retype::changed_on_sqlite(&quoted(&column), &to), None),
            Dialect::Postgresql => {
                let Some(from) = type_of(self.session, &table, &column).await? else {
                    return Ok(());
                };
                if using.is_none() && from.eq_ignore_ascii_case(to.trim()) {
                    return Ok(());
                }
                let checks = using.map(|form| form.checks).filter(|checks| !checks.is_empty());
                let checks = checks.unwrap_or_else(|| vec![Check::same(Template::column(&column))]);
                let reshaping = Reshaping {
                    table: &quoted_name(&table),
                    column: &column,
                    from: &from,
                    to: Some(&to),
                };
                let refused = checks.iter().find_map(|check| reshaping.refused(check));
                (Some(reshaping.lost(&checks, dialect)), refused)
            }
        };
        let Some(lost) = lost else { return Ok(()) };
        let name = quoted_name(&table);
        let rows = match self.counted(&name, Some(&lost)).await {
            Ok(rows) => rows,
            // Values that the new type does not take let the statement fail as well, and nothing is lost.
            Err(error) if refuses_values(&error) && !is_cleaned && self.is_refused(&name, refused).await => 0,
            Err(_) => self.values_of(&name, &column).await?,
        };
        self.note(Loss::Type { table, column, to }, rows);
        Ok(())
    }

    /// Returns whether values cannot be made what a statement makes of them, whatever becomes of that afterwards.
    async fn is_refused(&self, table: &str, condition: Option<String>) -> bool {
        match condition {
            Some(condition) => {
                let made = self.counted(table, Some(&condition)).await;
                made.is_err_and(|error| refuses_values(&error))
            }
            None => false,
        }
    }

    /// Counts the values that are not given back by what is kept of them.
    pub(super) async fn reshaped(
        &mut self,
        table: String,
        column: String,
        form: Form,
        to: Option<String>,
    ) -> Result<(), DbErr> {
        let dialect = dialect_of(self.session.backend());
        let from = match dialect {
            Dialect::Sqlite => String::new(),
            Dialect::Postgresql => type_of(self.session, &table, &column).await?.unwrap_or_default(),
        };
        let name = quoted_name(&table);
        let reshaping = Reshaping {
            table: &name,
            column: &column,
            from: &from,
            to: to.as_deref(),
        };
        let rows = match self
            .counted(&name, Some(&reshaping.lost(&form.checks, dialect)))
            .await
        {
            Ok(rows) => rows,
            Err(_) => self.values_of(&name, &column).await?,
        };
        let form = form.text;
        self.note(Loss::Form { table, column, form }, rows);
        Ok(())
    }

    pub(super) async fn values_of(&self, table: &str, column: &str) -> Result<i64, DbErr> {
        let has_value = format!("{} IS NOT NULL", quoted(column));
        let rows = match self.rows_of(table, Some(&has_value)).await? {
            Some(rows) => Some(rows),
            None => self.rows_of(table, None).await?,
        };
        Ok(rows.unwrap_or_default())
    }

    /// Counts the values of columns that another table holds, unless they can be told apart by columns that are in both.
    pub(super) async fn apart(
        &mut self,
        table: String,
        columns: BTreeSet<String>,
        by: &BTreeSet<String>,
    ) -> Result<(), DbErr> {
        let by: Vec<String> = by.iter().map(|column| quoted(column)).collect();
        let is_told_apart = match by.is_empty() {
            true => false,
            false => {
                let sql = format!(
                    "SELECT 1 FROM {} GROUP BY {} HAVING count(*) > 1 LIMIT 1",
                    quoted_name(&table),
                    by.join(", ")
                );
                let doubles = self.session.rows(&sql).await;
                doubles.is_ok_and(|rows| rows.is_empty())
            }
        };
        if is_told_apart {
            return Ok(());
        }
        for column in columns {
            self.column(table.clone(), column).await?;
        }
        Ok(())
    }
}

fn refuses_values(error: &DbErr) -> bool {
    matches!(Fault::of(error), Fault::InvalidValue)
}
