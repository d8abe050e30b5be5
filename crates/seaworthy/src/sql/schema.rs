//! What is known of a schema, from the statements that made it.
//!
//! Copies are cheap: the tables are shared until one is changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::name::{bare, parts as name_parts};
use super::parsed::{Constraint, ConstraintKind, ObjectKind, Type, TypeDefinition};
use super::shared_map::SharedMap;

mod alter;
mod apply;
mod chosen;
mod doubt;
mod drop;
mod proof;
mod reads;
mod rename;
mod volatility;

pub(crate) use volatility::Volatility;

/// The tables, indexes, views and types that statements have left behind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schema {
    tables: SharedMap<String, Arc<Table>>,
    indexes: SharedMap<String, Arc<Index>>,
    views: SharedMap<String, Arc<View>>,
    types: SharedMap<String, Arc<TypeDefinition>>,
    functions: SharedMap<String, Arc<Function>>,
    /// Names of types that the script itself created.
    new_types: BTreeSet<String>,
    /// Functions, sequences, extensions and their like.
    objects: SharedMap<(ObjectKind, String), ()>,
    /// Those of them that the script itself created or named.
    new_objects: SharedMap<(ObjectKind, String), ()>,
    /// Tables, views and indexes that are gone only if code came to the statement which takes them.
    doubtful: BTreeSet<String>,
    /// Whether a missing table does not exist, rather than being unknown.
    is_complete: bool,
}

/// A table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) columns: BTreeMap<String, KnownColumn>,
    pub(crate) constraints: Vec<Constraint>,
    /// Whether the script itself created it, so that nobody uses it yet.
    pub(crate) is_new: bool,
    /// Whether the script itself gave it this name.
    pub(crate) is_renamed: bool,
    /// Whether all its columns are known.
    pub(crate) is_known: bool,
    pub(crate) is_partitioned: bool,
    /// The columns that decide where a row goes.
    pub(crate) partitioned_by: Vec<String>,
    pub(crate) has_default_partition: bool,
    pub(crate) parent: Option<String>,
    pub(crate) has_row_security: bool,
}

/// A column.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownColumn {
    pub(crate) data_type: Type,
    pub(crate) not_null: bool,
    pub(crate) has_value: bool,
    /// Whether the script itself added it.
    pub(crate) is_new: bool,
    /// Whether it is there only if code came to a statement, or did not come to one.
    pub(crate) is_perhaps: bool,
    /// The columns that it is generated from.
    pub(crate) generated_from: BTreeSet<String>,
}

/// An index.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    pub(crate) table: String,
    pub(crate) columns: Vec<String>,
    /// The columns that its expressions and its condition name.
    pub(crate) computed_from: BTreeSet<String>,
    pub(crate) unique: bool,
    pub(crate) is_partial: bool,
    /// The constraint that it belongs to.
    pub(crate) of_constraint: bool,
    pub(crate) is_new: bool,
    /// Whether it is there only if code came to the statement that makes it.
    pub(crate) is_perhaps: bool,
}

/// A view, with the columns that it reads of each table, as far as they are known.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    pub(crate) reads: reads::Reads,
    /// The functions that it calls.
    pub(crate) calls: Vec<String>,
    pub(crate) is_new: bool,
}

/// A function.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub(crate) is_volatile: bool,
    pub(crate) changes_things: bool,
    /// Whether only triggers call it.
    pub(crate) is_of_triggers: bool,
}

impl Schema {
    /// Returns the schema as the next script finds it: nothing in it is new.
    pub(crate) fn settled(mut self, is_complete: bool) -> Self {
        self.tables.change_where(
            |_, _| true,
            |_, table| {
                let table = Arc::make_mut(table);
                table.is_new = false;
                table.is_renamed = false;
                for column in table.columns.values_mut() {
                    column.is_new = false;
                }
            },
        );
        self.indexes.change_where(
            |_, index| index.is_new,
            |_, index| Arc::make_mut(index).is_new = false,
        );
        self.views.change_where(
            |_, view| view.is_new,
            |_, view| Arc::make_mut(view).is_new = false,
        );
        self.new_types.clear();
        self.new_objects.clear();
        self.is_complete = is_complete;
        self
    }

    pub(crate) fn table(&self, name: &str) -> Option<&Table> {
        self.tables.get(name).map(Arc::as_ref)
    }

    pub(crate) fn index(&self, name: &str) -> Option<&Index> {
        self.named_index(name).map(|(_, index)| index)
    }

    /// Returns an index and its whole name; it may be called by a name without the schema, and is known without one where the
    /// statement that made it relied on a search path.
    pub(crate) fn named_index(&self, name: &str) -> Option<(&str, &Index)> {
        let found = self
            .indexes
            .get_key_value(name)
            .or_else(|| match name_parts(name).as_slice() {
                [short] => {
                    let is_meant = |known: &str| known.ends_with(short) && bare(known) == *short;
                    self.indexes.iter().find(|(known, _)| is_meant(known))
                }
                [.., short] => self.indexes.get_key_value(short),
                [] => None,
            });
        found.map(|(known, index)| (known.as_str(), index.as_ref()))
    }

    /// Returns the indexes of a table that a column is part of, with their names.
    pub(crate) fn indexes_on(&self, table: &str, column: &str) -> Vec<(&str, &Index)> {
        let found = self.indexes.iter().filter(|(_, index)| {
            index.table == table
                && (index.computed_from.contains(column) || index.columns.iter().any(|name| name == column))
        });
        found
            .map(|(name, index)| (name.as_str(), index.as_ref()))
            .collect()
    }

