//! What validated constraints prove, so that the server need not read the rows.

use super::{Schema, Table};
use crate::sql::cursor::Cursor;
use crate::sql::parsed::{Bound, ConstraintKind, Type, TypeDefinition};
use crate::sql::token::{Kind, Token};

impl Schema {
    /// Returns whether a column holds no NULL, for sure: it says so, or a validated check does.
    pub(crate) fn is_never_null(&self, table: &str, column: &str) -> bool {
        let Some(known) = self.table(table) else {
            return false;
        };
        known.columns.get(column).is_some_and(|column| column.not_null) || known.is_checked_not_null(column)
    }

    /// Returns whether a type is a domain that restricts its values.
    pub(crate) fn is_constrained_domain(&self, data_type: &Type) -> bool {
        matches!(
            self.type_definition(&data_type.name),
            Some(TypeDefinition::Domain {
                is_constrained: true,
                ..
            })
        )
    }

    /// Returns whether a validated check of a table says that all its rows belong into a partition.
    pub(crate) fn fits(&self, child: &str, parent: &str, bound: &Bound) -> bool {
        let (Some(known), Some(columns)) = (self.table(child), self.partition_columns(parent)) else {
            return false;
        };
        let [column] = columns.as_slice() else {
            return false;
        };
        if !self.is_never_null(child, column) {
            return false;
        }
        let conditions = known.checked();
        let mut bound = Cursor::new(&bound.tokens);
        if !bound.accept("for values") {
            return false;
        }
        if bound.accept("from") {
            let Some(from) = bound.group() else { return false };
            bound.accept("to");
            let Some(to) = bound.group() else { return false };
            return is_within(&conditions, column, from, &[">=", ">"])
                && is_within(&conditions, column, to, &["<"]);
        }
        bound.accept("in")
            && bound
                .group()
                .is_some_and(|values| is_listed(&conditions, column, values))
    }

    fn partition_columns(&self, parent: &str) -> Option<Vec<String>> {
        Some(self.table(parent)?.partitioned_by.clone())
    }
}

impl Table {
    fn is_checked_not_null(&self, column: &str) -> bool {
        self.checked().iter().any(|condition| {
            let mut condition = *condition;
            condition.name().is_some_and(|name| name == column) && condition.accept("is not null")
        })
    }

    /// Returns the conditions that hold for every row.
    fn checked(&self) -> Vec<Cursor<'_>> {
        let mut found = Vec::new();
        for constraint in &self.constraints {
            if let ConstraintKind::Check(expression) = &constraint.kind
                && constraint.is_valid
                && constraint.is_enforced
            {
                conjuncts(Cursor::new(expression), &mut found);
            }
        }
        found
    }
}

fn conjuncts<'a>(expression: Cursor<'a>, found: &mut Vec<Cursor<'a>>) {
    if expression.has("or") {
        return;
    }
    for part in expression.split("and") {
        let mut inner = part;
        match inner.group() {
            Some(inside) if inner.is_done() => conjuncts(inside, found),
            _ => found.push(part),
        }
    }
}

/// Returns whether a condition compares the column with the end of a range, or one inside of it.
fn is_within(conditions: &[Cursor<'_>], column: &str, end: Cursor<'_>, operators: &[&str]) -> bool {
    if end.sees("minvalue") || end.sees("maxvalue") {
        return true;
    }
    let Some(end) = constant(end) else { return false };
    conditions.iter().any(|condition| {
        let mut condition = *condition;
        let is_column = condition.name().is_some_and(|name| name == column);
        let is_operator = operators.iter().any(|operator| condition.accept_symbol(operator));
        let Some(value) = constant(condition).filter(|_| is_column && is_operator) else {
            return false;
        };
        let order = compare(&value, &end);
        if operators.contains(&"<") {
            order.is_le()
        } else {
            order.is_ge()
        }
    })
}

fn is_listed(conditions: &[Cursor<'_>], column: &str, values: Cursor<'_>) -> bool {
    let allowed: Vec<String> = values.split(",").into_iter().filter_map(constant).collect();
    conditions.iter().any(|condition| {
        let mut condition = *condition;
        if condition.name().is_none_or(|name| name != column) {
            return false;
        }
        if condition.accept_symbol("=") {
            return constant(condition).is_some_and(|value| allowed.contains(&value));
        }
        condition.accept("in")
            && condition.group().is_some_and(|inside| {
                let mut parts = inside.split(",").into_iter();
                parts.all(|part| constant(part).is_some_and(|value| allowed.contains(&value)))
            })
    })
}

/// Returns the one literal of an expression, without its type.
fn constant(expression: Cursor<'_>) -> Option<String> {
    let is_literal = |token: &&Token| matches!(token.kind, Kind::Text | Kind::Number);
    let mut literals = expression.tokens().iter().filter(is_literal);
    let first = literals.next()?;
    literals.next().is_none().then(|| first.text.clone())
}

fn compare(left: &str, right: &str) -> std::cmp::Ordering {
    match (left.parse::<f64>(), right.parse::<f64>()) {
        (Ok(left), Ok(right)) => left.total_cmp(&right),
        _ => left.cmp(right),
    }
}
