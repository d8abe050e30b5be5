//! A table as the statements so far have made it.

use std::collections::{BTreeMap, BTreeSet};

use super::Successor;
use super::held::{Held, Holds};
use crate::script::loss::Kept;
use crate::sql::{ColumnCopy, Expression, Filled};

/// Where a table comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Origin {
    /// The database has it, under this name; perhaps, where it is not certain.
    Live { name: String, is_certain: bool },
    /// The script has made it, or it is gone.
    Made,
}

#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) origin: Origin,
    /// The columns that a statement was about; every other stands for itself.
    pub(super) columns: BTreeMap<String, Column>,
    /// The columns that the script made it with, in their order.
    pub(super) listed: Vec<String>,
    /// The table of the database all of whose rows it holds as well.
    pub(super) copy_of: Option<Copy>,
    /// The table of the database of which it holds some rows, and the columns of it that it holds.
    pub(super) part_of: Option<(String, Kept)>,
    pub(super) is_temporary: bool,
    /// The columns that do not hold under their names what those of the database hold.
    pub(super) changed: BTreeSet<String>,
    /// Whether nobody knows which.
    pub(super) has_other_values: bool,
    /// Further tables of the database whose rows it holds, and that are gone themselves or reached by its name.
    pub(super) also: BTreeSet<String>,
    /// Whether rows that are put into it may be left out.
    pub(super) is_lossy: bool,
    /// Whether it is a view, so that its rows need not be all of anything.
    pub(super) is_view: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Copy {
    pub(super) source: String,
    /// Whether it has all columns, under their names.
    pub(super) is_whole: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) origin: ColumnOrigin,
    /// Its type as the script spells it.
    pub(super) data_type: Option<String>,
    /// The columns of the database whose values it holds as well.
    pub(super) holds: Holds,
    /// Whether the script has made it.
    pub(super) is_made: bool,
    /// Whether it is NULL in every row.
    pub(super) is_empty: bool,
}

/// A column that holds the values of one that is gone.
pub(in super::super) struct Heir {
    /// Its type as the script spells it.
    pub(in super::super) data_type: Option<String>,
    /// What it holds of them.
    pub(in super::super) held: Held,
}

#[derive(Clone, Debug)]
pub(super) enum ColumnOrigin {
    /// It holds what these columns of the database held.
    Live(BTreeSet<String>),
    /// It was added where it is missing.
    Perhaps,
    /// The script has made it, or it is gone.
    Made,
}

impl Column {
    pub(super) const fn gone() -> Self {
        Self {
            origin: ColumnOrigin::Made,
            data_type: None,
            holds: Holds::new(),
            is_made: false,
            is_empty: false,
        }
    }

    fn live(name: &str) -> Self {
        Self {
            origin: ColumnOrigin::Live([name.to_owned()].into()),
            ..Self::gone()
        }
    }
}

impl Table {
    pub(super) fn live(name: &str) -> Self {
        Self {
            origin: Origin::Live {
                name: name.to_owned(),
                is_certain: true,
            },
            ..Self::gone()
        }
    }

    pub(super) const fn gone() -> Self {
        Self {
            origin: Origin::Made,
            columns: BTreeMap::new(),
            listed: Vec::new(),
            copy_of: None,
            part_of: None,
            is_temporary: false,
            changed: BTreeSet::new(),
            has_other_values: false,
            also: BTreeSet::new(),
            is_lossy: false,
            is_view: false,
        }
    }

    pub(super) fn made(columns: Vec<(String, String)>, is_temporary: bool) -> Self {
        let listed = columns.iter().map(|(name, _)| name.clone()).collect();
        let columns = columns.into_iter().map(|(name, data_type)| {
            let column = Column {
                data_type: Some(data_type),
                is_made: true,
                ..Column::gone()
            };
            (name, column)
        });
        Self {
            columns: columns.collect(),
            listed,
            is_temporary,
            ..Self::gone()
        }
    }

    /// Returns the table that is made unless the database has one of that name.
    pub(super) fn unless_there(mut self, name: String) -> Self {
        self.origin = Origin::Live {
            name,
            is_certain: false,
        };
        for column in self.columns.values_mut() {
            column.origin = ColumnOrigin::Perhaps;
        }
        self
    }

    /// Notes that it may be another one, or not there.
    pub(super) fn doubt(&mut self) {
        self.has_other_values = true;
        if let Origin::Live { is_certain, .. } = &mut self.origin {
            *is_certain = false;
        }
    }

    /// Returns whether it is the table of the database that has this name, and columns of these names have the values that they have
    /// there.
    pub(super) fn is_as_in_database(&self, name: &str, columns: &BTreeSet<String>) -> bool {
        let is_itself = matches!(&self.origin, Origin::Live { name: live, .. } if live == name);
        let is_changed = self
            .changed
            .iter()
            .any(|column| columns.contains(&column.to_lowercase()));
        is_itself && self.also.is_empty() && !self.has_other_values && !is_changed
    }

    /// Returns the columns of its table of the database that a name stands for.
    pub(super) fn live_columns(&self, column: &str) -> BTreeSet<String> {
        if self.origin == Origin::Made {
            return BTreeSet::new();
        }
        match self.columns.get(column).map(|known| &known.origin) {
            None | Some(ColumnOrigin::Perhaps) => [column.to_owned()].into(),
            Some(ColumnOrigin::Live(columns)) => columns.clone(),
            Some(ColumnOrigin::Made) => BTreeSet::new(),
        }
    }

    /// Returns what is known of a column, from now on by its name.
    fn column_mut(&mut self, name: &str) -> &mut Column {
        let is_live = self.origin != Origin::Made;
        let is_copied = self.copy_of.as_ref().is_some_and(|copy| copy.is_whole);
        self.columns.entry(name.to_owned()).or_insert_with(|| {
            let mut column = if is_live {
                Column::live(name)
            } else {
                Column::gone()
            };
            if is_copied {
                column.holds.insert(name.to_owned(), Held::AsItIs);
            }
            column
        })
    }

