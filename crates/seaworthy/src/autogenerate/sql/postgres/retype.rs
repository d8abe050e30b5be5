//! A column with another type, or computed otherwise.

use super::aside::{Aside, Guards};
use super::{Step, add_column, alter, alter_column, lost_with, one, set_default};
use crate::autogenerate::Operation;
use crate::catalog::NeedKind;
use crate::catalog::expression::{Fit, fit, is_text, name, quoted};

impl Step<'_> {
    pub(super) fn alter_type(&self, table: &str, column: &str, from: &str, to: &str) -> Vec<String> {
        let is_made_again = |other: &Operation| matches!(other, Operation::AlterGenerated { table: of, column: name, to: Some(_), .. } if of == table && name == column);
        // Then it is made with this type.
        if self.earlier.iter().chain(self.later).any(is_made_again) {
            return Vec::new();
        }
        if self
            .find(table, column)
            .is_some_and(|column| column.generated.is_some())
        {
            return self.alter_computed_type(table, column, from, to);
        }
        let default = self
            .find(table, column)
            .and_then(|column| column.default.as_deref());
        let sets_default = |other: &Operation| matches!(other, Operation::AlterDefault { table: of, column: name, .. } if of == table && name == column);
        let is_set_later = self.later.iter().any(sets_default);
        // A new type comes with its own collation.
        let collation = self
            .find(table, column)
            .and_then(|column| column.collation.as_deref());
        let collation = collation
            .filter(|_| is_text(to))
            .map(|name| format!(" COLLATE {}", quoted(name)));
        let aside = Aside::of(self.before, &[(table, column)], Guards::Stay);
        let mut statements = aside.before;
        statements.extend(self.free_bounds(table, column, to));
        let collation = collation.unwrap_or_default();
        let change = format!("{} TYPE {to}{collation}", alter_column(table, column));
        let sequence = self.retype_sequence(table, column, from, to);
        if fit(from, to) == Fit::Wider {
            // Told how, it would write every row again.
            statements.push(change);
            statements.extend(sequence);
            statements.extend(self.waiting_numbering(table, column, to));
            if default.is_some() && self.earlier.iter().any(sets_default) {
                statements.push(set_default(table, column, default));
            }
            statements.extend(aside.after);
            return statements;
        }
        // PostgreSQL converts a default only where it would convert a value without being told how.
        if default.is_some() {
            statements.push(set_default(table, column, None));
        }
        statements.push(format!("{change} USING {}", conversion(column, from, to)));
        statements.extend(sequence);
        if default.is_some() && !is_set_later {
            statements.push(set_default(table, column, default));
        }
        statements.extend(self.waiting_numbering(table, column, to));
        statements.extend(aside.after);
        statements
    }

    /// A computed column takes no conversion. It is computed again, and where the server does not see how, made again.
    fn alter_computed_type(&self, table: &str, column: &str, from: &str, to: &str) -> Vec<String> {
        if fit(from, to) == Fit::Other {
            return self.alter_generated(table, column, false);
        }
        let aside = Aside::of(self.before, &[(table, column)], Guards::Stay);
        let mut statements = aside.before;
        statements.push(format!("{} TYPE {to}", alter_column(table, column)));
        statements.extend(aside.after);
        statements
    }

    /// Drops a computed column and makes it again, unless it is only to be computed no longer.
    pub(super) fn alter_generated(&self, table: &str, column: &str, keeps_values: bool) -> Vec<String> {
        if keeps_values {
            return one(format!("{} DROP EXPRESSION", alter_column(table, column)));
        }
        let mut after = self.before.clone();
        self.operation.apply(&mut after);
        let is_its_type = |later: &&Operation| matches!(later, Operation::AlterType { table: of, column: name, .. } if of == table && name == column);
        self.later
            .iter()
            .filter(is_its_type)
            .for_each(|later| later.apply(&mut after));
        let Some((table, wanted)) = after
            .table(table)
            .and_then(|table| Some((table, table.column(column)?)))
        else {
            return Vec::new();
        };
        let mut statements = one(format!("{} DROP COLUMN {}", alter(&table.name), quoted(column)));
        statements.extend(add_column(&table.name, wanted));
        statements.extend(lost_with(table, column));
        let granted = self.roles_of(NeedKind::Table, &table.name);
        let of_column = format!(" ({}) ON ", name(column));
        statements.extend(granted.into_iter().filter(|grant| grant.contains(&of_column)));
        statements
    }
}

/// Returns how values of one type become values of another.
fn conversion(column: &str, from: &str, to: &str) -> String {
    let column = quoted(column);
    let numbers = [
        "smallint",
        "integer",
        "bigint",
        "numeric",
        "real",
        "double precision",
    ];
    let is_number = numbers.iter().any(|number| to.starts_with(number));
    match (from, to) {
        // What was stored without a time zone is taken for UTC, whatever the session's zone is.
        (_, _)
            if from.starts_with("timestamp")
                && to.starts_with("timestamp")
                && from.contains("without") != to.contains("without") =>
        {
            format!("{column} AT TIME ZONE 'UTC'")
        }
        ("boolean", _) if is_number => format!("{column}::integer::{to}"),
        (_, "boolean") if numbers.iter().any(|number| from.starts_with(number)) => {
            format!("{column}::integer::boolean")
        }
        _ if from.ends_with("[]") != to.ends_with("[]") && to.ends_with("[]") => {
            format!("ARRAY[{column}]::{to}")
        }
        // Told to, PostgreSQL cuts a text that is too long; assigned, it is refused (manual, "Character Types").
        _ if has_length(to) => format!("{column}::text"),
        _ => format!("{column}::text::{to}"),
    }
}

fn has_length(data_type: &str) -> bool {
    let is_text = data_type.starts_with("character varying(") || data_type.starts_with("character(");
    is_text && !data_type.ends_with("[]")
}

#[cfg(test)]
mod tests {
    use super::conversion;

    #[test]
    fn a_text_that_becomes_too_long_is_refused_and_not_cut() {
        assert_eq!(
            conversion("title", "text", "character varying(200)"),
            "\"title\"::text"
        );
        assert_eq!(conversion("title", "integer", "character(3)"), "\"title\"::text");
        assert_eq!(conversion("n", "text", "bigint"), "\"n\"::text::bigint");
    }
}
