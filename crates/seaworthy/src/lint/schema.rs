//! What is known of a schema, from the statements that made it.
//!
//! Copies are cheap: the tables are shared until one is changed.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::statement::{Constraint, Type, TypeDefinition};

mod alter;
mod apply;
mod proof;
mod volatility;

pub(super) use volatility::Volatility;

/// The tables, indexes, views and types that statements have left behind.
#[derive(Clone, Debug, Default)]
pub(super) struct Schema {
    tables: BTreeMap<String, Rc<Table>>,
    indexes: BTreeMap<String, Rc<Index>>,
    views: BTreeMap<String, Rc<View>>,
    types: BTreeMap<String, Rc<TypeDefinition>>,
    functions: BTreeMap<String, Rc<Function>>,
    /// Names of types that the script itself created.
    new_types: BTreeSet<String>,
    /// Whether a missing table does not exist, rather than being unknown.
    is_complete: bool,
}

/// A table.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) columns: BTreeMap<String, KnownColumn>,
    pub(super) constraints: Vec<Constraint>,
    /// Whether the script itself created it, so that nobody uses it yet.
    pub(super) is_new: bool,
    /// Whether all its columns are known.
    pub(super) is_known: bool,
    pub(super) is_partitioned: bool,
    /// The columns that decide where a row goes.
    pub(super) partitioned_by: Vec<String>,
    pub(super) has_default_partition: bool,
    pub(super) parent: Option<String>,
    pub(super) has_row_security: bool,
}

/// A column.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownColumn {
    pub(super) data_type: Type,
    pub(super) not_null: bool,
    pub(super) has_value: bool,
    /// Whether the script itself added it.
    pub(super) is_new: bool,
    /// The columns that it is generated from.
    pub(super) generated_from: BTreeSet<String>,
}

/// An index.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    pub(super) table: String,
    pub(super) columns: Vec<String>,
    pub(super) unique: bool,
    pub(super) is_partial: bool,
    /// The constraint that it belongs to.
    pub(super) of_constraint: bool,
    pub(super) is_new: bool,
}

/// A view, with the columns that it reads of each table.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    pub(super) reads: BTreeMap<String, BTreeSet<String>>,
    pub(super) is_new: bool,
}

/// A function.
#[derive(Clone, Debug)]
pub(super) struct Function {
    pub(super) is_volatile: bool,
    pub(super) changes_things: bool,
}

impl Schema {
    /// Returns the schema as the next script finds it: nothing in it is new.
    pub(super) fn settled(mut self, is_complete: bool) -> Self {
        for table in self.tables.values_mut() {
            let table = Rc::make_mut(table);
            table.is_new = false;
            for column in table.columns.values_mut() {
                column.is_new = false;
            }
        }
        for index in self.indexes.values_mut() {
            Rc::make_mut(index).is_new = false;
        }
        for view in self.views.values_mut() {
            Rc::make_mut(view).is_new = false;
        }
        self.new_types.clear();
        self.is_complete = is_complete;
        self
    }

    pub(super) fn table(&self, name: &str) -> Option<&Table> {
        self.tables.get(name).map(Rc::as_ref)
    }

    pub(super) fn index(&self, name: &str) -> Option<&Index> {
        self.indexes.get(name).map(Rc::as_ref)
    }

    /// Returns an index or a key that a column is part of.
    pub(super) fn index_on(&self, table: &str, column: &str) -> Option<&str> {
        let mut indexes = self.indexes.iter();
        let found = indexes
            .find(|(_, index)| index.table == table && index.columns.iter().any(|name| name == column));
        found.map(|(name, _)| name.as_str())
    }

    pub(super) fn view(&self, name: &str) -> Option<&View> {
        self.views.get(name).map(Rc::as_ref)
    }

    pub(super) fn function(&self, name: &str) -> Option<&Function> {
        self.functions.get(name).map(Rc::as_ref)
    }

    pub(super) fn type_definition(&self, name: &str) -> Option<&TypeDefinition> {
        self.types.get(name).map(Rc::as_ref)
    }

    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    pub(super) fn is_new_type(&self, name: &str) -> bool {
        self.new_types.contains(name)
    }

    pub(super) fn column(&self, table: &str, column: &str) -> Option<&KnownColumn> {
        self.table(table)?.columns.get(column)
    }

    /// Returns whether running code may use a table, view or materialized view: the script did not create it, nor is it known
    /// to be missing.
    pub(super) fn is_live(&self, name: &str) -> bool {
        match (self.table(name), self.view(name)) {
            (Some(table), _) => !table.is_new,
            (None, Some(view)) => !view.is_new,
            (None, None) => true,
        }
    }

    /// Returns whether something of this name is there, as far as is known.
    pub(super) fn has_relation(&self, name: &str) -> bool {
        self.tables.contains_key(name) || self.views.contains_key(name)
    }

    /// Returns whether nothing of this name is there, for sure.
    pub(super) fn lacks(&self, name: &str) -> bool {
        self.is_complete && !self.has_relation(name) && !self.indexes.contains_key(name)
    }

    /// Returns whether running code may use a column: neither it nor its table is of this script.
    pub(super) fn is_live_column(&self, table: &str, column: &str) -> bool {
        self.is_live(table) && !self.column(table, column).is_some_and(|column| column.is_new)
    }

    /// Returns the views that read a table, or one column of it.
    pub(super) fn readers(&self, table: &str, column: Option<&str>) -> Vec<&str> {
        let views = self.views.iter().filter(|(_, view)| {
            view.reads
                .get(table)
                .is_some_and(|columns| column.is_none_or(|column| columns.contains(column)))
        });
        views.map(|(name, _)| name.as_str()).collect()
    }

    /// Returns the tables whose foreign keys point to a table, itself left out.
    pub(super) fn children(&self, parent: &str) -> Vec<&str> {
        use super::statement::ConstraintKind::ForeignKey;
        let tables = self.tables.iter().filter(|(name, table)| {
            *name != parent
                && table
                    .constraints
                    .iter()
                    .any(|constraint| matches!(&constraint.kind, ForeignKey { parent: of } if of == parent))
        });
        tables.map(|(name, _)| name.as_str()).collect()
    }

    /// Returns the tables and columns of a type.
    pub(super) fn users_of_type(&self, name: &str) -> Vec<(&str, &str)> {
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
    pub(super) fn unique_sets(&self, table: &str) -> Vec<(String, BTreeSet<String>)> {
        let mut sets = Vec::new();
        for (name, index) in &self.indexes {
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
