//! What a schema holds, what would go with it elsewhere, and how many rows that is.
//!
//! Reads only. PostgreSQL's part is `postgres.sql`; of SQLite, a file is the schema.

use sea_orm::{DbErr, QueryResult};

use crate::catalog::ddl::text;
use crate::command::stakes::{COUNTED, CountedLoss, Loss, Stakes};
use crate::session::{Session, dialect_of};
use crate::sql::{Dialect, quoted};

const POSTGRES: &str = include_str!("postgres.sql");

/// Everything that goes when a schema is emptied.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Inventory {
    /// The name of the schema, on PostgreSQL.
    pub(super) schema: Option<String>,
    /// What goes, in the order in which SQLite drops it; PostgreSQL needs none.
    things: Vec<Thing>,
}

#[derive(Debug, PartialEq, Eq)]
struct Thing {
    /// The statement that drops it; none for what goes with something else.
    statement: Option<String>,
    /// What it is, where it stands in another schema.
    outside: Option<String>,
    /// Whose rows go with it.
    rows: Option<Rows>,
}

#[derive(Debug, PartialEq, Eq)]
struct Rows {
    of: Loss,
    /// What stands behind FROM.
    source: String,
    /// Whether the role would count other rows than there are, or none.
    is_hidden: bool,
}

impl Inventory {
    /// Reads what the first schema of the search path holds, apart from these tables and what extensions own.
    pub(super) async fn read(session: &Session, kept: &[&str]) -> Result<Self, DbErr> {
        let kept: Vec<String> = kept.iter().map(|name| text(name)).collect();
        let kept = kept.join(", ");
        if dialect_of(session.backend()) != Dialect::Postgresql {
            return Self::read_sqlite(session, &kept).await;
        }
        let schema = session.rows("SELECT current_schema()::text AS name").await?;
        let schema = schema.first().map(|row| row.try_get("", "name")).transpose()?;
        // A query over system tables looks dear to the planner, which then compiles it for longer than it runs. Both
        // statements are one message and therefore one transaction.
        let sql = format!("SET LOCAL jit TO off; {}", POSTGRES.replace("/* kept */", &kept));
        let rows = session.rows(&sql).await?;
        let things = rows.iter().map(Thing::from_row).collect::<Result<_, _>>()?;
        Ok(Self { schema, things })
    }

    async fn read_sqlite(session: &Session, kept: &str) -> Result<Self, DbErr> {
        // What belongs to a virtual table, its shadow, goes with it; so do indexes and triggers.
        let sql = format!(
            "SELECT name, type = 'view' AS is_view FROM pragma_table_list WHERE schema = 'main' \
             AND type IN ('table', 'view', 'virtual') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
             AND name NOT IN ({kept}) ORDER BY is_view DESC, name"
        );
        let thing = |row: &QueryResult| {
            let name: String = row.try_get("", "name")?;
            let source = quoted(&name);
            let is_view: bool = row.try_get("", "is_view")?;
            let kind = if is_view { "VIEW" } else { "TABLE" };
            Ok(Thing {
                statement: Some(format!("DROP {kind} IF EXISTS {source}")),
                outside: None,
                rows: (!is_view).then_some(Rows {
                    of: Loss::Table { table: name },
                    source,
                    is_hidden: false,
                }),
            })
        };
        Ok(Self {
            schema: None,
            things: session
                .rows(&sql)
                .await?
                .iter()
                .map(thing)
                .collect::<Result<_, DbErr>>()?,
        })
    }

    /// Returns the statements that drop everything, one in a line.
    pub(super) fn drop_sql(&self) -> String {
        let statements = self.things.iter().filter_map(|thing| thing.statement.as_ref());
        statements.map(|statement| format!("{statement};\n")).collect()
    }

    /// Counts the rows that would go, and names what else stands in other schemas.
    pub(super) async fn stakes(&self, session: &Session) -> Result<Stakes, DbErr> {
        let mut stakes = Stakes {
            emptied_schema: self.schema.clone(),
            ..Stakes::default()
        };
        for thing in &self.things {
            match &thing.rows {
                Some(rows) if rows.is_hidden => stakes.uncounted.push(rows.hidden()),
                Some(rows) => match rows.count(session).await? {
                    0 => stakes.uncounted.extend(thing.outside.clone()),
                    counted => stakes.losses.push(CountedLoss {
                        loss: rows.of.clone(),
                        rows: counted,
                    }),
                },
                None => stakes.uncounted.extend(thing.outside.clone()),
            }
        }
        Ok(stakes)
    }
}

impl Thing {
    fn from_row(row: &QueryResult) -> Result<Self, DbErr> {
        let table: Option<String> = row.try_get("", "holder")?;
        let column: Option<String> = row.try_get("", "attribute")?;
        let rows = match (table, column) {
            (None, _) => None,
            (Some(table), None) => Some(Loss::Table { table }),
            (Some(table), Some(column)) => Some(Loss::Column { table, column }),
        };
        let rows = rows.map(|of| {
            Ok::<_, DbErr>(Rows {
                of,
                source: row.try_get("", "source")?,
                is_hidden: row.try_get("", "is_hidden")?,
            })
        });
        Ok(Self {
            statement: row.try_get("", "statement")?,
            outside: row.try_get("", "outside")?,
            rows: rows.transpose()?,
        })
    }
}

impl Rows {
    async fn count(&self, session: &Session) -> Result<i64, DbErr> {
        let sql = format!(
            "SELECT count(*) AS rows_at_stake FROM (SELECT 1 FROM {} LIMIT {}) AS counted",
            self.source,
            COUNTED + 1
        );
        let rows = session.rows(&sql).await?;
        rows.first().map_or(Ok(0), |row| row.try_get("", "rows_at_stake"))
    }

    fn hidden(&self) -> String {
        format!("{} (rows that this role cannot see)", self.of.what())
    }
}
