//! What a statement leaves behind that code may not come to: `IF ... THEN ALTER TABLE ... END IF`.
//!
//! What it makes and what it takes away is perhaps there, and says nothing against a hazard.

use std::sync::Arc;

use super::{Schema, Table, View};
use crate::sql::parsed::{Constraint, ConstraintKind, Parsed};
use crate::sql::statement::Statement;

impl Schema {
    /// Notes what a statement does to the schema, all that it runs included.
    pub(crate) fn apply_whole(&mut self, statement: &Statement) {
        match statement.is_inner {
            true => self.apply_perhaps(&statement.parsed),
            false => self.apply(&statement.parsed),
        }
        for inner in &statement.inner {
            for statement in inner.clone().flattened(0) {
                self.apply_perhaps(&statement.parsed);
            }
        }
    }

    fn apply_perhaps(&mut self, statement: &Parsed) {
        let before = self.clone();
        self.apply(statement);
        let tables = before
            .tables
            .keys()
            .filter(|name| !self.tables.contains_key(*name));
        self.doubtful.extend(tables.cloned());
        let is_other = |name: &String, after: &Arc<Table>| {
            let known = before.tables.get(name);
            known.is_some_and(|known| !Arc::ptr_eq(known, after))
        };
        self.tables.change_where(is_other, |name, after| {
            if let Some(known) = before.tables.get(name) {
                doubt(Arc::make_mut(after), known);
            }
        });
        let is_new = |name: &String, view: &Arc<View>| {
            let known = before.views.get(name);
            !known.is_some_and(|known| Arc::ptr_eq(known, view))
        };
        // It may stand in nobody's way.
        self.views
            .change_where(is_new, |_, view| Arc::make_mut(view).reads.clear());
        let views = before.views.keys().filter(|name| !self.views.contains_key(*name));
        let indexes = before
            .indexes
            .keys()
            .filter(|name| !self.indexes.contains_key(*name));
        self.doubtful.extend(views.chain(indexes).cloned());
        self.indexes.change_where(
            |name, _| !before.indexes.contains_key(name),
            |_, index| Arc::make_mut(index).is_perhaps = true,
        );
        self.indexes
            .retain(|name, index| !index.of_constraint || before.indexes.contains_key(name));
    }
}

fn doubt(after: &mut Table, before: &Table) {
    for (name, column) in &mut after.columns {
        match before.columns.get(name) {
            None => column.is_perhaps = true,
            Some(known) => {
                column.not_null &= known.not_null;
                column.has_value &= known.has_value;
            }
        }
    }
    for (name, known) in &before.columns {
        let mut known = known.clone();
        known.is_perhaps = true;
        after.columns.entry(name.clone()).or_insert(known);
    }
    let is_old = |constraint: &Constraint| {
        before
            .constraints
            .iter()
            .any(|known| known.name == constraint.name && known.is_valid == constraint.is_valid)
    };
    after.constraints.retain_mut(|constraint| {
        if is_old(constraint) {
            return true;
        }
        constraint.is_valid = false;
        matches!(
            constraint.kind,
            ConstraintKind::Check(_) | ConstraintKind::NotNull(_)
        )
    });
}
