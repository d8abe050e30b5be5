//! What removing something means to the processes that are alive.

use std::fmt;

use serde::Serialize;

use super::Alive;
use crate::revision::{Direction, RevisionId};

/// What a step takes from those who use the schema: tables, and columns as `table.column`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// What is not there any more.
    pub removed: Vec<String>,
    /// What is not what it was.
    pub changed: Vec<String>,
}

/// Something that a step removes or changes and a living process still wants.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InUse {
    /// The revision that removes or changes it.
    pub revision: RevisionId,
    /// Which way the revision is run.
    pub direction: Direction,
    /// The table, or the column as `table.column`.
    pub what: String,
    /// Whether the process cannot serve without it, or only uses it while it is there.
    pub is_needed: bool,
    /// Whether it stays, as something else.
    pub is_changed: bool,
    /// The build, as `name version`.
    pub build: String,
    /// The process.
    pub instance: String,
    /// How many seconds ago it gave its last sign of life.
    pub seen_seconds_ago: f64,
}

/// Returns what of the removed and changed things the living still want.
///
/// What a build needs may never go. What it only uses may go with a revision that it knows, because it was written for the
/// time after; and it may go downwards, where the rows go with it and a service that answers on every revision goes on.
/// What is changed may be needed by a build that knows the revision, too.
#[must_use]
pub fn in_use(
    living: &[Alive],
    revision: &RevisionId,
    direction: Direction,
    touched: &Touched,
    knows_revision: impl Fn(&Alive) -> bool,
) -> Vec<InUse> {
    let mut found = Vec::new();
    for alive in living {
        let is_news = direction == Direction::Up && !knows_revision(alive);
        let uses: &[String] = if is_news { &alive.build.uses } else { &[] };
        let needs = alive.build.needs.iter().map(|want| (want, true));
        let wants = needs.chain(uses.iter().map(|want| (want, false)));
        for (want, is_needed) in wants {
            let is_among = |all: &[String]| all.iter().any(|what| takes_away(what, want));
            let is_removed = is_among(&touched.removed);
            if is_removed || is_news && is_among(&touched.changed) {
                found.push(InUse {
                    revision: revision.clone(),
                    direction,
                    what: want.clone(),
                    is_needed,
                    is_changed: !is_removed,
                    build: format!("{} {}", alive.build.name, alive.build.version),
                    instance: alive.instance.clone(),
                    seen_seconds_ago: alive.seen_seconds_ago,
                });
            }
        }
    }
    found
}

/// Returns whether a wanted thing goes when another goes: itself, or the table of a column.
fn takes_away(removed: &str, wanted: &str) -> bool {
    let (removed, wanted) = (removed.to_ascii_lowercase(), wanted.to_ascii_lowercase());
    wanted == removed
        || wanted
            .strip_prefix(&removed)
            .is_some_and(|rest| rest.starts_with('.'))
}

impl fmt::Display for InUse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.is_needed { "needs" } else { "uses" };
        write!(
            formatter,
            "{} ({}, last seen {:.0} s ago) still {verb} {}{}",
            self.build,
            self.instance,
            self.seen_seconds_ago,
            self.what,
            if self.is_changed { " as it is" } else { "" }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heartbeat::Build;

    fn living(build: Build) -> [Alive; 1] {
        [Alive {
            instance: "web-1".to_owned(),
            build,
            seen_seconds_ago: 3.2,
        }]
    }

    fn found(build: Build, direction: Direction, removed: &str, knows: bool) -> Vec<String> {
        let touched = Touched {
            removed: vec![removed.to_owned()],
            ..Touched::default()
        };
        said(build, direction, &touched, knows)
    }

    fn said(build: Build, direction: Direction, touched: &Touched, knows: bool) -> Vec<String> {
        in_use(&living(build), &"c".into(), direction, touched, |_| knows)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn what_is_changed_may_be_needed_by_a_build_that_knows_the_revision() {
        let build = Build::new("shop", "1").needs("orders.at").uses("orders.until");
        let touched = Touched {
            changed: vec!["orders".to_owned()],
            ..Touched::default()
        };
        assert_eq!(
            said(build.clone(), Direction::Up, &touched, false),
            [
                "shop 1 (web-1, last seen 3 s ago) still needs orders.at as it is",
                "shop 1 (web-1, last seen 3 s ago) still uses orders.until as it is"
            ]
        );
        assert!(said(build.clone(), Direction::Up, &touched, true).is_empty());
        assert!(said(build, Direction::Down, &touched, false).is_empty());
    }

    #[test]
    fn what_is_used_may_go_with_a_revision_that_the_build_knows() {
        let build = Build::new("shop", "1").uses("orders.voucher");
        let unknown = found(build.clone(), Direction::Up, "orders.voucher", false);
        assert_eq!(
            unknown,
            ["shop 1 (web-1, last seen 3 s ago) still uses orders.voucher"]
        );
        assert!(found(build.clone(), Direction::Up, "orders.voucher", true).is_empty());
        assert!(found(build, Direction::Down, "orders.voucher", false).is_empty());
    }

    #[test]
    fn what_is_needed_may_never_go() {
        let build = Build::new("shop", "1").needs("orders.id");
        for direction in [Direction::Up, Direction::Down] {
            assert_eq!(found(build.clone(), direction, "orders", true).len(), 1);
            assert_eq!(found(build.clone(), direction, "Orders.ID", true).len(), 1);
            assert!(found(build.clone(), direction, "orders.note", true).is_empty());
            assert!(found(build.clone(), direction, "ord", true).is_empty());
        }
    }

    #[test]
    fn a_table_that_is_needed_may_lose_a_column() {
        let build = Build::new("shop", "1").needs("orders");
        assert!(found(build, Direction::Up, "orders.voucher", false).is_empty());
    }
}
