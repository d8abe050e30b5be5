//! In which column each revision stands, and through which its links run: as `git log --graph` does it.

use std::collections::HashMap;

use super::revisions::{Drawn, Link};

/// A row of the picture: one revision.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// The column of the revision.
    pub(super) column: usize,
    /// The lanes above it.
    pub(super) above: Lanes,
    /// Lanes that end in it, its own column left out.
    pub(super) closes: Vec<usize>,
    /// Lanes that begin in it, its own column left out.
    pub(super) opens: Vec<usize>,
    /// The lanes below it.
    pub(super) below: Lanes,
}

/// What runs through each column.
pub(super) type Lanes = Vec<Option<Link>>;

/// A link from a revision down to one that it builds on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) link: Link,
    /// The column that it runs through.
    pub(super) lane: usize,
    pub(super) from: usize,
    pub(super) to: usize,
}

/// The places of all revisions and links.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) rows: Vec<Row>,
    pub(super) edges: Vec<Edge>,
    /// How many columns there are.
    pub(super) width: usize,
}

/// A link that has not come to its end yet.
#[derive(Clone, Debug)]
struct Open {
    to: usize,
    link: Link,
    from: usize,
}

/// Lays revisions out, of which each comes before those that it builds on.
pub(super) fn lay_out(revisions: &[Drawn]) -> Layout {
    let places: HashMap<&str, usize> = revisions
        .iter()
        .enumerate()
        .map(|(place, revision)| (revision.id.as_str(), place))
        .collect();
    let mut lanes: Vec<Option<Open>> = Vec::new();
    let (mut rows, mut edges, mut width) = (Vec::with_capacity(revisions.len()), Vec::new(), 0);
    for (place, revision) in revisions.iter().enumerate() {
        let above = running(&lanes);
        let ending: Vec<usize> = (0..lanes.len())
            .filter(|&lane| lanes[lane].as_ref().is_some_and(|open| open.to == place))
            .collect();
        let column = ending.first().copied().unwrap_or_else(|| free(&mut lanes));
        for &lane in &ending {
            if let Some(open) = lanes[lane].take() {
                edges.push(Edge {
                    link: open.link,
                    lane,
                    from: open.from,
                    to: place,
                });
            }
        }
        let mut opens = Vec::new();
        let below = revision.parents.iter().map(|id| (id, Link::Parent));
        let below = below.chain(revision.dependencies.iter().map(|id| (id, Link::Dependency)));
        let mut own_is_taken = false;
        for (id, link) in below {
            let Some(&to) = places.get(id.as_str()) else {
                continue;
            };
            let lane = if own_is_taken {
                let lane = free_but(&mut lanes, column);
                opens.push(lane);
                lane
            } else {
                own_is_taken = true;
                column
            };
            lanes[lane] = Some(Open {
                to,
                link,
                from: place,
            });
        }
        width = width.max(lanes.len());
        while lanes.last().is_some_and(Option::is_none) {
            lanes.pop();
        }
        rows.push(Row {
            column,
            above,
            closes: ending.into_iter().skip(1).collect(),
            opens,
            below: running(&lanes),
        });
    }
    Layout { rows, edges, width }
}

fn running(lanes: &[Option<Open>]) -> Lanes {
    lanes
        .iter()
        .map(|lane| lane.as_ref().map(|open| open.link))
        .collect()
}

fn free(lanes: &mut Vec<Option<Open>>) -> usize {
    free_but(lanes, usize::MAX)
}

fn free_but(lanes: &mut Vec<Option<Open>>, column: usize) -> usize {
    let found = (0..lanes.len()).find(|&lane| lane != column && lanes[lane].is_none());
    found.unwrap_or_else(|| {
        lanes.push(None);
        if lanes.len() - 1 == column {
            lanes.push(None);
        }
        lanes.len() - 1
    })
}
