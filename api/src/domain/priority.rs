//! How urgent a task is.

/// How urgent a task is; ordered by rank, not by the alphabet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Priority {
    /// Can wait.
    Low,
    /// What a task has when nobody says otherwise.
    #[default]
    Medium,
    /// Comes first.
    High,
}

impl Priority {
    /// Every priority, lowest first.
    pub(crate) const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    /// Reads `low`, `medium` or `high`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|priority| priority.word() == text)
    }

    /// Returns `low`, `medium` or `high`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// Returns 1 for low, 2 for medium, 3 for high.
    pub(crate) fn rank(self) -> i64 {
        match self {
            Self::Low => 1,
            Self::Medium => 2,
            Self::High => 3,
        }
    }
}
