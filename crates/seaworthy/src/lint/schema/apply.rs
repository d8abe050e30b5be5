//! What a statement leaves behind.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::{Function, Index, KnownColumn, Schema, Table, View};
use crate::lint::cursor::Cursor;
use crate::lint::statement::{
    Action, Column, Constraint, ConstraintKind, CreateIndex, CreateTable, CreateView, Drop, IndexAction,
    ObjectAction, ObjectKind, Statement, TypeAction, TypeDefinition,
};

impl Schema {
    /// Notes what a statement does to the schema.
    pub(in crate::lint) fn apply(&mut self, statement: &Statement) {
        match statement {
            Statement::CreateTable(create) => self.create_table(create),
            Statement::CreateIndex(create) => self.create_index(create),
            Statement::CreateView(create) => self.create_view(create),
            Statement::CreateType { name, definition } => {
                self.types.insert(name.clone(), Rc::new(definition.clone()));
                self.new_types.insert(name.clone());
            }
            Statement::CreateFunction {
                name,
                is_volatile,
                body,
            } => {
                const WORDS: [&str; 7] = [
                    "update ", "delete ", "insert ", "alter ", "create ", "drop ", "execute ",
                ];
                let body = body.to_lowercase();
                let known = Function {
                    is_volatile: *is_volatile,
                    changes_things: WORDS.iter().any(|word| body.contains(word)),
                };
                self.functions.insert(name.clone(), Rc::new(known));
            }
            Statement::AlterTable { table, actions, .. } => {
                let mut table = table.clone();
                for action in actions {
                    self.alter(&mut table, action);
                }
            }
            Statement::AlterView {
                name,
                action: ObjectAction::Rename(to) | ObjectAction::SetSchema(to),
            } => {
                if let Some(view) = self.views.remove(name) {
                    self.views.insert(to.clone(), view);
                }
            }
            Statement::AlterIndex {
                name,
                action: IndexAction::Rename(to),
            } => {
                if let Some(index) = self.indexes.remove(name) {
                    self.indexes.insert(to.clone(), index);
                }
            }
            Statement::AlterType {
                name,
                action: TypeAction::Rename(to),
            } => self.rename_type(name, to),
            Statement::DropIndex { names, .. } => {
                self.indexes.retain(|name, _| !names.contains(name));
            }
            Statement::Drop(drop) => self.drop(drop),
            _ => {}
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
        self.tables.insert(create.name.clone(), Rc::new(table));
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
        self.indexes.insert(name, Rc::new(index));
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
        self.views.insert(create.name.clone(), Rc::new(view));
    }

    fn alter(&mut self, table: &mut String, action: &Action) {
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

    fn add_column(&mut self, table: &str, column: &Column) {
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
        self.edit(table, |of| {
            of.columns.insert(column.name.clone(), known);
        });
        for constraint in &column.constraints {
            self.add_constraint(table, constraint);
        }
    }

    fn drop_column(&mut self, table: &str, column: &str, cascade: bool) {
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

    fn add_constraint(&mut self, table: &str, constraint: &Constraint) {
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
            self.indexes.insert(name.clone(), Rc::new(index));
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
        if let Some(known) = self.tables.remove(table) {
            self.tables.insert(to.clone(), known);
        }
        for index in self.indexes.values_mut().filter(|index| index.table == *table) {
            Rc::make_mut(index).table.clone_from(&to);
        }
        for view in self
            .views
            .values_mut()
            .filter(|view| view.reads.contains_key(table))
        {
            let reads = &mut Rc::make_mut(view).reads;
            if let Some(columns) = reads.remove(table) {
                reads.insert(to.clone(), columns);
            }
        }
        *table = to;
    }

    fn rename_type(&mut self, name: &str, to: &str) {
        if let Some(definition) = self.types.remove(name) {
            self.types.insert(to.to_owned(), definition);
        }
        for table in self.tables.values_mut() {
            if table.columns.values().any(|column| column.data_type.name == name) {
                for column in Rc::make_mut(table).columns.values_mut() {
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
                _ => {}
            }
        }
    }

    /// Changes a table; one that is not known yet is taken down as far as this statement knows it.
    fn edit(&mut self, table: &str, change: impl FnOnce(&mut Table)) {
        change(Rc::make_mut(self.tables.entry(table.to_owned()).or_default()));
    }

    fn edit_column(&mut self, table: &str, column: &str, change: impl FnOnce(&mut KnownColumn)) {
        self.edit(table, |known| {
            if let Some(column) = known.columns.get_mut(column) {
                change(column);
            }
        });
    }
}

fn drop_view(views: &mut BTreeMap<String, Rc<View>>, name: &str) {
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
    pub(in crate::lint) fn base(&self) -> Option<&crate::lint::statement::Type> {
        match self {
            Self::Domain { base, .. } => Some(base),
            _ => None,
        }
    }
}
