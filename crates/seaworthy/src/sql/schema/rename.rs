//! What gets another name, and whatever speaks of it.

use std::sync::Arc;

use super::{Schema, Table};
use crate::sql::name::{bare, beside};
use crate::sql::parsed::{Constraint, ConstraintKind, ObjectKind};
use crate::sql::token::Token;

impl Schema {
    pub(super) fn rename_table(&mut self, table: &mut String, to: String) {
        let is_view = self.views.contains_key(table);
        let known = match self.tables.remove(table) {
            // Something is there under the new name, whatever it is.
            None if !is_view => Some(Arc::default()),
            known => known,
        };
        if let Some(mut known) = known {
            Arc::make_mut(&mut known).is_renamed = true;
            self.tables.insert(to.clone(), known);
        }
        self.rename_view(table, &to);
        self.indexes.change_where(
            |_, index| index.table == *table,
            |_, index| Arc::make_mut(index).table.clone_from(&to),
        );
        for name in self.indexes_of(&to) {
            let moved = beside(&to, &bare(&name));
            if let Some(index) = self.indexes.remove(&name) {
                self.indexes.insert(moved, index);
            }
        }
        self.tables.change_where(
            |_, known| known.parent.as_ref() == Some(table) || known.refers_to(table),
            |_, known| rename_parent(Arc::make_mut(known), table, &to),
        );
        *table = to;
    }

    fn indexes_of(&self, table: &str) -> Vec<String> {
        let indexes = self.indexes.iter().filter(|(_, index)| index.table == table);
        indexes.map(|(name, _)| name.clone()).collect()
    }

    pub(super) fn rename_view(&mut self, name: &str, to: &str) {
        if let Some(view) = self.views.remove(name) {
            self.views.insert(to.to_owned(), view);
        }
        self.views.change_where(
            |_, view| view.reads.contains_key(name),
            |_, view| {
                let reads = &mut Arc::make_mut(view).reads;
                if let Some(columns) = reads.remove(name) {
                    reads.insert(to.to_owned(), columns);
                }
            },
        );
    }

    /// Gives an index another name, and the constraint that it belongs to.
    pub(super) fn rename_index(&mut self, name: &str, to: &str) {
        let Some((known, table)) = self
            .named_index(name)
            .map(|(known, index)| (known.to_owned(), index.table.clone()))
        else {
            return;
        };
        if let Some(index) = self.indexes.remove(&known) {
            if index.of_constraint {
                self.edit(&table, |of| rename_constraint(of, &bare(&known), to));
            }
            self.indexes.insert(beside(&table, to), index);
        }
    }

    /// Gives a constraint another name, and the index that belongs to it.
    pub(super) fn rename_constraint(&mut self, table: &str, from: &str, to: &str) {
        self.edit(table, |known| rename_constraint(known, from, to));
        let index = beside(table, from);
        if self.indexes.get(&index).is_some_and(|index| index.of_constraint)
            && let Some(index) = self.indexes.remove(&index)
        {
            self.indexes.insert(beside(table, to), index);
        }
    }

    pub(super) fn rename_column(&mut self, table: &str, from: &str, to: &str) {
        self.edit(table, |known| {
            if let Some(column) = known.columns.remove(from) {
                known.columns.insert(to.to_owned(), column);
            }
            for column in known.columns.values_mut() {
                replace(&mut column.generated_from, from, to);
            }
            for constraint in &mut known.constraints {
                rename_in(constraint, from, to);
            }
        });
        self.indexes.change_where(
            |_, index| index.table == table,
            |_, index| {
                let index = Arc::make_mut(index);
                rename_each(&mut index.columns, from, to);
                replace(&mut index.computed_from, from, to);
            },
        );
        self.views.change_where(
            |_, view| view.reads.contains_key(table),
            |_, view| {
                if let Some(columns) = Arc::make_mut(view).reads.get_mut(table) {
                    replace(columns, from, to);
                }
            },
        );
        self.tables.change_where(
            |_, known| known.refers_to(table),
            |_, known| rename_referenced(Arc::make_mut(known), table, from, to),
        );
    }

    /// Gives an object that holds no rows another name.
    pub(super) fn rename_object(&mut self, kind: ObjectKind, name: &str, to: &str) {
        self.objects.remove(&(kind, name.to_owned()));
        self.make_object(kind, to);
        if kind == ObjectKind::Function
            && let Some(function) = self.functions.remove(name)
        {
            self.functions.insert(to.to_owned(), function);
        }
    }

    pub(super) fn rename_type(&mut self, name: &str, to: &str) {
        self.new_objects.insert((ObjectKind::Type, to.to_owned()), ());
        if let Some(definition) = self.types.remove(name) {
            self.types.insert(to.to_owned(), definition);
        }
        self.tables.change_where(
            |_, table| table.columns.values().any(|column| column.data_type.name == name),
            |_, table| {
                let columns = Arc::make_mut(table).columns.values_mut();
                for column in columns.filter(|column| column.data_type.name == name) {
                    to.clone_into(&mut column.data_type.name);
                }
            },
        );
    }
}

impl Table {
    /// Returns whether a foreign key of it points to a table.
    fn refers_to(&self, table: &str) -> bool {
        let points_there = |constraint: &Constraint| matches!(&constraint.kind, ConstraintKind::ForeignKey { parent, .. } if parent == table);
        self.constraints.iter().any(points_there)
    }
}

/// Gives a column of another table its new name in the foreign keys that point to it.
fn rename_referenced(known: &mut Table, table: &str, from: &str, to: &str) {
    for constraint in &mut known.constraints {
        if let ConstraintKind::ForeignKey {
            parent,
            parent_columns,
            ..
        } = &mut constraint.kind
            && parent == table
        {
            rename_each(parent_columns, from, to);
        }
    }
}

fn rename_parent(known: &mut Table, from: &str, to: &str) {
    if known.parent.as_deref() == Some(from) {
        known.parent = Some(to.to_owned());
    }
    for constraint in &mut known.constraints {
        if let ConstraintKind::ForeignKey { parent, .. } = &mut constraint.kind
            && parent == from
        {
            to.clone_into(parent);
        }
    }
}

fn rename_constraint(known: &mut Table, from: &str, to: &str) {
    for constraint in &mut known.constraints {
        if constraint.name.as_deref() == Some(from) {
            constraint.name = Some(to.to_owned());
        }
    }
}

/// Gives a column another name in a constraint of its table.
fn rename_in(constraint: &mut Constraint, from: &str, to: &str) {
    match &mut constraint.kind {
        ConstraintKind::Check(condition) => {
            let named = condition
                .iter_mut()
                .filter(|token| token.name().as_deref() == Some(from));
            named.for_each(|token: &mut Token| to.clone_into(&mut token.text));
        }
        ConstraintKind::ForeignKey { columns, .. }
        | ConstraintKind::Unique(columns)
        | ConstraintKind::PrimaryKey(columns)
        | ConstraintKind::Exclude(columns) => rename_each(columns, from, to),
        ConstraintKind::NotNull(column) if column == from => to.clone_into(column),
        ConstraintKind::NotNull(_) => {}
    }
}

fn rename_each(names: &mut [String], from: &str, to: &str) {
    let meant = names.iter_mut().filter(|name| *name == from);
    meant.for_each(|name| to.clone_into(name));
}

fn replace(names: &mut std::collections::BTreeSet<String>, from: &str, to: &str) {
    if names.remove(from) {
        names.insert(to.to_owned());
    }
}
