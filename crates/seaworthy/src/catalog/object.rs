//! What a schema holds beside tables, enum types and sequences: known by the statements that make it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::reads::{normal, speaks_of};
use crate::sql::{Dialect, tokens};

/// Something that is made by statements of its own: a view, a function, a trigger, what somebody says about an index.
///
/// Two of a kind with the same name are the same thing, and are equal when the same statements make them. Only a server knows how
/// to spell these, so a catalog that somebody writes by hand has none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// What it is.
    pub kind: ObjectKind,
    /// SQLite's plain name of a view or trigger; what PostgreSQL tells it apart by, quoted where needed: `open_tasks`, `twice(integer)`, `note ON tasks`. Of a comment what it
    /// is about: `INDEX idx_tasks_done`. Of row security the table.
    pub name: String,
    /// The table or view that it is on and goes with, unquoted.
    #[serde(default, rename = "on", skip_serializing_if = "Option::is_none")]
    pub relation: Option<String>,
    /// The statements that make it, none with a semicolon at its end: first the thing itself, then what it can be had without. Empty
    /// where they are not known, because SQLite writes them anew: something that they speak of gets another name.
    pub sql: Vec<String>,
    /// What has to be there for it (manual, "`pg_depend`").
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Need>,
    /// The tables that cannot be without it: by the type of a column, a default, a check, an index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub used_by: Vec<String>,
    /// What those rely on that need it: the columns of a view, what a function takes and returns. `CREATE OR REPLACE` may only add
    /// to it. Of a composite type its attributes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shape: Vec<String>,
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// An extension with all that it brings.
    Extension,
    /// A collation.
    Collation,
    /// A type with conditions.
    Domain,
    /// A composite or range type.
    Type,
    /// A function.
    Function,
    /// A procedure.
    Procedure,
    /// An aggregate.
    Aggregate,
    /// A view.
    View,
    /// A materialised view with its indexes.
    MaterializedView,
    /// Whether the policies of a table are heeded, also by its owner.
    RowSecurity,
    /// A policy for rows of a table.
    Policy,
    /// A trigger, and when it fires.
    Trigger,
    /// A rule.
    Rule,
    /// Extended statistics.
    Statistics,
    /// The index by which a table is put in order (manual, "CLUSTER"): `tasks_title ON tasks`.
    Clustering,
    /// That a column may not be NULL in a partition, although it may in its table.
    PartitionNotNull,
    /// What somebody says about anything but a table or its columns.
    Comment,
    /// Who owns something.
    Owner,
    /// Who may do what with something.
    Grants,
}

/// Something that an object needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// What it is.
    pub kind: NeedKind,
    /// Its name: that of an object as the object says it, others unquoted.
    pub name: String,
    /// The column of it that is needed, unquoted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

/// Something that needs a table or an object of a schema and is not in it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dependent {
    /// What it is and its name, as the server says it: `view reports.late`.
    pub dependent: String,
    /// What it needs.
    pub needs: Need,
}

/// What something is that an object needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NeedKind {
    /// A table.
    Table,
    /// An enum type.
    Enum,
    /// A sequence.
    Sequence,
    /// Another object.
    #[serde(untagged)]
    Object(ObjectKind),
}

