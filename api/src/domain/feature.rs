//! What a schema may or may not bring yet, and the revision that brings it.

/// A part of the product that a schema may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Feature {
    /// People and their tasks.
    Tasks,
    /// Conversations and their messages.
    Conversations,
    /// A task's priority.
    Priority,
    /// Tags and which task carries them.
    Tags,
    /// When a task is due.
    DueDate,
    /// When to remind of a task.
    RemindAt,
    /// How a task recurs.
    Recurrence,
    /// Local accounts: passwords and sessions.
    Accounts,
    /// Keys for programs.
    ApiTokens,
    /// Answers that are kept for a repeated request.
    IdempotencyKeys,
    /// Tags that belong to one person, where names are not shared.
    TagOwners,
    /// What a conversation is called.
    ConversationTitles,
    /// What happened to tasks.
    Changes,
    /// Texts in which every script's letters have lost their case.
    FoldedText,
    /// Tasks that are due on a day.
    DueDays,
    /// In which time zone somebody's days are.
    TimeZones,
}

/// Something was asked for that the live schema does not have yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    /// What is missing.
    pub(crate) feature: Feature,
    /// Where the schema stands.
    pub(crate) current_revision: String,
}

impl Feature {
    /// Every feature, oldest first.
    pub(crate) const ALL: [Self; 16] = [
        Self::Tasks,
        Self::Conversations,
        Self::Priority,
        Self::Tags,
        Self::DueDate,
        Self::RemindAt,
        Self::Recurrence,
        Self::Accounts,
        Self::ApiTokens,
        Self::IdempotencyKeys,
        Self::TagOwners,
        Self::ConversationTitles,
        Self::Changes,
        Self::FoldedText,
        Self::DueDays,
        Self::TimeZones,
    ];

    /// Returns the revision that brings it.
    pub(crate) fn revision(self) -> &'static str {
        match self {
            Self::Tasks => "001",
            Self::Conversations => "002",
            Self::Priority | Self::Tags | Self::DueDate | Self::RemindAt | Self::Recurrence => "003",
            Self::Accounts | Self::ApiTokens | Self::IdempotencyKeys => "a3c1f0d27b64",
            Self::TagOwners => "a80f4e6b2d93",
            Self::ConversationTitles => "d8e3a05c64f1",
            Self::Changes => "9c2e7a41f0b3",
            Self::FoldedText => "5fb0c2917d4e",
            Self::DueDays => "c7e1d4a9b035",
            Self::TimeZones => "1f8b60d5e2c7",
        }
    }

    /// Returns its name as `/api/v1/schema` shows it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tasks => "tasks",
            Self::Conversations => "conversations",
            Self::Priority => "priority",
            Self::Tags => "tags",
            Self::DueDate => "due_date",
            Self::RemindAt => "remind_at",
            Self::Recurrence => "recurrence",
            Self::Accounts => "accounts",
            Self::ApiTokens => "api_tokens",
            Self::IdempotencyKeys => "idempotency_keys",
            Self::TagOwners => "tag_owners",
            Self::ConversationTitles => "conversation_titles",
            Self::Changes => "changes",
            Self::FoldedText => "folded_text",
            Self::DueDays => "due_days",
            Self::TimeZones => "time_zones",
        }
    }
}
