//! Foreign keys on SQLite during a step: `DROP TABLE` deletes the rows of a table first, and where keys are enforced that
//! deletes or changes the rows that reference them (manual, "SQLite Foreign Key Support", 5).
//!
//! So keys are switched off for a step that drops a referenced table, and what it leaves behind is compared with what was
//! there before.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement};

use super::{ForeignKeys, StepError};

/// The most rows that an error names.
const NAMED_ROWS: usize = 5;

/// Rows of a table that reference rows that are not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenKeys {
    /// The table of the rows.
    pub table: String,
    /// The table that they reference.
    pub parent: String,
    /// The row ids; none of a table without row ids.
    pub rows: Vec<i64>,
    /// Number of rows, those without row ids included.
    pub count: usize,
}

/// The state of a database before a step for which keys are switched off.
#[derive(Debug)]
pub(super) struct KeyCheck {
    broken: Vec<BrokenKeys>,
    /// Each table with the page that it begins on.
    tables: BTreeSet<(String, i64)>,
}

/// What a step has done to a database for which keys were switched off.
#[derive(Debug)]
pub(super) struct Damage {
    /// The rows that reference nothing, where there are more than before.
    pub(super) broken: Vec<BrokenKeys>,
    /// Whether a table that was there before was dropped or renamed.
    pub(super) has_dropped: bool,
}

impl ForeignKeys {
    /// Returns whether keys have to be switched off for a step on this database.
    pub(super) async fn are_switched_off(&self, connection: &impl ConnectionTrait) -> Result<bool, DbErr> {
        let tables = match self {
            Self::Enforced => return Ok(false),
            Self::SwitchedOff | Self::Unknown => return Ok(true),
            Self::DroppedWith(tables) => tables,
        };
        let referenced = referenced_tables(connection).await?;
        Ok(tables
            .iter()
            .any(|table| referenced.contains(&table.to_lowercase())))
    }
}

impl KeyCheck {
    /// Looks at the database before a step.
    pub(super) async fn begin(connection: &impl ConnectionTrait) -> Result<Self, DbErr> {
        Ok(Self {
            broken: find_broken(connection).await?,
            tables: tables(connection).await?,
        })
    }

    /// Looks at it again after the step; nothing where no further rows reference nothing.
    pub(super) async fn damage(&self, connection: &impl ConnectionTrait) -> Result<Option<Damage>, DbErr> {
        let count_before = |keys: &BrokenKeys| {
            let same = |before: &&BrokenKeys| before.table == keys.table && before.parent == keys.parent;
            self.broken.iter().find(same).map_or(0, |before| before.count)
        };
        let broken: Vec<BrokenKeys> = find_broken(connection)
            .await?
            .into_iter()
            .filter(|keys| keys.count > count_before(keys))
            .collect();
        if broken.is_empty() {
            return Ok(None);
        }
        let has_dropped = !self.tables.is_subset(&tables(connection).await?);
        Ok(Some(Damage { broken, has_dropped }))
    }

    /// Fails where further rows reference nothing.
    pub(super) async fn refuse_damage(&self, connection: &impl ConnectionTrait) -> Result<(), StepError> {
        match self.damage(connection).await? {
            Some(damage) => Err(damage.into()),
            None => Ok(()),
        }
    }
}

impl From<Damage> for StepError {
    fn from(damage: Damage) -> Self {
        Self::ForeignKeys {
            broken: damage.broken,
        }
    }
}

/// Returns the names, in lower case, of tables that foreign keys of other tables reference.
async fn referenced_tables(connection: &impl ConnectionTrait) -> Result<BTreeSet<String>, DbErr> {
    let sql = "SELECT DISTINCT lower(k.\"table\") AS name FROM main.sqlite_schema t, pragma_foreign_key_list(t.name) k \
               WHERE t.type = 'table' AND lower(k.\"table\") <> lower(t.name)";
    let rows = rows(connection, sql).await?;
    rows.iter().map(|row| row.try_get("", "name")).collect()
}

async fn tables(connection: &impl ConnectionTrait) -> Result<BTreeSet<(String, i64)>, DbErr> {
    let sql = "SELECT name, rootpage FROM main.sqlite_schema WHERE type = 'table'";
    let pair = |row: &QueryResult| Ok((row.try_get("", "name")?, row.try_get("", "rootpage")?));
    rows(connection, sql).await?.iter().map(pair).collect()
}

/// Returns the rows that reference nothing, by table and parent.
async fn find_broken(connection: &impl ConnectionTrait) -> Result<Vec<BrokenKeys>, DbErr> {
    let mut found = BTreeMap::new();
    if let Ok(rows) = rows(connection, "PRAGMA main.foreign_key_check").await {
        collect(&rows, &mut found)?;
        return Ok(found.into_values().collect());
    }
    // A key whose parent columns are not unique fails the whole check: then each table is checked by itself.
    for (table, _) in tables(connection).await? {
        let check = format!(
            "PRAGMA main.foreign_key_check(\"{}\")",
            table.replace('"', "\"\"")
        );
        if let Ok(rows) = rows(connection, &check).await {
            collect(&rows, &mut found)?;
        }
    }
    Ok(found.into_values().collect())
}

fn collect(rows: &[QueryResult], found: &mut BTreeMap<(String, String), BrokenKeys>) -> Result<(), DbErr> {
    for row in rows {
        let (table, parent): (String, String) = (row.try_get("", "table")?, row.try_get("", "parent")?);
        let keys = found
            .entry((table.clone(), parent.clone()))
            .or_insert_with(|| BrokenKeys {
                table,
                parent,
                rows: Vec::new(),
                count: 0,
            });
        keys.count += 1;
        if keys.rows.len() < NAMED_ROWS {
            keys.rows.extend(row.try_get::<Option<i64>>("", "rowid")?);
        }
    }
    Ok(())
}

async fn rows(connection: &impl ConnectionTrait, sql: &str) -> Result<Vec<QueryResult>, DbErr> {
    connection
        .query_all_raw(Statement::from_string(DbBackend::Sqlite, sql))
        .await
}

impl fmt::Display for BrokenKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            table,
            parent,
            rows,
            count,
        } = self;
        let noun = if *count == 1 { "row" } else { "rows" };
        write!(formatter, "{count} {noun} of {table} without a row of {parent}")?;
        if rows.is_empty() {
            return Ok(());
        }
        let named: Vec<String> = rows.iter().map(ToString::to_string).collect();
        let more = if rows.len() < *count { ", ..." } else { "" };
        write!(formatter, " (rowid {}{more})", named.join(", "))
    }
}
