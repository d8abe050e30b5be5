//! A hazard that somebody takes knowingly: of one statement, one category, for a reason.

use serde::{Deserialize, Serialize};

use super::Direction;

/// A hazard of one statement that is taken knowingly.
///
/// There is no wider form on purpose: what is accepted for a whole revision hides the next mistake in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Whether the statement is sent when the revision is applied or when it is undone.
    pub direction: Direction,
    /// The code of the rule: `index-blocking`; or a promise that `verify` looks at: `verify-comes-back`.
    pub category: String,
    /// A piece of the statement that no other statement with this hazard has, such as the name of an index; of a promise a piece of
    /// what is said to be wrong.
    pub statement: String,
    /// Why it may be done here; kept in the history.
    pub reason: String,
}

/// How the categories begin that are about a promise that `verify` looks at.
const PROMISE: &str = "verify-";

impl Accepted {
    /// Returns whether it is about a promise that `verify` looks at, rather than about a hazard.
    pub(crate) fn is_about_promise(&self) -> bool {
        self.category.starts_with(PROMISE)
    }

    /// Accepts a hazard of a statement that is sent when the revision is applied.
    pub fn up(category: impl Into<String>, statement: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            direction: Direction::Up,
            category: category.into(),
            statement: statement.into(),
            reason: reason.into(),
        }
    }

    /// Accepts a hazard of a statement that is sent when the revision is undone.
    pub fn down(
        category: impl Into<String>,
        statement: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            direction: Direction::Down,
            ..Self::up(category, statement, reason)
        }
    }
}
