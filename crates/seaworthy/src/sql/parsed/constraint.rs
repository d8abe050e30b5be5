//! Constraints of tables and columns.

use crate::sql::cursor::Cursor;
use crate::sql::token::Token;

/// A constraint as it is written.
#[derive(Clone, Debug)]
pub(crate) struct Constraint {
    pub(crate) name: Option<String>,
    pub(crate) kind: ConstraintKind,
    /// Whether the rows that are there were checked, or are when it is added.
    pub(crate) is_valid: bool,
    pub(crate) is_enforced: bool,
    /// The index that it takes over.
    pub(crate) using_index: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) enum ConstraintKind {
    Check(Vec<Token>),
    ForeignKey {
        parent: String,
        columns: Vec<String>,
        /// The columns of the parent; none where its primary key is meant.
        parent_columns: Vec<String>,
    },
    Unique(Vec<String>),
    PrimaryKey(Vec<String>),
    Exclude(Vec<String>),
    NotNull(String),
}

impl Constraint {
    /// Returns the columns whose values it keeps unique.
    pub(crate) fn unique_columns(&self) -> Option<&[String]> {
        match &self.kind {
            ConstraintKind::Unique(columns) | ConstraintKind::PrimaryKey(columns) => Some(columns),
            _ => None,
        }
    }
}

/// Reads a constraint of a table, its name included.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Option<Constraint> {
    let name = if cursor.accept("constraint") {
        Some(cursor.name()?)
    } else {
        None
    };
    let mut using_index = None;
    let kind = if cursor.accept("check") {
        ConstraintKind::Check(cursor.group()?.tokens().to_vec())
    } else if cursor.accept("foreign key") {
        let columns = cursor.columns()?;
        cursor.accept("references");
        reference(cursor, columns)?
    } else if let Some(word) = cursor.accept_any(&["unique", "primary key"]) {
        cursor.accept_any(&["nulls not distinct", "nulls distinct"]);
        if cursor.accept("using index") {
            using_index = Some(cursor.qualified()?);
        }
        let columns = cursor.columns().unwrap_or_default();
        if word == "unique" {
            ConstraintKind::Unique(columns)
        } else {
            ConstraintKind::PrimaryKey(columns)
        }
    } else if cursor.accept("exclude") {
        if cursor.accept("using") {
            cursor.name();
        }
        ConstraintKind::Exclude(cursor.columns().unwrap_or_default())
    } else if cursor.accept("not null") {
        ConstraintKind::NotNull(cursor.name()?)
    } else {
        return None;
    };
    Some(Constraint {
        name,
        kind,
        is_valid: !cursor.has("not valid"),
        is_enforced: !cursor.has("not enforced"),
        using_index,
    })
}

/// Reads what follows `REFERENCES`.
fn reference(cursor: &mut Cursor<'_>, columns: Vec<String>) -> Option<ConstraintKind> {
    Some(ConstraintKind::ForeignKey {
        parent: cursor.qualified()?,
        columns,
        parent_columns: cursor.columns().unwrap_or_default(),
    })
}

/// Reads a constraint that stands in the definition of a column.
pub(super) fn read_inline(cursor: &mut Cursor<'_>, column: &str) -> Option<Constraint> {
    let kind = if cursor.accept("check") {
        ConstraintKind::Check(cursor.group()?.tokens().to_vec())
    } else if cursor.accept("references") {
        reference(cursor, vec![column.to_owned()])?
    } else if cursor.accept("unique") {
        ConstraintKind::Unique(vec![column.to_owned()])
    } else if cursor.accept("primary key") {
        ConstraintKind::PrimaryKey(vec![column.to_owned()])
    } else {
        return None;
    };
    let is_enforced = !cursor.accept("not enforced");
    Some(Constraint {
        name: None,
        kind,
        is_valid: true,
        is_enforced,
        using_index: None,
    })
}
