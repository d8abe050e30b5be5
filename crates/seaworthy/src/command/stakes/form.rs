//! Which values are lost with a column that lives on in another form.

use super::retype;
use crate::sql::{Check, Dialect, quoted};

/// A column of the database, and what becomes of it.
pub(super) struct Reshaping<'a> {
    /// The table, in quotes.
    pub(super) table: &'a str,
    pub(super) column: &'a str,
    /// The type that it has; on PostgreSQL.
    pub(super) from: &'a str,
    /// The type of the column that holds the form.
    pub(super) to: Option<&'a str>,
}

impl Reshaping<'_> {
    /// Returns the condition that finds the values which a form does not give back.
    pub(super) fn lost(&self, checks: &[Check], dialect: Dialect) -> String {
        let lost: Vec<String> = checks
            .iter()
            .map(|check| match dialect {
                Dialect::Postgresql => self.lost_on_postgresql(check),
                Dialect::Sqlite => self.lost_on_sqlite(check),
            })
            .collect();
        format!("{} IS NOT NULL AND ({})", quoted(self.column), lost.join(" OR "))
    }

    /// Returns the condition that finds the values of which nothing is left; it fails where the new type refuses a value.
    pub(super) fn refused(&self, check: &Check) -> Option<String> {
        let value = match check {
            Check::Same { value, .. }
            | Check::Contained(value)
            | Check::Present(value)
            | Check::Distinct(value) => value,
            Check::Never => return None,
        };
        Some(format!("{} IS NULL", self.typed(&value.sql())))
    }

    fn typed(&self, value: &str) -> String {
        match self.to {
            Some(to) => format!("(({value})::{to})"),
            None => format!("({value})"),
        }
    }

    fn lost_on_postgresql(&self, check: &Check) -> String {
        let (name, from) = (quoted(self.column), self.from);
        match check {
            Check::Same { value, back } => {
                let value = self.typed(&value.sql());
                // Values of `json` cannot be compared, and those of other types may be equal without being the same.
                let compared = match from {
                    "json" => "::jsonb",
                    "citext" | "text" => "::text COLLATE \"C\"",
                    _ if from.starts_with("character varying") => "::text COLLATE \"C\"",
                    _ => "",
                };
                format!(
                    "({}{value}{})::{from}{compared} IS DISTINCT FROM {name}{compared}",
                    back.0, back.1
                )
            }
            Check::Contained(value) => {
                let value = self.typed(&value.sql());
                format!("coalesce(position({name}::text IN {value}::text), 0) = 0")
            }
            Check::Present(value) => format!("{} IS NULL", self.typed(&value.sql())),
            Check::Distinct(value) => {
                let value = self.typed(&value.sql());
                format!("{value} IS NULL OR {}", self.is_shared(&value, &name))
            }
            Check::Never => "TRUE".to_owned(),
        }
    }

    fn lost_on_sqlite(&self, check: &Check) -> String {
        let name = quoted(self.column);
        match check {
            Check::Same { value, back } => {
                let value = value.sql();
                let taken_back = format!("({}{value}{})", back.0, back.1);
                let is_another = format!(
                    "{taken_back} COLLATE BINARY IS NOT {name} AND CAST({taken_back} AS TEXT) COLLATE BINARY IS NOT CAST({name} AS TEXT)"
                );
                let by_type = self
                    .to
                    .and_then(|to| retype::changed_on_sqlite(&format!("({value})"), to));
                match by_type {
                    Some(by_type) => format!("({is_another}) OR ({by_type})"),
                    None => is_another,
                }
            }
            Check::Contained(value) => {
                let value = value.sql();
                format!("coalesce(instr(CAST(({value}) AS TEXT), CAST({name} AS TEXT)), 0) = 0")
            }
            Check::Present(value) => format!("({}) IS NULL", value.sql()),
            Check::Distinct(value) => {
                let value = format!("({})", value.sql());
                format!(
                    "{value} IS NULL OR {}",
                    self.is_shared(&value, &format!("{name} COLLATE BINARY"))
                )
            }
            Check::Never => "TRUE".to_owned(),
        }
    }

    /// Returns the condition that finds values which several values of the column end in.
    fn is_shared(&self, value: &str, column: &str) -> String {
        format!(
            "{value} IN (SELECT value FROM (SELECT DISTINCT {column} AS held, {value} AS value FROM {} WHERE {} IS NOT NULL) AS pairs \
             GROUP BY value HAVING count(*) > 1)",
            self.table,
            quoted(self.column)
        )
    }
}
