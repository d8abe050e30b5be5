//! What is wrong with a value that somebody sent, and where.

/// A rule of the product that a value broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// A value of the wrong kind, out of range, missing or not known.
    General,
    /// A title's length or characters.
    Title,
    /// A description's length or characters.
    Description,
    /// Neither `low`, `medium` nor `high`.
    Priority,
    /// No moment.
    Date,
    /// No pattern of recurrence.
    Recurrence,
    /// A password that may not be chosen.
    Password,
    /// A query parameter that cannot be understood.
    Filter,
}

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// Which rule.
    pub(crate) rule: Rule,
    /// What is wrong, for people.
    pub(crate) detail: String,
}

impl Violation {
    pub(crate) fn new(rule: Rule, detail: impl Into<String>) -> Self {
        Self {
            rule,
            detail: detail.into(),
        }
    }
}
