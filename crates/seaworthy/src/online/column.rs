//! Columns, added and dropped in an instant.

use sea_orm::sea_query::{
    ColumnDef, ColumnSpec, Expr, IntoColumnDef, IntoIden, PostgresQueryBuilder, SqliteQueryBuilder, Table,
};
use sea_orm::{DbBackend, DbErr};
use sea_orm_migration::SchemaManager;

use super::constraint::written;
use super::name::{found, joined, name, text};
use super::rebuild::Beside;
use super::site::Site;
use super::{OnlineError, null, rebuild};
use crate::autogenerate::Operation;
use crate::backfill::Backfill;
use crate::catalog::Column;
use crate::lint::{Context, Surrounding, lint};
use crate::session::dialect_of;
use crate::sql::Dialect;

/// What PostgreSQL has to do for a column.
enum Manner {
    /// One statement in an instant: rows that are there get the default without being written.
    AtOnce,
    /// The default is another one for each row: they are written, in batches.
    RowByRow(String),
}

/// A column that is there.
struct Known {
    has_default: bool,
}

/// Adds a column, unless it is there.
///
/// A default that is the same for all rows costs nothing on PostgreSQL. One that is computed for each, such as
/// `gen_random_uuid()`, would have the whole table written while nobody reads it: then the column is added without, given the
/// default for new rows, filled in batches as by a [`Backfill`], and only then made `NOT NULL`.
///
/// ```
/// # use sea_orm_migration::prelude::*;
/// # use seaworthy::online;
/// # async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
/// online::add_column(manager, "tasks", ColumnDef::new("priority").string_len(20).not_null().default("medium")).await
/// # }
/// ```
///
/// # Errors
///
/// Fails for a column that no row could do without and that has no default, for one that brings a key, a constraint or a
/// number along, inside of a transaction on PostgreSQL when rows have to be filled, and when the database refuses.
pub async fn add_column(
    manager: &SchemaManager<'_>,
    table: impl IntoIden,
    column: impl IntoColumnDef,
) -> Result<(), DbErr> {
    let site = Site::of(manager);
    let (table, column) = (table.into_iden().inner(), column.into_column_def());
    refuse_unaddable(&table, &column)?;
    if dialect_of(site.backend()) != Dialect::Postgresql {
        return add_on_sqlite(&site, &table, &column, &[]).await;
    }
    let (table_name, column_name) = (name(&table), name(&column.get_column_name()));
    match manner(&table, &column) {
        Manner::AtOnce if Known::find(&site, &table, &column).await?.is_some() => Ok(()),
        Manner::AtOnce => site.briefly(&alter(DbBackend::Postgres, &table, &column)).await,
        Manner::RowByRow(default) => {
            site.outside_of_transactions("online::add_column with a default that is computed for each row")?;
            let known = Known::find(&site, &table, &column).await?;
            if known.is_none() {
                // The column may have been there before, and its backfill have been done.
                filling(&table, &column, &default).forget(manager).await?;
                site.briefly(&alter(DbBackend::Postgres, &table, &without_default(&column)))
                    .await?;
            }
            if !known.is_some_and(|known| known.has_default) {
                site.briefly(&format!(
                    "ALTER TABLE {table_name} ALTER COLUMN {column_name} SET DEFAULT {default}"
                ))
                .await?;
            }
            fill(manager, &site, &filling(&table, &column, &default)).await?;
            match column.get_column_spec().nullable {
                Some(false) => null::require(&site, &table, &column.get_column_name()).await,
                _ => Ok(()),
            }
        }
    }
}

/// Returns the statement that adds a column without a default on PostgreSQL, unless it is there.
pub(super) async fn adding(
    site: &Site<'_>,
    table: &str,
    column: &ColumnDef,
) -> Result<Option<String>, DbErr> {
    let is_there = Known::find(site, table, column).await?.is_some();
    Ok((!is_there).then(|| alter(DbBackend::Postgres, table, column)))
}

