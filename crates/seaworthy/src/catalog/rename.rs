//! A table or column under another name, and everything that refers to it.

use super::expression::rename_column;
use super::{Catalog, IndexKey, Table};

impl Catalog {
    /// Gives a table another name, also where foreign keys refer to it.
    pub fn rename_table(&mut self, from: &str, to: &str) {
        for table in &mut self.tables {
            if table.name == from {
                to.clone_into(&mut table.name);
            }
            for key in table.foreign_keys.iter_mut().filter(|key| key.ref_table == from) {
                to.clone_into(&mut key.ref_table);
            }
        }
        self.forget_what_reads(from);
    }

    /// Gives a column another name, also in keys, indexes and expressions.
    pub fn rename_column(&mut self, table_name: &str, from: &str, to: &str) {
        for table in &mut self.tables {
            for key in table
                .foreign_keys
                .iter_mut()
                .filter(|key| key.ref_table == table_name)
            {
                replace(&mut key.ref_columns, from, to);
            }
            if table.name == table_name {
                rename_in_table(table, from, to);
            }
        }
        self.forget_what_reads(from);
    }

    /// The engine writes views and triggers anew when something they speak of gets another name.
    fn forget_what_reads(&mut self, name: &str) {
        let triggers = self.tables.iter_mut().flat_map(|table| &mut table.triggers);
        triggers
            .chain(&mut self.views)
            .for_each(|opaque| opaque.renamed(name));
    }
}

fn rename_in_table(table: &mut Table, from: &str, to: &str) {
    for column in &mut table.columns {
        if column.name == from {
            to.clone_into(&mut column.name);
        }
        if let Some(generated) = &mut column.generated {
            generated.expr = rename_column(&generated.expr, from, to);
        }
    }
    table
        .primary_key
        .iter_mut()
        .for_each(|key| replace(&mut key.columns, from, to));
    table
        .uniques
        .iter_mut()
        .for_each(|unique| replace(&mut unique.columns, from, to));
    table.foreign_keys.iter_mut().for_each(|key| {
        replace(&mut key.columns, from, to);
        replace(&mut key.on_delete_columns, from, to);
    });
    table
        .checks
        .iter_mut()
        .for_each(|check| check.expr = rename_column(&check.expr, from, to));
    for exclusion in &mut table.exclusions {
        exclusion.definition = rename_column(&exclusion.definition, from, to);
    }
    for index in &mut table.indexes {
        replace(&mut index.include, from, to);
        index.predicate = index.predicate.as_deref().map(|sql| rename_column(sql, from, to));
        for part in &mut index.columns {
            match &mut part.key {
                IndexKey::Column(name) if name == from => to.clone_into(name),
                IndexKey::Column(_) => {}
                IndexKey::Expression(sql) => *sql = rename_column(sql, from, to),
            }
        }
    }
}

fn replace(names: &mut [String], from: &str, to: &str) {
    for name in names.iter_mut().filter(|name| *name == from) {
        to.clone_into(name);
    }
}
