//! The keys of rows that are in the way of a rule, and of values that are there twice.

use sea_orm::{DbBackend, DbErr};

use super::name::{found, name, text};
use super::site::Site;
use crate::session::dialect_of;
use crate::sql::Dialect;

/// How many are named.
const NAMED: usize = 5;

impl Site<'_> {
    /// Refuses a rule that rows of a table break; no row is looked at while somebody records.
    pub(super) async fn refuse_offenders(&self, table: &str, rule: &str, broken: &str) -> Result<(), DbErr> {
        if self.is_recording() {
            return Ok(());
        }
        match self.offenders(table, broken).await? {
            Some(keys) => Err(super::OnlineError::Offenders {
                table: table.to_owned(),
                rule: rule.to_owned(),
                keys,
            }
            .into()),
            None => Ok(()),
        }
    }

    /// Returns the keys of a few rows for which a condition holds; the table is called `this` in it.
    async fn offenders(&self, table: &str, condition: &str) -> Result<Option<String>, DbErr> {
        let key = self.key(table).await?;
        let shown: Vec<String> = key.iter().map(|column| as_text(self.backend(), column)).collect();
        let sql = format!(
            "SELECT {} AS shown FROM {} AS this WHERE {condition} LIMIT {}",
            shown.join(" || ', ' || "),
            name(table),
            NAMED + 1
        );
        let rows = self.rows(&sql).await?;
        let keys: Vec<String> = rows
            .iter()
            .map(|row| row.try_get("", "shown"))
            .collect::<Result<_, _>>()?;
        let columns: Vec<&str> = key
            .iter()
            .map(|column| column.trim_start_matches("this."))
            .collect();
        Ok(listed(keys).map(|keys| format!("{} = {keys}", columns.join(", "))))
    }

    /// Returns the columns that tell rows apart; where there is no key, what the database itself goes by.
    async fn key(&self, table: &str) -> Result<Vec<String>, DbErr> {
        let (sql, otherwise) = match dialect_of(self.backend()) {
            Dialect::Postgresql => (
                format!(
                    "SELECT a.attname::text AS name FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (number, place) \
                     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number \
                     WHERE i.indrelid = {} AND i.indisprimary ORDER BY k.place",
                    found(&name(table))
                ),
                "ctid",
            ),
            Dialect::Sqlite => (
                format!(
                    "SELECT name FROM pragma_table_info({}) WHERE pk > 0 ORDER BY pk",
                    text(table)
                ),
                "rowid",
            ),
        };
        let rows = self.rows(&sql).await?;
        let mut columns = Vec::new();
        for row in &rows {
            let column: String = row.try_get("", "name")?;
            columns.push(format!("this.{}", name(&column)));
        }
        if columns.is_empty() {
            columns.push(format!("this.{otherwise}"));
        }
        Ok(columns)
    }

    /// Returns a few values of keys that rows of a table share; `only` narrows the rows down.
    pub(super) async fn duplicates(
        &self,
        table: &str,
        keys: &[String],
        only: Option<&str>,
    ) -> Result<Option<String>, DbErr> {
        let shown: Vec<String> = keys.iter().map(|key| as_text(self.backend(), key)).collect();
        let mut conditions: Vec<String> = keys.iter().map(|key| format!("({key}) IS NOT NULL")).collect();
        conditions.extend(only.map(|only| format!("({only})")));
        let sql = format!(
            "SELECT {} AS shown FROM {table} WHERE {} GROUP BY {} HAVING count(*) > 1 LIMIT {}",
            shown.join(" || ', ' || "),
            conditions.join(" AND "),
            keys.join(", "),
            NAMED + 1
        );
        let rows = self.rows(&sql).await?;
        let values: Vec<String> = rows
            .iter()
            .map(|row| row.try_get("", "shown"))
            .collect::<Result<_, _>>()?;
        let what: Vec<&str> = keys.iter().map(|key| key.trim_matches('"')).collect();
        Ok(listed(values).map(|values| format!("{} = {values}", what.join(", "))))
    }
}

fn as_text(backend: DbBackend, expression: &str) -> String {
    match dialect_of(backend) {
        Dialect::Postgresql => format!("({expression})::text"),
        Dialect::Sqlite => format!("CAST(({expression}) AS text)"),
    }
}

/// Returns a few texts in a line, or nothing when there are none.
fn listed(mut texts: Vec<String>) -> Option<String> {
    let are_more = texts.len() > NAMED;
    texts.truncate(NAMED);
    let line = texts.join("; ");
    match texts.is_empty() {
        true => None,
        false if are_more => Some(format!("{line} and more")),
        false => Some(line),
    }
}
