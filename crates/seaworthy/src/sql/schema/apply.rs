//! What a statement leaves behind.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Function, Index, KnownColumn, Schema, Table, View};
use crate::sql::cursor::Cursor;
use crate::sql::parsed::{
    CreateIndex, CreateTable, CreateView, DomainAction, Drop, IndexAction, ObjectAction, ObjectKind, Parsed,
    TypeAction, TypeDefinition,
};
use crate::sql::{bare, joined_name};

impl Schema {
    /// Notes what a statement does to the schema.
    pub(crate) fn apply(&mut self, statement: &Parsed) {
        match statement {
            Parsed::CreateTable(create) => self.create_table(create),
            Parsed::CreateIndex(create) => self.create_index(create),
            Parsed::CreateView(create) => self.create_view(create),
            Parsed::CreateType { name, definition } => {
                self.types.insert(name.clone(), Arc::new(definition.clone()));
                self.new_types.insert(name.clone());
            }
            Parsed::CreateFunction {
                name,
                is_volatile,
                body,
                ..
            } => {
                const WORDS: [&str; 7] = [
                    "update ", "delete ", "insert ", "alter ", "create ", "drop ", "execute ",
                ];
                let body = body.to_lowercase();
                let known = Function {
                    is_volatile: *is_volatile,
                    changes_things: WORDS.iter().any(|word| body.contains(word)),
                    is_of_triggers: body.contains("returns trigger"),
                };
                self.functions.insert(name.clone(), Arc::new(known));
                self.make_object(ObjectKind::Function, name);
            }
            Parsed::CreateOther { kind, name, .. } => self.make_object(*kind, name),
            Parsed::AlterOther {
                kind,
                name,
                action: ObjectAction::Rename(to),
            } => {
                self.objects.remove(&(*kind, name.clone()));
                self.make_object(*kind, to);
            }
            Parsed::AlterTable { table, actions, .. } => {
                let mut table = table.clone();
                for action in actions {
                    self.alter(&mut table, action);
                }
            }
            Parsed::AlterView {
                name,
                action: ObjectAction::Rename(to) | ObjectAction::SetSchema(to),
            } => {
                if let Some(view) = self.views.remove(name) {
                    self.views.insert(to.clone(), view);
                }
            }
            Parsed::AlterIndex {
                name,
                action: IndexAction::Rename(to),
            } => {
                if let Some(index) = self.indexes.remove(name) {
                    self.indexes.insert(to.clone(), index);
                }
            }
            Parsed::AlterType {
                name,
                action: TypeAction::Rename(to),
            }
            | Parsed::AlterDomain {
                name,
                action: DomainAction::Rename(to),
            } => self.rename_type(name, to),
            Parsed::AlterType {
                name,
                action: TypeAction::SetSchema(schema),
            }
            | Parsed::AlterDomain {
                name,
                action: DomainAction::SetSchema(schema),
            } => self.rename_type(name, &joined_name(&[schema.clone(), bare(name)])),
            Parsed::DropIndex { names, .. } => {
                self.indexes.retain(|name, _| !names.contains(name));
            }
            Parsed::Drop(drop) => self.drop(drop),
            _ => {}
        }
    }

    /// Notes an object that holds no rows; one that is there already stays what it is.
    pub(super) fn make_object(&mut self, kind: ObjectKind, name: &str) {
        let object = (kind, name.to_owned());
        if self.objects.insert(object.clone()) {
            self.new_objects.insert(object);
        }
    }

    fn create_table(&mut self, create: &CreateTable) {
        if create.if_not_exists && self.tables.contains_key(&create.name) {
            return;
        }
        let mut table = Table {
            is_new: true,
            is_known: create.filled.is_none(),
            is_partitioned: create.partitioned_by.is_some(),
            partitioned_by: create.partitioned_by.clone().unwrap_or_default(),
            ..Table::default()
        };
        let parent = create.partition_of.as_ref().map(|(parent, _)| parent);
        for source in create.like.iter().chain(parent) {
            if let Some(known) = self.table(source) {
                table.columns.extend(known.columns.clone());
            } else {
                table.is_known = false;
            }
        }
        if let Some((parent, bound)) = &create.partition_of {
            table.parent = Some(parent.clone());
            self.edit(parent, |known| known.has_default_partition |= bound.is_default);
        }
        self.tables.insert(create.name.clone(), Arc::new(table));
        for column in &create.columns {
            self.add_column(&create.name, column);
        }
        for constraint in &create.constraints {
            self.add_constraint(&create.name, constraint);
        }
    }

