//! Indexes that belong to no constraint.

use serde::{Deserialize, Serialize};

use super::written::{or_default, or_true};
use super::{is_false, is_true, yes};

/// An index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// Its name; `None` is a declaration that leaves it open.
    #[serde(default)]
    pub name: Option<String>,
    /// What is indexed, in order: columns or expressions.
    pub columns: Vec<IndexPart>,
    /// Whether no two rows may agree.
    #[serde(default, deserialize_with = "or_default")]
    pub unique: bool,
    /// The condition of a partial index, as SQL.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub predicate: Option<String>,
    /// The access method, unless `btree`; PostgreSQL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Columns that are stored beside the key; PostgreSQL.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub include: Vec<String>,
    /// Its storage parameters, each as `name=value`; PostgreSQL.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub options: Vec<String>,
    /// Whether two NULLs count as equal; PostgreSQL 15 and later.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_false")]
    pub nulls_not_distinct: bool,
    /// Whether queries may use it; a build that failed leaves an INVALID one behind, PostgreSQL.
    #[serde(
        default = "yes",
        deserialize_with = "or_true",
        skip_serializing_if = "is_true"
    )]
    pub valid: bool,
}

/// One part of an index's key. A plain column is written as its name alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct IndexPart {
    /// What is indexed.
    pub key: IndexKey,
    /// Whether it is sorted from high to low.
    pub descending: bool,
    /// Where NULLs go, unless they go where the direction puts them.
    pub nulls: Option<Nulls>,
    /// The collation, unless that of the column.
    pub collation: Option<String>,
    /// The operator class, unless the default of the type; with its schema when that is another one. PostgreSQL.
    pub operator_class: Option<String>,
}

/// What a part of an index's key is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IndexKey {
    /// A column, by name.
    Column(String),
    /// An expression, as SQL.
    Expression(String),
}

/// Where NULLs go in the order of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Nulls {
    /// Before everything else.
    First,
    /// After everything else.
    Last,
}

impl Index {
    /// Returns a plain index over some columns.
    #[must_use]
    pub fn new<C: Into<String>>(name: Option<&str>, columns: impl IntoIterator<Item = C>) -> Self {
        Self {
            name: name.map(str::to_owned),
            columns: columns.into_iter().map(IndexPart::column).collect(),
            unique: false,
            predicate: None,
            method: None,
            include: Vec::new(),
            options: Vec::new(),
            nulls_not_distinct: false,
            valid: true,
        }
    }

    /// Returns the same index, in which no two rows may agree.
    #[must_use]
    pub fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    /// Returns the same index with one more part.
    #[must_use]
    pub fn part(mut self, part: IndexPart) -> Self {
        self.columns.push(part);
        self
    }

    /// Returns the same index over some rows only, given by a condition as SQL.
    #[must_use]
    pub fn filter(mut self, condition: impl Into<String>) -> Self {
        self.predicate = Some(condition.into());
        self
    }

    /// Returns the same index with another access method; PostgreSQL.
    #[must_use]
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self
    }

    /// Returns the same index with columns that are stored beside the key; PostgreSQL.
    #[must_use]
    pub fn include<C: Into<String>>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        self.include = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Returns the same index, to which two NULLs count as equal; PostgreSQL 15 and later.
    #[must_use]
    pub fn nulls_not_distinct(mut self) -> Self {
        self.nulls_not_distinct = true;
        self
    }

    /// Returns the same index with storage parameters, each as `name=value`; PostgreSQL.
    #[must_use]
    pub fn options<O: Into<String>>(mut self, options: impl IntoIterator<Item = O>) -> Self {
        self.options = options.into_iter().map(Into::into).collect();
        self
    }

    /// Returns the columns of an index that guards what a unique constraint on them would, and nothing less.
    #[must_use]
    pub fn as_unique_columns(&self) -> Option<Vec<&str>> {
        let is_plain = self.unique
            && self.predicate.is_none()
            && self.include.is_empty()
            && self.method.as_deref().is_none_or(|method| method == "btree");
        if !is_plain {
            return None;
        }
        self.columns.iter().map(IndexPart::plain_column).collect()
    }
}

impl IndexPart {
    /// Returns a column in ascending order.
    #[must_use]
    pub fn column(name: impl Into<String>) -> Self {
        Self::of(IndexKey::Column(name.into()))
    }

    /// Returns an expression in ascending order, given as SQL.
    #[must_use]
    pub fn expression(sql: impl Into<String>) -> Self {
        Self::of(IndexKey::Expression(sql.into()))
    }

    /// Returns the same part, sorted from high to low.
    #[must_use]
    pub fn descending(mut self) -> Self {
        self.descending = true;
        self
    }

    /// Returns the same part with NULLs at this end.
    #[must_use]
    pub fn nulls(mut self, nulls: Nulls) -> Self {
        self.nulls = Some(nulls);
        self
    }

    /// Returns the same part with a collation.
    #[must_use]
    pub fn collation(mut self, collation: impl Into<String>) -> Self {
        self.collation = Some(collation.into());
        self
    }

    /// Returns the same part with an operator class; PostgreSQL.
    #[must_use]
    pub fn operator_class(mut self, class: impl Into<String>) -> Self {
        self.operator_class = Some(class.into());
        self
    }

    /// Returns the column, when nothing but its name is said.
    #[must_use]
    pub fn plain_column(&self) -> Option<&str> {
        match &self.key {
            IndexKey::Column(name) if *self == Self::column(name.as_str()) => Some(name),
            _ => None,
        }
    }

    /// Returns the SQL, when it is an expression.
    #[must_use]
    pub fn expression_sql(&self) -> Option<&str> {
        match &self.key {
            IndexKey::Expression(sql) => Some(sql),
            IndexKey::Column(_) => None,
        }
    }

    fn of(key: IndexKey) -> Self {
        Self {
            key,
            descending: false,
            nulls: None,
            collation: None,
            operator_class: None,
        }
    }
}

/// How a part is written down.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Column(String),
    Part(WrittenPart),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPart {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    column: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expr: Option<String>,
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_false")]
    descending: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nulls: Option<Nulls>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    collation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operator_class: Option<String>,
}

impl TryFrom<Written> for IndexPart {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let part = match written {
            Written::Column(name) => return Ok(Self::column(name)),
            Written::Part(part) => part,
        };
        let key = match (part.column, part.expr) {
            (Some(name), None) => IndexKey::Column(name),
            (None, Some(sql)) => IndexKey::Expression(sql),
            _ => return Err("a part of an index has either a `column` or an `expr`"),
        };
        Ok(Self {
            key,
            descending: part.descending,
            nulls: part.nulls,
            collation: part.collation,
            operator_class: part.operator_class,
        })
    }
}

impl From<IndexPart> for Written {
    fn from(part: IndexPart) -> Self {
        if let Some(name) = part.plain_column() {
            return Self::Column(name.to_owned());
        }
        let (column, expr) = match part.key {
            IndexKey::Column(name) => (Some(name), None),
            IndexKey::Expression(sql) => (None, Some(sql)),
        };
        Self::Part(WrittenPart {
            column,
            expr,
            descending: part.descending,
            nulls: part.nulls,
            collation: part.collation,
            operator_class: part.operator_class,
        })
    }
}
