//! Constraints: added without a look at the rows, which is instant, and validated beside running reads and writes.

use sea_orm::sea_query::{
    Expr, ForeignKeyCreateStatement, IntoIden, PostgresQueryBuilder, Query, SqliteQueryBuilder, TableRef,
};
use sea_orm::{DbBackend, DbErr};
use sea_orm_migration::SchemaManager;

use super::OnlineError;
use super::index::{self, NewIndex, drop_index};
use super::name::{found, name, text};
use super::partitions::{self, Reference};
use super::rebuild;
use super::site::Site;
use crate::autogenerate::Operation;
use crate::catalog::{Action, Check, ForeignKey, Table};
use crate::session::dialect_of;
use crate::sql::Dialect;

/// A constraint that is there.
struct Known {
    kind: String,
    is_valid: bool,
}

/// A constraint that is to be there for all rows.
struct Wanted<'a> {
    table: &'a str,
    constraint: &'a str,
    /// PostgreSQL's letter for its kind.
    kind: &'static str,
    /// The statement that adds it without a look at the rows.
    add: &'a str,
    /// What holds, for people.
    rule: &'a str,
    /// The condition of rows that break it.
    broken: &'a str,
}

/// Adds a check that all rows fulfil, unless it is there.
///
/// On PostgreSQL it is added `NOT VALID` and validated in a transaction of its own. On SQLite the table is built again.
///
/// ```
/// # use sea_orm_migration::prelude::*;
/// # use seaworthy::online;
/// # async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
/// let is_known = Expr::col("priority").is_in(["low", "medium", "high"]);
/// online::add_check(manager, "tasks", "tasks_priority_check", is_known).await
/// # }
/// ```
///
/// # Errors
///
/// Fails inside of a transaction on PostgreSQL, when rows break it, and when the database refuses.
pub async fn add_check(
    manager: &SchemaManager<'_>,
    table: impl IntoIden,
    constraint: impl IntoIden,
    condition: impl Into<Expr>,
) -> Result<(), DbErr> {
    let site = Site::of(manager);
    let (table, constraint) = (table.into_iden().inner(), constraint.into_iden().inner());
    let condition = written(site.backend(), condition.into());
    let rule = format!("the check {constraint} ({condition})");
    let broken = format!("NOT ({condition})");
    if dialect_of(site.backend()) != Dialect::Postgresql {
        let operation = Operation::AddCheck {
            table: table.clone().into_owned(),
            check: Check::new(Some(&constraint), condition),
        };
        let has = |table: &Table| {
            let mut names = table.checks.iter().map(|check| check.name.as_deref());
            Ok(names.any(|name| name == Some(&constraint)))
        };
        return rebuild::unless(&site, &table, has, Some((&rule, &broken)), operation).await;
    }
    site.outside_of_transactions("online::add_check")?;
    let add = format!(
        "ALTER TABLE {} ADD CONSTRAINT {} CHECK ({condition}) NOT VALID",
        name(&table),
        name(&constraint)
    );
    add_and_validate(
        &site,
        &Wanted {
            table: &table,
            constraint: &constraint,
            kind: "c",
            add: &add,
            rule: &rule,
            broken: &broken,
        },
    )
    .await
}

