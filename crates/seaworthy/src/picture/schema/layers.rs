//! Where each box stands: what is referred to on the left, what refers to it right of it, and room for lines that pass.

use std::collections::BTreeSet;

use super::{Reference, SchemaPicture};

/// Something that takes a place in a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// A table, by its place in the list.
    Table(usize),
    /// A line that passes, by the place of its foreign key.
    Pass(usize),
}

/// The layers from left to right, each from top to bottom, and the tables that no line comes to.
#[derive(Clone, Debug)]
pub(super) struct Layers {
    pub(super) columns: Vec<Vec<Item>>,
    pub(super) alone: Vec<usize>,
    /// The layer of each table.
    pub(super) of: Vec<usize>,
}

/// How often the order within the layers is improved; more changes little.
const SWEEPS: usize = 6;

pub(super) fn lay_out(picture: &SchemaPicture) -> Layers {
    let count = picture.tables.len();
    let lines: Vec<&Reference> = picture.references.iter().collect();
    let of = depths(count, &lines);
    let linked: BTreeSet<usize> = lines
        .iter()
        .filter(|line| line.from != line.to)
        .flat_map(|line| [line.from, line.to])
        .collect();
    let alone: Vec<usize> = (0..count).filter(|table| !linked.contains(table)).collect();
    let depth = linked.iter().map(|&table| of[table] + 1).max().unwrap_or(0);
    let mut columns: Vec<Vec<Item>> = vec![Vec::new(); depth];
    for &table in &linked {
        columns[of[table]].push(Item::Table(table));
    }
    for (place, line) in lines.iter().enumerate() {
        let (low, high) = between(of[line.from], of[line.to]);
        for column in columns.iter_mut().take(high).skip(low + 1) {
            column.push(Item::Pass(place));
        }
    }
    let mut layers = Layers { columns, alone, of };
    for _ in 0..SWEEPS {
        layers.sweep(&lines, count);
    }
    layers
}

pub(super) fn between(one: usize, other: usize) -> (usize, usize) {
    (one.min(other), one.max(other))
}

impl Layers {
    /// Puts each item at the height of what it is linked with.
    fn sweep(&mut self, lines: &[&Reference], count: usize) {
        let mut heights = vec![0.0; count];
        let mut passes = vec![Vec::new(); lines.len()];
        for (layer, column) in self.columns.iter().enumerate() {
            for (height, item) in column.iter().enumerate() {
                // In thousandths of the layer: layers differ in length.
                let height = f64_of(height * 1000) / f64_of(column.len().max(1));
                match *item {
                    Item::Table(table) => heights[table] = height,
                    Item::Pass(line) => passes[line].push((layer, height)),
                }
            }
        }
        let mut wishes: Vec<(f64, u32)> = vec![(0.0, 0); count];
        let mut line_wishes = vec![0.0; lines.len()];
        for (place, line) in lines.iter().enumerate() {
            if line.from == line.to {
                continue;
            }
            for (table, other) in [(line.from, line.to), (line.to, line.from)] {
                wishes[table].0 += heights[other];
                wishes[table].1 += 1;
            }
            line_wishes[place] = f64::midpoint(heights[line.from], heights[line.to]);
        }
        for column in &mut self.columns {
            let wish = |item: &Item| match *item {
                Item::Table(table) if wishes[table].1 > 0 => {
                    let (sum, number) = wishes[table];
                    f64::midpoint(sum / f64::from(number), heights[table])
                }
                Item::Table(table) => heights[table],
                Item::Pass(line) => line_wishes[line],
            };
            column.sort_by(|one, other| wish(one).total_cmp(&wish(other)));
        }
    }
}

/// Returns how many tables each one stands on, at most; a circle is cut where it is entered.
fn depths(count: usize, lines: &[&Reference]) -> Vec<usize> {
    let mut below = vec![Vec::new(); count];
    for line in lines.iter().filter(|line| line.from != line.to) {
        below[line.from].push(line.to);
    }
    let mut depths: Vec<Option<usize>> = vec![None; count];
    let mut is_open = vec![false; count];
    for start in 0..count {
        // By hand and not by recursion: a chain may be as long as there are tables.
        let mut stack = vec![start];
        while let Some(&table) = stack.last() {
            if depths[table].is_some() {
                stack.pop();
                continue;
            }
            is_open[table] = true;
            let next = below[table]
                .iter()
                .copied()
                .find(|&other| depths[other].is_none() && !is_open[other]);
            if let Some(next) = next {
                stack.push(next);
                continue;
            }
            let deepest = below[table].iter().filter_map(|&other| depths[other]).max();
            depths[table] = Some(deepest.map_or(0, |deepest| deepest + 1));
            is_open[table] = false;
            stack.pop();
        }
    }
    depths.into_iter().map(Option::unwrap_or_default).collect()
}

pub(super) fn f64_of(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::from(u32::MAX), f64::from)
}
