//! Revisions, newest first, with a line to each that they build on.

use serde::Serialize;

use super::escape;
use super::lanes::{Lanes, Row, lay_out};
use crate::graph::{Applied, RevisionGraph};
use crate::revision::Stage;

mod svg;

/// All revisions as a picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RevisionPicture {
    /// The revisions; each comes before those that it builds on.
    pub revisions: Vec<Drawn>,
    /// Whether it is known what is applied.
    pub knows_applied: bool,
}

/// A revision in a picture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Drawn {
    /// Its id.
    #[serde(rename = "revision")]
    pub id: String,
    /// What it does.
    pub message: String,
    /// Its parents.
    #[serde(rename = "revises")]
    pub parents: Vec<String>,
    /// Revisions that must be applied before it without being its parents.
    #[serde(rename = "depends_on")]
    pub dependencies: Vec<String>,
    /// Its own labels.
    pub labels: Vec<String>,
    /// The phase of the product that it stands for.
    pub phase: Option<String>,
    /// Where in a zero-downtime change it belongs.
    pub stage: Stage,
    /// Whether no other revises it.
    pub is_head: bool,
    /// Whether several revise it.
    pub is_branch_point: bool,
    /// Whether it revises several.
    pub is_merge_point: bool,
    /// Whether the database stands here.
    pub is_current: bool,
    /// Whether it is applied.
    pub is_applied: bool,
}

/// Why one revision comes after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// It builds on it.
    Parent,
    /// It only needs it.
    Dependency,
}

impl RevisionPicture {
    /// Draws a graph; where the database stands is left out when nobody knows.
    #[must_use]
    pub fn of(graph: &RevisionGraph, applied: Option<&Applied>) -> Self {
        let nothing = Applied::default();
        let known = applied.unwrap_or(&nothing);
        let newest_first = graph
            .history(None, known)
            .expect("everything is a range of every graph");
        let revisions = newest_first
            .iter()
            .filter_map(|listed| {
                let header = graph.header(&listed.revision)?;
                Some(Drawn {
                    id: header.id.to_string(),
                    message: header.message.clone(),
                    parents: header.revises.iter().map(ToString::to_string).collect(),
                    dependencies: graph
                        .dependencies(&header.id)
                        .iter()
                        .map(ToString::to_string)
                        .collect(),
                    labels: header.labels.clone(),
                    phase: header.phase.clone(),
                    stage: header.stage,
                    is_head: listed.is_head || listed.is_effective_head,
                    is_branch_point: listed.is_branch_point,
                    is_merge_point: listed.is_merge_point,
                    is_current: listed.is_current,
                    is_applied: known.contains(graph, &header.id),
                })
            })
            .collect();
        Self {
            revisions,
            knows_applied: applied.is_some(),
        }
    }

    /// Returns lines for a terminal, as `git log --graph` draws them. `@` is where the database stands; a dotted line is a
    /// dependency.
    #[must_use]
    pub fn text(&self) -> Vec<String> {
        let layout = lay_out(&self.revisions);
        let mut lines = Vec::new();
        for (revision, row) in self.revisions.iter().zip(&layout.rows) {
            if !row.closes.is_empty() {
                lines.push(bend(row, &row.above, &row.closes, ['╯', '┴', '╰']));
            }
            let mut columns = verticals(&row.above);
            for &lane in &row.closes {
                columns[lane * 2] = ' ';
            }
            put(
                &mut columns,
                row.column,
                if revision.is_current { '@' } else { '*' },
            );
            let columns: String = columns.into_iter().collect();
            lines.push(format!("{} {}", columns.trim_end(), self.described(revision)));
            if !row.opens.is_empty() {
                lines.push(bend(row, &row.below, &row.opens, ['╮', '┬', '╭']));
            }
        }
        lines
    }

    /// Returns a flowchart of Mermaid.
    #[must_use]
    pub fn mermaid(&self) -> String {
        let mut text = "flowchart BT\n".to_owned();
        for (place, revision) in self.revisions.iter().enumerate() {
            let mut words = vec![escape::mermaid(&revision.id)];
            words.extend(self.marks(revision).iter().map(|mark| escape::mermaid(mark)));
            if !revision.message.is_empty() {
                words.push(escape::mermaid(&revision.message));
            }
            text.push_str(&format!("    r{place}[\"{}\"]\n", words.join("<br/>")));
        }
        for (from, to, link) in self.links() {
            // Drawn from below, as revisions are applied.
            let arrow = match link {
                Link::Parent => "-->",
                Link::Dependency => "-.->",
            };
            text.push_str(&format!("    r{to} {arrow} r{from}\n"));
        }
        text.push_str("    classDef head stroke-width:3px\n    classDef current stroke-width:3px,stroke-dasharray:6 3\n");
        for (place, revision) in self.revisions.iter().enumerate() {
            if revision.is_current || revision.is_head {
                let class = if revision.is_current { "current" } else { "head" };
                text.push_str(&format!("    class r{place} {class}\n"));
            }
        }
        text
    }

