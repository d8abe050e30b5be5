//! The rows that a validation stumbled over, by their keys: the server says that there are some, not which.

use sea_orm::DbBackend;

use super::{DatabaseError, Session};
use crate::sql::literal;

/// How many rows are worth naming.
const FIRST: u32 = 5;

/// The first rows that break a constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offenders {
    /// Their table.
    pub table: String,
    /// The constraint.
    pub constraint: String,
    /// Their keys: `id=7`; `ctid=(0,7)` where the table has none.
    pub keys: Vec<String>,
}

impl Session {
    /// Returns the rows that an error is about: of a check or a foreign key that is there and not valid; on PostgreSQL.
    pub(crate) async fn offenders(&self, error: &DatabaseError) -> Option<Offenders> {
        if self.backend() != DbBackend::Postgres {
            return None;
        }
        let (table, constraint) = error.broken_constraint()?;
        let definition = self.rows(&definition(&table, &constraint)).await.ok()?;
        let row = definition.first()?;
        let column = |name: &str| row.try_get::<Option<String>>("", name).ok().flatten();
        let (child, keys) = (column("child")?, column("keys")?);
        let breaks = match (
            column("expression"),
            column("parent"),
            column("joined"),
            column("filled"),
        ) {
            (Some(expression), ..) => format!("NOT ({expression})"),
            (None, Some(parent), Some(joined), Some(filled)) => {
                format!("{filled} AND NOT EXISTS (SELECT FROM {parent} AS parent WHERE {joined})")
            }
            _ => return None,
        };
        let sql = format!(
            "SELECT concat_ws(', ', {keys}) AS key FROM {child} AS child WHERE {breaks} LIMIT {FIRST}"
        );
        let rows = self.rows(&sql).await.ok()?;
        let keys: Vec<String> = rows
            .iter()
            .filter_map(|row| row.try_get("", "key").ok())
            .collect();
        (!keys.is_empty()).then_some(Offenders {
            table: child,
            constraint,
            keys,
        })
    }
}

/// Returns the query for what a constraint says and by which columns rows of its table are told apart.
fn definition(table: &str, constraint: &str) -> String {
    let named =
        |pattern: &str, from: &str| format!("(SELECT string_agg(format({pattern}), ' AND ') FROM {from})");
    let own = "JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.own";
    format!(
        "SELECT c.conrelid::regclass::text AS child, c.confrelid::regclass::text AS parent, \
         pg_get_expr(c.conbin, c.conrelid) AS expression, {joined} AS joined, {filled} AS filled, \
         coalesce((SELECT string_agg(format('%L || child.%I', a.attname || '=', a.attname), ', ' ORDER BY k.n) \
         FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS k (own, n) {own} \
         WHERE i.indrelid = c.conrelid AND i.indisprimary), '''ctid='' || child.ctid') AS keys \
         FROM pg_constraint c WHERE c.conname = {constraint} AND NOT c.convalidated \
         AND c.conrelid = to_regclass({table})",
        joined = named(
            "'parent.%I = child.%I', p.attname, a.attname",
            &format!(
                "unnest(c.conkey, c.confkey) AS k (own, theirs) {own} \
                 JOIN pg_attribute p ON p.attrelid = c.confrelid AND p.attnum = k.theirs"
            )
        ),
        filled = named(
            "'child.%I IS NOT NULL', a.attname",
            &format!("unnest(c.conkey) AS k (own) {own}")
        ),
        constraint = literal(constraint),
        table = literal(table),
    )
}
