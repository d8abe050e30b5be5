//! What a statement leaves behind.

use std::sync::Arc;

use super::reads::reads;
use super::{Function, Index, KnownColumn, Schema, Table, View};
use crate::sql::name::{beside, name_in_schema};
use crate::sql::parsed::{
    Constraint, ConstraintKind, CreateIndex, CreateTable, CreateView, DomainAction, IndexAction,
    ObjectAction, ObjectKind, Parsed, TypeAction, TypeDefinition, called,
};
use crate::sql::token::Token;

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
            } => self.create_function(name, *is_volatile, body),
            Parsed::CreateOther { kind, name, .. } => self.make_object(*kind, name),
            Parsed::AlterOther {
                kind,
                name,
                action: ObjectAction::Rename(to),
            } => self.rename_object(*kind, name, &beside(name, to)),
            Parsed::AlterOther {
                kind,
                name,
                action: ObjectAction::SetSchema(schema),
            } => self.rename_object(*kind, name, &name_in_schema(schema, name)),
            Parsed::AlterTable { table, actions, .. } => {
                let mut table = table.clone();
                for action in actions {
                    self.alter(&mut table, action);
                }
            }
            Parsed::AlterView {
                name,
                action: ObjectAction::Rename(to),
            } => self.rename_view(name, &beside(name, to)),
            Parsed::AlterView {
                name,
                action: ObjectAction::SetSchema(schema),
            } => self.rename_view(name, &name_in_schema(schema, name)),
            Parsed::AlterIndex {
                name,
                action: IndexAction::Rename(to),
            } => self.rename_index(name, to),
            Parsed::AlterType {
                name,
                action: TypeAction::Rename(to),
            }
            | Parsed::AlterDomain {
                name,
                action: DomainAction::Rename(to),
            } => self.rename_type(name, &beside(name, to)),
            Parsed::AlterType {
                name,
                action: TypeAction::SetSchema(schema),
            }
            | Parsed::AlterDomain {
                name,
                action: DomainAction::SetSchema(schema),
            } => self.rename_type(name, &name_in_schema(schema, name)),
            Parsed::DropIndex { names, .. } => {
                for name in names {
                    if let Some(known) = self.named_index(name).map(|(known, _)| known.to_owned()) {
                        self.indexes.remove(&known);
                    }
                    self.doubtful.remove(name);
                }
            }
            Parsed::Drop(drop) => self.drop(drop),
            _ => {}
        }
    }

    /// Notes an object that holds no rows; one that is there already stays what it is.
    pub(super) fn make_object(&mut self, kind: ObjectKind, name: &str) {
        let object = (kind, name.to_owned());
        if !self.objects.contains_key(&object) {
            self.objects.insert(object.clone(), ());
            self.new_objects.insert(object, ());
        }
    }

    fn create_function(&mut self, name: &str, is_volatile: bool, body: &str) {
        const CHANGES: [&str; 7] = [
            "update ", "delete ", "insert ", "alter ", "create ", "drop ", "execute ",
        ];
        const OF_TRIGGERS: [&str; 2] = ["returns trigger", "returns event_trigger"];
        let body = body.to_lowercase();
        let known = Function {
            is_volatile,
            changes_things: CHANGES.iter().any(|word| body.contains(word)),
            is_of_triggers: OF_TRIGGERS.iter().any(|words| body.contains(words)),
        };
        self.functions.insert(name.to_owned(), Arc::new(known));
        self.make_object(ObjectKind::Function, name);
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
        // A reference to the table itself means its key, which may stand behind it.
        let is_reference =
            |constraint: &&Constraint| matches!(constraint.kind, ConstraintKind::ForeignKey { .. });
        let (references, others): (Vec<_>, Vec<_>) = create.constraints.iter().partition(is_reference);
        for constraint in others.into_iter().chain(references) {
            self.add_constraint(&create.name, constraint);
        }
    }

    fn create_index(&mut self, create: &CreateIndex) {
        let name = self.index_name(create);
        if create.if_not_exists && self.indexes.contains_key(&name) {
            return;
        }
        let named = create.computed.iter().filter_map(Token::name);
        let index = Index {
            table: create.table.clone(),
            columns: create.columns.clone(),
            computed_from: named.collect(),
            unique: create.unique,
            is_partial: create.is_partial,
            of_constraint: false,
            is_new: true,
            is_perhaps: false,
        };
        self.indexes.insert(name, Arc::new(index));
    }

    fn create_view(&mut self, create: &CreateView) {
        if create.if_not_exists && self.views.contains_key(&create.name) {
            return;
        }
        let view = View {
            reads: reads(self, &create.body),
            calls: called(&create.body),
            is_new: !self.views.contains_key(&create.name),
        };
        self.views.insert(create.name.clone(), Arc::new(view));
    }

    /// Changes a table; one that is not known yet is taken down as far as this statement knows it.
    pub(super) fn edit(&mut self, table: &str, change: impl FnOnce(&mut Table)) {
        change(Arc::make_mut(self.tables.get_or_default(table)));
    }

    pub(super) fn edit_column(&mut self, table: &str, column: &str, change: impl FnOnce(&mut KnownColumn)) {
        self.edit(table, |known| {
            if let Some(column) = known.columns.get_mut(column) {
                change(column);
            }
        });
    }
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