/// Drops a column, unless it is gone. No code that runs may name it any more: see `Header::removes`.
///
/// On PostgreSQL the rows stay as they are, and what the column held is gone all the same. On SQLite they are written.
///
/// # Errors
///
/// Fails when something else depends on the column, and when the database refuses.
pub async fn drop_column(
    manager: &SchemaManager<'_>,
    table: impl IntoIden,
    column: impl IntoIden,
) -> Result<(), DbErr> {
    let site = Site::of(manager);
    let (table, column) = (table.into_iden().inner(), column.into_iden().inner());
    if dialect_of(site.backend()) != Dialect::Postgresql {
        return drop_on_sqlite(&site, &table, &column, &[]).await;
    }
    match dropping(&site, &table, &column).await? {
        Some(statement) => site.briefly(&statement).await,
        None => Ok(()),
    }
}

/// Returns the statement that drops a column on PostgreSQL, unless it is gone.
pub(super) async fn dropping(site: &Site<'_>, table: &str, column: &str) -> Result<Option<String>, DbErr> {
    // A table that is not there is the server's to name.
    let pending = format!(
        "SELECT 1 AS pending WHERE {table} IS NULL OR EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = {table} \
         AND attname = {} AND NOT attisdropped)",
        text(column),
        table = found(&name(table))
    );
    let is_pending = site.is_pending(&pending).await?;
    let (table, column) = (name(table), name(column));
    Ok(is_pending.then(|| format!("ALTER TABLE {table} DROP COLUMN IF EXISTS {column}")))
}

/// Drops a column unless it is gone, after other statements in the same transaction.
pub(super) async fn drop_on_sqlite(
    site: &Site<'_>,
    table: &str,
    column: &str,
    before: &[String],
) -> Result<(), DbErr> {
    let Some(catalog) = rebuild::catalog(site, table).await? else {
        site.send_all(before).await?;
        let (table, column) = (rebuild::altered(table), name(column));
        return site.send(&format!("{table} DROP COLUMN {column}")).await;
    };
    let known = rebuild::known(&catalog, table)?;
    let Some(column) = known.column(column) else {
        return Ok(());
    };
    let operation = Operation::DropColumn {
        table: known.name.clone(),
        column: column.clone(),
    };
    let beside = Beside {
        before,
        ..Beside::default()
    };
    rebuild::carry_out_with(site, &catalog, table, beside, &operation).await
}

fn refuse_unaddable(table: &str, column: &ColumnDef) -> Result<(), OnlineError> {
    let ColumnSpec {
        nullable,
        default,
        auto_increment,
        unique,
        primary_key,
        check,
        generated,
        ..
    } = column.get_column_spec();
    let reason = if *auto_increment || *primary_key {
        "a key or a number for each row would have the whole table written; add a column without, fill it in batches, and \
         make it the key afterwards"
    } else if *unique {
        "its index would be built while nobody reads or writes; add it without, then call online::add_unique"
    } else if check.is_some() {
        "all rows would be looked at while nobody reads or writes; add it without, then call online::add_check"
    } else if generated.as_ref().is_some_and(|generated| generated.stored) {
        "what is stored has to be computed for all rows at once; add a plain column with a trigger, and fill it in batches"
    } else if *nullable == Some(false) && default.is_none() {
        "it may not be NULL and has no default, so rows that are there have no value, and code that does not know it cannot \
         insert any more; give it a default in the database, or allow NULL until it is filled"
    } else {
        return Ok(());
    };
    Err(OnlineError::NotAddable {
        table: table.to_owned(),
        column: column.get_column_name(),
        reason: reason.to_owned(),
    })
}

/// Decides by the linter's rule, so that what it reports and what is split are the same.
fn manner(table: &str, column: &ColumnDef) -> Manner {
    let Some(default) = &column.get_column_spec().default else {
        return Manner::AtOnce;
    };
    let context = Context::default().surrounded_by(Surrounding::Nothing);
    let hazards = lint(&alter(DbBackend::Postgres, table, column), &context);
    match hazards.iter().any(|hazard| hazard.category == "table-rewrite") {
        true => Manner::RowByRow(written(DbBackend::Postgres, default.clone())),
        false => Manner::AtOnce,
    }
}