    pub(super) fn remove_column(&mut self, name: &str) {
        self.changed.insert(name.to_owned());
        self.columns.insert(name.to_owned(), Column::gone());
    }

    pub(super) fn rename_column(&mut self, name: &str, to: &str) {
        self.changed.extend([name.to_owned(), to.to_owned()]);
        let column = self.column_mut(name).clone();
        self.columns.insert(name.to_owned(), Column::gone());
        self.columns.insert(to.to_owned(), column);
        for listed in self.listed.iter_mut().filter(|listed| *listed == name) {
            to.clone_into(listed);
        }
    }

    /// Notes that a column gets another type, and values that are made of what it held where something is said of them.
    pub(super) fn retype_column(&mut self, name: &str, to: &str, using: Option<&Expression>) {
        self.changed.insert(name.to_owned());
        let column = self.column_mut(name);
        column.data_type = Some(to.to_owned());
        if let Some(using) = using {
            let held = column.holds.clone();
            let of = |from: &str| match from == name {
                true => held.clone(),
                false => Holds::new(),
            };
            column.holds = super::held::made_of(using, of);
        }
    }

    pub(super) fn fill_column(&mut self, name: &str, held: Holds) {
        let column = self.column_mut(name);
        column.holds = held;
        column.is_empty = false;
    }

    /// Notes what an update leaves in a column, given what is held by those that it is filled from.
    pub(super) fn update_column(&mut self, copy: &ColumnCopy, held: Holds) {
        let is_changed_in_place = copy.value.columns.iter().any(|column| column.name == copy.to);
        let column = self.column_mut(&copy.to);
        match copy.filled {
            Filled::Every => self.fill_column(&copy.to, held),
            Filled::Empty if column.is_empty => self.fill_column(&copy.to, held),
            // Rows that it is filled in already hold what they were filled with.
            Filled::Empty => {
                let before = &column.holds;
                let both = held
                    .into_iter()
                    .filter(|(live, held)| before.get(live) == Some(held));
                let both: Holds = both.collect();
                column.holds.extend(both);
            }
            // Some rows hold the one, some the other.
            Filled::Some if is_changed_in_place => column.holds.values_mut().for_each(|before| {
                *before = Held::in_another_form(&copy.value.text);
            }),
            Filled::Some => self.fill_column(&copy.to, Holds::new()),
        }
    }

    /// Notes that its rows are not those of another table any more.
    pub(super) fn spoil(&mut self) {
        self.copy_of = None;
        self.part_of = None;
        for column in self.columns.values_mut() {
            column.holds.clear();
        }
    }

    /// Lets a column that holds what a column of the database held stand for it, where there is one; best one that holds it as it is.
    pub(super) fn succeed_column(&mut self, live: &str) -> Option<Heir> {
        // What the database has as well may hold it in some of its rows only.
        let heirs = self.columns.values_mut().filter(|column| column.is_made);
        let heirs = heirs.filter(|column| column.holds.contains_key(live));
        let heir = heirs.min_by_key(|column| column.holds.get(live) != Some(&Held::AsItIs))?;
        let held = heir.holds.remove(live)?;
        match &mut heir.origin {
            ColumnOrigin::Live(columns) => {
                columns.insert(live.to_owned());
            }
            origin => *origin = ColumnOrigin::Live([live.to_owned()].into()),
        }
        Some(Heir {
            data_type: heir.data_type.clone(),
            held,
        })
    }

    fn kept(&self, is_whole: bool) -> Kept {
        let columns = self.columns.values();
        let held: BTreeSet<String> = columns.flat_map(|column| column.holds.keys().cloned()).collect();
        match is_whole {
            true => {
                let names = self.columns.keys().cloned();
                Kept::AllBut(names.filter(|name| !held.contains(name)).collect())
            }
            false => Kept::Columns(held),
        }
    }

    /// Returns the column that holds a column of the database best: as it is, where there is such a one.
    fn best_holder(&self, live: &str) -> Option<(&String, &Column)> {
        let holders = self
            .columns
            .iter()
            .filter(|(_, column)| column.holds.contains_key(live));
        holders.min_by_key(|(_, column)| column.holds.get(live) != Some(&Held::AsItIs))
    }

    /// Lets it stand for the table of the database whose rows it holds.
    pub(super) fn take_place(&mut self, live: &str) -> Successor {
        let is_whole = self.copy_of.take().is_some_and(|copy| copy.is_whole);
        let kept = self.kept(is_whole);
        let mut changed = Vec::new();
        let mut stands_for: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (name, column) in &self.columns {
            for (held, how) in &column.holds {
                if self.best_holder(held).is_some_and(|(best, _)| best == name) {
                    changed.extend(how.loss(live, held, column.data_type.as_deref()));
                    stands_for.entry(name.clone()).or_default().insert(held.clone());
                }
            }
        }
        let successor = Successor { kept, changed };
        if self.origin != Origin::Made {
            // It has rows of its own.
            self.also.insert(live.to_owned());
            return successor;
        }
        self.origin = Origin::Live {
            name: live.to_owned(),
            is_certain: true,
        };
        for (name, column) in &mut self.columns {
            if !column.holds.iter().eq([(name, &Held::AsItIs)]) {
                self.changed.insert(name.clone());
            }
            column.origin = match stands_for.remove(name) {
                Some(columns) => {
                    column.holds.retain(|held, _| !columns.contains(held));
                    ColumnOrigin::Live(columns)
                }
                None => ColumnOrigin::Made,
            };
        }
        successor
    }
}
