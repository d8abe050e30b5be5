//! A schema as a picture: tables as boxes, foreign keys as lines, and what a change does to it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::autogenerate::{Difference, Operation};
use crate::catalog::{Catalog, Column, ForeignKey, Table};

mod layers;
mod mermaid;
mod svg;

/// A schema as a picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SchemaPicture {
    /// What it shows, in a line.
    pub title: String,
    /// The tables by name; those that a change removes are among them.
    pub tables: Vec<DrawnTable>,
    /// The foreign keys between them.
    pub references: Vec<Reference>,
    /// What changes and belongs to no table.
    pub changes: Vec<Change>,
}

/// A table in a picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DrawnTable {
    /// Its name.
    pub name: String,
    /// What a change does to it.
    pub mark: Mark,
    /// Its columns in their order; those that a change removes come last.
    pub columns: Vec<DrawnColumn>,
    /// What changes about it beside its columns.
    pub changes: Vec<Change>,
}

/// A column in a picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DrawnColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub data_type: String,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// Whether it is part of the primary key.
    pub is_key: bool,
    /// Whether it refers to another table.
    pub is_reference: bool,
    /// What a change does to it.
    pub mark: Mark,
}

/// A foreign key in a picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reference {
    /// The table that refers; its place in the list.
    pub from: usize,
    /// The table that is referred to; its place in the list.
    pub to: usize,
    /// The columns that refer.
    pub columns: Vec<String>,
    /// Whether a row may refer to none.
    pub optional: bool,
    /// Whether at most one row refers to each.
    pub unique: bool,
    /// What a change does to it.
    pub mark: Mark,
}

/// A change that is no column's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What it does.
    pub mark: Mark,
    /// What it is, in words.
    pub words: String,
}

/// What a change does to something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// Nothing.
    #[default]
    Same,
    /// It brings it.
    New,
    /// It makes it another.
    Changed,
    /// It takes it away.
    Removed,
}

impl Mark {
    /// Returns the sign that stands before it, so that colour is never alone.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Same => "",
            Self::New => "+",
            Self::Changed => "~",
            Self::Removed => "−",
        }
    }

    /// Returns the word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::New => "new",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

impl SchemaPicture {
    /// Draws a schema as it is.
    #[must_use]
    pub fn of(title: impl Into<String>, catalog: &Catalog) -> Self {
        Self::draw(title.into(), catalog, None)
    }

    /// Draws a schema after a change, with what the change did; what it took away is taken from the schema before it.
    #[must_use]
    pub fn of_change(
        title: impl Into<String>,
        before: &Catalog,
        after: &Catalog,
        change: &Difference,
    ) -> Self {
        let mut picture = Self::draw(title.into(), after, Some(before));
        for operation in &change.operations {
            picture.mark(operation);
        }
        picture
    }

    /// Returns an entity relationship diagram of Mermaid.
    #[must_use]
    pub fn mermaid(&self) -> String {
        mermaid::draw(self)
    }

    /// Returns an SVG document that follows the reader's choice of a light or dark page.
    #[must_use]
    pub fn svg(&self) -> String {
        svg::draw(self)
    }

    fn draw(title: String, catalog: &Catalog, before: Option<&Catalog>) -> Self {
        let gone = before.into_iter().flat_map(|before| {
            let is_gone = |table: &&Table| catalog.table(&table.name).is_none();
            before.tables.iter().filter(is_gone)
        });
        let all: Vec<&Table> = catalog.tables.iter().chain(gone).collect();
        let mut picture = Self {
            title,
            tables: all.iter().map(|table| drawn(table)).collect(),
            references: Vec::new(),
            changes: Vec::new(),
        };
        for table in all {
            for key in &table.foreign_keys {
                picture.refer(table, key, Mark::Same);
            }
        }
        picture
    }

