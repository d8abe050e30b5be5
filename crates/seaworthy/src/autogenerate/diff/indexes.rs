//! Indexes and unique constraints of one table. A unique index guards what a unique constraint does, so one stands for
//! the other where somebody declares them.

use super::Wanted;
use super::constraints::{Item, Matches, rename};
use super::names::{Named, chosen, used};
use crate::autogenerate::Operation;
use crate::catalog::expression::is_same_expression;
use crate::catalog::{Dialect, Index, IndexKey, IndexPart, Table, Unique};

pub(super) fn compare(
    dialect: Dialect,
    wanted: Wanted,
    live: &Table,
    declared: &Table,
    operations: &mut Vec<Operation>,
) {
    let table = &declared.name;
    let mut uniques = match_uniques(wanted, live, declared);
    for (from, to) in &uniques.pairs {
        let (from, to) = (&live.uniques[*from], &declared.uniques[*to]);
        let named = Item {
            columns: to.columns.clone(),
            name: to.name.clone(),
        };
        rename(Named::Unique, table, from.name.as_ref(), &named, operations);
    }
    let mut indexes = match_indexes(dialect, wanted, live, declared);
    for (from, to) in &indexes.pairs {
        compare_pair(
            dialect,
            table,
            &live.indexes[*from],
            &declared.indexes[*to],
            operations,
        );
    }
    let (live_uniques, live_indexes) = (&live.uniques, &live.indexes);
    let (declared_uniques, declared_indexes) = (&declared.uniques, &declared.indexes);
    let claimed = used(declared);
    // The name of what stays must not be wanted for something else.
    let is_free = |name: &Option<String>, wanted: &Option<String>| {
        name == wanted || name.as_deref().is_none_or(|name| !claimed.contains(name))
    };
    // A foreign key, `ON CONFLICT ON CONSTRAINT` and `pg_dump` tell them apart.
    let is_either = |index: &Index, unique: &Unique| wanted == Wanted::Declared && does_for(index, unique);
    pair_off(&mut indexes.gone, &mut uniques.new, |index, unique| {
        let (index, unique) = (&live_indexes[index], &declared_uniques[unique]);
        is_either(index, unique) && is_free(&index.name, &unique.name)
    });
    pair_off(&mut indexes.new, &mut uniques.gone, |index, unique| {
        let (index, unique) = (&declared_indexes[index], &live_uniques[unique]);
        is_either(index, unique) && is_free(&unique.name, &index.name)
    });

    operations.extend(uniques.gone.into_iter().map(|index| Operation::DropUnique {
        table: table.clone(),
        unique: live.uniques[index].clone(),
    }));
    operations.extend(uniques.new.into_iter().map(|index| Operation::AddUnique {
        table: table.clone(),
        unique: declared.uniques[index].clone(),
    }));
    operations.extend(indexes.gone.into_iter().map(|index| Operation::DropIndex {
        table: table.clone(),
        index: live.indexes[index].clone(),
    }));
    operations.extend(indexes.new.into_iter().map(|index| Operation::AddIndex {
        table: table.clone(),
        index: declared.indexes[index].clone(),
    }));
}

fn match_uniques(wanted: Wanted, live: &Table, declared: &Table) -> Matches {
    let unnamed = |unique: &Unique| Unique {
        name: None,
        ..unique.clone()
    };
    Matches::find(
        (live, live.uniques.len()),
        (declared, declared.uniques.len()),
        |one, other| {
            let (one, other) = (unnamed(&live.uniques[one]), unnamed(&declared.uniques[other]));
            let is_open = wanted == Wanted::Declared && other.include.is_empty();
            let include = if is_open {
                one.include.clone()
            } else {
                other.include.clone()
            };
            one == Unique { include, ..other }
        },
        |index| live.uniques[index].name.as_deref(),
        |index| declared.uniques[index].name.as_deref(),
    )
}

