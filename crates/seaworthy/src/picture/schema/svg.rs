//! A schema as an SVG document: boxes in layers, lines with right angles between them.

use std::collections::BTreeMap;

use super::super::escape;
use super::super::svg::{MARGIN, cut, document, width_of};
use super::layers::{Item, Layers, between, f64_of, lay_out};
use super::{Change, DrawnColumn, DrawnTable, Mark, SchemaPicture};

const TITLE: f64 = 44.0;
const TOP: f64 = 30.0;
const ROW: f64 = 21.0;
const PASS: f64 = 8.0;
const BETWEEN: f64 = 26.0;
const GAP: f64 = 52.0;
const LANE: f64 = 9.0;
/// How long a name may be before it is cut, in letters.
const NAME: usize = 36;
/// How wide rows of tables without lines may become before they wrap.
const WRAP: f64 = 1000.0;

/// A box, in pixels.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

/// Where everything stands.
struct Drawing<'a> {
    picture: &'a SchemaPicture,
    layers: Layers,
    places: Vec<Place>,
    /// The left and right edge of each layer.
    columns: Vec<(f64, f64)>,
    /// The height at which a line passes a layer.
    passes: BTreeMap<(usize, usize), f64>,
    width: f64,
    height: f64,
}

pub(super) fn draw(picture: &SchemaPicture) -> String {
    let drawing = Drawing::new(picture);
    let mut body = format!(
        "<text class=\"bold\" x=\"{MARGIN}\" y=\"{}\">{}</text>\n",
        MARGIN + 10.0,
        escape::xml(&picture.title)
    );
    let legend = legend(picture, MARGIN + width_of(&picture.title, 14.0) + 16.0);
    body.push_str(&legend);
    body.push_str(&drawing.lines());
    for (table, place) in picture.tables.iter().zip(&drawing.places) {
        body.push_str(&table_box(table, *place));
    }
    let mut y = drawing.height;
    for change in &picture.changes {
        y += ROW;
        body.push_str(&change_line(change, MARGIN, y - 6.0));
    }
    let changed = picture.tables.iter().filter(|table| table.mark != Mark::Same);
    let changed: Vec<String> = changed
        .map(|table| format!("{} {}", table.name, table.mark.word()))
        .collect();
    let mut description = format!(
        "{} tables with {} foreign keys",
        picture.tables.len(),
        picture.references.len()
    );
    if !changed.is_empty() {
        description.push_str(&format!("; {}", changed.join(", ")));
    }
    let least = MARGIN * 2.0 + width_of(&picture.title, 14.0) + 260.0;
    document(
        &picture.title,
        &description,
        drawing.width.max(least),
        y + MARGIN,
        &body,
    )
}

impl<'a> Drawing<'a> {
    fn new(picture: &'a SchemaPicture) -> Self {
        let layers = lay_out(picture);
        let mut places: Vec<Place> = picture.tables.iter().map(size).collect();
        let heights: Vec<f64> = layers
            .columns
            .iter()
            .map(|column| height(column, &places))
            .collect();
        let tallest = heights.iter().copied().fold(0.0, f64::max);
        let (mut columns, mut passes) = (Vec::new(), BTreeMap::new());
        let mut x = MARGIN;
        for (layer, items) in layers.columns.iter().enumerate() {
            if layer > 0 {
                x += GAP + LANE * f64_of(targets_across(picture, &layers, layer));
            }
            let width = items
                .iter()
                .map(|item| match item {
                    Item::Table(table) => places[*table].width,
                    Item::Pass(_) => 0.0,
                })
                .fold(0.0, f64::max);
            let mut y = TITLE + MARGIN + (tallest - heights[layer]) / 2.0;
            for item in items {
                match *item {
                    Item::Table(table) => {
                        places[table] = Place {
                            x,
                            y,
                            width,
                            ..places[table]
                        };
                        y += places[table].height + BETWEEN;
                    }
                    Item::Pass(line) => {
                        passes.insert((layer, line), y + PASS / 2.0);
                        y += PASS + BETWEEN / 2.0;
                    }
                }
            }
            columns.push((x, x + width));
            x += width;
        }
        let bottom = if columns.is_empty() {
            TITLE
        } else {
            TITLE + MARGIN + tallest
        };
        let mut drawing = Self {
            picture,
            layers,
            places,
            columns,
            passes,
            // A table that refers to itself has its line on the right.
            width: x + MARGIN + 16.0,
            height: bottom,
        };
        drawing.place_alone();
        drawing
    }

    /// Puts the tables that no line comes to into rows below the others.
    fn place_alone(&mut self) {
        let (mut x, mut y, mut row) = (MARGIN, self.height + BETWEEN, 0.0_f64);
        if self.layers.alone.is_empty() {
            return;
        }
        let wrap = self.width.max(WRAP);
        for &table in &self.layers.alone {
            let place = &mut self.places[table];
            if x > MARGIN && x + place.width > wrap {
                (x, y, row) = (MARGIN, y + row + BETWEEN, 0.0);
            }
            (place.x, place.y) = (x, y);
            x += place.width + BETWEEN + 16.0;
            row = row.max(place.height);
            self.width = self.width.max(x);
        }
        self.height = y + row;
    }