    /// Adds a line, unless the table that is referred to is not in the picture.
    fn refer(&mut self, table: &Table, key: &ForeignKey, mark: Mark) {
        let (Some(from), Some(to)) = (self.place(&table.name), self.place(&key.ref_table)) else {
            return;
        };
        let is_nullable = |name: &String| table.column(name).is_some_and(|column| column.nullable);
        let is_all = |columns: &[String]| columns == key.columns;
        self.references.push(Reference {
            from,
            to,
            columns: key.columns.clone(),
            optional: key.columns.iter().any(is_nullable),
            unique: table.uniques.iter().any(|unique| is_all(&unique.columns))
                || table.primary_key.as_ref().is_some_and(|key| is_all(&key.columns)),
            mark,
        });
    }

    fn place(&self, table: &str) -> Option<usize> {
        self.tables.iter().position(|drawn| drawn.name == table)
    }

    fn mark(&mut self, operation: &Operation) {
        let mark = mark_of(operation);
        let words = operation.to_string();
        let table = match operation {
            Operation::RenameTable { to, .. } => Some(to.as_str()),
            other => other.table(),
        };
        let Some(place) = table.and_then(|table| self.place(table)) else {
            return self.changes.push(Change { mark, words });
        };
        match operation {
            Operation::AddTable { .. } | Operation::DropTable { .. } => {
                let table = &mut self.tables[place];
                table.mark = mark;
                table.columns.iter_mut().for_each(|column| column.mark = mark);
                for reference in &mut self.references {
                    if reference.from == place {
                        reference.mark = mark;
                    }
                }
                return;
            }
            Operation::AddForeignKey { foreign_key, .. } => {
                for reference in &mut self.references {
                    if reference.from == place && reference.columns == foreign_key.columns {
                        reference.mark = mark;
                    }
                }
            }
            Operation::DropForeignKey { foreign_key, .. } => {
                if let Some(to) = self.place(&foreign_key.ref_table) {
                    self.references.push(Reference {
                        from: place,
                        to,
                        columns: foreign_key.columns.clone(),
                        optional: true,
                        unique: false,
                        mark,
                    });
                }
            }
            _ => {}
        }
        let drawn = &mut self.tables[place];
        if drawn.mark == Mark::Same {
            drawn.mark = Mark::Changed;
        }
        let summary = operation.summary();
        let column = match operation {
            Operation::DropColumn { column, .. } => {
                drawn.columns.push(drawn_column(column, false, false, mark));
                return;
            }
            Operation::RenameColumn { to, .. } => Some(to.clone()),
            _ => summary.column,
        };
        let column = column.and_then(|name| drawn.columns.iter_mut().find(|column| column.name == name));
        match column {
            Some(column) => column.mark = mark,
            None => drawn.changes.push(Change {
                mark,
                words: words.replacen(&format!(" {}", drawn.name), "", 1),
            }),
        }
    }
}

fn drawn(table: &Table) -> DrawnTable {
    let mut references: BTreeMap<&str, bool> = BTreeMap::new();
    for column in table.foreign_keys.iter().flat_map(|key| &key.columns) {
        references.insert(column, true);
    }
    DrawnTable {
        name: table.name.clone(),
        mark: Mark::Same,
        columns: table
            .columns
            .iter()
            .map(|column| {
                let is_reference = references.contains_key(column.name.as_str());
                drawn_column(column, table.is_key(&column.name), is_reference, Mark::Same)
            })
            .collect(),
        changes: Vec::new(),
    }
}

fn drawn_column(column: &Column, is_key: bool, is_reference: bool, mark: Mark) -> DrawnColumn {
    DrawnColumn {
        name: column.name.clone(),
        data_type: column
            .data_type
            .replace("character varying", "varchar")
            .replace("timestamp without time zone", "timestamp")
            .replace("timestamp with time zone", "timestamptz"),
        nullable: column.nullable && column.auto.is_none(),
        is_key,
        is_reference,
        mark,
    }
}

fn mark_of(operation: &Operation) -> Mark {
    let kind = operation.kind();
    if kind.starts_with("add_") {
        Mark::New
    } else if kind.starts_with("drop_") {
        Mark::Removed
    } else {
        Mark::Changed
    }
}
