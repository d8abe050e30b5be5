//! The statements of sequences.

use super::text;
use crate::catalog::Sequence;
use crate::catalog::expression::{name, quoted};

/// Returns the statement that makes a sequence, which belongs to no column yet.
#[must_use]
pub fn create_sequence(sequence: &Sequence) -> String {
    let mut sql = format!("CREATE SEQUENCE {}", quoted(&sequence.name));
    if let Some(data_type) = &sequence.data_type {
        sql.push_str(&format!(" AS {data_type}"));
    }
    for option in counting(sequence) {
        sql.push_str(&format!(" {option}"));
    }
    sql
}

/// Returns the options of the sequence of an identity, in parentheses; its type is that of the column.
#[must_use]
pub fn identity_options(sequence: &Sequence) -> String {
    let mut options = vec![format!("SEQUENCE NAME {}", quoted(&sequence.name))];
    options.extend(counting(sequence));
    format!(" ({})", options.join(" "))
}

/// Returns how a sequence counts, as far as that is not the usual way.
#[must_use]
pub fn counting(sequence: &Sequence) -> Vec<String> {
    let numbers = [
        ("INCREMENT BY", sequence.increment),
        ("MINVALUE", sequence.minimum),
        ("MAXVALUE", sequence.maximum),
        ("START WITH", sequence.start),
        ("CACHE", sequence.cache),
    ];
    let numbers = numbers
        .into_iter()
        .filter_map(|(word, number)| Some(format!("{word} {}", number?)));
    numbers
        .chain(sequence.cycle.then(|| "CYCLE".to_owned()))
        .collect()
}

/// Returns the statement that makes a sequence count as another does; it goes on where it is, which has to be a number of the
/// other.
#[must_use]
pub fn alter_sequence(name: &str, to: &Sequence) -> String {
    format!(
        "ALTER SEQUENCE {} AS {} {}",
        quoted(name),
        to.type_name(),
        all_counting(to).join(" ")
    )
}

/// Returns everything about how a sequence counts, but for the type of its numbers.
#[must_use]
pub fn all_counting(sequence: &Sequence) -> [String; 6] {
    let (lowest, highest) = sequence.bounds();
    let limit = |word: &str, number: Option<i64>, usual: i64| match number {
        Some(number) => format!("{word} {number}"),
        // PostgreSQL takes those of one that counts up where the type changes as well.
        None if sequence.step() < 0 => format!("{word} {usual}"),
        None => format!("NO {word}"),
    };
    [
        format!("INCREMENT BY {}", sequence.step()),
        limit("MINVALUE", sequence.minimum, lowest),
        limit("MAXVALUE", sequence.maximum, highest),
        format!("START WITH {}", sequence.first()),
        format!("CACHE {}", sequence.cache.unwrap_or(1)),
        if sequence.cycle { "CYCLE" } else { "NO CYCLE" }.to_owned(),
    ]
}

/// Returns the statement that has a sequence dropped with a column.
#[must_use]
pub fn own_sequence(sequence: &str, table: &str, column: &str) -> String {
    format!(
        "ALTER SEQUENCE {} OWNED BY {}.{}",
        quoted(sequence),
        quoted(table),
        quoted(column)
    )
}

/// Returns the expression that takes the next number of a sequence.
#[must_use]
pub fn next_of(sequence: &str) -> String {
    format!("nextval({}::regclass)", text(&name(sequence)))
}
