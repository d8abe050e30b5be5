//! Which tables hold the rows of others, and what they stand for when these go.

use std::collections::BTreeSet;

use super::held::{Held, Holds, made_of};
use super::table::{ColumnOrigin, Copy, Table};
use super::{Origin, PossibleLoss, Successor, Trace};
use crate::script::loss::Kept;
use crate::sql::{CopiedValue, Expression, Moved, WholeCopy};

impl Trace {
    /// Notes that a table of the script holds all rows of another.
    pub(super) fn copy(&mut self, target: &str, copy: &WholeCopy, named: &[String]) {
        let Origin::Live { name: source, .. } = self.table(&copy.source) else {
            return;
        };
        if self.tables.get(&copy.source).is_some_and(|table| table.is_view) {
            return;
        }
        let (is_whole, filled) = self.filled(target, copy, named);
        let table = self.table_mut(target);
        if table.is_lossy {
            return;
        }
        if table.copy_of.as_ref().is_some_and(|copy| copy.source != source) {
            table.spoil();
        }
        table.copy_of = Some(Copy { source, is_whole });
        for (to, held) in filled {
            table.fill_column(&to, held);
        }
    }

    /// Notes that a table of the script holds some rows of another.
    pub(super) fn copy_part(&mut self, target: &str, copy: &WholeCopy, named: &[String]) {
        let Origin::Live { name: source, .. } = self.table(&copy.source) else {
            return;
        };
        if self.tables.get(&copy.source).is_some_and(|table| table.is_view) {
            return;
        }
        let (is_whole, filled) = self.filled(target, copy, named);
        let columns = filled
            .into_iter()
            .flat_map(|(_, held)| held.into_keys())
            .collect();
        let kept = match is_whole {
            true => Kept::AllBut(BTreeSet::new()),
            false => Kept::Columns(columns),
        };
        self.table_mut(target).part_of = Some((source, kept));
    }

    /// Returns the columns of a table that another one holds for some of its rows; the most that any holds.
    pub(in super::super) fn kept_in_part(&self, live: &str) -> Option<Kept> {
        let lasting = self.tables.values().filter(|table| !table.is_temporary);
        let parts = lasting.filter_map(|table| table.part_of.as_ref());
        let kept = parts
            .filter(|(source, _)| source == live)
            .map(|(_, kept)| kept.clone());
        kept.max_by_key(|kept| match kept {
            Kept::AllBut(_) => usize::MAX,
            Kept::Columns(columns) => columns.len(),
        })
    }

    /// Returns whether a copy has all columns under their names, and what the columns of a table hold that takes it in.
    fn filled(&self, target: &str, copy: &WholeCopy, named: &[String]) -> (bool, Vec<(String, Holds)>) {
        let listed = self.tables.get(target).map(|table| table.listed.clone());
        let listed = listed.unwrap_or_default();
        let targets = if named.is_empty() { &listed[..] } else { named };
        let under_their_names = |names: &[String]| {
            let values = names.iter().map(|name| CopiedValue {
                name: Some(name.clone()),
                expression: Expression::column(name),
            });
            values.collect()
        };
        let (is_whole, values): (bool, Vec<CopiedValue>) = match &copy.values {
            Some(values) => (false, values.clone()),
            None => (targets.is_empty(), under_their_names(targets)),
        };
        let mut filled = Vec::new();
        for (index, value) in values.into_iter().enumerate() {
            if let Some(to) = targets.get(index).cloned().or_else(|| value.name.clone()) {
                filled.push((
                    to,
                    made_of(&value.expression, |from| self.held(&copy.source, from)),
                ));
            }
        }
        (is_whole, filled)
    }

    /// Lets tables that hold the rows of one that is gone stand for it from now on: what is taken from them is taken from the database.
    pub(in super::super) fn succeed(&mut self, live: &str) -> Option<Successor> {
        let mut names = self.copies_of(live).into_iter();
        let heir = self.tables.get_mut(&names.next()?)?;
        let by = heir.held_as_it_is(live);
        let mut successor = heir.take_place(live);
        // Columns that it has not may be in others.
        for name in names {
            let Some(other) = self.tables.get_mut(&name).filter(|table| !table.is_temporary) else {
                continue;
            };
            let (columns, common) = (other.held_of(live), other.held_as_it_is(live));
            let more: BTreeSet<String> = match (&mut successor.kept, columns) {
                (Kept::Columns(kept), Some(columns)) => {
                    let more: BTreeSet<String> = columns.difference(kept).cloned().collect();
                    kept.extend(more.iter().cloned());
                    more
                }
                (Kept::AllBut(missing), Some(columns)) => {
                    let more: BTreeSet<String> = missing.intersection(&columns).cloned().collect();
                    missing.retain(|column| !more.contains(column));
                    more
                }
                (_, None) => continue,
            };
            if !more.is_empty() {
                let changed = other.take_place(live).changed.into_iter();
                successor
                    .changed
                    .extend(changed.filter(|loss| is_about(loss, &more)));
                successor.changed.push(PossibleLoss::Apart {
                    table: live.to_owned(),
                    columns: more,
                    by: by.intersection(&common).cloned().collect(),
                });
            }
        }
        Some(successor)
    }

