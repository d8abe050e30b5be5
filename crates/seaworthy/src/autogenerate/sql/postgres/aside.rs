//! What of a table stands in the way of another type: PostgreSQL changes that of no column that a computed column reads. These
//! are dropped before, and made again afterwards, in the transaction of the change. Views, triggers and the like are objects, and
//! step aside by operations of their own.

use super::{DIALECT, add_column, alter, lost_with, not_valid};
use crate::autogenerate::sql::names;
use crate::catalog::ddl;
use crate::catalog::expression::{mentions, quoted};
use crate::catalog::{Catalog, Table};

/// What is sent around a change of types.
#[derive(Debug, Default)]
pub(super) struct Aside {
    pub(super) before: Vec<String>,
    pub(super) after: Vec<String>,
}

/// What happens to checks and to the expressions of indexes, which PostgreSQL would translate by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guards {
    /// They are translated.
    Stay,
    /// They cannot be: they compare with values of a type that is about to go.
    StepAside,
}

impl Aside {
    /// Returns what has to step aside for some columns, each with its table.
    pub(super) fn of(catalog: &Catalog, columns: &[(&str, &str)], guards: Guards) -> Self {
        let mut aside = Self::default();
        if guards == Guards::StepAside {
            aside.references(catalog, columns);
        }
        for table in &catalog.tables {
            let of_table: Vec<&str> = columns
                .iter()
                .filter(|(name, _)| *name == table.name)
                .map(|(_, column)| *column)
                .collect();
            if !of_table.is_empty() {
                aside.in_table(table, &of_table, guards);
            }
        }
        aside
    }

    /// Takes foreign keys between such columns away: one side gets its type before the other.
    fn references(&mut self, catalog: &Catalog, columns: &[(&str, &str)]) {
        let is_one = |table: &str, column: &String| columns.contains(&(table, column.as_str()));
        for table in &catalog.tables {
            let named = names::named(table);
            let between = named.foreign_keys.iter().filter(|key| {
                let mut own = key.columns.iter();
                let mut referred = key.ref_columns.iter();
                own.any(|column| is_one(&table.name, column))
                    || referred.any(|column| is_one(&key.ref_table, column))
            });
            for key in between {
                let name = quoted(key.name.as_deref().unwrap_or_default());
                self.before
                    .push(format!("{} DROP CONSTRAINT {name}", alter(&table.name)));
                self.after.push(format!(
                    "{} ADD {}{}",
                    alter(&table.name),
                    ddl::foreign_key_clause(DIALECT, key),
                    not_valid(key.valid)
                ));
            }
        }
    }

    fn in_table(&mut self, table: &Table, columns: &[&str], guards: Guards) {
        let reads = |sql: &str| columns.iter().any(|column| mentions(sql, column));
        if guards == Guards::StepAside {
            self.guards(table, &reads);
        }
        for column in &table.columns {
            if column
                .generated
                .as_ref()
                .is_some_and(|generated| reads(&generated.expr))
            {
                self.before.push(format!(
                    "{} DROP COLUMN {}",
                    alter(&table.name),
                    quoted(&column.name)
                ));
                self.after.extend(add_column(&table.name, column));
                self.after.extend(lost_with(table, &column.name));
            }
        }
    }

    fn guards(&mut self, table: &Table, reads: &dyn Fn(&str) -> bool) {
        let named = names::named(table);
        for check in named.checks.iter().filter(|check| reads(&check.expr)) {
            let name = check.name.as_deref().unwrap_or_default();
            self.before
                .push(format!("{} DROP CONSTRAINT {}", alter(&table.name), quoted(name)));
            self.after.push(format!(
                "{} ADD {}",
                alter(&table.name),
                ddl::check_clause(DIALECT, check)
            ));
        }
        let has_expression = |index: &&crate::catalog::Index| {
            let expressions = index.columns.iter().filter_map(|part| part.expression_sql());
            index
                .predicate
                .as_deref()
                .into_iter()
                .chain(expressions)
                .any(reads)
        };
        for index in named.indexes.iter().filter(has_expression) {
            let name = index.name.as_deref().unwrap_or_default();
            self.before.push(format!("DROP INDEX {}", quoted(name)));
            self.after.push(ddl::create_index(DIALECT, &table.name, index));
        }
    }
}