    /// Returns a graph of DOT, the language of Graphviz.
    #[must_use]
    pub fn dot(&self) -> String {
        let mut text = "digraph revisions {\n    rankdir=BT;\n    node [shape=box, style=rounded, fontname=\"sans-serif\"];\n".to_owned();
        for (place, revision) in self.revisions.iter().enumerate() {
            let mut words = vec![escape::dot(&revision.id)];
            words.extend(self.marks(revision).iter().map(|mark| escape::dot(mark)));
            if !revision.message.is_empty() {
                words.push(escape::dot(&revision.message));
            }
            let width = if revision.is_head || revision.is_current {
                ", penwidth=2"
            } else {
                ""
            };
            text.push_str(&format!(
                "    r{place} [label=\"{}\"{width}];\n",
                words.join("\\n")
            ));
        }
        for (from, to, link) in self.links() {
            let style = match link {
                Link::Parent => "",
                Link::Dependency => " [style=dashed]",
            };
            text.push_str(&format!("    r{to} -> r{from}{style};\n"));
        }
        text.push_str("}\n");
        text
    }

    /// Returns an SVG document that follows the reader's choice of a light or dark page.
    #[must_use]
    pub fn svg(&self) -> String {
        svg::draw(self)
    }

    /// Returns all links as places in the list: what builds on what, and why.
    fn links(&self) -> Vec<(usize, usize, Link)> {
        let mut links: Vec<(usize, usize, Link)> = lay_out(&self.revisions)
            .edges
            .iter()
            .map(|edge| (edge.from, edge.to, edge.link))
            .collect();
        links.sort_by_key(|&(from, to, _)| (from, to));
        links
    }

    /// Returns what there is to say about a revision beside its id and message.
    fn marks(&self, revision: &Drawn) -> Vec<String> {
        let flags = [
            (revision.is_head, "head"),
            (revision.is_current, "current"),
            (revision.is_branch_point, "branchpoint"),
            (revision.is_merge_point, "mergepoint"),
            (self.knows_applied && !revision.is_applied, "pending"),
        ];
        let mut marks: Vec<String> = flags
            .into_iter()
            .filter(|(is_set, _)| *is_set)
            .map(|(_, mark)| mark.to_owned())
            .collect();
        marks.extend(revision.labels.iter().map(|label| format!("branch {label}")));
        marks.extend(revision.phase.iter().map(|phase| format!("phase {phase}")));
        if revision.stage != Stage::Expand {
            marks.push(revision.stage.word().to_owned());
        }
        marks
    }

    fn described(&self, revision: &Drawn) -> String {
        let mut text = escape::line(&revision.id);
        for mark in self.marks(revision) {
            text.push_str(&format!(" ({})", escape::line(&mark)));
        }
        if !revision.message.is_empty() {
            text.push_str(&format!(" {}", escape::line(&revision.message)));
        }
        text
    }
}

/// Returns the lanes of a row, two characters each.
fn verticals(lanes: &Lanes) -> Vec<char> {
    let mut columns = Vec::with_capacity(lanes.len() * 2);
    for lane in lanes {
        columns.push(match lane {
            Some(Link::Parent) => '│',
            Some(Link::Dependency) => '┊',
            None => ' ',
        });
        columns.push(' ');
    }
    columns
}

fn put(columns: &mut Vec<char>, lane: usize, mark: char) {
    while columns.len() <= lane * 2 {
        columns.push(' ');
    }
    columns[lane * 2] = mark;
}

/// Returns the line on which lanes leave the column of a revision or come back to it; the corners are those right of it,
/// on the way, and left of it.
fn bend(row: &Row, lanes: &Lanes, ends: &[usize], [right, between, left]: [char; 3]) -> String {
    let mut columns = verticals(lanes);
    let (first, last) = ends.iter().fold((row.column, row.column), |(first, last), &end| {
        (first.min(end), last.max(end))
    });
    put(&mut columns, last, ' ');
    let reach = columns.iter_mut().enumerate().take(last * 2 + 1).skip(first * 2);
    for (at, letter) in reach {
        let (lane, is_lane) = (at / 2, at % 2 == 0);
        let is_end = is_lane && ends.contains(&lane);
        *letter = match lane {
            _ if !is_lane => '─',
            lane if lane == row.column && lane == first => '├',
            lane if lane == row.column && lane == last => '┤',
            lane if lane == row.column => '┼',
            lane if is_end && lane == last => right,
            lane if is_end && lane == first => left,
            _ if is_end => between,
            lane if lanes.get(lane).copied().flatten().is_some() => '┼',
            _ => '─',
        };
    }
    let line: String = columns.into_iter().collect();
    line.trim_end().to_owned()
}
