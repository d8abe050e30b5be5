//! Partitioned tables of PostgreSQL: what has to be on each partition is made there beside reads and writes, then put together.
//!
//! The manual's way ("Table Partitioning", 5.12.2.2): first on the parent alone, which holds no rows; then on each partition,
//! concurrently; then the one is attached to the other, which takes an instant. The parent's counts when all are attached.

use sea_orm::DbErr;

use super::OnlineError;
use super::index::{BUILDS, Built, Parts, build_beside};
use super::name::{found, joined_distinctly, name, text};
use super::rebuild::Rule;
use super::site::Site;
use crate::catalog::expression::quoted;
use crate::session::Fault;

/// What is wanted on all partitions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An index.
    Index,
    /// A unique constraint, which each partition has as well.
    Unique,
}

/// A table that holds a part of the rows of another.
struct Partition {
    schema: String,
    table: String,
    is_partitioned: bool,
}

/// A foreign key that a partitioned table is to have.
pub(super) struct Reference<'a> {
    pub(super) table: &'a str,
    pub(super) constraint: &'a str,
    /// From the name of the constraint to the end.
    pub(super) clause: &'a str,
    /// What it demands of rows, and the condition of those that do not fulfil it.
    pub(super) rule: Rule<'a>,
}

/// Returns whether a table is partitioned, by its name as SQL; nobody knows while somebody records.
pub(super) async fn is_partitioned(site: &Site<'_>, table: &str) -> Result<bool, DbErr> {
    is_of_kind(site, table, 'p').await
}

/// Returns whether an index consists of those of partitions, by its name as SQL.
pub(super) async fn is_partitioned_index(site: &Site<'_>, index: &str) -> Result<bool, DbErr> {
    is_of_kind(site, index, 'I').await
}

async fn is_of_kind(site: &Site<'_>, relation: &str, kind: char) -> Result<bool, DbErr> {
    let sql = format!(
        "SELECT 1 AS found FROM pg_class WHERE oid = {} AND relkind = '{kind}'",
        found(relation)
    );
    Ok(site.row(&sql).await?.is_some())
}

/// Makes an index or a unique constraint on a partitioned table, unless it is there.
pub(super) async fn build(site: &Site<'_>, kind: Kind, parts: &Parts<'_>) -> Result<(), DbErr> {
    let built = build_all(site, kind, parts).await;
    if let Err(error) = &built
        && parts.is_unique()
        && !may_go_on(error)
        && let Err(left) = site.briefly(&kind.removal(parts)).await
    {
        tracing::warn!(error = %left, index = parts.full_name(), "what was built on partitions could not be dropped");
    }
    built
}

/// Partitions may come while others are built: they are looked for until none is left.
async fn build_all(site: &Site<'_>, kind: Kind, parts: &Parts<'_>) -> Result<(), DbErr> {
    for _ in 0..BUILDS {
        match Built::find(site, parts).await? {
            Some(built) => built.refuse_other(parts)?,
            None => site.briefly(&kind.on_parent_alone(parts)).await?,
        }
        for partition in Partition::without_index(site, parts).await? {
            build_on(site, kind, parts, &partition).await?;
        }
        if Built::find(site, parts)
            .await?
            .is_some_and(|built| built.is_valid())
        {
            return Ok(());
        }
    }
    Err(OnlineError::NotBuilt {
        index: parts.full_name(),
    }
    .into())
}

async fn build_on(
    site: &Site<'_>,
    kind: Kind,
    parent: &Parts<'_>,
    partition: &Partition,
) -> Result<(), DbErr> {
    let index = joined_distinctly(&[&partition.table, &parent.index_name()], "idx");
    let statement = parent.on_table(&quoted(&index), &partition.full_name());
    let own = Parts::read(&statement)?;
    if partition.is_partitioned {
        Box::pin(build_all(site, kind, &own)).await?;
    } else {
        build_beside(site, &own).await?;
        if kind == Kind::Unique && !has_constraint(site, &partition.full_name(), &index).await? {
            site.briefly(&format!(
                "ALTER TABLE {} ADD CONSTRAINT {index} UNIQUE USING INDEX {index}",
                partition.full_name(),
                index = quoted(&index)
            ))
            .await?;
        }
    }
    let (parent, own) = (parent.full_name(), own.full_name());
    site.briefly(&format!("ALTER INDEX {parent} ATTACH PARTITION {own}"))
        .await
}