/// Adds a foreign key that all rows fulfil, unless it is there.
///
/// On PostgreSQL it is added `NOT VALID` and validated in a transaction of its own; on a partitioned table that is done for each
/// partition. On SQLite the table is built again. What
/// refers wants an index of its own: see [`create_index`](super::create_index).
///
/// ```
/// # use sea_orm_migration::prelude::*;
/// # use seaworthy::online;
/// # async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
/// let owner = ForeignKey::create()
///     .name("tasks_user_id_fkey")
///     .from("tasks", "user_id")
///     .to("users", "id")
///     .on_delete(ForeignKeyAction::Cascade)
///     .to_owned();
/// online::add_foreign_key(manager, owner).await
/// # }
/// ```
///
/// # Errors
///
/// Fails inside of a transaction on PostgreSQL, when it has no name, when rows refer to nothing, and when the database
/// refuses.
pub async fn add_foreign_key(
    manager: &SchemaManager<'_>,
    foreign_key: impl Into<ForeignKeyCreateStatement>,
) -> Result<(), DbErr> {
    let site = Site::of(manager);
    let statement = foreign_key.into();
    let unnamed = || OnlineError::Unnamed {
        what: "a foreign key",
    };
    let key = statement.get_foreign_key();
    let constraint = key.get_name().ok_or_else(unnamed)?.to_owned();
    let (table, parent) = (plain(key.get_table()), plain(key.get_ref_table()));
    let (columns, parents) = (key.get_columns(), key.get_ref_columns());
    let rule = format!(
        "the foreign key {constraint} to {parent} ({})",
        parents.join(", ")
    );
    let broken = no_parent(&columns, &parent, &parents);
    if dialect_of(site.backend()) != Dialect::Postgresql {
        let foreign_key = ForeignKey {
            name: Some(constraint.clone()),
            on_delete: action(key.get_on_delete()),
            on_update: action(key.get_on_update()),
            ..ForeignKey::new(columns, parent, parents)
        };
        let operation = Operation::AddForeignKey {
            table: table.clone(),
            foreign_key,
        };
        let has = |table: &Table| {
            let mut names = table.foreign_keys.iter().map(|key| key.name.as_deref());
            Ok(names.any(|name| name == Some(&constraint)))
        };
        return rebuild::unless(&site, &table, has, Some((&rule, &broken)), operation).await;
    }
    site.outside_of_transactions("online::add_foreign_key")?;
    let add = statement.to_string(PostgresQueryBuilder);
    if partitions::is_partitioned(&site, &name(&table)).await? {
        let reference = Reference {
            table: &table,
            constraint: &constraint,
            clause: add
                .split_once(" ADD CONSTRAINT ")
                .map_or("", |(_, clause)| clause),
            rule: (&rule, &broken),
        };
        return partitions::add_reference(&site, &reference).await;
    }
    let add = format!("{add} NOT VALID");
    add_and_validate(
        &site,
        &Wanted {
            table: &table,
            constraint: &constraint,
            kind: "f",
            add: &add,
            rule: &rule,
            broken: &broken,
        },
    )
    .await
}

/// Makes columns unique together, unless they are.
///
/// On PostgreSQL a unique index is built `CONCURRENTLY`, which the constraint then takes over; on a partitioned table that is
/// done for each partition. On SQLite a unique index does
/// for the constraint.
///
/// ```
/// # use sea_orm_migration::prelude::*;
/// # use seaworthy::online;
/// # async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
/// online::add_unique(manager, "tags", "tags_user_id_name_key", ["user_id", "name"]).await
/// # }
/// ```
///
/// # Errors
///
/// Fails inside of a transaction on PostgreSQL, when values are there twice, and when the database refuses.
pub async fn add_unique<C: IntoIden>(
    manager: &SchemaManager<'_>,
    table: impl IntoIden,
    constraint: impl IntoIden,
    columns: impl IntoIterator<Item = C>,
) -> Result<(), DbErr> {
    let site = Site::of(manager);
    let (table, constraint) = (table.into_iden().inner(), constraint.into_iden().inner());
    let columns: Vec<String> = columns
        .into_iter()
        .map(|column| name(&column.into_iden().inner()))
        .collect();
    let (table_name, constraint_name) = (name(&table), name(&constraint));
    let index = NewIndex::from(format!(
        "CREATE UNIQUE INDEX {constraint_name} ON {table_name} ({})",
        columns.join(", ")
    ));
    if dialect_of(site.backend()) != Dialect::Postgresql {
        return index::build(&site, "online::add_unique", &index).await;
    }
    site.outside_of_transactions("online::add_unique")?;
    if partitions::is_partitioned(&site, &table_name).await? {
        return index::build_constraint(&site, &index).await;
    }
    if Known::find(&site, &table, &constraint).await?.is_some() {
        return Ok(());
    }
    index::build(&site, "online::add_unique", &index).await?;
    site.briefly(&format!(
        "ALTER TABLE {table_name} ADD CONSTRAINT {constraint_name} UNIQUE USING INDEX {constraint_name}"
    ))
    .await
}

