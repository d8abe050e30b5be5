//! A value that a statement makes of columns, and what shows in the database whether these can be had back from it.
//!
//! A column that is taken as it is needs no proof. Every other way names its checks: values that fail one are lost with the column.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::sql::cursor::Cursor;
use crate::sql::parsed::data_type;
use crate::sql::quoted;
use crate::sql::token::{Kind, Token};

mod back;
mod keeping;

/// A value that is made of what columns hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Expression {
    /// As it is written, on one line.
    pub text: String,
    /// The columns that it is made of, each once.
    pub columns: Vec<KeptColumn>,
    template: Template,
    /// The type that it is cast to last, and what is cast.
    cast: Option<(String, Box<Self>)>,
    /// Whether the database can be asked for it beforehand.
    is_evaluable: bool,
}

/// A column that a value is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeptColumn {
    /// Its name, without its table.
    pub name: String,
    /// What shows that the value holds it; nothing where it is taken as it is.
    pub checks: Vec<Check>,
}

/// What shows whether a value holds the one that it was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Check {
    /// It is the same when it is taken back.
    Same {
        /// The value.
        value: Template,
        /// What stands before and behind the value to take it back.
        back: (String, String),
    },
    /// Its text is in the text of the value.
    Contained(Template),
    /// The value is not NULL.
    Present(Template),
    /// The value is made of no other one.
    Distinct(Template),
    /// Nobody can tell.
    Never,
}

/// SQL with places for columns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
enum Piece {
    Sql(String),
    Column(String),
}

impl Expression {
    /// Reads an expression; `sql` is the statement that it stands in.
    pub(super) fn of(expression: Cursor<'_>, sql: &str) -> Self {
        let text = sql.get(expression.span()).unwrap_or_default();
        Self {
            text: text.split_whitespace().collect::<Vec<_>>().join(" "),
            columns: keeping::columns(expression, sql),
            template: Template::of(expression, sql),
            cast: back::last_cast(expression).map(|(value, data_type)| {
                let data_type = sql.get(data_type.span()).unwrap_or_default();
                (data_type.to_owned(), Box::new(Self::of(value, sql)))
            }),
            is_evaluable: keeping::is_evaluable(expression),
        }
    }

    /// Returns it without the last cast, if that is to one of some types.
    #[must_use]
    pub fn without_cast_to(&self, is_one: impl Fn(&str) -> bool) -> &Self {
        match &self.cast {
            Some((data_type, value)) if is_one(data_type) => value,
            Some(_) | None => self,
        }
    }

    /// Returns a column as it is.
    #[must_use]
    pub fn column(name: &str) -> Self {
        Self {
            text: name.to_owned(),
            columns: vec![KeptColumn {
                name: name.to_owned(),
                checks: Vec::new(),
            }],
            template: Template::column(name),
            cast: None,
            is_evaluable: true,
        }
    }

    /// Returns what shows whether it holds a column; where it is not made of it, that is to say whether it is the same.
    #[must_use]
    pub fn checks_of(&self, column: &str) -> Vec<Check> {
        match self.columns.iter().find(|kept| kept.name == column) {
            Some(kept) => kept.checks.clone(),
            None if self.is_evaluable => vec![Check::same(self.template.clone())],
            None => vec![Check::Never],
        }
    }
}

impl Check {
    /// Returns that a value is the same as the column.
    #[must_use]
    pub fn same(value: Template) -> Self {
        Self::Same {
            value,
            back: (String::new(), String::new()),
        }
    }

    /// Returns the check of a value that is made of another one, which has a check of its own.
    #[must_use]
    pub fn after(self, first: &Self) -> Self {
        match (self, first) {
            (Self::Same { value, back }, Self::Same { back: further, .. }) => Self::Same {
                value,
                back: (
                    format!("{}{}", further.0, back.0),
                    format!("{}{}", back.1, further.1),
                ),
            },
            _ => Self::Never,
        }
    }

    /// Returns the check of a value that is made of others; `source` says what a column is made of.
    #[must_use]
    pub fn with_columns(&self, source: impl Fn(&str) -> Option<Template>) -> Self {
        let over = |template: &Template| template.with_columns(&source);
        let known = match self {
            Self::Same { value, back } => over(value).map(|value| Self::Same {
                value,
                back: back.clone(),
            }),
            Self::Contained(value) => over(value).map(Self::Contained),
            Self::Present(value) => over(value).map(Self::Present),
            Self::Distinct(value) => over(value).map(Self::Distinct),
            Self::Never => None,
        };
        known.unwrap_or(Self::Never)
    }
}

