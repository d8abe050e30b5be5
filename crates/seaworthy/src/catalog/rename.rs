//! A table or column under another name, and everything that refers to it.

use super::expression::rename_column;
use super::{Catalog, Column, Dialect, IndexKey, Numbering, SequenceOwner, Table};

impl Catalog {
    /// Gives a table another name, also where foreign keys refer to it.
    pub fn rename_table(&mut self, from: &str, to: &str) {
        for table in &mut self.tables {
            if table.name == from {
                for column in &mut table.columns {
                    with_its_sequence(column, from, |_| {}, to);
                }
                to.clone_into(&mut table.name);
            }
            for key in table.foreign_keys.iter_mut().filter(|key| key.ref_table == from) {
                to.clone_into(&mut key.ref_table);
            }
            replace(&mut table.inherits, from, to);
        }
        for owner in self.sequence_owners().filter(|owner| owner.table == from) {
            to.clone_into(&mut owner.table);
        }
        self.forget_what_reads(from, to);
        let is_sqlite = self.dialect == Some(Dialect::Sqlite);
        for object in self.objects.iter_mut().flatten() {
            match is_sqlite && object.is_on(from) {
                true => object.relation = Some(to.to_owned()),
                false => object.renamed(from, None, to),
            }
        }
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
            let brings = table.column(from).is_some_and(|column| column.inherited)
                && table.inherits.iter().any(|name| name == table_name);
            if table.name == table_name || brings {
                rename_in_table(table, from, to);
            }
        }
        let owners = self.sequence_owners();
        for owner in owners.filter(|owner| owner.table == table_name && owner.column == from) {
            to.clone_into(&mut owner.column);
        }
        self.forget_what_reads(from, to);
        let objects = self.objects.iter_mut().flatten();
        objects.for_each(|object| object.renamed(table_name, Some(from), to));
    }

    fn sequence_owners(&mut self) -> impl Iterator<Item = &mut SequenceOwner> {
        self.sequences
            .iter_mut()
            .filter_map(|sequence| sequence.owned_by.as_mut())
    }

    /// The engine writes views and triggers anew when something they speak of gets another name; PostgreSQL keeps objects by
    /// numbers.
    fn forget_what_reads(&mut self, name: &str, to: &str) {
        let is_sqlite = self.dialect == Some(Dialect::Sqlite);
        if is_sqlite && name.eq_ignore_ascii_case(to) {
            return;
        }
        let triggers = self.tables.iter_mut().flat_map(|table| &mut table.triggers);
        triggers
            .chain(&mut self.views)
            .for_each(|opaque| opaque.renamed(name));
        let objects = self.objects.iter_mut().flatten().filter(|_| is_sqlite);
        objects.for_each(|object| object.forget_what_speaks_of(name));
    }
}

/// A sequence keeps its name when the table or column that it numbers gets another.
fn with_its_sequence(column: &mut Column, table: &str, rename: impl FnOnce(&mut Column), new_table: &str) {
    let sequence = column
        .auto
        .is_some_and(Numbering::has_sequence)
        .then(|| column.own_sequence(table))
        .flatten();
    rename(column);
    if let Some(sequence) = sequence {
        column.set_sequence(new_table, sequence);
    }
}

fn rename_in_table(table: &mut Table, from: &str, to: &str) {
    for column in &mut table.columns {
        if column.name == from {
            let rename = |column: &mut Column| to.clone_into(&mut column.name);
            with_its_sequence(column, &table.name, rename, &table.name);
        }
        if let Some(generated) = &mut column.generated {
            generated.expr = rename_column(&generated.expr, from, to);
        }
    }
    table.primary_key.iter_mut().for_each(|key| {
        replace(&mut key.columns, from, to);
        key.options.rename_column(from, to);
    });
    table.uniques.iter_mut().for_each(|unique| {
        replace(&mut unique.columns, from, to);
        unique.options.rename_column(from, to);
    });
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
