//! Tables that are somebody else's.

use serde::{Deserialize, Serialize};

/// Names of tables, views, types and sequences that are left alone, where `*` stands for any text.
///
/// The bookkeeping of migration tools is in it from the beginning: SeaORM's, ours, and Alembic's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ignore {
    patterns: Vec<String>,
}

impl Default for Ignore {
    fn default() -> Self {
        Self {
            patterns: [
                "seaql_migrations",
                "seaworthy_*",
                "alembic_version",
                "sqlx_migrations",
                "_sqlx_migrations",
            ]
            .map(str::to_owned)
            .to_vec(),
        }
    }
}

impl Ignore {
    /// Returns a list that leaves nothing alone.
    #[must_use]
    pub fn nothing() -> Self {
        Self { patterns: Vec::new() }
    }

    /// Returns the same list with one more name or pattern.
    #[must_use]
    pub fn and(mut self, pattern: impl Into<String>) -> Self {
        self.patterns.push(pattern.into());
        self
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
}
