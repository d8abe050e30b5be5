//! Tables that are somebody else's.

use serde::{Deserialize, Serialize};

/// Names of tables, views, types and sequences that are left alone, where `*` stands for any text.
///
/// What other tools keep in a database is in it from the beginning: the bookkeeping of migration tools, and `PostGIS`'s
/// table where it was restored without its extension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ignore {
    patterns: Vec<String>,
    /// Beginnings of names that go on with the name of a table beside them.
    #[serde(default)]
    prefixes: Vec<String>,
}

/// SeaORM, this toolkit, Alembic, sqlx, Diesel, refinery, Flyway, Liquibase, `PostGIS`.
const TOOLS: [&str; 11] = [
    "seaql_migrations",
    "seaworthy_*",
    "alembic_version",
    "_sqlx_migrations",
    "__diesel_schema_migrations",
    "refinery_schema_history",
    "flyway_schema_history",
    "databasechangelog",
    "databasechangeloglock",
    "_alembic_tmp_*",
    "spatial_ref_sys",
];

impl Default for Ignore {
    fn default() -> Self {
        Self {
            patterns: TOOLS.map(str::to_owned).to_vec(),
            prefixes: Vec::new(),
        }
    }
}

impl Ignore {
    /// Returns a list that leaves nothing alone.
    #[must_use]
    pub fn nothing() -> Self {
        Self {
            patterns: Vec::new(),
            prefixes: Vec::new(),
        }
    }

    /// Returns the same list with one more name or pattern.
    #[must_use]
    pub fn and(mut self, pattern: impl Into<String>) -> Self {
        self.patterns.push(pattern.into());
        self
    }

    /// Returns the same list with every table beside which another one stands whose name is this prefix and then its own.
    #[must_use]
    pub fn and_named_after(mut self, prefix: impl Into<String>) -> Self {
        self.prefixes.push(prefix.into());
        self
    }

    /// Returns the same list with the tables that others are named after.
    pub(super) fn with_named_by<'a>(&self, tables: impl Iterator<Item = &'a str>) -> Self {
        let named = tables.filter_map(|table| {
            let mut prefixes = self.prefixes.iter();
            prefixes.find_map(|prefix| table.strip_prefix(prefix.as_str()))
        });
        named.fold(self.clone(), Self::and)
    }

    /// Returns whether a name is on the list.
    #[must_use]
    pub fn covers(&self, name: &str) -> bool {
        self.patterns.iter().any(|pattern| matches(pattern, name))
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut remaining) = name.strip_prefix(start) else {
        return false;
    };
    let mut pieces = rest.split('*').peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return remaining.ends_with(piece);
        }
        let Some(at) = remaining.find(piece) else {
            return false;
        };
        remaining = &remaining[at + piece.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::{Ignore, matches};

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(matches("spatial_*", "spatial_ref_sys"));
        assert!(matches("*_log", "audit_log"));
        assert!(matches("a*b*c", "a-b-b-c"));
        assert!(matches("*", ""));
        assert!(!matches("a*b", "ab-"));
        assert!(!matches("tasks", "tasks_old"));
    }

    #[test]
    fn the_bookkeeping_of_migration_tools_is_left_alone() {
        let ignore = Ignore::default().and("legacy_*");
        let left_alone = [
            "seaql_migrations",
            "seaworthy_progress",
            "alembic_version",
            "legacy_users",
        ];
        assert!(left_alone.iter().all(|name| ignore.covers(name)));
        assert!(!ignore.covers("tasks"));
    }

    #[test]
    fn a_table_that_another_one_is_named_after_is_left_alone() {
        let ignore = Ignore::nothing().and_named_after("history_of_");
        let with = ignore.with_named_by(["tasks", "history_of_revisions"].into_iter());
        assert!(with.covers("revisions"));
        assert!(!with.covers("tasks"));
        assert!(!ignore.covers("revisions"));
    }
}