    fn create_index(&mut self, create: &CreateIndex) {
        let name = if create.name.is_empty() {
            format!("{}_{}_idx", create.table, create.columns.join("_"))
        } else {
            create.name.clone()
        };
        if create.if_not_exists && self.indexes.contains_key(&name) {
            return;
        }
        let index = Index {
            table: create.table.clone(),
            columns: create.columns.clone(),
            unique: create.unique,
            is_partial: create.is_partial,
            of_constraint: false,
            is_new: true,
        };
        self.indexes.insert(name, Arc::new(index));
    }

    fn create_view(&mut self, create: &CreateView) {
        let mut reads = BTreeMap::new();
        let tokens = &create.body;
        for index in 0..tokens.len() {
            let is_source = tokens[index].is_word("from")
                || tokens[index].is_word("join")
                || tokens[index].is_symbol(",");
            let mut cursor = Cursor::new(&tokens[index + 1..]);
            cursor.accept("only");
            let Some(name) = cursor.qualified().filter(|_| is_source) else {
                continue;
            };
            if !self.has_relation(&name) {
                continue;
            }
            let columns = self
                .table(&name)
                .map(|table| table.columns.keys().cloned().collect());
            let columns: BTreeSet<String> = columns.unwrap_or_default();
            let has_star = tokens
                .windows(2)
                .any(|pair| pair[1].is_symbol("*") && !pair[0].is_symbol("("))
                || tokens.first().is_some_and(|token| token.is_symbol("*"));
            let mentioned = |column: &String| {
                tokens
                    .iter()
                    .any(|token| token.is_name() && token.text == *column)
            };
            let read = columns.into_iter().filter(|column| has_star || mentioned(column));
            reads.insert(name, read.collect());
        }
        let view = View {
            reads,
            is_new: !self.views.contains_key(&create.name),
        };
        self.views.insert(create.name.clone(), Arc::new(view));
    }

    fn rename_type(&mut self, name: &str, to: &str) {
        self.new_objects.insert((ObjectKind::Type, to.to_owned()));
        if let Some(definition) = self.types.remove(name) {
            self.types.insert(to.to_owned(), definition);
        }
        for table in self.tables.values_mut() {
            if table.columns.values().any(|column| column.data_type.name == name) {
                for column in Arc::make_mut(table).columns.values_mut() {
                    if column.data_type.name == name {
                        column.data_type.name = to.to_owned();
                    }
                }
            }
        }
    }

    fn drop(&mut self, drop: &Drop) {
        for name in &drop.names {
            match drop.kind {
                ObjectKind::Table => {
                    self.tables.remove(name);
                    self.indexes.retain(|_, index| index.table != *name);
                    self.views.retain(|_, view| !view.reads.contains_key(name));
                }
                ObjectKind::View => drop_view(&mut self.views, name),
                ObjectKind::Type => {
                    self.types.remove(name);
                    for (table, column) in owned(self.users_of_type(name)) {
                        self.drop_column(&table, &column, drop.cascade);
                    }
                }
                kind => {
                    let object = (kind, name.clone());
                    self.objects.remove(&object);
                    self.new_objects.remove(&object);
                }
            }
        }
    }

    /// Changes a table; one that is not known yet is taken down as far as this statement knows it.
    pub(super) fn edit(&mut self, table: &str, change: impl FnOnce(&mut Table)) {
        change(Arc::make_mut(self.tables.entry(table.to_owned()).or_default()));
    }

    pub(super) fn edit_column(&mut self, table: &str, column: &str, change: impl FnOnce(&mut KnownColumn)) {
        self.edit(table, |known| {
            if let Some(column) = known.columns.get_mut(column) {
                change(column);
            }
        });
    }
}

fn drop_view(views: &mut BTreeMap<String, Arc<View>>, name: &str) {
    views.remove(name);
    views.retain(|_, view| !view.reads.contains_key(name));
}

fn owned(pairs: Vec<(&str, &str)>) -> Vec<(String, String)> {
    let owned = pairs
        .into_iter()
        .map(|(table, column)| (table.to_owned(), column.to_owned()));
    owned.collect()
}

impl TypeDefinition {
    /// Returns the type that a domain restricts.
    pub(crate) fn base(&self) -> Option<&crate::sql::parsed::Type> {
        match self {
            Self::Domain { base, .. } => Some(base),
            _ => None,
        }
    }
}
