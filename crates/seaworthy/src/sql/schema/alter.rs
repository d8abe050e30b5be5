//! What the actions of an `ALTER TABLE` leave behind.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Index, KnownColumn, Schema};
use crate::sql::name::{bare, beside, name_in_schema};
use crate::sql::parsed::{Action, Column, Constraint, ConstraintKind, ObjectKind};

impl Schema {
    /// Notes what one action does; the name of the table is kept up.
    pub(crate) fn alter(&mut self, table: &mut String, action: &Action) {
        match action {
            Action::AddColumn {
                column,
                if_not_exists,
            } => match self.column(table, &column.name).cloned() {
                Some(known) if *if_not_exists => {
                    let is_new = known.is_new;
                    if known.is_perhaps {
                        self.add_column(table, column);
                        self.edit_column(table, &column.name, |added| added.is_new = is_new);
                    }
                }
                _ => self.add_column(table, column),
            },
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
            Action::DropConstraint { name, cascade, .. } => self.drop_constraint(table, name, *cascade),
            Action::Validate(name) => self.validate(table, name),
            Action::RenameColumn { from, to } => self.rename_column(table, from, to),
            Action::RenameConstraint { from, to } => self.rename_constraint(table, from, to),
            Action::RenameTable(to) => {
                let to = beside(table, to);
                self.rename_table(table, to);
            }
            Action::SetSchema(schema) => {
                let to = name_in_schema(schema, table);
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
            is_perhaps: false,
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

    pub(super) fn add_constraint(&mut self, table: &str, constraint: &Constraint) {
        let mut constraint = constraint.clone();
        let taken = constraint
            .using_index
            .as_ref()
            .and_then(|index| self.index(index).cloned());
        if let (Some(index), ConstraintKind::Unique(columns) | ConstraintKind::PrimaryKey(columns)) =
            (&taken, &mut constraint.kind)
        {
            columns.clone_from(&index.columns);
        }
        if let ConstraintKind::ForeignKey {
            parent,
            parent_columns,
            ..
        } = &mut constraint.kind
            && parent_columns.is_empty()
        {
            *parent_columns = self.primary_key(parent);
        }
        let given = constraint
            .name
            .take()
            .or(constraint.using_index.as_deref().map(bare));
        let name = given.unwrap_or_else(|| self.chosen_constraint(table, &constraint));
        let taken_name = constraint
            .using_index
            .as_ref()
            .and_then(|index| Some(self.named_index(index)?.0.to_owned()));
        let of_index = match &constraint.kind {
            ConstraintKind::Exclude(columns) => Some(columns.as_slice()),
            _ => constraint.unique_columns(),
        };
        if let Some(columns) = of_index {
            let index = Index {
                table: table.to_owned(),
                columns: columns.to_vec(),
                computed_from: BTreeSet::new(),
                unique: constraint.unique_columns().is_some(),
                is_partial: false,
                of_constraint: true,
                is_new: true,
                is_perhaps: false,
            };
            if let Some(taken) = &taken_name {
                self.indexes.remove(taken);
            }
            self.indexes.insert(beside(table, &name), Arc::new(index));
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

    fn primary_key(&self, table: &str) -> Vec<String> {
        let constraints = self.table(table).into_iter().flat_map(|known| &known.constraints);
        let mut keys = constraints.filter_map(|constraint| match &constraint.kind {
            ConstraintKind::PrimaryKey(columns) => Some(columns.clone()),
            _ => None,
        });
        keys.next().unwrap_or_default()
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
}