    fn lines(&self) -> String {
        // In each gap, lines to the same end share a lane.
        let mut lanes: BTreeMap<(usize, u64), usize> = BTreeMap::new();
        let mut used: BTreeMap<usize, usize> = BTreeMap::new();
        let mut text = String::new();
        for (line, reference) in self.picture.references.iter().enumerate() {
            let (from, to) = (reference.from, reference.to);
            let from_y = self.row_of(from, reference.columns.first().map_or("", String::as_str));
            let to_y = self.key_row(to);
            let class = match reference.mark {
                Mark::Same => "edge".to_owned(),
                mark => format!("edge {}", mark.word()),
            };
            if from == to {
                let right = self.places[from].x + self.places[from].width;
                text.push_str(&format!(
                    "<path class=\"{class}\" d=\"M{right} {from_y} h14 V{to_y} h-14\"/>\n"
                ));
                text.push_str(&foot(&class, right, from_y, 1.0, reference.unique));
                continue;
            }
            let (low, high) = between(self.layers.of[from], self.layers.of[to]);
            let is_backward = self.layers.of[from] < self.layers.of[to];
            let (left_y, right_y) = if is_backward {
                (from_y, to_y)
            } else {
                (to_y, from_y)
            };
            let (left, right) = if is_backward { (from, to) } else { (to, from) };
            let left_x = self.places[left].x + self.places[left].width;
            let mut path = format!("M{left_x:.1} {left_y:.1}");
            for gap in low + 1..=high {
                let y = self.passes.get(&(gap, line)).copied().unwrap_or(right_y);
                let number = *lanes.entry((gap, key(to, is_backward))).or_insert_with(|| {
                    let number = used.entry(gap).or_default();
                    *number += 1;
                    *number
                });
                let x = self.columns[gap - 1].1 + GAP / 2.0 + LANE * f64_of(number - 1);
                path.push_str(&format!(" H{x:.1} V{y:.1}"));
            }
            path.push_str(&format!(" H{:.1}", self.places[right].x));
            text.push_str(&format!("<path class=\"{class}\" d=\"{path}\"/>\n"));
            let (x, direction) = if is_backward {
                (left_x, 1.0)
            } else {
                (self.places[right].x, -1.0)
            };
            text.push_str(&foot(&class, x, from_y, direction, reference.unique));
        }
        text
    }

    fn row_of(&self, table: usize, column: &str) -> f64 {
        let columns = &self.picture.tables[table].columns;
        let row = columns.iter().position(|drawn| drawn.name == column);
        let top = self.places[table].y;
        row.map_or(top + TOP / 2.0, |row| top + TOP + 3.0 + ROW * (f64_of(row) + 0.5))
    }

    fn key_row(&self, table: usize) -> f64 {
        let columns = &self.picture.tables[table].columns;
        let key = columns.iter().find(|column| column.is_key);
        self.row_of(table, key.map_or("", |key| key.name.as_str()))
    }
}

/// Returns the sign at the end that refers: a crow's foot for many, a bar for one.
fn foot(class: &str, x: f64, y: f64, direction: f64, unique: bool) -> String {
    let tip = x + direction * 9.0;
    if unique {
        return format!("<path class=\"{class}\" d=\"M{tip:.1} {:.1} v10\"/>\n", y - 5.0);
    }
    format!(
        "<path class=\"{class}\" d=\"M{x:.1} {:.1} L{tip:.1} {y:.1} L{x:.1} {:.1}\"/>\n",
        y - 5.0,
        y + 5.0
    )
}

fn key(table: usize, is_backward: bool) -> u64 {
    u64::try_from(table).unwrap_or(u64::MAX / 2) * 2 + u64::from(is_backward)
}

/// Returns how many tables are referred to across the gap left of a layer.
fn targets_across(picture: &SchemaPicture, layers: &Layers, layer: usize) -> usize {
    let mut targets: Vec<u64> = picture
        .references
        .iter()
        .filter(|line| {
            let (low, high) = between(layers.of[line.from], layers.of[line.to]);
            low < layer && layer <= high
        })
        .map(|line| key(line.to, layers.of[line.from] < layers.of[line.to]))
        .collect();
    targets.sort_unstable();
    targets.dedup();
    targets.len().saturating_sub(1)
}

fn height(column: &[Item], places: &[Place]) -> f64 {
    let heights = column.iter().map(|item| match *item {
        Item::Table(table) => places[table].height + BETWEEN,
        Item::Pass(_) => PASS + BETWEEN / 2.0,
    });
    heights.sum::<f64>() - BETWEEN
}

fn size(table: &DrawnTable) -> Place {
    let columns = table.columns.iter().map(|column| {
        58.0 + width_of(&cut(&column.name, NAME), 12.5) + width_of(&type_words(column), 12.0) + 30.0
    });
    let changes = table
        .changes
        .iter()
        .map(|change| width_of(&cut(&change.words, 60), 12.0) + 44.0);
    let title = width_of(&cut(&table.name, NAME), 14.0) + 100.0;
    Place {
        width: columns.chain(changes).fold(title, f64::max),
        height: TOP + ROW * f64_of(table.columns.len() + table.changes.len()) + 6.0,
        ..Place::default()
    }
}