/// Adds a foreign key to a partitioned table, unless it is there. One that is not valid yet is not allowed there (up to version
/// 18), so each partition gets and validates its own; the parent's takes them over and looks at no row (manual, "CREATE TABLE",
/// `PARTITION OF`).
pub(super) async fn add_reference(site: &Site<'_>, reference: &Reference<'_>) -> Result<(), DbErr> {
    let table = name(reference.table);
    if has_constraint(site, &table, reference.constraint).await? {
        return Ok(());
    }
    let (rule, broken) = reference.rule;
    site.refuse_offenders(reference.table, rule, broken).await?;
    for leaf in Partition::leaves(site, &table).await? {
        let leaf = leaf.full_name();
        if !has_constraint(site, &leaf, reference.constraint).await? {
            site.briefly(&format!(
                "ALTER TABLE {leaf} ADD CONSTRAINT {} NOT VALID",
                reference.clause
            ))
            .await?;
        }
        site.patiently(&format!(
            "ALTER TABLE {leaf} VALIDATE CONSTRAINT {}",
            name(reference.constraint)
        ))
        .await?;
    }
    site.briefly(&format!(
        "ALTER TABLE {table} ADD CONSTRAINT {}",
        reference.clause
    ))
    .await
}

async fn has_constraint(site: &Site<'_>, table: &str, constraint: &str) -> Result<bool, DbErr> {
    let sql = format!(
        "SELECT 1 AS found FROM pg_constraint WHERE conrelid = {} AND conname = {}",
        found(table),
        text(constraint)
    );
    Ok(site.row(&sql).await?.is_some())
}

/// Whether the next run is to go on where this one ended: what was built refuses no row that it should not.
fn may_go_on(error: &DbErr) -> bool {
    matches!(
        Fault::of(error),
        Fault::ConnectionLost | Fault::AlreadyDone | Fault::UndefinedTable | Fault::LockNotGranted
    )
}

impl Kind {
    fn on_parent_alone(self, parts: &Parts<'_>) -> String {
        match self {
            Self::Index => parts.on_parent_alone(),
            Self::Unique => parts.unique_on_parent_alone(),
        }
    }

    fn removal(self, parts: &Parts<'_>) -> String {
        match self {
            Self::Index => format!("DROP INDEX IF EXISTS {}", parts.full_name()),
            Self::Unique => parts.without_constraint(),
        }
    }
}

impl Partition {
    /// Returns the partitions next below a table whose index has none of theirs yet.
    async fn without_index(site: &Site<'_>, parent: &Parts<'_>) -> Result<Vec<Self>, DbErr> {
        let sql = format!(
            "SELECT n.nspname::text AS schema_name, c.relname::text AS table_name, c.relkind = 'p' AS is_partitioned \
             FROM pg_index i JOIN pg_inherits below ON below.inhparent = i.indrelid \
             JOIN pg_class c ON c.oid = below.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE i.indexrelid = {} AND NOT EXISTS (SELECT 1 FROM pg_inherits attached \
             JOIN pg_index own ON own.indexrelid = attached.inhrelid \
             WHERE attached.inhparent = i.indexrelid AND own.indrelid = c.oid) ORDER BY c.oid",
            found(&parent.full_name())
        );
        Self::read(site, &sql).await
    }

    /// Returns the partitions of a table that hold rows themselves.
    async fn leaves(site: &Site<'_>, table: &str) -> Result<Vec<Self>, DbErr> {
        let sql = format!(
            "SELECT n.nspname::text AS schema_name, c.relname::text AS table_name, false AS is_partitioned \
             FROM pg_partition_tree({}) AS tree JOIN pg_class c ON c.oid = tree.relid \
             JOIN pg_namespace n ON n.oid = c.relnamespace WHERE tree.isleaf AND c.relkind = 'r' ORDER BY c.oid",
            found(table)
        );
        Self::read(site, &sql).await
    }

    async fn read(site: &Site<'_>, sql: &str) -> Result<Vec<Self>, DbErr> {
        let rows = site.rows(sql).await?;
        let partitions = rows.iter().map(|row| {
            Ok(Self {
                schema: row.try_get("", "schema_name")?,
                table: row.try_get("", "table_name")?,
                is_partitioned: row.try_get("", "is_partitioned")?,
            })
        });
        partitions.collect()
    }

    fn full_name(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.table))
    }
}
