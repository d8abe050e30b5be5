//! Conversations with the assistant and what was said in them.

use super::Instant;

/// A conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conversation {
    pub(crate) id: i32,
    pub(crate) message_count: i64,
    pub(crate) created_at: Option<Instant>,
    pub(crate) updated_at: Option<Instant>,
}

/// Something that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) id: i32,
    pub(crate) conversation_id: i32,
    pub(crate) role: String,
    pub(crate) content: String,
    pub(crate) created_at: Option<Instant>,
}

/// Something to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewMessage {
    pub(crate) role: Role,
    pub(crate) content: String,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The person.
    User,
    /// The assistant.
    Assistant,
}

impl Message {
    /// Returns the same message with moments that are whole seconds.
    pub(crate) fn in_whole_seconds(mut self) -> Self {
        self.created_at = self.created_at.map(Instant::whole_second);
        self
    }
}

impl Conversation {
    /// Returns the same conversation with moments that are whole seconds.
    pub(crate) fn in_whole_seconds(mut self) -> Self {
        self.created_at = self.created_at.map(Instant::whole_second);
        self.updated_at = self.updated_at.map(Instant::whole_second);
        self
    }

    /// How many messages a conversation may have.
    pub(crate) const MOST_MESSAGES: i64 = 100;
}

impl Role {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "user" => Some(Self::User),
            "assistant" => Some(Self::Assistant),
            _ => None,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}
