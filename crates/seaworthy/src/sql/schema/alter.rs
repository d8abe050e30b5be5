//! What the actions of an `ALTER TABLE` leave behind.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Index, KnownColumn, Schema};
use crate::sql::parsed::{Action, Column, Constraint, ConstraintKind, ObjectKind};

impl Schema {
    pub(super) fn alter(&mut self, table: &mut String, action: &Action) {
        match action {
            Action::AddColumn {
                column,
                if_not_exists,
            } if !*if_not_exists || self.column(table, &column.name).is_none() => {
                self.add_column(table, column);
            }
            Action::DropColumn { name, cascade, .. } => self.drop_column(table, name, *cascade),
            Action::SetNotNull(column) => self.edit_column(table, column, |known| known.not_null = true),
            Action::DropNotNull(column) => self.edit_column(table, column, |known| known.not_null = false),
            Action::SetDefault { column, is_null } => {
                self.edit_column(table, column, |known| known.has_value = !is_null);
            }
            Action::DropDefault(column) | Action::DropIdentity(column) => {
                self.edit_column(table, column, |known| known.has_value = false);
            }
            Action::AlwaysIdentity(column) => {
                self.edit_column(table, column, |known| known.has_value = true);
            }
            Action::ChangeType { column, to, .. } => {
                self.edit_column(table, column, |known| known.data_type = to.clone());
            }
            Action::AddConstraint(constraint) => self.add_constraint(table, constraint),
            Action::DropConstraint { name, .. } => self.drop_constraint(table, name),
            Action::Validate(name) => self.validate(table, name),
            Action::RenameColumn { from, to } => self.edit(table, |known| {
                if let Some(column) = known.columns.remove(from) {
                    known.columns.insert(to.clone(), column);
                }
            }),
            Action::RenameConstraint { from, to } => self.edit(table, |known| {
                for constraint in &mut known.constraints {
                    if constraint.name.as_ref() == Some(from) {
                        constraint.name = Some(to.clone());
                    }
                }
            }),
            Action::RenameTable(to) => self.rename_table(table, to.clone()),
            Action::SetSchema(schema) => {
                let bare = table.rsplit('.').next().unwrap_or_default();
                let to = if schema == "public" {
                    bare.to_owned()
                } else {
                    format!("{schema}.{bare}")
                };
                self.rename_table(table, to);
            }
            Action::RowSecurity {
                is_on: Some(is_on), ..
            } => {
                self.edit(table, |known| known.has_row_security = *is_on);
            }
            Action::Attach { child, bound } => {
                self.edit(child, |known| known.parent = Some(table.clone()));
                self.edit(table, |known| known.has_default_partition |= bound.is_default);
            }
            Action::Detach { child, .. } => self.edit(child, |known| known.parent = None),
            _ => {}
        }
    }

    pub(super) fn add_column(&mut self, table: &str, column: &Column) {
        let generated_from = column.generated.as_ref().map_or_else(BTreeSet::new, |generated| {
            let names = generated.expression.iter().filter(|token| token.is_name());
            names.map(|token| token.text.clone()).collect()
        });
        let known = KnownColumn {
            data_type: column.data_type.clone(),
            not_null: column.not_null || column.data_type.is_serial(),
            has_value: column.has_value(),
            is_new: true,
            generated_from,
        };
        if column.is_identity || column.data_type.is_serial() {
            self.make_object(ObjectKind::Sequence, &format!("{table}_{}_seq", column.name));
        }
        self.edit(table, |of| {
            of.columns.insert(column.name.clone(), known);
        });
        for constraint in &column.constraints {
            self.add_constraint(table, constraint);
        }
    }

    pub(super) fn drop_column(&mut self, table: &str, column: &str, cascade: bool) {
        self.edit(table, |known| {
            known.columns.remove(column);
            known.constraints.retain(|constraint| {
                !constraint
                    .unique_columns()
                    .is_some_and(|columns| columns.iter().any(|name| name == column))
            });
        });
        self.indexes
            .retain(|_, index| index.table != table || !index.columns.iter().any(|name| name == column));
        if cascade {
            let readers: Vec<String> = self
                .readers(table, Some(column))
                .into_iter()
                .map(str::to_owned)
                .collect();
            self.views.retain(|name, _| !readers.contains(name));
        }
    }