fn match_indexes(dialect: Dialect, wanted: Wanted, live: &Table, declared: &Table) -> Matches {
    Matches::find(
        (live, live.indexes.len()),
        (declared, declared.indexes.len()),
        |one, other| {
            let (one, other) = (&live.indexes[one], &declared.indexes[other]);
            is_same_index(dialect, one, other)
                && (wanted == Wanted::Declared || one.options == other.options)
                && (!is_partial(live, one) || is_partial(declared, other))
        },
        |index| live.indexes[index].name.as_deref(),
        |index| declared.indexes[index].name.as_deref(),
    )
}

fn compare_pair(
    dialect: Dialect,
    table: &str,
    live: &Index,
    declared: &Index,
    operations: &mut Vec<Operation>,
) {
    let wanted = chosen(Named::Index, table, &[], declared.name.as_deref());
    let is_renamed = wanted != live.name.as_deref();
    match (dialect, wanted.filter(|_| is_renamed)) {
        (Dialect::Postgresql, Some(to)) => {
            let renamed = live.name.as_ref().map(|from| Operation::RenameIndex {
                table: table.to_owned(),
                from: from.clone(),
                to: to.to_owned(),
            });
            operations.extend(renamed);
        }
        // SQLite cannot rename an index.
        (Dialect::Sqlite, Some(_)) => {
            operations.push(Operation::DropIndex {
                table: table.to_owned(),
                index: live.clone(),
            });
            operations.push(Operation::AddIndex {
                table: table.to_owned(),
                index: declared.clone(),
            });
        }
        (Dialect::Postgresql | Dialect::Sqlite, None) => {}
    }
    if !live.valid && declared.valid {
        operations.push(Operation::RebuildInvalidIndex {
            table: table.to_owned(),
            name: wanted.map(str::to_owned).or_else(|| live.name.clone()),
        });
    }
}

/// Returns whether an index is that of a partitioned table which some of the partitions lack: no REINDEX gives it to them
/// (manual, "CREATE INDEX").
fn is_partial(table: &Table, index: &Index) -> bool {
    table.partitioned_by.is_some() && !index.valid
}

fn is_same_index(dialect: Dialect, one: &Index, other: &Index) -> bool {
    let is_same_predicate = match (&one.predicate, &other.predicate) {
        (Some(one), Some(other)) => is_same_expression(dialect, one, other),
        (None, None) => true,
        _ => false,
    };
    let method = |index: &Index| index.method.clone().unwrap_or_else(|| "btree".to_owned());
    is_same_predicate
        && one.unique == other.unique
        && one.nulls_not_distinct == other.nulls_not_distinct
        && method(one) == method(other)
        && is_same_set(&one.include, &other.include)
        && one.columns.len() == other.columns.len()
        && one
            .columns
            .iter()
            .zip(&other.columns)
            .all(|(one, other)| is_same_part(dialect, one, other))
}

fn is_same_part(dialect: Dialect, one: &IndexPart, other: &IndexPart) -> bool {
    let is_same_key = match (&one.key, &other.key) {
        (IndexKey::Expression(one), IndexKey::Expression(other)) => is_same_expression(dialect, one, other),
        (one, other) => one == other,
    };
    let rest = |part: &IndexPart| IndexPart {
        key: IndexKey::Column(String::new()),
        ..part.clone()
    };
    is_same_key && rest(one) == rest(other)
}

pub(super) fn is_same_set(one: &[String], other: &[String]) -> bool {
    let sorted = |names: &[String]| {
        let mut names = names.to_vec();
        names.sort();
        names
    };
    sorted(one) == sorted(other)
}

/// Whether an index guards what a constraint does.
fn does_for(index: &Index, unique: &Unique) -> bool {
    !unique.deferrable
        && unique.include.is_empty()
        && unique.options.is_plain()
        && index.nulls_not_distinct == unique.nulls_not_distinct
        && index.valid
        && index
            .as_unique_columns()
            .is_some_and(|columns| columns.iter().eq(unique.columns.iter()))
}

/// Takes out of two lists what belongs together.
fn pair_off(one: &mut Vec<usize>, other: &mut Vec<usize>, belong: impl Fn(usize, usize) -> bool) {
    one.retain(|&first| {
        let place = other.iter().position(|&second| belong(first, second));
        place.map(|place| other.remove(place)).is_none()
    });
}
