//! One fact that several statements of a script share is one hazard.

use serde::Serialize;

use super::Hazard;

/// Where a statement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The statement, counted from zero.
    pub statement: usize,
    /// The line on which it begins, counted from one.
    pub line: usize,
}

/// Returns the hazards of one script with those put together that say the same of the same table; each stands where the first
/// of them stood and lists all its statements.
///
/// A message names what it is about, so hazards of different tables, columns or indexes stay apart.
#[must_use]
pub fn merge_repeats(hazards: Vec<Hazard>) -> Vec<Hazard> {
    let mut merged: Vec<Hazard> = Vec::with_capacity(hazards.len());
    for hazard in hazards {
        let Some(first) = merged.iter_mut().find(|first| first.says_the_same_as(&hazard)) else {
            merged.push(hazard);
            continue;
        };
        if first.statements.is_empty() {
            first.statements.push(first.place());
        }
        if !first.statements.contains(&hazard.place()) {
            first.statements.push(hazard.place());
        }
    }
    for hazard in &mut merged {
        if hazard.statements.len() == 1 {
            hazard.statements.clear();
        }
    }
    merged
}

impl Hazard {
    fn place(&self) -> Place {
        Place {
            statement: self.statement,
            line: self.line,
        }
    }

    fn says_the_same_as(&self, other: &Self) -> bool {
        self.category == other.category
            && self.severity == other.severity
            && self.table == other.table
            && self.message == other.message
            && self.accepted == other.accepted
    }
}
