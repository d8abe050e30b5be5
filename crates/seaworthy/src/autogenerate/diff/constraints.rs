//! The primary key, checks, foreign keys and exclusion constraints of one table.

use super::Wanted;
use super::indexes::is_same_set;
use super::names::{Named, chosen, used};
use crate::autogenerate::Operation;
use crate::catalog::expression::is_same_expression;
use crate::catalog::{Dialect, ForeignKey, PrimaryKey, Table};

pub(super) fn compare(
    dialect: Dialect,
    wanted: Wanted,
    live: &Table,
    declared: &Table,
    operations: &mut Vec<Operation>,
) {
    compare_primary_keys(wanted, live, declared, operations);
    compare_checks(dialect, wanted, live, declared, operations);
    compare_foreign_keys(wanted, live, declared, operations);
    compare_exclusions(dialect, live, declared, operations);
}

/// Returns whether a constraint of which all rows are known to fulfil it does where only new ones have to.
fn is_valid_enough(wanted: Wanted, is_valid: bool, is_wanted_valid: bool) -> bool {
    match wanted {
        Wanted::Declared => true,
        Wanted::Whole => is_wanted_valid || !is_valid,
    }
}

fn compare_primary_keys(wanted: Wanted, live: &Table, declared: &Table, operations: &mut Vec<Operation>) {
    if !is_same_key(wanted, live.primary_key.as_ref(), declared.primary_key.as_ref()) {
        operations.push(Operation::AlterPrimaryKey {
            table: declared.name.clone(),
            from: live.primary_key.clone(),
            to: declared.primary_key.clone(),
        });
    } else if let (Some(from), Some(to)) = (&live.primary_key, &declared.primary_key) {
        let named = Item {
            columns: to.columns.clone(),
            name: to.name.clone(),
        };
        rename(
            Named::PrimaryKey,
            &declared.name,
            from.name.as_ref(),
            &named,
            operations,
        );
    }
}

fn is_same_key(wanted: Wanted, live: Option<&PrimaryKey>, declared: Option<&PrimaryKey>) -> bool {
    let (Some(live), Some(declared)) = (live, declared) else {
        return live.is_none() && declared.is_none();
    };
    // Entities cannot say the rest.
    let is_open = wanted == Wanted::Declared
        && declared.include.is_empty()
        && !declared.deferrable
        && !declared.initially_deferred;
    live.columns == declared.columns
        && live.options == declared.options
        && (is_open
            || is_same_set(&live.include, &declared.include)
                && live.deferrable == declared.deferrable
                && live.initially_deferred == declared.initially_deferred)
}

fn compare_checks(
    dialect: Dialect,
    wanted: Wanted,
    live: &Table,
    declared: &Table,
    operations: &mut Vec<Operation>,
) {
    let table = &declared.name;
    let is_same = |one: usize, other: usize| {
        let (one, other) = (&live.checks[one], &declared.checks[other]);
        is_valid_enough(wanted, one.valid, other.valid)
            && one.no_inherit == other.no_inherit
            && one.enforced == other.enforced
            && is_same_expression(dialect, &one.expr, &other.expr)
    };
    let name = |index: usize| live.checks[index].name.as_deref();
    let wanted = |index: usize| declared.checks[index].name.as_deref();
    let matches = Matches::find(
        (live, live.checks.len()),
        (declared, declared.checks.len()),
        is_same,
        name,
        wanted,
    );
    for (from, to) in matches.pairs {
        let (from, to) = (&live.checks[from], &declared.checks[to]);
        let named = Item {
            columns: Vec::new(),
            name: to.name.clone(),
        };
        rename(Named::Check, table, from.name.as_ref(), &named, operations);
        if !from.valid && to.valid {
            operations.push(Operation::ValidateCheck {
                table: table.clone(),
                name: from.name.clone(),
            });
        }
    }
    operations.extend(matches.gone.into_iter().map(|index| Operation::DropCheck {
        table: table.clone(),
        check: live.checks[index].clone(),
    }));
    operations.extend(matches.new.into_iter().map(|index| Operation::AddCheck {
        table: table.clone(),
        check: declared.checks[index].clone(),
    }));
}

fn compare_foreign_keys(wanted: Wanted, live: &Table, declared: &Table, operations: &mut Vec<Operation>) {
    let table = &declared.name;
    let is_same = |one: usize, other: usize| {
        let (one, other) = (&live.foreign_keys[one], &declared.foreign_keys[other]);
        is_valid_enough(wanted, one.valid, other.valid) && is_same_reference(one, other)
    };
    let name = |index: usize| live.foreign_keys[index].name.as_deref();
    let wanted = |index: usize| declared.foreign_keys[index].name.as_deref();
    let matches = Matches::find(
        (live, live.foreign_keys.len()),
        (declared, declared.foreign_keys.len()),
        is_same,
        name,
        wanted,
    );
    for (from, to) in matches.pairs {
        let (from, to) = (&live.foreign_keys[from], &declared.foreign_keys[to]);
        let named = Item {
            columns: to.columns.clone(),
            name: to.name.clone(),
        };
        rename(Named::ForeignKey, table, from.name.as_ref(), &named, operations);
        if !from.valid && to.valid {
            operations.push(Operation::ValidateForeignKey {
                table: table.clone(),
                name: from.name.clone(),
            });
        }
    }
    operations.extend(matches.gone.into_iter().map(|index| Operation::DropForeignKey {
        table: table.clone(),
        foreign_key: live.foreign_keys[index].clone(),
    }));
    operations.extend(matches.new.into_iter().map(|index| Operation::AddForeignKey {
        table: table.clone(),
        foreign_key: declared.foreign_keys[index].clone(),
    }));
}