fn alter(backend: DbBackend, table: &str, column: &ColumnDef) -> String {
    let mut statement = Table::alter();
    statement.table(table.to_owned()).add_column(column.clone());
    match dialect_of(backend) {
        Dialect::Postgresql => statement.to_string(PostgresQueryBuilder),
        Dialect::Sqlite => statement.to_string(SqliteQueryBuilder),
    }
}

pub(super) fn without_default(column: &ColumnDef) -> ColumnDef {
    let mut plain = match column.get_column_type() {
        Some(data_type) => ColumnDef::new_with_type(column.get_column_name(), data_type.clone()),
        None => ColumnDef::new(column.get_column_name()),
    };
    if let Some(comment) = &column.get_column_spec().comment {
        plain.comment(comment.clone());
    }
    plain
}

impl Known {
    async fn find(site: &Site<'_>, table: &str, column: &ColumnDef) -> Result<Option<Self>, DbErr> {
        let sql = format!(
            "SELECT atthasdef AS has_default FROM pg_attribute WHERE attrelid = {} AND attname = {} AND NOT attisdropped",
            found(&name(table)),
            text(&column.get_column_name())
        );
        let Some(row) = site.row(&sql).await? else {
            return Ok(None);
        };
        Ok(Some(Self {
            has_default: row.try_get("", "has_default")?,
        }))
    }
}

/// Returns what gives the rows that were there before the default their own values.
fn filling(table: &str, column: &ColumnDef, default: &str) -> Backfill {
    let column = column.get_column_name();
    Backfill::new(joined(&["online", table, &column], "default"), table)
        .set(column, Expr::cust(default.to_owned()))
}

/// Fills rows in batches; to whoever records, it is said in a statement that needs no runner.
pub(super) async fn fill(
    manager: &SchemaManager<'_>,
    site: &Site<'_>,
    backfill: &Backfill,
) -> Result<(), DbErr> {
    if site.is_recording() {
        return site.send(&backfill.spelled_out(site.backend())).await;
    }
    backfill.run(manager).await
}

/// Adds a column unless it is there, before other statements in the same transaction.
pub(super) async fn add_on_sqlite(
    site: &Site<'_>,
    table: &str,
    column: &ColumnDef,
    after: &[String],
) -> Result<(), DbErr> {
    let Some(catalog) = rebuild::catalog(site, table).await? else {
        site.send(&alter(DbBackend::Sqlite, table, column)).await?;
        return site.send_all(after).await;
    };
    let known = rebuild::known(&catalog, table)?;
    let added = declared(table, column);
    if known.column(&added.name).is_some() {
        return rebuild::together(site, after).await;
    }
    let beside = Beside {
        after,
        ..Beside::default()
    };
    let operation = Operation::AddColumn {
        table: known.name.clone(),
        column: added,
    };
    rebuild::carry_out_with(site, &catalog, table, beside, &operation).await
}

/// Returns the type of a column as PostgreSQL reads it.
pub(super) fn type_on_postgres(table: &str, column: &ColumnDef) -> String {
    data_type(DbBackend::Postgres, table, column)
}

fn data_type(backend: DbBackend, table: &str, column: &ColumnDef) -> String {
    let added = alter(backend, table, &without_default(column));
    // What is left after the name is the type.
    let marker = format!("\"{}\"", column.get_column_name().replace('"', "\"\""));
    let data_type = added.rsplit_once(&marker).map_or("", |(_, data_type)| data_type);
    data_type.trim().to_owned()
}

/// Returns a column in the words of a catalog.
fn declared(table: &str, column: &ColumnDef) -> Column {
    let spec = column.get_column_spec();
    let column_name = column.get_column_name();
    let data_type = data_type(DbBackend::Sqlite, table, column);
    let mut declared = Column::new(column_name, data_type);
    declared.nullable = spec.nullable != Some(false);
    declared.default = spec
        .default
        .clone()
        .map(|default| written(DbBackend::Sqlite, default));
    declared
}
