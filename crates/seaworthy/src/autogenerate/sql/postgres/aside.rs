//! What stands in the way of another type: PostgreSQL changes that of no column that a view, a trigger or a computed column
//! reads. All of these are dropped before, and made again afterwards, in the transaction of the change.

use super::{DIALECT, add_column, alter, lost_with};
use crate::autogenerate::sql::names;
use crate::catalog::ddl;
use crate::catalog::expression::{mentions, quoted};
use crate::catalog::{Catalog, Opaque, Table};

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
        aside.views(catalog, columns);
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

    fn views(&mut self, catalog: &Catalog, columns: &[(&str, &str)]) {
        let reads = |view: &&Opaque| {
            columns
                .iter()
                .any(|(table, column)| view.reads(table) && view.reads(column))
        };
        let mut affected: Vec<&Opaque> = catalog.views.iter().filter(reads).collect();
        // And what reads these.
        let mut known = 0;
        while known < affected.len() {
            let name = &affected[known].name;
            let more = catalog.views.iter().filter(|view| view.reads(name));
            let more: Vec<&Opaque> = more.filter(|view| !affected.contains(view)).collect();
            affected.extend(more);
            known += 1;
        }
        for view in in_order(affected) {
            let sql = view.sql.clone().unwrap_or_default();
            let kind = match sql.starts_with("CREATE MATERIALIZED") {
                true => "MATERIALIZED VIEW",
                false => "VIEW",
            };
            self.before
                .insert(0, format!("DROP {kind} {}", quoted(&view.name)));
            self.after.push(sql);
        }
    }

    fn in_table(&mut self, table: &Table, columns: &[&str], guards: Guards) {
        let reads = |sql: &str| columns.iter().any(|column| mentions(sql, column));
        for trigger in table
            .triggers
            .iter()
            .filter(|trigger| trigger.sql.as_deref().is_some_and(reads))
        {
            let (name, of) = (quoted(&trigger.name), quoted(&table.name));
            self.before.push(format!("DROP TRIGGER {name} ON {of}"));
            self.after.extend(trigger.sql.clone());
        }
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

/// Returns views in an order in which each comes after those that it reads.
fn in_order(mut views: Vec<&Opaque>) -> Vec<&Opaque> {
    let mut ordered = Vec::with_capacity(views.len());
    while !views.is_empty() {
        let place = views.iter().position(|view| {
            let mut others = views.iter().filter(|other| other.name != view.name);
            !others.any(|other| view.reads(&other.name))
        });
        // Views do not read each other in circles; a name that looks so is one of a column.
        ordered.push(views.remove(place.unwrap_or(0)));
    }
    ordered
}