impl Template {
    fn of(expression: Cursor<'_>, sql: &str) -> Self {
        let tokens = expression.tokens();
        let mut pieces = Vec::new();
        let mut written = expression.span().start;
        let mut take = |until: usize, pieces: &mut Vec<Piece>, next: usize| {
            if written < until {
                pieces.push(Piece::Sql(sql.get(written..until).unwrap_or_default().to_owned()));
            }
            written = next;
        };
        for index in column_positions(tokens) {
            // What stands before a point names its table.
            let mut first = index;
            while first >= 2 && tokens[first - 1].is_symbol(".") && tokens[first - 2].is_name() {
                first -= 2;
            }
            take(tokens[first].span.start, &mut pieces, tokens[index].span.end);
            pieces.push(Piece::Column(tokens[index].text.clone()));
        }
        take(expression.span().end, &mut pieces, 0);
        Self { pieces }
    }

    /// Returns a column by itself.
    #[must_use]
    pub fn column(name: &str) -> Self {
        Self {
            pieces: vec![Piece::Column(name.to_owned())],
        }
    }

    /// Returns the same, made of what others stand for; nothing where one is not known.
    fn with_columns(&self, source: impl Fn(&str) -> Option<Self>) -> Option<Self> {
        let mut pieces = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Sql(_) => pieces.push(piece.clone()),
                Piece::Column(name) => match source(name)?.pieces.as_slice() {
                    [column @ Piece::Column(_)] => pieces.push(column.clone()),
                    made => {
                        pieces.push(Piece::Sql("(".to_owned()));
                        pieces.extend_from_slice(made);
                        pieces.push(Piece::Sql(")".to_owned()));
                    }
                },
            }
        }
        Some(Self { pieces })
    }

    /// Returns it as SQL over the columns of a table.
    #[must_use]
    pub fn sql(&self) -> String {
        let pieces = self.pieces.iter().map(|piece| match piece {
            Piece::Sql(sql) => sql.clone(),
            Piece::Column(name) => quoted(name),
        });
        pieces.collect()
    }
}

/// Returns the names of columns in an expression, each as often as it stands there.
pub(super) fn column_names(tokens: &[Token]) -> Vec<String> {
    let positions = column_positions(tokens).into_iter();
    positions.map(|index| tokens[index].text.clone()).collect()
}

/// Returns where columns are named in an expression; what stands before a point names their table.
fn column_positions(tokens: &[Token]) -> Vec<usize> {
    const NO_COLUMNS: [&str; 33] = [
        "null",
        "true",
        "false",
        "default",
        "cast",
        "as",
        "current_timestamp",
        "current_date",
        "is",
        "not",
        "and",
        "or",
        "distinct",
        "from",
        "case",
        "when",
        "then",
        "else",
        "end",
        "in",
        "like",
        "ilike",
        "glob",
        "between",
        "collate",
        "over",
        "order",
        "by",
        "for",
        "array",
        "escape",
        "similar",
        "isnull",
    ];
    // What another table has is no value of a column of this one.
    if Cursor::new(tokens).has_within("select") {
        return Vec::new();
    }
    let types = type_positions(tokens);
    let is_column = |(index, token): &(usize, &Token)| {
        let after = tokens.get(index + 1);
        let has_after = |symbol: &str| after.is_some_and(|next| next.is_symbol(symbol));
        let before = index.checked_sub(1).and_then(|before| tokens.get(before));
        let is_type = types.contains(index) || before.is_some_and(|before| before.is_word("collate"));
        // `AT TIME ZONE`, `extract(year FROM x)`, `date '2026-01-01'`.
        let is_syntax = [0, 1, 2].iter().any(|back| {
            let start = index.checked_sub(*back).unwrap_or(*index);
            Cursor::new(&tokens[start..]).sees("at time zone")
        }) || is_field_of_extract(tokens, *index)
            || after.is_some_and(|next| next.kind == Kind::Text);
        let is_word = token.kind == Kind::Word && !NO_COLUMNS.contains(&token.text.as_str());
        (is_word || token.kind == Kind::Quoted)
            && !has_after("(")
            && !has_after(".")
            && !is_type
            && !is_syntax
    };
    let columns = tokens.iter().enumerate().filter(is_column);
    columns.map(|(index, _)| index).collect()
}

/// Returns where types are named, which may have several words: behind `::`, and in `CAST(x AS type)`.
pub(super) fn type_positions(tokens: &[Token]) -> BTreeSet<usize> {
    let mut positions = BTreeSet::new();
    for (index, token) in tokens.iter().enumerate() {
        if token.is_symbol("::") || token.is_word("as") {
            let mut cursor = Cursor::new(&tokens[index + 1..]);
            data_type(&mut cursor);
            positions.extend(index + 1..tokens.len() - cursor.tokens().len());
        }
    }
    positions
}

/// Returns whether a word says what `extract(word FROM x)` takes out, or which ends `trim(word FROM x)` trims.
fn is_field_of_extract(tokens: &[Token], index: usize) -> bool {
    let [function, open] = match index.checked_sub(2) {
        Some(start) => [&tokens[start], &tokens[start + 1]],
        None => return false,
    };
    let is_such = function.is_word("extract") || function.is_word("trim");
    is_such && open.is_symbol("(") && tokens.get(index + 1).is_some_and(|next| next.is_word("from"))
}