    /// Lets a table that holds a column which is gone stand for it, where the table that it was in has the rest of the rows; `left` is
    /// what that one is now.
    pub(super) fn keep_elsewhere(
        &mut self,
        left: &Table,
        live: &str,
        column: &str,
    ) -> Option<Vec<PossibleLoss>> {
        let is_holder = |name: &String| {
            let table = self.tables.get(name);
            table.is_some_and(|table| !table.is_temporary && table.holds_of(live, column))
        };
        let name = self.copies_of(live).into_iter().find(is_holder)?;
        let holder = self.tables.get_mut(&name)?;
        let by = holder
            .held_as_it_is(live)
            .into_iter()
            .filter(|by| left.still_has(by));
        let by: BTreeSet<String> = by.collect();
        let columns: BTreeSet<String> = [column.to_owned()].into();
        let mut changed = holder.take_place(live).changed;
        changed.retain(|loss| is_about(loss, &columns));
        let table = live.to_owned();
        changed.push(PossibleLoss::Apart { table, columns, by });
        Some(changed)
    }

    /// Notes that a table has rows of another from now on; returns what it holds of them.
    pub(in super::super) fn take_in(&mut self, live: &str, source: &str, moved: &Moved) -> Option<Successor> {
        let target = self
            .tables
            .get(&moved.to)
            .cloned()
            .unwrap_or_else(|| Table::live(&moved.to));
        if target.is_lossy || target.is_view || target.is_temporary {
            return None;
        }
        let copy = WholeCopy {
            source: source.to_owned(),
            values: moved.values.clone(),
        };
        let (is_whole, filled) = self.filled(&moved.to, &copy, &moved.columns);
        let mut taken = Table {
            columns: target.columns,
            copy_of: Some(Copy {
                source: live.to_owned(),
                is_whole,
            }),
            ..Table::gone()
        };
        taken.columns.values_mut().for_each(|column| column.holds.clear());
        for (to, held) in filled {
            taken.fill_column(&to, held);
        }
        self.table_mut(&moved.to).also.insert(live.to_owned());
        Some(taken.take_place(live))
    }

    /// Returns the tables that hold all rows of one of the database: first those that last, and that have all columns.
    fn copies_of(&self, live: &str) -> Vec<String> {
        let rank = |(name, table): (&String, &Table)| {
            let copy = table.copy_of.as_ref().filter(|copy| copy.source == live)?;
            Some((table.is_temporary, !copy.is_whole, name.clone()))
        };
        let copies: BTreeSet<_> = self.tables.iter().filter_map(rank).collect();
        copies.into_iter().map(|(_, _, name)| name).collect()
    }
}

/// Returns whether values of some columns may be lost by something.
fn is_about(loss: &PossibleLoss, columns: &BTreeSet<String>) -> bool {
    match loss {
        PossibleLoss::Retyped { column, .. } | PossibleLoss::Reshaped { column, .. } => {
            columns.contains(column)
        }
        _ => true,
    }
}

impl Table {
    /// Returns the columns of a table that this copy of it holds; nothing where it has all that it does not list.
    fn held_of(&self, live: &str) -> Option<BTreeSet<String>> {
        let copy = self
            .copy_of
            .as_ref()
            .filter(|copy| copy.source == live && !copy.is_whole)?;
        let columns = self.columns.values();
        (!copy.is_whole).then(|| columns.flat_map(|column| column.holds.keys().cloned()).collect())
    }

    fn holds_of(&self, live: &str, column: &str) -> bool {
        let copy = self.copy_of.as_ref().filter(|copy| copy.source == live);
        let is_held = self
            .columns
            .values()
            .any(|known| known.holds.contains_key(column));
        let is_implied = |copy: &Copy| copy.is_whole && !self.columns.contains_key(column);
        copy.is_some_and(|copy| is_held || is_implied(copy))
    }

    /// Returns the columns of a table that this copy is known to have as they are.
    fn held_as_it_is(&self, live: &str) -> BTreeSet<String> {
        let is_copy = self.copy_of.as_ref().is_some_and(|copy| copy.source == live);
        let holds = self
            .columns
            .values()
            .filter(|_| is_copy)
            .flat_map(|column| &column.holds);
        let plain = holds.filter(|(_, held)| **held == Held::AsItIs);
        plain.map(|(name, _)| name.clone()).collect()
    }

    /// Returns whether it has what a column of the database held.
    fn still_has(&self, live: &str) -> bool {
        let stands_for =
            |origin: &ColumnOrigin| matches!(origin, ColumnOrigin::Live(columns) if columns.contains(live));
        let is_there = self.columns.values().any(|column| stands_for(&column.origin));
        self.origin != Origin::Made && (is_there || !self.columns.contains_key(live))
    }
}