impl Object {
    /// Returns an object that one statement makes.
    #[must_use]
    pub fn new(
        kind: ObjectKind,
        name: impl Into<String>,
        relation: Option<&str>,
        sql: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            name: name.into(),
            relation: relation.map(str::to_owned),
            sql: vec![sql.into()],
            needs: Vec::new(),
            used_by: Vec::new(),
            shape: Vec::new(),
        }
    }

    /// Returns whether it is another's by kind and name, which SQLite tells apart in no other way.
    #[must_use]
    pub fn is_named_as(&self, other: &Self) -> bool {
        self.kind == other.kind && self.name.eq_ignore_ascii_case(&other.name)
    }

    /// Returns whether it is on a table or view.
    #[must_use]
    pub fn is_on(&self, relation: &str) -> bool {
        let own = self.relation.as_deref();
        own.is_some_and(|own| own.eq_ignore_ascii_case(relation))
    }

    /// Returns whether both are on the same table or view, or on none.
    #[must_use]
    pub fn is_on_the_same(&self, other: &Self) -> bool {
        match &other.relation {
            Some(relation) => self.is_on(relation),
            None => self.relation.is_none(),
        }
    }

    /// Forgets statements that speak of something which gets another name, since SQLite writes them anew.
    pub(super) fn forget_what_speaks_of(&mut self, name: &str) {
        if self.sql.iter().any(|sql| speaks_of(sql, name)) {
            self.sql.clear();
        }
    }

    /// Returns whether the same statements make another, apart from white space, comments, quotes of names and the case of
    /// words; not where a statement is unknown.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        !self.sql.is_empty()
            && self.sql.len() == other.sql.len()
            && self
                .sql
                .iter()
                .zip(&other.sql)
                .all(|(one, other)| one == other || normal(one) == normal(other))
    }

    /// Returns whether the statements that PostgreSQL prints make the same of it: all that they say, apart from white space and
    /// comments in the body of a function, which the server keeps as it was sent.
    #[must_use]
    pub fn is_same_but_for_layout(&self, other: &Self) -> bool {
        let is_same = |(one, other): (&String, &String)| one == other || is_same_code(one, other);
        self.sql.len() == other.sql.len() && self.sql.iter().zip(&other.sql).all(is_same)
    }

    /// Returns whether it is called so, apart from quotes, arguments and the table that it is on.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.plain_name() == name
    }

    /// Returns its name without quotes, arguments and the table that it is on.
    pub(crate) fn plain_name(&self) -> String {
        plain_name(&self.name)
    }

    /// Returns whether it needs a table, or a column of it.
    #[must_use]
    pub fn needs_of_table(&self, table: &str, column: Option<&str>) -> bool {
        self.needs.iter().any(|need| {
            need.kind == NeedKind::Table
                && need.name == table
                && column.is_none_or(|column| need.column.as_deref() == Some(column))
        })
    }

    /// Follows a table or column to its new name, except in its statements, which only the server can write anew.
    pub(super) fn renamed(&mut self, table: &str, column: Option<&str>, to: &str) {
        for need in &mut self.needs {
            if need.kind != NeedKind::Table || need.name != table {
                continue;
            }
            match column {
                None => to.clone_into(&mut need.name),
                Some(column) if need.column.as_deref() == Some(column) => need.column = Some(to.to_owned()),
                Some(_) => {}
            }
        }
        if column.is_none() {
            for name in self.relation.iter_mut().chain(&mut self.used_by) {
                if name == table {
                    to.clone_into(name);
                }
            }
        }
    }
}

/// Returns the name that a server prints of an object without quotes, arguments and the table that it is on.
pub(super) fn plain_name(name: &str) -> String {
    match name.strip_prefix('"') {
        Some(quoted) => {
            let mut name = String::new();
            let mut letters = quoted.chars().peekable();
            while let Some(letter) = letters.next() {
                if letter == '"' && letters.next_if_eq(&'"').is_none() {
                    break;
                }
                name.push(letter);
            }
            name
        }
        None => {
            let end = name.find(['(', ' ']).unwrap_or(name.len());
            name[..end].to_owned()
        }
    }
}

impl ObjectKind {
    /// Returns what SQL calls it: `MATERIALIZED VIEW`.
    #[must_use]
    pub fn sql(self) -> &'static str {
        match self {
            Self::Extension => "EXTENSION",
            Self::Collation => "COLLATION",
            Self::Domain => "DOMAIN",
            Self::Type => "TYPE",
            Self::Function => "FUNCTION",
            Self::Procedure => "PROCEDURE",
            Self::Aggregate => "AGGREGATE",
            Self::View => "VIEW",
            Self::MaterializedView => "MATERIALIZED VIEW",
            Self::RowSecurity => "ROW SECURITY",
            Self::Policy => "POLICY",
            Self::Trigger => "TRIGGER",
            Self::Rule => "RULE",
            Self::Statistics => "STATISTICS",
            Self::Clustering => "CLUSTERING",
            Self::PartitionNotNull => "PARTITION NOT NULL",
            Self::Comment => "COMMENT",
            Self::Owner => "OWNER",
            Self::Grants => "GRANTS",
        }
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.sql().to_lowercase())
    }
}

impl fmt::Display for Object {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.kind, self.name)
    }
}

/// Returns whether two functions in a language of the server differ at most in white space and comments of their bodies.
fn is_same_code(one: &str, other: &str) -> bool {
    let (Some((head, body)), Some((other_head, other_body))) = (head_and_body(one), head_and_body(other))
    else {
        return false;
    };
    let words = |body| {
        tokens(body, Dialect::Postgresql)
            .into_iter()
            .map(|token| (token.kind, token.text))
    };
    head == other_head && words(body).eq(words(other_body))
}

/// Takes apart what PostgreSQL prints of a function whose body is a text of SQL or PL/pgSQL.
fn head_and_body(sql: &str) -> Option<(&str, &str)> {
    let (head, text) = sql.split_once("\nAS $")?;
    let (tag, body) = text.split_once('$')?;
    let mut lines = head.lines();
    let is_known = lines.any(|line| {
        let language = line.trim_start().strip_prefix("LANGUAGE ");
        language.is_some_and(|rest| ["sql", "plpgsql"].contains(&rest.split(' ').next().unwrap_or_default()))
    });
    let body = body.strip_suffix('$')?.strip_suffix(tag)?.strip_suffix('$')?;
    is_known.then_some((head, body))
}
