//! Revisions as an SVG document: lanes on the left, words on the right.

use super::super::escape;
use super::super::lanes::{Edge, Layout, lay_out};
use super::super::svg::{MARGIN, cut, document, width_of};
use super::{Drawn, Link, RevisionPicture};
use crate::revision::Stage;

const ROW: f64 = 46.0;
const LANE: f64 = 24.0;
const RADIUS: f64 = 6.0;
/// Colours of lanes in the style sheet.
const COLOURS: usize = 6;

pub(super) fn draw(picture: &RevisionPicture) -> String {
    let layout = lay_out(&picture.revisions);
    let mut body = String::new();
    for edge in &layout.edges {
        body.push_str(&link(&layout, edge));
    }
    let left = MARGIN + f64_of(layout.width.max(1)) * LANE + 8.0;
    let mut right = left;
    for (place, revision) in picture.revisions.iter().enumerate() {
        body.push_str(&node(picture, revision, layout.rows[place].column, place));
        let (words, end) = words(picture, revision, left, y(place));
        body.push_str(&words);
        right = right.max(end);
    }
    let count = picture.revisions.len();
    let heads: Vec<&str> = picture
        .revisions
        .iter()
        .filter(|revision| revision.is_head)
        .map(|revision| revision.id.as_str())
        .collect();
    document(
        "Revisions",
        &format!("{count} revisions, newest first; heads: {}", heads.join(", ")),
        (right + MARGIN).max(240.0),
        2.0 * MARGIN + f64_of(count.max(1)) * ROW - 6.0,
        &body,
    )
}

fn node(picture: &RevisionPicture, revision: &Drawn, column: usize, place: usize) -> String {
    let (x, y, colour) = (x(column), y(place), column % COLOURS);
    let is_full = !picture.knows_applied || revision.is_applied;
    let fill = if is_full {
        format!(" full{colour}")
    } else {
        String::new()
    };
    let mut text =
        format!("<circle class=\"dot lane{colour}{fill}\" cx=\"{x}\" cy=\"{y}\" r=\"{RADIUS}\"/>\n");
    if revision.is_current {
        let radius = RADIUS + 5.0;
        text.push_str(&format!(
            "<circle class=\"ring lane{colour}\" cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"/>\n"
        ));
    }
    text
}

/// Returns the words about a revision, and where they end.
fn words(picture: &RevisionPicture, revision: &Drawn, left: f64, y: f64) -> (String, f64) {
    let id = cut(&revision.id, 40);
    let mut text = format!(
        "<text class=\"mono bold\" x=\"{left}\" y=\"{:.0}\">{}</text>\n",
        y - 4.0,
        escape::xml(&id)
    );
    let mut at = left + width_of(&id, 12.5) + 10.0;
    for mark in picture.marks(revision) {
        let class = match mark.as_str() {
            "head" => "pill",
            "current" => "pill good",
            "pending" => "pill warm",
            word if word == Stage::Contract.word() || word == Stage::Migrate.word() => "pill warm",
            _ => "pill quiet",
        };
        let mark = cut(&mark, 40);
        let width = width_of(&mark, 11.0) + 12.0;
        text.push_str(&format!(
            "<rect class=\"{class}\" x=\"{at:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"17\" rx=\"8.5\"/>\
             <text class=\"mark\" text-anchor=\"middle\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\n",
            y - 16.5,
            at + width / 2.0,
            y - 4.0,
            escape::xml(&mark)
        ));
        at += width + 6.0;
    }
    let message = cut(&revision.message, 90);
    text.push_str(&format!(
        "<text class=\"soft\" x=\"{left}\" y=\"{:.0}\">{}</text>\n",
        y + 13.0,
        escape::xml(&message)
    ));
    (text, at.max(left + width_of(&message, 12.5)))
}

/// Returns a link: out of its revision into its lane, down, and into the revision below.
fn link(layout: &Layout, edge: &Edge) -> String {
    let (from, to) = (x(layout.rows[edge.from].column), x(layout.rows[edge.to].column));
    let (lane, top, bottom) = (x(edge.lane), y(edge.from), y(edge.to));
    let mut path = format!("M{from} {top}");
    let mut at = top;
    if (from - lane).abs() > 0.1 {
        at = top + ROW;
        path.push_str(&curve(from, top, lane, at.min(bottom)));
    }
    let turn = bottom - ROW;
    if (lane - to).abs() > 0.1 && at < bottom {
        if turn > at {
            path.push_str(&format!(" V{turn}"));
        }
        path.push_str(&curve(lane, turn.max(at), to, bottom));
    } else {
        path.push_str(&format!(" V{bottom}"));
        if (lane - to).abs() > 0.1 {
            path.push_str(&format!(" H{to}"));
        }
    }
    let dotted = match edge.link {
        Link::Parent => "",
        Link::Dependency => " dependency",
    };
    format!(
        "<path class=\"link lane{}{dotted}\" d=\"{path}\"/>\n",
        edge.lane % COLOURS
    )
}

fn curve(from_x: f64, from_y: f64, to_x: f64, to_y: f64) -> String {
    let middle = f64::midpoint(from_y, to_y);
    format!(" C{from_x} {middle} {to_x} {middle} {to_x} {to_y}")
}

fn x(column: usize) -> f64 {
    MARGIN + LANE * (f64_of(column) + 0.5)
}

fn y(place: usize) -> f64 {
    MARGIN + ROW * (f64_of(place) + 0.5) - 3.0
}

fn f64_of(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::from(u32::MAX), f64::from)
}
