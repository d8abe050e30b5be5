//! How the database numbers a column, and whose a sequence is.

use std::collections::HashMap;

use super::Wanted;
use crate::autogenerate::Operation;
use crate::catalog::{Catalog, Column, Numbering, Sequence, SequenceOwner, ddl};

/// Returns the change that has a column numbered as it is declared; nothing where it is.
pub(super) fn compare(wanted: Wanted, table: &str, live: &Column, declared: &Column) -> Option<Operation> {
    // A new type brings the sequence along.
    let mut retyped = live.clone();
    retyped.set_type(&declared.data_type);
    let (to, to_sequence) = if is_same(live, declared) {
        counted_otherwise(wanted, table, live, declared)?
    } else if is_identity(live) && is_identity(declared) {
        let is_open = wanted == Wanted::Declared && declared.sequence.is_none();
        let counted = if is_open { &retyped } else { declared };
        (
            declared.auto,
            under_its_name(table, &retyped, counted.own_sequence(table)?),
        )
    } else {
        (declared.auto, declared.sequence.clone())
    };
    let keeps_type = declared.auto.is_none();
    Some(Operation::AlterIdentity {
        table: table.to_owned(),
        column: declared.name.clone(),
        from: live.auto,
        to,
        from_sequence: match keeps_type {
            true => live.sequence.clone(),
            false => retyped.sequence,
        },
        to_sequence,
    })
}

/// Returns whether a column is numbered in a way that does for the declaration. A default that reads a sequence numbers a
/// column as well as anything.
pub(super) fn is_same(live: &Column, declared: &Column) -> bool {
    let reads_sequence = |column: &Column| {
        let default = column.default.as_deref();
        default.is_some_and(|sql| sql.starts_with("nextval("))
    };
    match (live.auto, declared.auto) {
        (Some(live), Some(declared)) => live.satisfies(declared),
        (None, None) => true,
        (Some(Numbering::Serial | Numbering::Any), None) => reads_sequence(declared),
        (None, Some(Numbering::Serial | Numbering::Any)) => reads_sequence(live),
        _ => false,
    }
}

/// Returns how a column is to be numbered whose sequence counts otherwise than the declared one. A declaration that does not say
/// how it counts wants a sequence that does not end before the column is full.
fn counted_otherwise(
    wanted: Wanted,
    table: &str,
    live: &Column,
    declared: &Column,
) -> Option<(Option<Numbering>, Option<Sequence>)> {
    if !live.auto?.has_sequence() {
        return None;
    }
    let mut column = live.clone();
    column.set_type(&declared.data_type);
    let counts = column.own_sequence(table)?;
    let is_open =
        declared.auto? == Numbering::Any || wanted == Wanted::Declared && declared.sequence.is_none();
    let next = if is_open {
        let full = Sequence::usual(table, &column.name, &column.data_type);
        let is_too_short = is_integer(&column.data_type) && counts.type_name() != full.type_name();
        is_too_short.then(|| Sequence {
            data_type: full.data_type,
            ..counts.clone()
        })?
    } else {
        declared.own_sequence(table)?
    };
    if next.counts_as(&counts) {
        return None;
    }
    Some((live.auto, under_its_name(table, &column, next)))
}

/// Returns how a column is counted that keeps its sequence, whose name is not worth a change.
fn under_its_name(table: &str, column: &Column, wanted: Sequence) -> Option<Sequence> {
    let mut counted = column.clone();
    let name = column.own_sequence(table)?.name;
    counted.set_sequence(table, Sequence { name, ..wanted });
    counted.sequence
}

fn is_identity(column: &Column) -> bool {
    matches!(
        column.auto,
        Some(Numbering::IdentityByDefault | Numbering::IdentityAlways)
    )
}

fn is_integer(data_type: &str) -> bool {
    ["smallint", "integer", "bigint"].contains(&data_type)
}

/// Sees a column as one with a default, and its sequence as one that the column owns, where the other side has that sequence at
/// another place: what number it has come to moves along with it then.
pub(super) fn set_sequences_free(live: &mut Catalog, declared: &mut Catalog) {
    let (here, there) = (places(live), places(declared));
    let moved: Vec<&String> = here
        .iter()
        .filter(|(name, place)| there.get(*name).is_some_and(|other| other != *place))
        .map(|(name, _)| name)
        .collect();
    for catalog in [live, declared] {
        for name in &moved {
            set_free(catalog, name);
        }
    }
}

/// Returns the column that each sequence numbers, or nothing for those that number none.
fn places(catalog: &Catalog) -> HashMap<String, Option<(String, String)>> {
    let mut places: HashMap<String, Option<(String, String)>> = catalog
        .sequences
        .iter()
        .map(|sequence| (sequence.name.clone(), None))
        .collect();
    for table in &catalog.tables {
        for column in table.columns.iter().filter(|column| is_serial(column)) {
            let sequence = column.own_sequence(&table.name);
            let place = (table.name.clone(), column.name.clone());
            places.extend(sequence.map(|sequence| (sequence.name, Some(place))));
        }
    }
    places
}

fn set_free(catalog: &mut Catalog, name: &str) {
    for table in &mut catalog.tables {
        for column in table.columns.iter_mut().filter(|column| is_serial(column)) {
            let Some(sequence) = column.own_sequence(&table.name).filter(|it| it.name == name) else {
                continue;
            };
            column.auto = None;
            column.sequence = None;
            column.default = Some(ddl::next_of(name));
            catalog.sequences.push(Sequence {
                owned_by: Some(SequenceOwner {
                    table: table.name.clone(),
                    column: column.name.clone(),
                }),
                ..sequence
            });
        }
    }
}

fn is_serial(column: &Column) -> bool {
    column.auto == Some(Numbering::Serial)
}
