//! What a catalog is after an operation, without a database.

use super::Operation;
use crate::catalog::{
    Catalog, Check, Column, ColumnStorage, Dialect, Object, Table, TablePart, TableStorage,
};

impl Operation {
    /// Changes a catalog as the operation changes a database. What it speaks of and is not there is passed over.
    pub fn apply(&self, catalog: &mut Catalog) {
        match self {
            Self::RenameTable { .. } | Self::RenameColumn { .. } => self.apply_rename(catalog),
            Self::AddEnum { r#enum, values } => drop(catalog.enums.insert(r#enum.clone(), values.clone())),
            Self::DropEnum { r#enum, .. } => drop(catalog.enums.remove(r#enum)),
            Self::ReorderEnum { r#enum, to, .. } => drop(catalog.enums.insert(r#enum.clone(), to.clone())),
            Self::AddEnumValue {
                r#enum,
                value,
                before,
            } => {
                let labels = catalog.enums.entry(r#enum.clone()).or_default();
                let place = labels.iter().position(|label| Some(label) == before.as_ref());
                labels.insert(place.unwrap_or(labels.len()), value.clone());
            }
            Self::DropEnumValue { r#enum, value, .. } => {
                if let Some(labels) = catalog.enums.get_mut(r#enum) {
                    labels.retain(|label| label != value);
                }
            }
            Self::AddSequence { sequence } => catalog.sequences.push(sequence.clone()),
            Self::DropSequence { sequence } => catalog.sequences.retain(|other| other.name != sequence.name),
            Self::AlterSequence { from, to } => {
                let sequences = catalog
                    .sequences
                    .iter_mut()
                    .filter(|other| other.name == from.name);
                sequences.for_each(|sequence| sequence.clone_from(to));
            }
            Self::AddObject { object } => catalog.objects.get_or_insert_default().push(object.clone()),
            Self::DropObject { object } => {
                let is_sqlite = catalog.dialect == Some(Dialect::Sqlite);
                let is_it = |other: &Object| match is_sqlite {
                    true => other.is_named_as(object),
                    false => (other.kind, &other.name) == (object.kind, &object.name),
                };
                catalog
                    .objects
                    .iter_mut()
                    .for_each(|objects| objects.retain(|other| !is_it(other)));
            }
            Self::AlterObject { from, to } => {
                let objects = catalog.objects.iter_mut().flatten();
                objects
                    .filter(|other| (other.kind, &other.name) == (from.kind, &from.name))
                    .for_each(|object| object.clone_from(to));
            }
            Self::AddTable { table } => catalog.tables.push(table.clone()),
            Self::DropTable { table } => catalog.tables.retain(|other| other.name != table.name),
            Self::DetachPartition { table, partition } => {
                let detached = catalog.table(table).map(|table| detached(table, partition));
                with_table(catalog, table, |table| remove(&mut table.partitions, partition));
                catalog.tables.extend(detached);
            }
            Self::AttachPartition { table, partition } => {
                catalog.tables.retain(|other| other.name != partition.name);
                with_table(catalog, table, |table| table.partitions.push(partition.clone()));
            }
            _ => {
                let name = self.table();
                self.pass_on(catalog);
                if let Some(table) = catalog
                    .tables
                    .iter_mut()
                    .find(|table| Some(table.name.as_str()) == name)
                {
                    self.apply_to_table(table);
                }
            }
        }
    }

    /// Changes the tables that inherit from the one that changes, and those that inherit from these.
    fn pass_on(&self, catalog: &mut Catalog) {
        let Some(name) = self.table() else { return };
        let mut heirs = vec![name.to_owned()];
        let mut known = 0;
        while known < heirs.len() {
            for table in &mut catalog.tables {
                if table.inherits.contains(&heirs[known]) && !heirs.contains(&table.name) {
                    heirs.push(table.name.clone());
                    self.apply_to_heir(table);
                }
            }
            known += 1;
        }
    }

    fn apply_to_heir(&self, table: &mut Table) {
        match self {
            Self::AddColumn { column, .. } if table.column(&column.name).is_none() => {
                table.columns.push(Column {
                    inherited: true,
                    ..column.clone()
                });
            }
            Self::DropColumn { column, .. } => table
                .columns
                .retain(|other| other.name != column.name || !other.inherited),
            Self::AddCheck { check, .. } if !check.no_inherit => table.checks.push(Check {
                inherited: true,
                ..check.clone()
            }),
            Self::DropCheck { check, .. } => table
                .checks
                .retain(|other| other.name != check.name || !other.inherited),
            Self::AlterType { .. } | Self::AlterNullable { .. } | Self::AlterDefault { .. } => {
                self.apply_to_column(table);
            }
            _ => {}
        }
    }

    fn apply_to_table(&self, table: &mut Table) {
        match self {
            Self::AlterInherits { to, .. } => {
                table.inherits.clone_from(to);
                if to.is_empty() {
                    table
                        .columns
                        .iter_mut()
                        .for_each(|column| column.inherited = false);
                    table.checks.iter_mut().for_each(|check| check.inherited = false);
                }
            }
            Self::AddPartition { partition, .. } => table.partitions.push(partition.clone()),
            Self::DropPartition { partition, .. } => remove(&mut table.partitions, partition),
            Self::AlterPartition { from, to, .. } => {
                let parts = table.partitions.iter_mut().filter(|part| *part == from);
                parts.for_each(|part| part.clone_from(to));
            }
            Self::AlterTableComment { to, .. } => table.comment.clone_from(to),
            Self::AlterTableOptions { to, .. } => {
                table.strict = to.strict;
                table.without_rowid = to.without_rowid;
            }
            Self::AlterTableStorage { to, .. } => table.storage.clone_from(to),
            Self::AddColumn { column, .. } => table.columns.push(column.clone()),
            Self::DropColumn { column, .. } => table.columns.retain(|other| other.name != column.name),
            Self::AlterPrimaryKey { to, .. } => table.primary_key.clone_from(to),
            Self::AddUnique { unique, .. } => table.uniques.push(unique.clone()),
            Self::DropUnique { unique, .. } => remove(&mut table.uniques, unique),
            Self::AddCheck { check, .. } => table.checks.push(check.clone()),
            Self::DropCheck { check, .. } => remove(&mut table.checks, check),
            Self::AddExclude { exclusion, .. } => table.exclusions.push(exclusion.clone()),
            Self::DropExclude { exclusion, .. } => remove(&mut table.exclusions, exclusion),
            Self::AddForeignKey { foreign_key, .. } => table.foreign_keys.push(foreign_key.clone()),
            Self::DropForeignKey { foreign_key, .. } => remove(&mut table.foreign_keys, foreign_key),
            Self::AddIndex { index, .. } => table.indexes.push(index.clone()),
            Self::DropIndex { index, .. } => remove(&mut table.indexes, index),
            Self::RenameIndex { from, to, .. } => {
                for index in table
                    .indexes
                    .iter_mut()
                    .filter(|index| index.name.as_ref() == Some(from))
                {
                    index.name = Some(to.clone());
                }
            }
            Self::RenameConstraint { from, to, .. } => rename_constraint(table, from, to),
            Self::RebuildInvalidIndex { name, .. } => {
                let indexes = table.indexes.iter_mut().filter(|index| index.name == *name);
                indexes.for_each(|index| index.valid = true);
            }
            Self::ValidateForeignKey { name, .. } => {
                let keys = table.foreign_keys.iter_mut().filter(|key| key.name == *name);
                keys.for_each(|key| key.valid = true);
            }
            Self::ValidateCheck { name, .. } => {
                let checks = table.checks.iter_mut().filter(|check| check.name == *name);
                checks.for_each(|check| check.valid = true);
            }
            _ => self.apply_to_column(table),
        }
    }

    fn apply_to_column(&self, table: &mut Table) {
        let (Self::AlterType { column: name, .. }
        | Self::AlterNullable { column: name, .. }
        | Self::AlterOnNull { column: name, .. }
        | Self::AlterDefault { column: name, .. }
        | Self::AlterIdentity { column: name, .. }
        | Self::AlterGenerated { column: name, .. }
        | Self::AlterCollation { column: name, .. }
        | Self::AlterComment { column: name, .. }
        | Self::AlterColumnStorage { column: name, .. }) = self
        else {
            return;
        };
        let Some(column) = table
            .columns
            .iter_mut()
            .find(|column| column.name == name.as_str())
        else {
            return;
        };
        match self {
            Self::AlterType { to, .. } => column.set_type(to),
            Self::AlterNullable { to, .. } => column.nullable = *to,
            Self::AlterOnNull { to, .. } => column.on_null = *to,
            Self::AlterDefault { to, .. } => column.default.clone_from(to),
            Self::AlterIdentity { to, to_sequence, .. } => {
                column.auto = *to;
                column.sequence.clone_from(to_sequence);
            }
            Self::AlterGenerated { to, .. } => column.generated.clone_from(to),
            Self::AlterCollation { to, .. } => column.collation.clone_from(to),
            Self::AlterComment { to, .. } => column.comment.clone_from(to),
            Self::AlterColumnStorage { to, .. } => column.storage.clone_from(to),
            _ => {}
        }
    }

    fn apply_rename(&self, catalog: &mut Catalog) {
        match self {
            Self::RenameTable { from, to } => catalog.rename_table(from, to),
            Self::RenameColumn { table, from, to } => catalog.rename_column(table, from, to),
            _ => {}
        }
    }
}

/// Takes one thing out of a list that is equal to another.
fn remove<T: PartialEq>(things: &mut Vec<T>, thing: &T) {
    if let Some(place) = things.iter().position(|other| other == thing) {
        things.remove(place);
    }
}

fn rename_constraint(table: &mut Table, from: &str, to: &str) {
    let keys = table.primary_key.iter_mut().map(|key| &mut key.name);
    let uniques = table.uniques.iter_mut().map(|unique| &mut unique.name);
    let checks = table.checks.iter_mut().map(|check| &mut check.name);
    let references = table.foreign_keys.iter_mut().map(|key| &mut key.name);
    let exclusions = table.exclusions.iter_mut().map(|exclusion| &mut exclusion.name);
    let mut names = keys
        .chain(uniques)
        .chain(checks)
        .chain(references)
        .chain(exclusions);
    if let Some(name) = names.find(|name| name.as_deref() == Some(from)) {
        *name = Some(to.to_owned());
    }
}

fn with_table(catalog: &mut Catalog, name: &str, change: impl FnOnce(&mut Table)) {
    if let Some(table) = catalog.tables.iter_mut().find(|table| table.name == name) {
        change(table);
    }
}

/// Returns what a part is by itself: it keeps the columns, and copies of keys, constraints and indexes under names that the server
/// gives.
pub(in crate::autogenerate) fn detached(table: &Table, partition: &TablePart) -> Table {
    let mut alone = Table {
        name: partition.name.clone(),
        partitioned_by: partition.partitioned_by.clone(),
        partitions: Vec::new(),
        comment: None,
        storage: TableStorage::default(),
        triggers: Vec::new(),
        ..table.clone()
    };
    for column in &mut alone.columns {
        column.comment = None;
        column.storage = ColumnStorage::default();
    }
    let names = [
        alone
            .primary_key
            .iter_mut()
            .map(|key| &mut key.name)
            .collect::<Vec<_>>(),
        alone.uniques.iter_mut().map(|unique| &mut unique.name).collect(),
        alone.indexes.iter_mut().map(|index| &mut index.name).collect(),
    ];
    names.into_iter().flatten().for_each(|name| *name = None);
    alone
}
