//! What attributes of entities cannot say: partial and expression indexes, checks, names, comments, the order of labels.

use super::DeclareError;
use crate::catalog::{
    Catalog, Check, Column, Dialect, Exclusion, ForeignKey, Generated, Index, Sequence, Table, Unique,
};

/// Adds to what entities declare.
#[derive(Debug)]
pub struct Extra {
    catalog: Catalog,
    unknown: Option<(String, String)>,
    /// Takes what is said about a table that no entity declares; the mistake is reported at the end.
    nowhere: Table,
}

/// Adds to one table.
#[derive(Debug)]
pub struct TableExtra<'a> {
    table: &'a mut Table,
    unknown: &'a mut Option<(String, String)>,
}

impl Extra {
    pub(super) fn new(catalog: Catalog) -> Self {
        Self {
            catalog,
            unknown: None,
            nowhere: Table::default(),
        }
    }

    /// Returns what the entities and the extras declare together.
    pub(super) fn finish(self) -> Result<Catalog, DeclareError> {
        match self.unknown {
            Some((subject, name)) => Err(DeclareError::Unknown { subject, name }),
            None => Ok(self.catalog),
        }
    }

    /// Returns the kind of database that the schema is declared for, where its kinds need different words.
    #[must_use]
    pub fn dialect(&self) -> Option<Dialect> {
        self.catalog.dialect
    }

    /// Turns to the table of an entity.
    pub fn table(&mut self, name: &str) -> TableExtra<'_> {
        let place = self.catalog.tables.iter().position(|table| table.name == name);
        if place.is_none() && self.unknown.is_none() {
            self.unknown = Some(("an extra".to_owned(), name.to_owned()));
        }
        TableExtra {
            table: match place {
                Some(place) => &mut self.catalog.tables[place],
                None => {
                    self.nowhere = Table::new(name);
                    &mut self.nowhere
                }
            },
            unknown: &mut self.unknown,
        }
    }

    /// Gives the labels of an enum type in their order; PostgreSQL.
    pub fn enum_labels<L: Into<String>>(
        &mut self,
        name: &str,
        labels: impl IntoIterator<Item = L>,
    ) -> &mut Self {
        let labels = labels.into_iter().map(Into::into).collect();
        self.catalog.enums.insert(name.to_owned(), labels);
        self
    }

    /// Adds a sequence that belongs to no column; PostgreSQL.
    pub fn sequence(&mut self, sequence: Sequence) -> &mut Self {
        self.catalog.sequences.push(sequence);
        self
    }
}

impl TableExtra<'_> {
    /// Adds an index, in place of one that the entity declares over the same columns.
    pub fn index(self, index: Index) -> Self {
        let same = |other: &Index| {
            let unnamed = |index: &Index| Index {
                name: None,
                ..index.clone()
            };
            unnamed(other) == unnamed(&index)
        };
        self.table.indexes.retain(|other| !same(other));
        self.table.indexes.push(index);
        self
    }

    /// Adds a unique constraint, in place of one that the entity declares over the same columns.
    pub fn unique<C: Into<String>>(self, name: &str, columns: impl IntoIterator<Item = C>) -> Self {
        self.unique_constraint(Unique::new(Some(name), columns))
    }

    /// Adds a unique constraint with options, in place of one that the entity declares over the same columns.
    pub fn unique_constraint(self, unique: Unique) -> Self {
        self.table.uniques.retain(|other| other.columns != unique.columns);
        self.table.uniques.push(unique);
        self
    }

    /// Adds an exclusion constraint: `EXCLUDE USING gist (during WITH &&)`; PostgreSQL.
    pub fn exclusion(self, name: Option<&str>, definition: &str) -> Self {
        self.table.exclusions.push(Exclusion {
            name: name.map(str::to_owned),
            definition: definition.to_owned(),
        });
        self
    }

    /// Adds a check with options.
    pub fn check_constraint(self, check: Check) -> Self {
        self.table.checks.push(check);
        self
    }

    /// Adds a check, its condition given as SQL.
    pub fn check(self, name: &str, condition: &str) -> Self {
        self.check_constraint(Check::new(Some(name), condition))
    }

    /// Adds a foreign key, in place of one that the entity declares over the same columns.
    pub fn foreign_key(self, key: ForeignKey) -> Self {
        self.table
            .foreign_keys
            .retain(|other| other.columns != key.columns);
        self.table.foreign_keys.push(key);
        self
    }

    /// Names the primary key.
    pub fn primary_key_name(self, name: &str) -> Self {
        self.table
            .primary_key
            .iter_mut()
            .for_each(|key| key.name = Some(name.to_owned()));
        self
    }

    /// Names the foreign key that consists of these columns.
    pub fn foreign_key_name<C: AsRef<str>>(self, columns: &[C], name: &str) -> Self {
        let is_it = |key: &&mut ForeignKey| key.columns.iter().eq(columns.iter().map(AsRef::as_ref));
        match self.table.foreign_keys.iter_mut().find(is_it) {
            Some(key) => key.name = Some(name.to_owned()),
            None => miss(self.unknown, format!("the foreign key {name}")),
        }
        self
    }

    /// Says something about the table; PostgreSQL.
    pub fn comment(self, comment: &str) -> Self {
        self.table.comment = Some(comment.to_owned());
        self
    }

    /// Names the table that this one was before.
    pub fn renamed_from(self, name: &str) -> Self {
        self.table.renamed_from = Some(name.to_owned());
        self
    }

    /// Says something about a column; PostgreSQL.
    pub fn column_comment(self, column: &str, comment: &str) -> Self {
        self.column(column, |column| column.comment = Some(comment.to_owned()))
    }

    /// Gives a column a collation.
    pub fn collation(self, column: &str, collation: &str) -> Self {
        self.column(column, |column| column.collation = Some(collation.to_owned()))
    }

    /// Gives a column a default, as SQL.
    pub fn default(self, column: &str, sql: &str) -> Self {
        self.column(column, |column| column.default = Some(sql.to_owned()))
    }

    /// Has a column computed from an expression, given as SQL, when a row is written.
    pub fn generated(self, column: &str, sql: &str) -> Self {
        self.column(column, |column| {
            column.generated = Some(Generated {
                expr: sql.to_owned(),
                stored: true,
            });
        })
    }

    /// Changes a column as the entity declares it.
    pub fn column(self, name: &str, change: impl FnOnce(&mut Column)) -> Self {
        match self.table.columns.iter_mut().find(|column| column.name == name) {
            Some(column) => change(column),
            None => miss(self.unknown, format!("{}.{name}", self.table.name)),
        }
        self
    }
}

/// Remembers the first thing that is not there; the others often follow from it.
fn miss(unknown: &mut Option<(String, String)>, name: String) {
    if unknown.is_none() {
        *unknown = Some(("an extra".to_owned(), name));
    }
}
