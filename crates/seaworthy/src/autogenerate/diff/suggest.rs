//! What is dropped and added and may be one thing under another name.

use super::rename::{Rename, Suggestion};
use super::tables::Pairs;
use crate::catalog::expression::{is_same_default, is_same_type};
use crate::catalog::{Column, Dialect, Table};

/// Below this a rename is not worth asking about.
const LIKELY: u8 = 60;

/// Above this many candidates on either side somebody replaces a schema and renames nothing.
const MANY: usize = 100;

pub(super) fn suggestions(dialect: Dialect, pairs: &Pairs<'_>) -> Vec<Suggestion> {
    let mut found = best(&pairs.gone, &pairs.new, |from, to| table_score(dialect, from, to))
        .into_iter()
        .map(|(from, to, score)| Suggestion {
            rename: Rename::Table {
                from: from.name.clone(),
                to: to.name.clone(),
            },
            score,
        })
        .collect::<Vec<_>>();
    for (live, declared) in &pairs.common {
        let gone: Vec<&Column> = live
            .columns
            .iter()
            .filter(|column| declared.column(&column.name).is_none())
            .collect();
        let new: Vec<&Column> = declared
            .columns
            .iter()
            .filter(|column| live.column(&column.name).is_none())
            .collect();
        let score = |from: &Column, to: &Column| column_score(dialect, (live, from), (declared, to));
        found.extend(
            best(&gone, &new, score)
                .into_iter()
                .map(|(from, to, score)| Suggestion {
                    rename: Rename::Column {
                        table: declared.name.clone(),
                        from: from.name.clone(),
                        to: to.name.clone(),
                    },
                    score,
                }),
        );
    }
    found
}

/// Pairs the most similar ones, each at most once.
fn best<'a, T>(gone: &[&'a T], new: &[&'a T], score: impl Fn(&T, &T) -> u8) -> Vec<(&'a T, &'a T, u8)> {
    if gone.len() > MANY || new.len() > MANY {
        return Vec::new();
    }
    let mut scored: Vec<(u8, usize, usize)> = Vec::new();
    for (one, from) in gone.iter().enumerate() {
        for (other, to) in new.iter().enumerate() {
            let score = score(from, to);
            if score >= LIKELY {
                scored.push((score, one, other));
            }
        }
    }
    scored.sort_by_key(|&(score, one, other)| (std::cmp::Reverse(score), one, other));
    let (mut used, mut taken) = (vec![false; gone.len()], vec![false; new.len()]);
    let mut pairs = Vec::new();
    for (score, one, other) in scored {
        if !used[one] && !taken[other] {
            (used[one], taken[other]) = (true, true);
            pairs.push((gone[one], new[other], score));
        }
    }
    pairs
}

fn column_score(dialect: Dialect, (live, from): (&Table, &Column), (declared, to): (&Table, &Column)) -> u8 {
    if !is_same_type(dialect, &from.data_type, &to.data_type) {
        return 0;
    }
    let place =
        |table: &Table, column: &Column| table.columns.iter().position(|other| other.name == column.name);
    let facts = [
        (from.nullable == to.nullable, 10),
        (
            is_same_default(
                dialect,
                &to.data_type,
                from.default.as_deref(),
                to.default.as_deref(),
            ),
            10,
        ),
        (place(live, from) == place(declared, to), 10),
    ];
    let agreed: u8 = facts
        .iter()
        .filter(|(is_so, _)| *is_so)
        .map(|(_, weight)| weight)
        .sum();
    40 + agreed + similarity(&from.name, &to.name, 30)
}

fn table_score(dialect: Dialect, from: &Table, to: &Table) -> u8 {
    // A column of the same type in the same place may have been renamed with its table.
    let weight = |(place, column): (usize, &Column)| {
        let is_it = |other: &Column| is_same_type(dialect, &column.data_type, &other.data_type);
        if to.column(&column.name).is_some_and(is_it) {
            4
        } else if to.columns.get(place).is_some_and(is_it) {
            3
        } else {
            0
        }
    };
    let kept: usize = from.columns.iter().enumerate().map(weight).sum();
    let all = from.columns.len().max(to.columns.len()) * 4;
    if all == 0 {
        return 0;
    }
    let share = u8::try_from(kept * 80 / all).unwrap_or(80);
    share + similarity(&from.name, &to.name, 20)
}

/// Returns how much two names look alike, up to `most`.
fn similarity(one: &str, other: &str, most: u8) -> u8 {
    let share = strsim::jaro_winkler(&one.to_lowercase(), &other.to_lowercase());
    // From 0 to 1 times at most 30: nothing is cut off.
    (share * f64::from(most)).round() as u8
}
