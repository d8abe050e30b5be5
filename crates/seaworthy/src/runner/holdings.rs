//! What the tables of a database hold before a step, compared with what they hold after it.
//!
//! The database itself says then what the step has destroyed, while it can still be rolled back: by statements that nobody knew,
//! and by triggers, functions and conditions that did something else than their text made believe.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_orm::{DatabaseTransaction, DbErr};

use crate::sql::{Dialect, Taken};
use allowed::Allowed;
use name::Name;

mod allowed;
mod catalog;
mod name;

/// What may go in a step without anybody being asked again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Foreseen {
    /// What the step takes by statements that somebody accepted.
    pub accepted: Taken,
    /// What somebody agreed to lose, by the names of before the run.
    pub agreed: Taken,
    /// What the step takes by its name: it lives on elsewhere, is of its own making, or holds nothing.
    pub named: Taken,
    /// Tables of which rows were to go and none was found.
    pub found_empty: BTreeSet<String>,
    /// Tables that the step may write anew, without the rows that were deleted before.
    pub rewritten: BTreeSet<String>,
    /// Whether all statements of the step are known.
    pub is_known: bool,
}

/// The tables, by what stays the same when their names change: the number of a table, or on SQLite its first page.
pub(super) struct Holdings {
    dialect: Dialect,
    tables: BTreeMap<i64, HeldTable>,
    /// The tables that lose rows when others do.
    followers: Vec<Follower>,
    /// The tables that this session has for itself, there or not, on PostgreSQL: what it dropped or emptied is among them.
    locked: BTreeSet<i64>,
    /// The numbers of the tables by schema and name.
    by_name: HashMap<(String, String), i64>,
}

/// A table and what it holds.
struct HeldTable {
    name: Name,
    /// By their numbers.
    columns: BTreeMap<i64, String>,
    amount: Amount,
    /// How many rows PostgreSQL says that this session deleted. What it has not yet handed to the server's statistics counts too,
    /// be it of earlier transactions, so that only the difference between two answers says something.
    deleted: i64,
    /// How many it says that this session inserted.
    inserted: i64,
    /// Where PostgreSQL keeps its rows: another place when they are written anew, or when it was emptied at once.
    file: i64,
    /// The partitioned table that it is a part of, or itself.
    root: i64,
}

/// How much a table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Amount {
    /// Nothing.
    None,
    /// So many rows.
    Rows(i64),
    /// Something: it has a size, or nobody may look.
    Some,
}

impl Amount {
    /// Returns how many rows were counted.
    const fn rows(self) -> i64 {
        match self {
            Self::Rows(rows) => rows,
            Self::None | Self::Some => 0,
        }
    }
}

/// A table that loses rows when another does: it is a part of it, or refers to it `ON DELETE CASCADE`.
struct Follower {
    id: i64,
    of: i64,
    is_part: bool,
}

impl Holdings {
    /// Reads what is there before a step.
    pub(super) async fn read(transaction: &DatabaseTransaction, foreseen: &Foreseen) -> Result<Self, DbErr> {
        catalog::read_before(transaction, foreseen).await
    }

    /// Returns what is gone of it and was not foreseen: tables, columns, and rows of tables.
    pub(super) async fn lost(
        self,
        transaction: &DatabaseTransaction,
        foreseen: &Foreseen,
    ) -> Result<Vec<String>, DbErr> {
        let Some(allowed) = Allowed::of(&self, foreseen) else {
            return Ok(Vec::new());
        };
        let now = catalog::read_after(transaction, &self).await?;
        let held = self.tables.iter().filter(|(_, held)| held.amount != Amount::None);
        let comparison = Comparison {
            before: &self,
            now: &now,
            allowed: &allowed,
            foreseen,
        };
        Ok(held.flat_map(|(id, table)| comparison.lost(*id, table)).collect())
    }

    fn named(&self, name: &Name) -> Option<(i64, &HeldTable)> {
        let id = self.by_name.get(&name.key())?;
        Some((*id, self.tables.get(id)?))
    }
}

/// Two readings, and what may be missing in the second.
struct Comparison<'a> {
    before: &'a Holdings,
    now: &'a Holdings,
    allowed: &'a Allowed,
    foreseen: &'a Foreseen,
}