    pub(crate) fn view(&self, name: &str) -> Option<&View> {
        self.views.get(name).map(Arc::as_ref)
    }

    pub(crate) fn function(&self, name: &str) -> Option<&Function> {
        self.functions.get(name).map(Arc::as_ref)
    }

    /// Returns whether a function is known to be called by triggers alone.
    pub(crate) fn is_of_triggers(&self, function: &str) -> bool {
        self.function(function).is_some_and(|known| known.is_of_triggers)
    }

    pub(crate) fn type_definition(&self, name: &str) -> Option<&TypeDefinition> {
        self.types.get(name).map(Arc::as_ref)
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.is_complete
    }

    pub(crate) fn is_new_type(&self, name: &str) -> bool {
        self.new_types.contains(name)
    }

    /// Returns whether running code may use an object that holds no rows: the script did not create it, nor is it known to be
    /// missing.
    pub(crate) fn is_live_object(&self, kind: ObjectKind, name: &str) -> bool {
        !self.is_new_object(kind, name) && (self.has_object(kind, name) || !self.is_complete)
    }

    /// Returns whether the script itself made an object that holds no rows.
    pub(crate) fn is_new_object(&self, kind: ObjectKind, name: &str) -> bool {
        self.new_objects.contains_key(&(kind, name.to_owned()))
    }

    /// Returns whether an object that holds no rows is there, as far as is known.
    pub(crate) fn has_object(&self, kind: ObjectKind, name: &str) -> bool {
        self.objects.contains_key(&(kind, name.to_owned()))
    }

    pub(crate) fn column(&self, table: &str, column: &str) -> Option<&KnownColumn> {
        self.table(table)?.columns.get(column)
    }

    /// Returns whether running code may use a table, view, materialized view or sequence: the script did not create it.
    ///
    /// What is not known is in use: a statement that names it would fail if it were not there, and nobody promises that what is
    /// known of a schema is all of it.
    pub(crate) fn is_live(&self, name: &str) -> bool {
        match (self.table(name), self.view(name)) {
            (Some(table), _) => !table.is_new,
            (None, Some(view)) => !view.is_new,
            (None, None) => !self.is_new_object(ObjectKind::Sequence, name) && !is_of_server(name),
        }
    }

    /// Returns whether something of this name is there, as far as is known.
    pub(crate) fn has_relation(&self, name: &str) -> bool {
        self.tables.contains_key(name) || self.views.contains_key(name)
    }

    /// Returns whether nothing of this name is there, so that `IF EXISTS` finds nothing.
    pub(crate) fn lacks(&self, name: &str) -> bool {
        let is_missing = !self.has_relation(name) && self.index(name).is_none();
        self.is_complete && is_missing && !self.doubtful.contains(name)
    }

    /// Returns whether running code may use a column: neither it nor its table is of this script.
    pub(crate) fn is_live_column(&self, table: &str, column: &str) -> bool {
        self.is_live(table) && !self.column(table, column).is_some_and(|column| column.is_new)
    }

    /// Returns the views that read a table, or one column of it.
    pub(crate) fn readers(&self, table: &str, column: Option<&str>) -> Vec<&str> {
        let views = self.views.iter().filter(|(_, view)| {
            view.reads
                .get(table)
                .is_some_and(|columns| column.is_none_or(|column| columns.contains(column)))
        });
        views.map(|(name, _)| name.as_str()).collect()
    }

    /// Returns the foreign keys that point to a table, its own among them: each with its table and the columns that it points to, as
    /// far as they are known.
    pub(crate) fn references_to(&self, parent: &str) -> Vec<(&str, &Constraint, &[String])> {
        let mut found = Vec::new();
        for (name, table) in self.tables.iter() {
            for constraint in &table.constraints {
                if let ConstraintKind::ForeignKey {
                    parent: of,
                    parent_columns,
                    ..
                } = &constraint.kind
                    && of == parent
                {
                    found.push((name.as_str(), constraint, parent_columns.as_slice()));
                }
            }
        }
        found
    }

    /// Returns the tables and columns of a type.
    pub(crate) fn users_of_type(&self, name: &str) -> Vec<(&str, &str)> {
        let columns = self.tables.iter().flat_map(|(table, known)| {
            let of_type = known
                .columns
                .iter()
                .filter(|(_, column)| column.data_type.name == name);
            of_type.map(move |(column, _)| (table.as_str(), column.as_str()))
        });
        columns.collect()
    }

    /// Returns the sets of columns that a table keeps unique, with the index or constraint that does.
    pub(crate) fn unique_sets(&self, table: &str) -> Vec<(String, BTreeSet<String>)> {
        let mut sets = Vec::new();
        for (name, index) in self.indexes.iter() {
            let is_plain = index.unique && !index.is_partial && !index.columns.iter().any(String::is_empty);
            if index.table == table && is_plain {
                sets.push((name.clone(), index.columns.iter().cloned().collect()));
            }
        }
        for constraint in self.table(table).into_iter().flat_map(|known| &known.constraints) {
            if let (Some(name), Some(columns)) = (&constraint.name, constraint.unique_columns()) {
                sets.push((name.clone(), columns.iter().cloned().collect()));
            }
        }
        sets
    }
}

/// Returns whether a name is that of a table or view which the server itself keeps.
fn is_of_server(name: &str) -> bool {
    ["pg_", "information_schema.", "sqlite_"]
        .iter()
        .any(|start| name.starts_with(start))
}
