//! What may be missing after a step, by the tables that are there before it.

use std::collections::BTreeSet;

use super::name::Name;
use super::{Follower, Foreseen, Holdings};
use crate::sql::Taken;

/// What may go without being asked about.
pub(super) struct Allowed {
    pub(super) tables: BTreeSet<i64>,
    pub(super) rows: BTreeSet<i64>,
    /// Tables whose rows may go as far as others have more of them then.
    pub(super) copied: BTreeSet<i64>,
    /// Tables all of whose columns may go.
    whole: BTreeSet<i64>,
    columns: BTreeSet<(i64, String)>,
}

impl Allowed {
    /// Returns what is allowed; nothing where a statement that somebody accepted takes something by a name that is none of a table,
    /// so that nobody can tell what it is.
    pub(super) fn of(holdings: &Holdings, foreseen: &Foreseen) -> Option<Self> {
        let Foreseen {
            accepted,
            agreed,
            named,
            found_empty,
            ..
        } = foreseen;
        let is_table = |said: &String| holdings.tables.values().any(|held| held.name.is(said));
        if !accepted.tables.iter().chain(&accepted.rows).all(is_table) {
            return None;
        }
        let ids = |is: &dyn Fn(&Name) -> bool| -> BTreeSet<i64> {
            let found = holdings.tables.iter().filter(|(_, held)| is(&held.name));
            found.map(|(id, _)| *id).collect()
        };
        let given_up = [accepted, agreed];
        let is_given_up = |name: &Name| given_up.iter().any(|taken| name.is_among(&taken.tables));
        let loses_rows = |name: &Name| given_up.iter().any(|taken| name.is_among(&taken.rows));
        let is_empty = |name: &Name| name.is_among(found_empty);
        let tables = ids(&|name| is_given_up(name) || name.is_among(&named.tables) && !is_empty(name));
        let rows = ids(&|name| {
            is_given_up(name) || loses_rows(name) || name.is_among(&named.rows) && !is_empty(name)
        });
        let whole = ids(&|name| is_given_up(name) || name.is_among(&named.tables));
        let copied = ids(&|name| {
            let is_copied = named.copied.keys().any(|said| name.is(said));
            is_copied && !is_given_up(name) && !loses_rows(name)
        });
        let is_part = |follower: &Follower| follower.is_part;
        Some(Self {
            tables: holdings.with_followers(tables, is_part),
            rows: holdings.with_followers(rows, |_| true),
            whole: holdings.with_followers(whole, is_part),
            columns: holdings.columns([accepted, agreed, named]),
            copied,
        })
    }

    pub(super) fn has_column(&self, id: i64, column: &str) -> bool {
        self.whole.contains(&id) || self.columns.contains(&(id, column.to_owned()))
    }
}

impl Holdings {
    /// Returns the columns that are taken, those of the parts of tables among them.
    fn columns(&self, taken: [&Taken; 3]) -> BTreeSet<(i64, String)> {
        let mut columns = BTreeSet::new();
        for (table, column) in taken.into_iter().flat_map(|taken| &taken.columns) {
            for (id, held) in self.tables.iter().filter(|(_, held)| held.name.is(table)) {
                let spelled = held.columns.values().find(|name| held.name.has(column, name));
                let spelled = spelled.unwrap_or(column);
                let ids = self.with_followers([*id].into(), |follower| follower.is_part);
                columns.extend(ids.into_iter().map(|id| (id, spelled.clone())));
            }
        }
        columns
    }

    /// Returns tables with those that follow them, and those that follow these.
    pub(super) fn with_followers(
        &self,
        mut ids: BTreeSet<i64>,
        counts: impl Fn(&Follower) -> bool,
    ) -> BTreeSet<i64> {
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
