//! Whether a column may be NULL.

use sea_orm::DbErr;
use sea_orm::sea_query::IntoIden;
use sea_orm_migration::SchemaManager;

use super::OnlineError;
use super::name::{found, joined, name, text};
use super::rebuild;
use super::site::Site;
use crate::autogenerate::Operation;
use crate::catalog::{Column, Table};
use crate::session::dialect_of;
use crate::sql::Dialect;

/// A column that is there, and the check that proves it to hold something.
struct Known {
    /// New rows have to hold something.
    is_not_null: bool,
    /// So do all rows that are there, which PostgreSQL 18 tells apart.
    is_proven: bool,
    is_checked: bool,
    is_valid: bool,
}

/// Forbids NULL in a column, unless it is.
///
/// On PostgreSQL a check is added `NOT VALID`, validated, believed by `SET NOT NULL`, which then reads no row, and dropped: four
/// short transactions. On SQLite the table is built again. From its first step on no writer may leave the column out, unless
/// it has a default.
///
/// ```
/// # use sea_orm_migration::prelude::*;
/// # use seaworthy::online;
/// # async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
/// online::set_not_null(manager, "tasks", "user_id").await
/// # }
/// ```
///
/// # Errors
///
/// Fails inside of a transaction on PostgreSQL, when rows have NULL there, when there is no such column, and when the
/// database refuses.
pub async fn set_not_null(
    manager: &SchemaManager<'_>,
    table: impl IntoIden,
    column: impl IntoIden,
) -> Result<(), DbErr> {
    let site = Site::of(manager);
    let (table, column) = (table.into_iden().inner(), column.into_iden().inner());
    require(&site, &table, &column).await
}

/// Forbids NULL in a column for an operation.
pub(super) async fn require(site: &Site<'_>, table: &str, column: &str) -> Result<(), DbErr> {
    let (rule, broken) = (
        format!("NOT NULL of {column}"),
        format!("{} IS NULL", name(column)),
    );
    if dialect_of(site.backend()) != Dialect::Postgresql {
        let is_done = |table: &Table| Ok(!known(table, column)?.nullable);
        let operation = nullable(table, column, false);
        return rebuild::unless(site, table, is_done, Some((&rule, &broken)), operation).await;
    }
    site.outside_of_transactions("online::set_not_null")?;
    let check = joined(&[table, column], "not_null");
    let known = Known::find(site, table, column, &check).await?;
    let (table_name, column_name, check_name) = (name(table), name(column), name(&check));
    if !known.is_proven {
        if !known.is_valid {
            site.refuse_offenders(table, &rule, &broken).await?;
        }
        if !known.is_checked {
            site.briefly(&format!(
                "ALTER TABLE {table_name} ADD CONSTRAINT {check_name} CHECK ({column_name} IS NOT NULL) NOT VALID"
            ))
            .await?;
        }
        if !known.is_valid {
            site.patiently(&format!(
                "ALTER TABLE {table_name} VALIDATE CONSTRAINT {check_name}"
            ))
            .await?;
        }
        site.briefly(&format!(
            "ALTER TABLE {table_name} ALTER COLUMN {column_name} SET NOT NULL"
        ))
        .await?;
    }
    if !known.is_proven || known.is_checked {
        site.briefly(&format!(
            "ALTER TABLE {table_name} DROP CONSTRAINT IF EXISTS {check_name}"
        ))
        .await?;
    }
    Ok(())
}

/// Allows NULL in a column. Code that reads it has to expect one before.
///
/// # Errors
///
/// Fails when there is no such column, and when the database refuses.
pub async fn drop_not_null(
    manager: &SchemaManager<'_>,
    table: impl IntoIden,
    column: impl IntoIden,
) -> Result<(), DbErr> {
    let site = Site::of(manager);
    let (table, column) = (table.into_iden().inner(), column.into_iden().inner());
    if dialect_of(site.backend()) != Dialect::Postgresql {
        let is_done = |table: &Table| Ok(known(table, &column)?.nullable);
        return rebuild::unless(&site, &table, is_done, None, nullable(&table, &column, true)).await;
    }
    let known = Known::find(&site, &table, &column, "").await?;
    if !known.is_not_null && !site.is_recording() {
        return Ok(());
    }
    let (table, column) = (name(&table), name(&column));
    site.briefly(&format!(
        "ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL"
    ))
    .await
}

fn known<'a>(table: &'a Table, column: &str) -> Result<&'a Column, OnlineError> {
    table.column(column).ok_or_else(|| OnlineError::NoColumn {
        table: table.name.clone(),
        column: column.to_owned(),
    })
}

fn nullable(table: &str, column: &str, to: bool) -> Operation {
    Operation::AlterNullable {
        table: table.to_owned(),
        column: column.to_owned(),
        from: !to,
        to,
    }
}

impl Known {
    /// Looks for a column; while somebody records, everything is still to be done.
    async fn find(site: &Site<'_>, table: &str, column: &str, check: &str) -> Result<Self, DbErr> {
        let sql = format!(
            "SELECT t.id IS NOT NULL AS has_table, a.attnotnull AS is_not_null, \
             a.attnotnull AND NOT EXISTS (SELECT FROM pg_constraint n WHERE n.conrelid = t.id AND n.contype = 'n' \
             AND n.conkey[1] = a.attnum AND NOT n.convalidated) AS is_proven, c.convalidated AS is_valid \
             FROM (SELECT {}::oid AS id) AS t \
             LEFT JOIN pg_attribute a ON a.attrelid = t.id AND a.attname = {} AND NOT a.attisdropped \
             LEFT JOIN pg_constraint c ON c.conrelid = t.id AND c.conname = {} AND c.contype = 'c'",
            found(&name(table)),
            text(column),
            text(check)
        );
        let Some(row) = site.row(&sql).await? else {
            return Ok(Self {
                is_not_null: false,
                is_proven: false,
                is_checked: false,
                is_valid: false,
            });
        };
        let (table, column) = (table.to_owned(), column.to_owned());
        if !row.try_get::<bool>("", "has_table")? {
            return Err(OnlineError::NoTable { table }.into());
        }
        let is_not_null: Option<bool> = row.try_get("", "is_not_null")?;
        let is_valid: Option<bool> = row.try_get("", "is_valid")?;
        Ok(Self {
            is_not_null: is_not_null.ok_or(OnlineError::NoColumn { table, column })?,
            is_proven: row.try_get::<Option<bool>>("", "is_proven")? == Some(true),
            is_checked: is_valid.is_some(),
            is_valid: is_valid == Some(true),
        })
    }
}
