//! What a column of the script holds of columns of the database.

use std::collections::BTreeMap;

use crate::script::loss::{Form, PossibleLoss};
use crate::sql::{Check, Expression, Template};

/// The columns of the database whose values a column holds, and how.
pub(super) type Holds = BTreeMap<String, Held>;

/// How much is held of a column of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Held {
    /// Its values, but for their type.
    AsItIs,
    /// What a form has of them.
    As(Form),
}

impl Held {
    /// Returns a form that nobody can take values back from.
    pub(super) fn in_another_form(text: &str) -> Self {
        Self::As(Form {
            text: text.to_owned(),
            checks: vec![Check::Never],
        })
    }

    /// Returns what may be lost of a column that is held like this, in a column of a type.
    pub(in super::super) fn loss(&self, table: &str, column: &str, to: Option<&str>) -> Option<PossibleLoss> {
        match self {
            Self::AsItIs => to.map(|to| PossibleLoss::retyped(table, column, to)),
            Self::As(form) => Some(PossibleLoss::Reshaped {
                table: table.to_owned(),
                column: column.to_owned(),
                form: form.clone(),
                to: to.map(str::to_owned),
            }),
        }
    }

    /// Returns the value as SQL over the table of the database, where one can be had.
    fn value(&self, column: &str) -> Option<Template> {
        match self {
            Self::AsItIs => Some(Template::column(column)),
            Self::As(form) => match form.checks.as_slice() {
                [Check::Same { value, .. }] => Some(value.clone()),
                _ => None,
            },
        }
    }
}

/// Returns what an expression holds, given what the columns hold that it is made of.
pub(super) fn made_of(expression: &Expression, held: impl Fn(&str) -> Holds) -> Holds {
    let sources: BTreeMap<&str, Holds> = expression
        .columns
        .iter()
        .map(|column| (column.name.as_str(), held(&column.name)))
        .collect();
    let mut made = Holds::new();
    for column in &expression.columns {
        for (live, before) in &sources[column.name.as_str()] {
            let now = through(expression, &column.checks, before, &sources);
            let is_better = made.get(live).is_none_or(|other| *other != Held::AsItIs);
            if is_better {
                made.insert(live.clone(), now);
            }
        }
    }
    made
}

/// Returns what is held behind further checks of what was held before.
fn through(
    expression: &Expression,
    checks: &[Check],
    before: &Held,
    sources: &BTreeMap<&str, Holds>,
) -> Held {
    if checks.is_empty() {
        return before.clone();
    }
    let value = |column: &str| {
        let mut holds = sources.get(column)?.iter();
        let (Some((live, held)), None) = (holds.next(), holds.next()) else {
            return None;
        };
        held.value(live)
    };
    let over = |check: &Check| check.with_columns(value);
    let checks = match before {
        Held::AsItIs => checks.iter().map(over).collect(),
        Held::As(form) => match (checks, form.checks.as_slice()) {
            ([check @ Check::Same { .. }], [first]) => vec![over(check).after(first)],
            _ => vec![Check::Never],
        },
    };
    Held::As(Form {
        text: expression.text.clone(),
        checks,
    })
}
