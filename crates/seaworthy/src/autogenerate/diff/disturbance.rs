//! What operations on tables do to that which objects need: columns that change or go, types that are made anew, new names.

use std::collections::{HashMap, HashSet};

use super::Note;
use crate::autogenerate::Operation;
use crate::catalog::expression::{mentions, name as quoted};
use crate::catalog::{Catalog, Dependent, Need, NeedKind, Object, ObjectKind};

/// What operations do to that which objects may need, by the names of before all operations.
#[derive(Default)]
pub(super) struct Disturbance {
    /// Columns that get another type or go, by table.
    columns: HashSet<(String, String)>,
    /// Those of them that go.
    dropped: HashSet<(String, String)>,
    /// Tables that go.
    pub(super) tables: HashSet<String>,
    /// Enum types that are made anew, or go.
    enums: HashSet<String>,
    /// What gets another name.
    renamed: HashSet<(String, Option<String>)>,
    /// Indexes and constraints that go, and may be made again.
    parts: HashSet<String>,
    /// Tables that are made or changed, by the names of after all operations.
    pub(super) touched: HashSet<String>,
}

impl Disturbance {
    pub(super) fn of(live: &Catalog, operations: &[Operation]) -> Self {
        let mut found = Self::default();
        let mut names = OldNames::default();
        for operation in operations {
            found.touched.extend(operation.table().map(str::to_owned));
            match operation {
                Operation::RenameTable { from, to } => {
                    found.touched.insert(to.clone());
                    found.renamed.insert((from.clone(), None));
                    names.tables.insert(to.clone(), from.clone());
                }
                Operation::RenameColumn { table, from, to } => {
                    let table = names.table(table);
                    found.renamed.insert((table.clone(), Some(from.clone())));
                    names.columns.insert((table, to.clone()), from.clone());
                }
                Operation::AlterType { table, column, .. }
                | Operation::AlterCollation { table, column, .. }
                | Operation::AlterGenerated {
                    table,
                    column,
                    to: Some(_),
                    ..
                } => {
                    found.columns.insert(names.column(table, column));
                }
                Operation::DropColumn { table, column } => {
                    found.columns.insert(names.column(table, &column.name));
                    found.dropped.insert(names.column(table, &column.name));
                }
                Operation::DropTable { table } => drop(found.tables.insert(names.table(&table.name))),
                Operation::DropEnumValue { r#enum, .. }
                | Operation::ReorderEnum { r#enum, .. }
                | Operation::DropEnum { r#enum, .. } => drop(found.enums.insert(r#enum.clone())),
                other => found.parts.extend(dropped_part(other)),
            }
        }
        found.follow(live);
        found
    }

    /// Columns of a type that is made anew change with it, and so does what is computed from a column.
    fn follow(&mut self, live: &Catalog) {
        for table in &live.tables {
            for column in &table.columns {
                if self.enums.iter().any(|name| mentions(&column.data_type, name)) {
                    self.columns.insert((table.name.clone(), column.name.clone()));
                }
            }
            for column in &table.columns {
                let Some(generated) = &column.generated else {
                    continue;
                };
                let follows = table.columns.iter().any(|read| {
                    self.columns.contains(&(table.name.clone(), read.name.clone()))
                        && mentions(&generated.expr, &read.name)
                });
                if follows {
                    self.columns.insert((table.name.clone(), column.name.clone()));
                }
            }
        }
    }

    /// Whether an object has to step aside.
    pub(super) fn hits(&self, object: &Object) -> bool {
        let is_of_gone_table = object
            .relation
            .as_ref()
            .is_some_and(|table| self.tables.contains(table));
        match object.kind {
            ObjectKind::Comment => {
                is_of_gone_table || self.parts.contains(&object.name) || self.is_about_enum(object)
            }
            ObjectKind::Clustering => {
                let constraint = format!("CONSTRAINT {}", object.name);
                let index = object
                    .name
                    .rsplit_once(" ON ")
                    .map(|(index, _)| format!("INDEX {index}"));
                is_of_gone_table
                    || self.parts.contains(&constraint)
                    || index.is_some_and(|index| self.parts.contains(&index))
            }
            ObjectKind::RowSecurity => is_of_gone_table,
            _ => is_of_gone_table || object.needs.iter().any(|need| self.hits_need(need)),
        }
    }

    fn is_about_enum(&self, comment: &Object) -> bool {
        comment
            .needs
            .iter()
            .any(|need| need.kind == NeedKind::Enum && self.enums.contains(&need.name))
    }

    fn hits_need(&self, need: &Need) -> bool {
        match (need.kind, &need.column) {
            (NeedKind::Table, Some(column)) => {
                self.tables.contains(&need.name)
                    || self.columns.contains(&(need.name.clone(), column.clone()))
            }
            (NeedKind::Table, None) => self.tables.contains(&need.name),
            (NeedKind::Enum, _) => self.enums.contains(&need.name),
            (NeedKind::Sequence | NeedKind::Object(_), _) => false,
        }
    }

    /// Whether its statements speak of something that gets another name.
    pub(super) fn renames(&self, object: &Object) -> bool {
        let is_renamed = |table: &String, column: Option<&String>| {
            self.renamed.contains(&(table.clone(), None))
                || self.renamed.contains(&(table.clone(), column.cloned()))
        };
        object
            .relation
            .as_ref()
            .is_some_and(|table| is_renamed(table, None))
            || object
                .needs
                .iter()
                .any(|need| need.kind == NeedKind::Table && is_renamed(&need.name, need.column.as_ref()))
    }

    /// Says what an object needs and will not find under its name.
    pub(super) fn lost(&self, object: &Object) -> Option<String> {
        let gone = object
            .needs
            .iter()
            .find_map(|need| match (need.kind, &need.column) {
                (NeedKind::Table, _) if self.tables.contains(&need.name) => {
                    Some(format!("{}, which is dropped", need.name))
                }
                (NeedKind::Table, Some(column))
                    if self.dropped.contains(&(need.name.clone(), column.clone())) =>
                {
                    Some(format!("{}.{column}, which is dropped", need.name))
                }
                _ => None,
            });
        gone.or_else(|| {
            let is_stale = self.hits(object) && self.renames(object);
            is_stale.then(|| "something that is renamed and changed at once; renames belong into a revision of their own".to_owned())
        })
    }
}

/// Names what is not in the schema and needs what is dropped or gets another type.
pub(super) fn outside(live: &Catalog, operations: &[Operation]) -> Vec<Note> {
    let disturbance = Disturbance::of(live, operations);
    let removed: HashSet<(ObjectKind, &str)> = operations
        .iter()
        .filter_map(|operation| match operation {
            Operation::DropObject { object } => Some((object.kind, object.name.as_str())),
            _ => None,
        })
        .collect();
    let mut notes: Vec<Note> = Vec::new();
    for Dependent { dependent, needs } in &live.outside {
        let reason = match needs.kind {
            NeedKind::Object(kind) => removed
                .contains(&(kind, needs.name.as_str()))
                .then(|| format!("{kind} {}, which is dropped", needs.name)),
            NeedKind::Table => disturbance.reason_of_table(dependent, needs),
            NeedKind::Enum => (disturbance.enums.contains(&needs.name))
                .then(|| format!("type {}, which is made anew or dropped", needs.name)),
            NeedKind::Sequence => None,
        };
        notes.extend(reason.map(|reason| Note::InTheWay {
            object: dependent.clone(),
            reason,
        }));
    }
    notes.dedup();
    notes
}

impl Disturbance {
    fn reason_of_table(&self, dependent: &str, needs: &Need) -> Option<String> {
        if self.tables.contains(&needs.name) {
            return Some(format!("{}, which is dropped", needs.name));
        }
        let place = (needs.name.clone(), needs.column.clone()?);
        let column = format!("{}.{}", place.0, place.1);
        match (self.dropped.contains(&place), self.columns.contains(&place)) {
            (true, _) => Some(format!("{column}, which is dropped")),
            // The server looks at the keys of other tables itself.
            (false, true) if !dependent.starts_with("constraint ") => {
                Some(format!("{column}, which gets another type"))
            }
            (false, _) => None,
        }
    }
}

/// Returns what a comment calls an index or constraint that an operation removes.
fn dropped_part(operation: &Operation) -> Option<String> {
    let constraint = |table: &str, name: &Option<String>| {
        Some(format!(
            "CONSTRAINT {} ON {}",
            quoted(name.as_deref()?),
            quoted(table)
        ))
    };
    match operation {
        Operation::DropIndex { index, .. } => Some(format!("INDEX {}", quoted(index.name.as_deref()?))),
        Operation::DropUnique { table, unique } => constraint(table, &unique.name),
        Operation::DropCheck { table, check } => constraint(table, &check.name),
        Operation::DropExclude { table, exclusion } => constraint(table, &exclusion.name),
        Operation::DropForeignKey { table, foreign_key } => constraint(table, &foreign_key.name),
        Operation::AlterPrimaryKey {
            table,
            from: Some(key),
            ..
        } => constraint(table, &key.name),
        _ => None,
    }
}

/// The names that tables and columns had before all operations.
#[derive(Default)]
struct OldNames {
    tables: HashMap<String, String>,
    columns: HashMap<(String, String), String>,
}

impl OldNames {
    fn table(&self, name: &str) -> String {
        self.tables
            .get(name)
            .map_or_else(|| name.to_owned(), Clone::clone)
    }

    fn column(&self, table: &str, column: &str) -> (String, String) {
        let place = (self.table(table), column.to_owned());
        let old = self.columns.get(&place).cloned();
        (place.0, old.unwrap_or(place.1))
    }
}