    pub(super) fn add_constraint(&mut self, table: &str, constraint: &Constraint) {
        let mut constraint = constraint.clone();
        let taken = constraint
            .using_index
            .as_ref()
            .and_then(|index| self.indexes.get(index).cloned());
        if let (Some(index), ConstraintKind::Unique(columns) | ConstraintKind::PrimaryKey(columns)) =
            (&taken, &mut constraint.kind)
        {
            columns.clone_from(&index.columns);
        }
        let bare = table.rsplit('.').next().unwrap_or_default();
        let chosen = match &constraint.kind {
            ConstraintKind::PrimaryKey(_) => format!("{bare}_pkey"),
            ConstraintKind::Unique(columns) => format!("{bare}_{}_key", columns.join("_")),
            ConstraintKind::NotNull(column) => format!("{bare}_{column}_not_null"),
            ConstraintKind::Check(_) => format!("{bare}_check"),
            ConstraintKind::ForeignKey { .. } | ConstraintKind::Exclude => String::new(),
        };
        let name = constraint
            .name
            .clone()
            .or(constraint.using_index.clone())
            .unwrap_or(chosen);
        if let Some(columns) = constraint.unique_columns() {
            let index = Index {
                table: table.to_owned(),
                columns: columns.to_vec(),
                unique: true,
                is_partial: false,
                of_constraint: true,
                is_new: true,
            };
            if let Some(taken) = &constraint.using_index {
                self.indexes.remove(taken);
            }
            self.indexes.insert(name.clone(), Arc::new(index));
        }
        constraint.name = Some(name);
        self.edit(table, |known| {
            match &constraint.kind {
                ConstraintKind::PrimaryKey(columns) => {
                    for column in columns {
                        if let Some(column) = known.columns.get_mut(column) {
                            column.not_null = true;
                        }
                    }
                }
                ConstraintKind::NotNull(column) if constraint.is_valid => {
                    if let Some(column) = known.columns.get_mut(column) {
                        column.not_null = true;
                    }
                }
                _ => {}
            }
            known.constraints.push(constraint);
        });
    }

    fn drop_constraint(&mut self, table: &str, name: &str) {
        self.indexes
            .retain(|index, known| !(index == name && known.of_constraint));
        self.edit(table, |known| {
            let dropped = known
                .constraints
                .iter()
                .find(|constraint| constraint.name.as_deref() == Some(name));
            if let Some(ConstraintKind::NotNull(column)) = dropped.map(|constraint| constraint.kind.clone())
                && let Some(column) = known.columns.get_mut(&column)
            {
                column.not_null = false;
            }
            known
                .constraints
                .retain(|constraint| constraint.name.as_deref() != Some(name));
        });
    }

    fn validate(&mut self, table: &str, name: &str) {
        self.edit(table, |known| {
            for constraint in &mut known.constraints {
                if constraint.name.as_deref() != Some(name) {
                    continue;
                }
                constraint.is_valid = true;
                if let ConstraintKind::NotNull(column) = &constraint.kind
                    && let Some(column) = known.columns.get_mut(column)
                {
                    column.not_null = true;
                }
            }
        });
    }

    fn rename_table(&mut self, table: &mut String, to: String) {
        let is_view_or_other = self.views.contains_key(table) || self.is_complete;
        let known = match self.tables.remove(table) {
            // Something is there under the new name, whatever it is.
            None if !is_view_or_other => Some(Arc::default()),
            known => known,
        };
        if let Some(mut known) = known {
            Arc::make_mut(&mut known).is_renamed = true;
            self.tables.insert(to.clone(), known);
        }
        for index in self.indexes.values_mut().filter(|index| index.table == *table) {
            Arc::make_mut(index).table.clone_from(&to);
        }
        for view in self
            .views
            .values_mut()
            .filter(|view| view.reads.contains_key(table))
        {
            let reads = &mut Arc::make_mut(view).reads;
            if let Some(columns) = reads.remove(table) {
                reads.insert(to.clone(), columns);
            }
        }
        *table = to;
    }
}
