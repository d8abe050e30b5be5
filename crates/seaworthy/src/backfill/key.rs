//! The primary key that a backfill goes along: its columns, and places on it as text that the database gave.

use crate::session::dialect_of;
use crate::sql::Dialect;
pub(super) use crate::sql::quoted;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement};

/// The columns of a primary key, in the order of its index.
#[derive(Clone, Debug)]
pub(super) struct Key {
    backend: DbBackend,
    columns: Vec<Column>,
}

/// A column with its type as PostgreSQL spells it; nothing on SQLite.
#[derive(Clone, Debug)]
struct Column {
    name: String,
    kind: String,
}

/// A place on a key: for each column the value, as text on PostgreSQL and as a literal on SQLite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place(Vec<String>);

/// Whether there is something to go along.
pub(super) enum Found {
    Key(Key),
    NoKey,
    NoTable,
}

impl Key {
    /// Looks for the primary key of a table.
    pub(super) async fn find(connection: &impl ConnectionTrait, table: &str) -> Result<Found, DbErr> {
        let backend = connection.get_database_backend();
        let literal = text_literal(backend, table);
        let name = text_literal(backend, &quoted(table));
        let sql = match dialect_of(backend) {
            // Type modifiers are left out: a cast to `character(1)` would cut a key off.
            Dialect::Postgresql => format!(
                "SELECT a.attname::text AS name, format_type(a.atttypid, -1) AS kind \
                 FROM (SELECT to_regclass({name})::oid AS id) AS t LEFT JOIN pg_index i ON i.indrelid = t.id AND i.indisprimary \
                 LEFT JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (number, place) ON true \
                 LEFT JOIN pg_attribute a ON a.attrelid = t.id AND a.attnum = k.number WHERE t.id IS NOT NULL ORDER BY k.place"
            ),
            Dialect::Sqlite => format!(
                "SELECT k.name AS name, '' AS kind FROM (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = {literal} \
                 COLLATE NOCASE) LEFT JOIN pragma_table_info({literal}) AS k ON k.pk > 0 ORDER BY k.pk"
            ),
        };
        let rows = connection
            .query_all_raw(Statement::from_string(backend, sql))
            .await?;
        if rows.is_empty() {
            return Ok(Found::NoTable);
        }
        let mut columns = Vec::new();
        for row in &rows {
            if let Some(name) = row.try_get("", "name")? {
                let kind = row.try_get("", "kind")?;
                columns.push(Column { name, kind });
            }
        }
        Ok(match columns.is_empty() {
            true => Found::NoKey,
            false => Found::Key(Self { backend, columns }),
        })
    }

    /// Returns the kind of database.
    pub(super) fn backend(&self) -> DbBackend {
        self.backend
    }

    /// Returns the columns as a row: `"a", "b"`, or with a direction after each.
    pub(super) fn columns(&self, direction: &str) -> String {
        let columns = self.columns.iter();
        let columns: Vec<String> = columns
            .map(|column| format!("{}{direction}", quoted(&column.name)))
            .collect();
        columns.join(", ")
    }

    /// Returns the select list that [`Key::place`] reads.
    pub(super) fn selected(&self) -> String {
        let column = |(index, column): (usize, &Column)| match dialect_of(self.backend) {
            Dialect::Postgresql => format!("{}::text AS k{index}", quoted(&column.name)),
            Dialect::Sqlite => format!("quote({}) AS k{index}", quoted(&column.name)),
        };
        let columns: Vec<String> = self.columns.iter().enumerate().map(column).collect();
        columns.join(", ")
    }

    /// Reads a row of [`Key::selected`].
    pub(super) fn place(&self, row: &QueryResult) -> Result<Place, DbErr> {
        let values = (0..self.columns.len()).map(|index| row.try_get("", &format!("k{index}")));
        Ok(Place(values.collect::<Result<_, _>>()?))
    }

    /// Returns the condition that a row lies in a part of the key: after a place, up to and with another.
    pub(super) fn between(&self, after: Option<&Place>, until: &Place) -> String {
        let until = self.compare("<=", until);
        match after {
            Some(after) => format!("{} AND {until}", self.compare(">", after)),
            None => until,
        }
    }

    fn compare(&self, operator: &str, place: &Place) -> String {
        let values: Vec<String> = self
            .columns
            .iter()
            .zip(&place.0)
            .map(|(column, value)| match dialect_of(self.backend) {
                Dialect::Postgresql => format!("{}::{}", text_literal(self.backend, value), column.kind),
                Dialect::Sqlite => value.clone(),
            })
            .collect();
        match values.as_slice() {
            [value] => format!("{} {operator} {value}", self.columns("")),
            _ => format!("({}) {operator} ({})", self.columns(""), values.join(", ")),
        }
    }

    /// Reads a place that [`Place::stored`] wrote; nothing where it is none of this key.
    pub(super) fn restore(&self, stored: &str) -> Option<Place> {
        let values: Vec<String> = serde_json::from_str(stored).ok()?;
        let fits = values.len() == self.columns.len()
            && (dialect_of(self.backend) == Dialect::Postgresql
                || values.iter().all(|value| is_literal(value)));
        fits.then_some(Place(values))
    }
}

impl Place {
    /// Returns the place as a JSON array of texts.
    pub(super) fn stored(&self) -> String {
        serde_json::Value::from(self.0.clone()).to_string()
    }

    /// Returns the place for people.
    pub(super) fn shown(&self) -> String {
        self.0.join(", ")
    }
}

/// Returns whether a text is a literal as SQLite's `quote` writes them, and nothing else: it comes out of a table.
fn is_literal(value: &str) -> bool {
    let inside = |text: &str| {
        text.strip_prefix('\'')
            .and_then(|text| text.strip_suffix('\''))
            .map(str::to_owned)
    };
    if let Some(blob) = value.strip_prefix('X').and_then(inside) {
        return blob.chars().all(|letter| letter.is_ascii_hexdigit());
    }
    match inside(value) {
        Some(text) => !text.replace("''", "").contains('\''),
        None => value.parse::<f64>().is_ok_and(f64::is_finite),
    }
}

/// Returns a text as a literal, whatever PostgreSQL's `standard_conforming_strings` says.
fn text_literal(backend: DbBackend, text: &str) -> String {
    let doubled = text.replace('\'', "''");
    match dialect_of(backend) {
        Dialect::Postgresql if text.contains('\\') => format!("E'{}'", doubled.replace('\\', "\\\\")),
        Dialect::Postgresql | Dialect::Sqlite => format!("'{doubled}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_literal_is_not_sent() {
        for literal in ["1", "-7", "0.5", "'a''b'", "X'00ff'", "''"] {
            assert!(is_literal(literal), "{literal}");
        }
        for other in [
            "1 OR 1",
            "'a'b'",
            "X'zz'",
            "id",
            "'",
            "(SELECT 1)",
            "nan",
            "'a' || 'b'",
        ] {
            assert!(!is_literal(other), "{other}");
        }
    }
}