fn type_words(column: &DrawnColumn) -> String {
    let mut words = cut(&column.data_type, 30);
    if column.nullable {
        words.push_str(" null");
    }
    words
}

fn table_box(table: &DrawnTable, place: Place) -> String {
    let Place { x, y, width, height } = place;
    let class = match table.mark {
        Mark::Same => String::new(),
        mark => format!(" {}", mark.word()),
    };
    let mut text = format!(
        "<g><rect class=\"box{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"7\"/>\n\
         <path class=\"top{class}\" d=\"M{x:.1} {:.1} v-{:.1} a7 7 0 0 1 7 -7 h{:.1} a7 7 0 0 1 7 7 v{:.1} z\"/>\n\
         <text class=\"bold name{}\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\n",
        y + TOP,
        TOP - 7.0,
        width - 14.0,
        TOP - 7.0,
        text_class(table.mark),
        x + 12.0,
        y + 20.0,
        escape::xml(&cut(&table.name, NAME))
    );
    if table.mark != Mark::Same {
        text.push_str(&format!(
            "<text class=\"mark{}\" text-anchor=\"end\" x=\"{:.1}\" y=\"{:.1}\">{} {}</text>\n",
            text_class(table.mark),
            x + width - 10.0,
            y + 19.0,
            table.mark.sign(),
            table.mark.word()
        ));
    }
    let mut row = y + TOP + 3.0;
    for column in &table.columns {
        text.push_str(&column_row(column, place, row));
        row += ROW;
    }
    for change in &table.changes {
        text.push_str(&highlight(change.mark, place, row));
        text.push_str(&change_line(change, x + 8.0, row + 15.0));
        row += ROW;
    }
    text.push_str("</g>\n");
    text
}

fn column_row(column: &DrawnColumn, place: Place, row: f64) -> String {
    let mut text = highlight(column.mark, place, row);
    let baseline = row + 15.0;
    if column.mark != Mark::Same {
        text.push_str(&format!(
            "<text class=\"mono bold{}\" x=\"{:.1}\" y=\"{baseline:.1}\">{}</text>\n",
            text_class(column.mark),
            place.x + 8.0,
            column.mark.sign()
        ));
    }
    let keys = match (column.is_key, column.is_reference) {
        (true, true) => "PK FK",
        (true, false) => "PK",
        (false, true) => "FK",
        (false, false) => "",
    };
    if !keys.is_empty() {
        text.push_str(&format!(
            "<text class=\"mark soft\" x=\"{:.1}\" y=\"{baseline:.1}\">{keys}</text>\n",
            place.x + 20.0
        ));
    }
    text.push_str(&format!(
        "<text class=\"mono name{}\" x=\"{:.1}\" y=\"{baseline:.1}\">{}</text>\n\
         <text class=\"mono soft\" text-anchor=\"end\" x=\"{:.1}\" y=\"{baseline:.1}\">{}</text>\n",
        text_class(column.mark),
        place.x + 58.0,
        escape::xml(&cut(&column.name, NAME)),
        place.x + place.width - 10.0,
        escape::xml(&type_words(column))
    ));
    text
}

fn highlight(mark: Mark, place: Place, row: f64) -> String {
    if mark == Mark::Same {
        return String::new();
    }
    format!(
        "<rect class=\"row-{}\" x=\"{:.1}\" y=\"{row:.1}\" width=\"{:.1}\" height=\"{ROW}\"/>\n",
        mark.word(),
        place.x + 1.5,
        place.width - 3.0
    )
}

fn change_line(change: &Change, x: f64, y: f64) -> String {
    format!(
        "<text class=\"mono{0}\" x=\"{x:.1}\" y=\"{y:.1}\">{1}</text>\n\
         <text class=\"mono{0}\" x=\"{2:.1}\" y=\"{y:.1}\">{3}</text>\n",
        text_class(change.mark),
        change.mark.sign(),
        x + 14.0,
        escape::xml(&cut(&change.words, 60))
    )
}

fn legend(picture: &SchemaPicture, left: f64) -> String {
    let has_changes =
        !picture.changes.is_empty() || picture.tables.iter().any(|table| table.mark != Mark::Same);
    if !has_changes {
        return String::new();
    }
    let mut x = left;
    let mut text = String::new();
    for mark in [Mark::New, Mark::Changed, Mark::Removed] {
        text.push_str(&format!(
            "<text class=\"mark{}\" x=\"{x:.1}\" y=\"{}\">{} {}</text>\n",
            text_class(mark),
            MARGIN + 10.0,
            mark.sign(),
            mark.word()
        ));
        x += 80.0;
    }
    text
}

fn text_class(mark: Mark) -> String {
    match mark {
        Mark::Same => String::new(),
        mark => format!(" text-{}", mark.word()),
    }
}