/// Drops a check, a foreign key or a unique constraint; nothing happens when it is not there.
///
/// # Errors
///
/// Fails when something depends on it, and when the database refuses.
pub async fn drop_constraint(
    manager: &SchemaManager<'_>,
    table: impl IntoIden,
    constraint: impl IntoIden,
) -> Result<(), DbErr> {
    let site = Site::of(manager);
    let (table, constraint) = (table.into_iden().inner(), constraint.into_iden().inner());
    if dialect_of(site.backend()) == Dialect::Postgresql {
        if Known::find(&site, &table, &constraint).await?.is_none() && !site.is_recording() {
            return Ok(());
        }
        let (table, constraint) = (name(&table), name(&constraint));
        return site
            .briefly(&format!(
                "ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {constraint}"
            ))
            .await;
    }
    if rebuild::drop_constraint(&site, &table, &constraint).await? {
        return Ok(());
    }
    drop_index(manager, constraint.into_owned()).await
}

/// Adds a constraint without a look at the rows, then has them looked at.
async fn add_and_validate(site: &Site<'_>, wanted: &Wanted<'_>) -> Result<(), DbErr> {
    let known = Known::find(site, wanted.table, wanted.constraint).await?;
    match &known {
        Some(known) if known.kind != wanted.kind => {
            return Err(OnlineError::NameTaken {
                name: wanted.constraint.to_owned(),
                found: format!("another kind of constraint on {}", wanted.table),
            }
            .into());
        }
        Some(known) if known.is_valid => return Ok(()),
        _ => {}
    }
    // Before it holds for new rows: a revision that fails should not have stopped anybody from writing.
    site.refuse_offenders(wanted.table, wanted.rule, wanted.broken)
        .await?;
    if known.is_none() {
        site.briefly(wanted.add).await?;
    }
    let validated = site
        .patiently(&format!(
            "ALTER TABLE {} VALIDATE CONSTRAINT {}",
            name(wanted.table),
            name(wanted.constraint)
        ))
        .await;
    match validated {
        Err(error) => {
            site.refuse_offenders(wanted.table, wanted.rule, wanted.broken)
                .await?;
            Err(error)
        }
        done => done,
    }
}

impl Known {
    async fn find(site: &Site<'_>, table: &str, constraint: &str) -> Result<Option<Self>, DbErr> {
        let sql = format!(
            "SELECT contype::text AS kind, convalidated AS is_valid FROM pg_constraint WHERE conrelid = {} AND conname = {}",
            found(&name(table)),
            text(constraint)
        );
        let Some(row) = site.row(&sql).await? else {
            return Ok(None);
        };
        Ok(Some(Self {
            kind: row.try_get("", "kind")?,
            is_valid: row.try_get("", "is_valid")?,
        }))
    }
}

/// Returns the condition of rows that refer to a row which is not there.
fn no_parent(columns: &[String], parent: &str, parents: &[String]) -> String {
    let set: Vec<String> = columns
        .iter()
        .map(|column| format!("this.{} IS NOT NULL", name(column)))
        .collect();
    let same: Vec<String> = columns
        .iter()
        .zip(parents)
        .map(|(column, parent)| format!("parent.{} = this.{}", name(parent), name(column)))
        .collect();
    format!(
        "{} AND NOT EXISTS (SELECT 1 FROM {} AS parent WHERE {})",
        set.join(" AND "),
        name(parent),
        same.join(" AND ")
    )
}

/// Returns an expression as SQL.
pub(super) fn written(backend: DbBackend, expression: Expr) -> String {
    let select = Query::select().expr(expression).to_owned();
    let sql = match dialect_of(backend) {
        Dialect::Postgresql => select.to_string(PostgresQueryBuilder),
        Dialect::Sqlite => select.to_string(SqliteQueryBuilder),
    };
    sql.strip_prefix("SELECT ").unwrap_or(&sql).to_owned()
}

fn plain(table: Option<&TableRef>) -> String {
    match table {
        Some(TableRef::Table(table, _)) => table.1.inner().into_owned(),
        _ => String::new(),
    }
}

fn action(action: Option<sea_orm::sea_query::ForeignKeyAction>) -> Action {
    use sea_orm::sea_query::ForeignKeyAction as Wanted;
    match action {
        Some(Wanted::Restrict) => Action::Restrict,
        Some(Wanted::Cascade) => Action::Cascade,
        Some(Wanted::SetNull) => Action::SetNull,
        Some(Wanted::SetDefault) => Action::SetDefault,
        _ => Action::NoAction,
    }
}
