//! What the tables of a database hold before a step, compared with what they hold after it.
//!
//! The database itself says then what the step has destroyed, while it can still be rolled back: by statements that nobody knew,
//! and by triggers, functions and conditions that did something else than their text made believe.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{DatabaseTransaction, DbErr};

use crate::sql::{Dialect, Taken};
use name::Name;

mod catalog;
mod name;

/// What may go in a step without anybody being asked again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Foreseen {
    /// What somebody has given up.
    pub given_up: Taken,
    /// What the step takes by its name: it lives on elsewhere, is of its own making, or holds nothing.
    pub named: Taken,
    /// Tables of which rows were to go and none was found.
    pub found_empty: BTreeSet<String>,
}

/// The tables, by what stays the same when their names change.
pub(super) struct Holdings {
    dialect: Dialect,
    tables: BTreeMap<i64, Held>,
    /// The tables that lose rows when others do.
    followers: Vec<Follower>,
}

/// A table.
struct Held {
    name: Name,
    /// By their numbers.
    columns: BTreeMap<i64, String>,
    /// At least; PostgreSQL is asked for the size alone, except of tables that are built again.
    rows: i64,
    /// How many rows PostgreSQL says that this session deleted. What it has not yet handed to the server's statistics counts too,
    /// be it of earlier transactions, so that only the difference between two answers says something.
    deleted: i64,
    /// How many it says that this session inserted.
    inserted: i64,
    /// The partitioned table that it is a part of, or itself.
    root: i64,
    /// Whether PostgreSQL may hold nothing but deleted rows in it.
    is_doubtful: bool,
}

/// A table that loses rows when another does: it is a part of it, or refers to it `ON DELETE CASCADE`.
struct Follower {
    id: i64,
    of: i64,
    is_part: bool,
}

/// What may go of the tables that are there before a step.
struct Allowed {
    tables: BTreeSet<i64>,
    rows: BTreeSet<i64>,
}

impl Holdings {
    /// Reads what is there before a step.
    pub(super) async fn read(transaction: &DatabaseTransaction, foreseen: &Foreseen) -> Result<Self, DbErr> {
        let mut holdings = catalog::read(transaction, |name| foreseen.builds_again(name)).await?;
        catalog::leave_out_dead_rows(transaction, &mut holdings).await?;
        Ok(holdings)
    }

    /// Returns what is gone of it and was not foreseen: tables, columns, and rows of tables.
    pub(super) async fn lost(
        self,
        transaction: &DatabaseTransaction,
        foreseen: &Foreseen,
    ) -> Result<Vec<String>, DbErr> {
        let now = catalog::read(transaction, |name| foreseen.builds_again(name)).await?;
        let allowed = self.allowed(foreseen);
        let held = self.tables.iter().filter(|(_, held)| held.rows > 0);
        let lost = held.flat_map(|(id, before)| self.lost_of(*id, before, &now, (foreseen, &allowed)));
        Ok(lost.collect())
    }

    fn lost_of(
        &self,
        id: i64,
        before: &Held,
        now: &Self,
        (foreseen, allowed): (&Foreseen, &Allowed),
    ) -> Vec<String> {
        let may_lose_rows = allowed.rows.contains(&id);
        let may_lose_column = |column: &str| foreseen.names_column(&before.name, column);
        let same = now.tables.get(&id);
        let namesake = now.tables.values().find(|after| after.name.is_same(&before.name));
        let kept = |after: &Held, rows: i64| {
            let rows = if may_lose_rows { 0 } else { rows };
            before
                .lost_rows(rows)
                .chain(before.lost_columns(after, may_lose_column))
                .collect::<Vec<_>>()
        };
        match (self.dialect, same, namesake) {
            (Dialect::Postgresql, Some(after), _) => kept(after, self.deleted(before, after, now)),
            // A page may be another table's by now, and a name too; whatever has lost less is the table.
            (Dialect::Sqlite, Some(after), Some(other)) => {
                let both = [after, other].map(|after| kept(after, before.rows - after.rows));
                both.into_iter().min_by_key(Vec::len).unwrap_or_default()
            }
            (Dialect::Sqlite, Some(after), None) | (Dialect::Sqlite, None, Some(after)) => {
                kept(after, before.rows - after.rows)
            }
            (Dialect::Postgresql, None, Some(after)) if allowed.tables.contains(&id) => {
                kept(after, before.rows - after.rows)
            }
            (Dialect::Sqlite, None, None) | (Dialect::Postgresql, None, _) => {
                match allowed.tables.contains(&id) {
                    true => Vec::new(),
                    false => vec![format!("table {}", before.name)],
                }
            }
        }
    }