/// Whether two foreign keys demand the same; the order of their columns means nothing.
fn is_same_reference(one: &ForeignKey, other: &ForeignKey) -> bool {
    let pairs = |key: &ForeignKey| {
        let mut pairs: Vec<(String, String)> = key
            .columns
            .iter()
            .cloned()
            .zip(key.ref_columns.iter().cloned())
            .collect();
        pairs.sort();
        pairs
    };
    let leaves_target_open = other.ref_columns.is_empty() && one.columns == other.columns;
    one.ref_table == other.ref_table
        && (leaves_target_open || pairs(one) == pairs(other))
        && one.on_delete == other.on_delete
        && is_same_set(&one.on_delete_columns, &other.on_delete_columns)
        && one.on_update == other.on_update
        && one.match_full == other.match_full
        && one.deferrable == other.deferrable
        && one.initially_deferred == other.initially_deferred
        && one.period == other.period
        && one.enforced == other.enforced
}

fn compare_exclusions(dialect: Dialect, live: &Table, declared: &Table, operations: &mut Vec<Operation>) {
    let table = &declared.name;
    let is_same = |one: usize, other: usize| {
        is_same_expression(
            dialect,
            &live.exclusions[one].definition,
            &declared.exclusions[other].definition,
        )
    };
    let name = |index: usize| live.exclusions[index].name.as_deref();
    let wanted = |index: usize| declared.exclusions[index].name.as_deref();
    let matches = Matches::find(
        (live, live.exclusions.len()),
        (declared, declared.exclusions.len()),
        is_same,
        name,
        wanted,
    );
    for (from, to) in matches.pairs {
        let named = Item {
            columns: Vec::new(),
            name: declared.exclusions[to].name.clone(),
        };
        let from = live.exclusions[from].name.as_ref();
        rename(Named::Exclusion, table, from, &named, operations);
    }
    operations.extend(matches.gone.into_iter().map(|index| Operation::DropExclude {
        table: table.clone(),
        exclusion: live.exclusions[index].clone(),
    }));
    operations.extend(matches.new.into_iter().map(|index| Operation::AddExclude {
        table: table.clone(),
        exclusion: declared.exclusions[index].clone(),
    }));
}

/// What the name of a declared constraint is judged by.
pub(super) struct Item {
    pub(super) columns: Vec<String>,
    pub(super) name: Option<String>,
}

/// Renames a constraint when somebody chose another name for it. One without a name, which SQLite knows, stays so: a name
/// is not worth building the table again.
pub(super) fn rename(
    named: Named,
    table: &str,
    from: Option<&String>,
    to: &Item,
    operations: &mut Vec<Operation>,
) {
    let wanted = chosen(named, table, &to.columns, to.name.as_deref());
    if let (Some(from), Some(wanted)) = (from, wanted)
        && from != wanted
    {
        operations.push(Operation::RenameConstraint {
            table: table.to_owned(),
            from: from.clone(),
            to: wanted.to_owned(),
        });
    }
}

/// Which things of two lists are the same, by their places.
pub(super) struct Matches {
    pub(super) pairs: Vec<(usize, usize)>,
    pub(super) gone: Vec<usize>,
    pub(super) new: Vec<usize>,
}

impl Matches {
    /// Matches what is the same: first under the same name, then under different ones, unless one of the two names is
    /// that of something else on the other side.
    pub(super) fn find<'a>(
        (live, live_count): (&Table, usize),
        (declared, declared_count): (&Table, usize),
        is_same: impl Fn(usize, usize) -> bool,
        name: impl Fn(usize) -> Option<&'a str>,
        wanted: impl Fn(usize) -> Option<&'a str>,
    ) -> Self {
        let (taken, claimed) = (used(live), used(declared));
        let mut gone: Vec<usize> = (0..live_count).collect();
        let mut new: Vec<usize> = (0..declared_count).collect();
        let mut pairs = Vec::new();
        for by_name in [true, false] {
            new.retain(|&other| {
                let place = gone.iter().position(|&one| {
                    if by_name {
                        return name(one) == wanted(other) && is_same(one, other);
                    }
                    let is_taken = wanted(other).is_some_and(|name| taken.contains(name));
                    let is_claimed = name(one).is_some_and(|name| claimed.contains(name));
                    !is_taken && !is_claimed && is_same(one, other)
                });
                match place {
                    Some(place) => {
                        pairs.push((gone.remove(place), other));
                        false
                    }
                    None => true,
                }
            });
        }
        Self { pairs, gone, new }
    }
}