impl Comparison<'_> {
    fn lost(&self, id: i64, table: &HeldTable) -> Vec<String> {
        match self.before.dialect {
            Dialect::Postgresql => self.lost_on_postgresql(id, table),
            Dialect::Sqlite => self.lost_on_sqlite(id, table),
        }
    }

    fn lost_on_postgresql(&self, id: i64, table: &HeldTable) -> Vec<String> {
        if let Some(after) = self.now.tables.get(&id) {
            let is_gone = |(number, _): &(&i64, &String)| !after.columns.contains_key(number);
            let mut lost = self.lost_columns(id, table, is_gone);
            let is_asked = match self.allowed.rows.contains(&id) {
                true => self.is_copied_in_part(id, self.gone(table, after)),
                false => self.has_deleted(id, table, after),
            };
            if is_asked {
                lost.insert(0, rows_of(table));
            }
            return lost;
        }
        // Another session may have dropped it.
        if !self.now.locked.contains(&id) {
            return Vec::new();
        }
        match self.now.named(&table.name) {
            Some((_, after)) if self.allowed.tables.contains(&id) => self.lost_of_namesake(id, table, after),
            None if self.allowed.tables.contains(&id) => self.not_copied(id, table),
            Some(_) | None => vec![format!("table {}", table.name)],
        }
    }

    fn lost_on_sqlite(&self, id: i64, table: &HeldTable) -> Vec<String> {
        let renamed = &self.foreseen.named.renamed;
        let moved = renamed.iter().find(|(before, _)| table.name.is(before));
        let named = match moved {
            Some((_, to)) => self.now.tables.values().find(|after| after.name.is(to)),
            None => self.now.named(&table.name).map(|(_, after)| after),
        };
        // A page may be another table's by now.
        let has_same_columns = |after: &&HeldTable| after.columns == table.columns;
        match named.or_else(|| self.now.tables.get(&id).filter(has_same_columns)) {
            Some(after) => self.lost_of_namesake(id, table, after),
            None if self.allowed.tables.contains(&id) => self.not_copied(id, table),
            None => vec![format!("table {}", table.name)],
        }
    }

    /// Returns the rows of a table that is gone if not as many came into others: a trigger, a rule or a conflict kept them out.
    fn not_copied(&self, id: i64, table: &HeldTable) -> Vec<String> {
        let is_part = self.is_copied_in_part(id, table.amount.rows());
        Vec::from_iter(is_part.then(|| rows_of(table)))
    }

    fn is_copied_in_part(&self, id: i64, gone: i64) -> bool {
        self.allowed.copied.contains(&id) && self.gained_by_others(id) < gone
    }

    /// Returns how many rows the other tables have more than before.
    fn gained_by_others(&self, id: i64) -> i64 {
        let others = self.now.tables.iter().filter(|(other, _)| **other != id);
        let gained = others.map(|(other, after)| match self.before.dialect {
            Dialect::Postgresql => {
                let before = self.before.tables.get(other);
                let (inserted, deleted) = before.map_or((0, 0), |held| (held.inserted, held.deleted));
                (after.inserted - inserted) - (after.deleted - deleted)
            }
            Dialect::Sqlite => {
                let before = self.before.named(&after.name);
                after.amount.rows() - before.map_or(0, |(_, held)| held.amount.rows())
            }
        });
        gained.filter(|gained| *gained > 0).sum()
    }

    /// Returns how many rows PostgreSQL has deleted of a table, as far as it was counted where it was emptied at once.
    fn gone(&self, before: &HeldTable, after: &HeldTable) -> i64 {
        match after.amount {
            Amount::None => before.amount.rows(),
            Amount::Rows(_) | Amount::Some => self.deleted_of_all_parts(before),
        }
    }

    /// Returns what a table lacks that has taken the name of another, or is the same one on SQLite, where numbers of columns move up.
    fn lost_of_namesake(&self, id: i64, table: &HeldTable, after: &HeldTable) -> Vec<String> {
        let is_gone = |(_, name): &(&i64, &String)| !after.columns.values().any(|other| other == *name);
        let mut lost = self.lost_columns(id, table, is_gone);
        let has_fewer = match (table.amount, after.amount) {
            (_, Amount::None) => true,
            (Amount::Rows(before), Amount::Rows(after)) => after < before,
            (Amount::None | Amount::Some, _) | (_, Amount::Some) => false,
        };
        let is_asked = match self.allowed.rows.contains(&id) {
            true => self.is_copied_in_part(id, table.amount.rows() - after.amount.rows()),
            false => has_fewer,
        };
        if is_asked {
            lost.insert(0, rows_of(table));
        }
        lost
    }

    /// Returns whether PostgreSQL has lost rows of a table. One that is deleted and inserted again is not lost, be it in another part
    /// of its table.
    fn has_deleted(&self, id: i64, before: &HeldTable, after: &HeldTable) -> bool {
        // It is empty because this session emptied it, or another one or the server did.
        if after.amount == Amount::None {
            return self.now.locked.contains(&id) || after.deleted > before.deleted;
        }
        // Rows were put into a table that was emptied at once, be it the same ones: nobody has counted them before.
        let is_refilled = after.file != before.file && after.inserted > before.inserted;
        if is_refilled && !before.name.is_among(&self.foreseen.rewritten) {
            return true;
        }
        after.deleted > before.deleted && self.deleted_of_all_parts(before) > 0
    }

    /// Returns how many rows PostgreSQL has deleted of a table and of its other parts without inserting as many.
    fn deleted_of_all_parts(&self, before: &HeldTable) -> i64 {
        let parts = self
            .before
            .tables
            .iter()
            .filter(|(_, held)| held.root == before.root);
        let both = parts.filter_map(|(id, held)| Some((held, self.now.tables.get(id)?)));
        let net = both.map(|(then, now)| now.deleted - then.deleted - (now.inserted - then.inserted));
        net.sum()
    }

    fn lost_columns(
        &self,
        id: i64,
        table: &HeldTable,
        is_gone: impl Fn(&(&i64, &String)) -> bool,
    ) -> Vec<String> {
        let gone = table.columns.iter().filter(is_gone);
        let lost = gone.filter(|(_, column)| !self.allowed.has_column(id, column));
        lost.map(|(_, column)| format!("column {}.{column}", table.name))
            .collect()
    }
}

fn rows_of(table: &HeldTable) -> String {
    format!("rows of table {}", table.name)
}
