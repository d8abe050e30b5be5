//! What a command would destroy, with what the live database says about it.

use std::collections::BTreeSet;
use std::fmt;

use sea_orm::{DbBackend, DbErr};
use serde::Serialize;

use super::CommandError;
use crate::script::{Loss, Losses};
use crate::session::{Fault, Session};

/// Counting stops here: more rows than this are "more than".
pub(super) const COUNTED: i64 = 100_000;

/// What a command would destroy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stakes {
    /// Tables and columns that hold something.
    pub losses: Vec<CountedLoss>,
    /// Statements that may destroy something which this tool does not understand.
    pub unclear: Vec<String>,
    /// Rows of the applied set that would be forgotten.
    pub version_rows: usize,
    /// The schema that would lose everything in it, whether it has rows or not; on PostgreSQL.
    pub emptied_schema: Option<String>,
    /// What else would go: things of other schemas that hold no rows, and tables whose rows cannot be counted.
    pub uncounted: Vec<String>,
}

/// A table or column that would go, and how many rows of it hold something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CountedLoss {
    /// What would go.
    #[serde(flatten)]
    pub loss: Loss,
    /// Rows of the table, or rows in which the column has a value; counting stops at 100,000.
    pub rows: i64,
}

impl Stakes {
    /// Counts what is at stake.
    pub(super) async fn count(session: &Session, losses: Losses) -> Result<Self, CommandError> {
        let mut counted = Vec::new();
        let mut known = losses.known;
        for (table, kept) in losses.rebuilt {
            known.extend(left_out(session, &table, &kept).await.map_err(uncounted)?);
        }
        for loss in known {
            let rows = count(session, &loss).await.map_err(uncounted)?;
            if rows > 0 {
                counted.push(CountedLoss { loss, rows });
            }
        }
        Ok(Self {
            losses: counted,
            unclear: losses.unclear,
            ..Self::default()
        })
    }

    /// Returns whether nothing would be lost.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.losses.is_empty()
            && self.unclear.is_empty()
            && self.version_rows == 0
            && self.uncounted.is_empty()
    }
}

impl fmt::Display for Stakes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = self.losses.iter().map(ToString::to_string).collect();
        if let Some(schema) = &self.emptied_schema {
            let other = if parts.is_empty() { "" } else { " else" };
            parts.push(format!("everything{other} in schema {schema}"));
        }
        parts.extend(self.uncounted.iter().cloned());
        match self.version_rows {
            0 => {}
            1 => parts.push("the record that 1 revision is applied".to_owned()),
            rows => parts.push(format!("the record that {rows} revisions are applied")),
        }
        match self.unclear.as_slice() {
            [] => {}
            [one] => parts.push(format!("what this statement removes: {one}")),
            [one, rest @ ..] => {
                parts.push(format!(
                    "what these statements remove: {one} (and {} more)",
                    rest.len()
                ));
            }
        }
        formatter.write_str(&parts.join(", "))
    }
}

impl fmt::Display for CountedLoss {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = match self.rows {
            1 => "1 row".to_owned(),
            rows if rows > COUNTED => "more than 100,000 rows".to_owned(),
            rows => format!("{rows} rows"),
        };
        match &self.loss {
            Loss::Table { table } => write!(formatter, "table {table} ({rows})"),
            Loss::Column { table, column } => write!(formatter, "column {table}.{column} ({rows})"),
        }
    }
}

fn uncounted(source: DbErr) -> CommandError {
    CommandError::Query {
        action: "count the rows at stake",
        source: source.into(),
    }
}

/// Returns the columns that a table has and will not have when it is built again, which is done on SQLite only.
async fn left_out(session: &Session, table: &str, kept: &BTreeSet<String>) -> Result<Vec<Loss>, DbErr> {
    if session.backend() != DbBackend::Sqlite {
        let table = table.to_owned();
        return Ok(vec![Loss::Table { table }]);
    }
    let literal = table.replace('\'', "''");
    let sql = format!("SELECT name FROM pragma_table_info('{literal}')");
    let mut losses = Vec::new();
    for row in session.rows(&sql).await? {
        let column: String = row.try_get("", "name")?;
        if !kept.iter().any(|name| name.eq_ignore_ascii_case(&column)) {
            let table = table.to_owned();
            losses.push(Loss::Column { table, column });
        }
    }
    Ok(losses)
}

async fn count(session: &Session, loss: &Loss) -> Result<i64, DbErr> {
    let (table, condition) = match loss {
        Loss::Table { table } => (table, String::new()),
        Loss::Column { table, column } => (table, format!(" WHERE {} IS NOT NULL", quoted(column))),
    };
    let table: Vec<String> = table.split('.').map(quoted).collect();
    let limit = COUNTED + 1;
    let sql = format!(
        "SELECT count(*) AS rows_at_stake FROM (SELECT 1 FROM {}{condition} LIMIT {limit}) AS counted",
        table.join(".")
    );
    match session.rows(&sql).await {
        Ok(rows) => rows.first().map_or(Ok(0), |row| row.try_get("", "rows_at_stake")),
        // `DROP TABLE IF EXISTS` and the like may name what is not there.
        Err(error) if matches!(Fault::of(&error), Fault::UndefinedTable | Fault::AlreadyDone) => Ok(0),
        Err(error) => Err(error),
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
