//! What goes, and whatever goes with it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Schema, Table};
use crate::sql::name::{beside, parts};
use crate::sql::parsed::{Constraint, ConstraintKind, Drop, ObjectKind};

impl Schema {
    pub(super) fn drop(&mut self, drop: &Drop) {
        for name in &drop.names {
            self.doubtful.remove(name);
            match drop.kind {
                ObjectKind::Table => self.drop_table(name),
                ObjectKind::View => self.drop_view(name),
                ObjectKind::Type => {
                    self.types.remove(name);
                    let users = self.users_of_type(name).into_iter();
                    let users: Vec<(String, String)> = users
                        .map(|(table, column)| (table.to_owned(), column.to_owned()))
                        .collect();
                    for (table, column) in users {
                        self.drop_column(&table, &column, drop.cascade);
                    }
                }
                kind => {
                    if kind == ObjectKind::Schema && drop.cascade {
                        self.drop_schema(name);
                    }
                    if kind == ObjectKind::Function && drop.cascade {
                        self.drop_views(|view| view.calls.contains(name));
                    }
                    let object = (kind, name.clone());
                    self.objects.remove(&object);
                    self.new_objects.remove(&object);
                }
            }
        }
    }

    fn drop_table(&mut self, name: &str) {
        self.tables.remove(name);
        self.indexes.retain(|_, index| index.table != *name);
        self.drop_view(name);
        self.drop_references(|parent, _| parent == name);
        let partitions = self
            .tables
            .iter()
            .filter(|(_, table)| table.parent.as_deref() == Some(name));
        let partitions: Vec<String> = partitions.map(|(of, _)| of.clone()).collect();
        for partition in partitions.into_iter().filter(|partition| partition != name) {
            self.drop_table(&partition);
        }
    }

    /// Drops a view and those that read it, or those that read a table.
    pub(super) fn drop_view(&mut self, name: &str) {
        self.views.remove(name);
        self.indexes.retain(|_, index| index.table != *name);
        self.drop_views(|view| view.reads.contains_key(name));
    }

    fn drop_views(&mut self, is_meant: impl Fn(&super::View) -> bool) {
        let views = self.views.iter().filter(|(_, view)| is_meant(view));
        let views: Vec<String> = views.map(|(name, _)| name.clone()).collect();
        for view in views {
            self.drop_view(&view);
        }
    }

    fn drop_schema(&mut self, schema: &str) {
        let is_in_it = |name: &str| matches!(parts(name).as_slice(), [first, _] if first == schema);
        let tables: Vec<String> = { self.tables.keys() }
            .filter(|name| is_in_it(name))
            .cloned()
            .collect();
        for table in tables {
            self.drop_table(&table);
        }
        let views: Vec<String> = { self.views.keys() }
            .filter(|name| is_in_it(name))
            .cloned()
            .collect();
        for view in views {
            self.drop_view(&view);
        }
        self.types.retain(|name, _| !is_in_it(name));
        self.functions.retain(|name, _| !is_in_it(name));
        self.objects.retain(|(_, name), ()| !is_in_it(name));
        self.new_objects.retain(|(_, name), ()| !is_in_it(name));
    }

    /// Drops a column with the constraints and indexes of its table that have it.
    pub(super) fn drop_column(&mut self, table: &str, column: &str, cascade: bool) {
        self.edit(table, |known| {
            let dropped: Vec<bool> = known
                .constraints
                .iter()
                .map(|constraint| known.has_in(constraint, column))
                .collect();
            let mut dropped = dropped.into_iter();
            known.constraints.retain(|_| !dropped.next().unwrap_or_default());
            known.columns.remove(column);
        });
        self.indexes.retain(|_, index| {
            let has_it =
                index.computed_from.contains(column) || index.columns.iter().any(|name| name == column);
            index.table != table || !has_it
        });
        if cascade {
            self.drop_views(|view| {
                view.reads
                    .get(table)
                    .is_some_and(|columns| columns.contains(column))
            });
            self.drop_references(|parent, columns| {
                parent == table && columns.iter().any(|name| name == column)
            });
            let known = self.table(table).into_iter().flat_map(|known| &known.columns);
            let computed = known.filter(|(_, known)| known.generated_from.contains(column));
            let computed: Vec<String> = computed.map(|(name, _)| name.clone()).collect();
            for computed in computed {
                self.drop_column(table, &computed, cascade);
            }
        }
    }

    pub(super) fn drop_constraint(&mut self, table: &str, name: &str, cascade: bool) {
        if cascade && let Some(constraint) = self.constraint(table, name).cloned() {
            let columns = constraint.unique_columns().unwrap_or_default();
            self.drop_references(|parent, of| {
                parent == table && !columns.is_empty() && is_same_set(of, columns)
            });
        }
        let index = beside(table, name);
        self.indexes
            .retain(|known, of| !(*known == index && of.of_constraint));
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

    /// Returns a constraint of a table.
    pub(crate) fn constraint(&self, table: &str, name: &str) -> Option<&Constraint> {
        let mut constraints = self.table(table)?.constraints.iter();
        constraints.find(|constraint| constraint.name.as_deref() == Some(name))
    }

    /// Returns the foreign key, with its table, that relies on a constraint which is dropped; none where something else keeps the same
    /// columns unique, for the server may have chosen either.
    pub(crate) fn reference_that_needs(&self, table: &str, name: &str) -> Option<(&str, &str)> {
        let columns = self.constraint(table, name)?.unique_columns()?;
        let wanted: BTreeSet<String> = columns.iter().cloned().collect();
        let mut others = self.unique_sets(table).into_iter();
        if others.any(|(of, set)| crate::sql::bare(&of) != name && set == wanted) {
            return None;
        }
        let references = self.references_to(table);
        let mut needing = references.iter().filter(|(_, _, of)| is_same_set(of, columns));
        needing.find_map(|(table, constraint, _)| Some((*table, constraint.name.as_deref()?)))
    }

    fn drop_references(&mut self, is_meant: impl Fn(&str, &[String]) -> bool) {
        let goes = |constraint: &Constraint| match &constraint.kind {
            ConstraintKind::ForeignKey {
                parent,
                parent_columns,
                ..
            } => is_meant(parent, parent_columns),
            _ => false,
        };
        self.tables.change_where(
            |_, table| table.constraints.iter().any(goes),
            |_, table| {
                Arc::make_mut(table)
                    .constraints
                    .retain(|constraint| !goes(constraint));
            },
        );
    }
}

impl Table {
    /// Returns whether a constraint is about a column, so that it goes with it.
    fn has_in(&self, constraint: &Constraint, column: &str) -> bool {
        match &constraint.kind {
            ConstraintKind::Check(condition) => self.named_in(condition).iter().any(|name| name == column),
            ConstraintKind::ForeignKey { columns, .. }
            | ConstraintKind::Unique(columns)
            | ConstraintKind::PrimaryKey(columns)
            | ConstraintKind::Exclude(columns) => columns.iter().any(|name| name == column),
            ConstraintKind::NotNull(name) => name == column,
        }
    }
}

fn is_same_set(left: &[String], right: &[String]) -> bool {
    left.iter().collect::<BTreeSet<_>>() == right.iter().collect()
}