    /// Returns how many rows PostgreSQL deleted; one that moves to another part of its table is deleted here and inserted there.
    fn deleted(&self, before: &Held, after: &Held, now: &Self) -> i64 {
        if after.rows == 0 {
            return before.rows.max(1);
        }
        let parts = self.tables.iter().filter(|(_, held)| held.root == before.root);
        let pairs = parts.filter_map(|(id, held)| Some((held, now.tables.get(id)?)));
        let inserted: i64 = pairs.map(|(then, now)| now.inserted - then.inserted).sum();
        let is_alone = before.root == after.root && self.parts(before.root) < 2;
        let moved = if is_alone { 0 } else { inserted };
        (after.deleted - before.deleted - moved).max(0)
    }

    fn parts(&self, root: i64) -> usize {
        self.tables.values().filter(|held| held.root == root).count()
    }

    fn allowed(&self, foreseen: &Foreseen) -> Allowed {
        let ids = |is: &dyn Fn(&Name) -> bool| -> BTreeSet<i64> {
            let named = self.tables.iter().filter(|(_, held)| is(&held.name));
            named.map(|(id, _)| *id).collect()
        };
        let is_empty = |name: &Name| name.is_among(&foreseen.found_empty);
        let tables = ids(&|name| {
            name.is_among(&foreseen.given_up.tables)
                || name.is_among(&foreseen.named.tables) && !is_empty(name)
        });
        let rows = ids(&|name| {
            name.is_among(&foreseen.given_up.rows)
                || name.is_among(&foreseen.given_up.tables)
                || name.is_among(&foreseen.named.rows) && !is_empty(name)
        });
        Allowed {
            tables: self.with_followers(tables, |follower| follower.is_part),
            rows: self.with_followers(rows, |_| true),
        }
    }

    fn with_followers(&self, mut ids: BTreeSet<i64>, counts: impl Fn(&Follower) -> bool) -> BTreeSet<i64> {
        loop {
            let is_new = |follower: &&Follower| {
                counts(follower) && ids.contains(&follower.of) && !ids.contains(&follower.id)
            };
            let more: Vec<i64> = self.followers.iter().filter(is_new).map(|one| one.id).collect();
            if more.is_empty() {
                return ids;
            }
            ids.extend(more);
        }
    }
}

impl Foreseen {
    /// Returns whether a table is to go and its rows are not given up, so that they have to be counted to be found again.
    fn builds_again(&self, name: &Name) -> bool {
        name.is_among(&self.named.tables) && !name.is_among(&self.given_up.tables)
    }

    fn names_column(&self, table: &Name, column: &str) -> bool {
        let is_named = |taken: &Taken| {
            let mut columns = taken.columns.iter();
            table.is_among(&taken.tables) || columns.any(|(of, name)| table.is(of) && table.has(name, column))
        };
        is_named(&self.given_up) || is_named(&self.named)
    }
}

impl Held {
    fn lost_rows(&self, rows: i64) -> impl Iterator<Item = String> {
        let lost = (rows > 0).then(|| format!("rows of table {}", self.name));
        lost.into_iter()
    }

    fn lost_columns(&self, after: &Self, may_go: impl Fn(&str) -> bool) -> impl Iterator<Item = String> {
        // A column that only has another name keeps its number.
        let is_gone = |(number, name): &(&i64, &String)| {
            !after.columns.contains_key(number) && !after.columns.values().any(|other| other == *name)
        };
        let gone = self
            .columns
            .iter()
            .filter(move |column| is_gone(column) && !may_go(column.1));
        gone.map(|(_, column)| format!("column {}.{column}", self.name))
    }
}
