//! The names that PostgreSQL gives to constraints and indexes which are given none (`indexcmds.c`, `heap.c`, `tablecmds.c`).

use std::collections::BTreeSet;

use super::{Schema, Table};
use crate::sql::name::{bare, beside};
use crate::sql::parsed::{Constraint, ConstraintKind, CreateIndex};
use crate::sql::token::{LONGEST_NAME, Token};

impl Schema {
    /// Returns the name that a constraint of a table gets which is given none.
    pub(super) fn chosen_constraint(&self, table: &str, constraint: &Constraint) -> String {
        let (columns, label) = match &constraint.kind {
            ConstraintKind::PrimaryKey(_) => (String::new(), "pkey"),
            ConstraintKind::Unique(columns) => (columns.join("_"), "key"),
            ConstraintKind::ForeignKey { columns, .. } => (columns.join("_"), "fkey"),
            ConstraintKind::Exclude(columns) => (columns.join("_"), "excl"),
            ConstraintKind::NotNull(column) => (column.clone(), "not_null"),
            ConstraintKind::Check(condition) => {
                let known = self.table(table);
                let mut read: Vec<String> = known.map_or_else(Vec::new, |known| known.named_in(condition));
                // The name says of which column it is only where that is one.
                let only = if read.len() == 1 { read.pop() } else { None };
                (only.unwrap_or_default(), "check")
            }
        };
        self.chosen(table, &columns, label)
    }

    /// Returns the name of an index, the schema of its table included.
    pub(super) fn index_name(&self, create: &CreateIndex) -> String {
        let name = match create.name.is_empty() {
            true => {
                let mut seen = BTreeSet::new();
                let shown = create.columns.iter().map(|column| {
                    let shown = if column.is_empty() { "expr" } else { column };
                    let number = (1..).map(|number| format!("{shown}{number}"));
                    let mut names = std::iter::once(shown.to_owned()).chain(number);
                    names.find(|name| seen.insert(name.clone())).unwrap_or_default()
                });
                let columns = shown.collect::<Vec<_>>().join("_");
                self.chosen(&create.table, &columns, "idx")
            }
            false => bare(&create.name),
        };
        beside(&create.table, &name)
    }

    fn chosen(&self, table: &str, columns: &str, label: &str) -> String {
        let bare = bare(table);
        let numbered = (1..).map(|number| format!("{label}{number}"));
        let mut labels = std::iter::once(label.to_owned()).chain(numbered);
        let is_free = |label: &String| {
            let name = shortened(&bare, columns, label);
            !self.is_taken(table, &name)
        };
        let label = labels.find(is_free).unwrap_or_default();
        shortened(&bare, columns, &label)
    }

    /// Returns whether a constraint, index, table or view beside a table has a name; constraints of others count where the server may
    /// have chosen it, for it begins with the name of their table.
    fn is_taken(&self, table: &str, name: &str) -> bool {
        let whole = beside(table, name);
        let prefixes = name.match_indices('_').map(|(at, _)| beside(table, &name[..at]));
        let mut tables = prefixes.chain([table.to_owned()]);
        self.has_relation(&whole)
            || self.indexes.contains_key(&whole)
            || tables.any(|table| self.constraint(&table, name).is_some())
    }
}

impl Table {
    /// Returns the columns that an expression names, each once.
    pub(super) fn named_in(&self, expression: &[Token]) -> Vec<String> {
        let mut named: Vec<String> = Vec::new();
        for (index, token) in expression.iter().enumerate() {
            let is_called = expression.get(index + 1).is_some_and(|next| next.is_symbol("("));
            let is_type = index > 0 && expression[index - 1].is_symbol("::");
            let name = token.name().filter(|_| !is_called && !is_type);
            named.extend(name.filter(|name| self.columns.contains_key(name) && !named.contains(name)));
        }
        named
    }
}

/// Puts a name together, the longer of its parts cut until it fits (`makeObjectName`).
fn shortened(table: &str, columns: &str, label: &str) -> String {
    let (mut first, mut second) = (table.len(), columns.len());
    let rest = label.len() + 1 + usize::from(second > 0);
    while first + second + rest > LONGEST_NAME {
        if first > second {
            first -= 1;
        } else {
            second -= 1;
        }
    }
    let cut = |text: &str, length: usize| text[..text.floor_char_boundary(length)].to_owned();
    let columns = match columns.is_empty() {
        true => String::new(),
        false => format!("{}_", cut(columns, second)),
    };
    format!("{}_{columns}{label}", cut(table, first))
}

#[cfg(test)]
mod tests {
    use crate::sql::{Dialect, Schema, read};

    fn names(sql: &str) -> Vec<String> {
        let mut schema = Schema::default();
        for statement in read(sql, Dialect::Postgresql) {
            schema.apply(&statement.parsed);
        }
        let tables = schema.tables.iter();
        let constraints = tables.flat_map(|(_, table)| table.constraints.iter());
        let mut names: Vec<String> = constraints
            .filter_map(|constraint| constraint.name.clone())
            .chain(schema.indexes.keys().cloned())
            .collect();
        names.sort();
        names.dedup();
        names
    }

    #[test]
    fn the_names_are_those_of_the_server() {
        let long = format!("CREATE TABLE {} ({} int UNIQUE)", "t".repeat(50), "c".repeat(40));
        let cut = format!("{}_{}_key", "t".repeat(29), "c".repeat(29));
        for (sql, expected) in [
            ("CREATE TABLE t (id int PRIMARY KEY)", vec!["t_pkey"]),
            (
                "CREATE TABLE app.t (id int PRIMARY KEY)",
                vec!["app.t_pkey", "t_pkey"],
            ),
            (
                "CREATE TABLE t (a int UNIQUE, b int, UNIQUE (a, b))",
                vec!["t_a_b_key", "t_a_key"],
            ),
            (
                "CREATE TABLE t (a int REFERENCES p, b int REFERENCES p)",
                vec!["t_a_fkey", "t_b_fkey"],
            ),
            (
                "CREATE TABLE t (a int REFERENCES p REFERENCES q)",
                vec!["t_a_fkey", "t_a_fkey1"],
            ),
            (
                "CREATE TABLE t (a int CHECK (a > 0) CHECK (a < 9))",
                vec!["t_a_check", "t_a_check1"],
            ),
            (
                "CREATE TABLE t (a int, b int, CHECK (a > b), CHECK (b > 0))",
                vec!["t_b_check", "t_check"],
            ),
            (
                "CREATE TABLE t (a int); CREATE INDEX ON t (a); CREATE INDEX ON t (a)",
                vec!["t_a_idx", "t_a_idx1"],
            ),
            (
                "CREATE TABLE t (a int); CREATE INDEX ON t ((a + 1), (a + 2))",
                vec!["t_expr_expr1_idx"],
            ),
            (
                "CREATE TABLE t (a int, EXCLUDE USING gist (a WITH =))",
                vec!["t_a_excl"],
            ),
            (long.as_str(), vec![cut.as_str()]),
        ] {
            assert_eq!(names(sql), expected, "{sql}");
        }
    }
}
