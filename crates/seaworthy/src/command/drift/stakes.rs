//! What rows say about operations before they run.

use sea_orm::DbErr;
use serde::Serialize;

use crate::autogenerate::{Operation, Risk};
use crate::catalog::Catalog;
use crate::catalog::expression::quoted;
use crate::command::CommandError;
use crate::session::Session;

/// Counting stops here.
const COUNTED: i64 = 100_000;

/// What the live database says about an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stake {
    /// The place of the operation in the list.
    pub operation: usize,
    /// What was counted.
    pub counted: Counted,
    /// How many; counting stops above 100,000.
    pub rows: i64,
}

/// What is counted before an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Rows of a table, all of which go.
    RowsLost,
    /// Rows in which a column that goes holds something.
    ValuesLost,
    /// Rows in which a column that may no longer be NULL is.
    Nulls,
    /// Groups of rows that agree where no two may.
    Duplicates,
    /// Rows of a table that gets a column which demands a value.
    RowsWithoutValue,
}

/// Asks a database what operations would cost; the catalog is its own.
pub(super) async fn stakes(
    session: &Session,
    live: &Catalog,
    operations: &[Operation],
) -> Result<Vec<Stake>, CommandError> {
    let mut stakes = Vec::new();
    for (place, operation) in operations.iter().enumerate() {
        let Some((counted, sql)) = question(live, operation, operations) else {
            continue;
        };
        let rows = count(session, &sql).await.map_err(|source| CommandError::Query {
            action: "count the rows at stake",
            source: source.into(),
        })?;
        if rows > 0 {
            stakes.push(Stake {
                operation: place,
                counted,
                rows,
            });
        }
    }
    Ok(stakes)
}

/// Returns what to count before an operation, by the names that tables and columns have before all of them.
fn question(live: &Catalog, operation: &Operation, all: &[Operation]) -> Option<(Counted, String)> {
    if operation.risk() == Risk::None {
        return None;
    }
    let old_table = |table: &str| {
        all.iter()
            .find_map(|other| match other {
                Operation::RenameTable { from, to } if to == table => Some(from.clone()),
                _ => None,
            })
            .unwrap_or_else(|| table.to_owned())
    };
    let table = old_table(operation.table()?);
    let known = live.table(&table)?;
    let old_column = |column: &str| {
        let before = all.iter().find_map(|other| match other {
            Operation::RenameColumn { table: of, from, to } if to == column && old_table(of) == table => {
                Some(from.as_str())
            }
            _ => None,
        });
        let name = before.unwrap_or(column);
        known.column(name).map(|_| quoted(name))
    };
    let rows = |condition: String| {
        format!(
            "SELECT 1 FROM {}{condition} LIMIT {}",
            quoted(&table),
            COUNTED + 1
        )
    };
    let groups = |columns: Option<Vec<String>>| {
        let columns = columns?;
        let present: Vec<String> = columns
            .iter()
            .map(|column| format!("{column} IS NOT NULL"))
            .collect();
        let condition = present.join(" AND ");
        let columns = columns.join(", ");
        Some(rows(format!(
            " WHERE {condition} GROUP BY {columns} HAVING count(*) > 1"
        )))
    };
    Some(match operation {
        Operation::DropTable { .. } => (Counted::RowsLost, rows(String::new())),
        Operation::DropColumn { column, .. } => (
            Counted::ValuesLost,
            rows(format!(" WHERE {} IS NOT NULL", old_column(&column.name)?)),
        ),
        Operation::AlterNullable { column, .. } => (
            Counted::Nulls,
            rows(format!(" WHERE {} IS NULL", old_column(column)?)),
        ),
        Operation::AddColumn { .. } => (Counted::RowsWithoutValue, rows(String::new())),
        Operation::AddUnique { unique, .. } => (
            Counted::Duplicates,
            groups(unique.columns.iter().map(|column| old_column(column)).collect())?,
        ),
        Operation::AddIndex { index, .. } => (
            Counted::Duplicates,
            groups(index.as_unique_columns()?.into_iter().map(old_column).collect())?,
        ),
        _ => return None,
    })
}

async fn count(session: &Session, sql: &str) -> Result<i64, DbErr> {
    let rows = session
        .rows(&format!("SELECT count(*) AS counted FROM ({sql}) AS found"))
        .await?;
    rows.first().map_or(Ok(0), |row| row.try_get("", "counted"))
}
