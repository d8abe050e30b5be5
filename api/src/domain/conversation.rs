//! Conversations with the assistant and what was said in them.

use super::version::moments;
use super::{Instant, Rule, Title, Version, Versioned, Violation};

/// A conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conversation {
    pub(crate) id: i32,
    pub(crate) title: String,
    pub(crate) message_count: i64,
    pub(crate) created_at: Option<Instant>,
    pub(crate) updated_at: Option<Instant>,
}

/// What a conversation is called: one line of up to 200 characters, empty where nobody has called it anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConversationTitle(String);

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

impl Versioned for Conversation {
    fn version(&self, revision: &str) -> Version {
        Version::of([
            revision.as_bytes(),
            &self.id.to_le_bytes(),
            self.title.as_bytes(),
            &self.message_count.to_le_bytes(),
            moments([self.created_at, self.updated_at]).as_flattened(),
        ])
    }
}

impl Versioned for Message {
    fn version(&self, revision: &str) -> Version {
        Version::of([
            revision.as_bytes(),
            &self.id.to_le_bytes(),
            &self.conversation_id.to_le_bytes(),
            self.role.as_bytes(),
            self.content.as_bytes(),
            moments([self.created_at]).as_flattened(),
        ])
    }
}

impl ConversationTitle {
    pub(crate) fn parse(text: &str) -> Result<Self, Violation> {
        if text.trim().is_empty() {
            return Ok(Self(String::new()));
        }
        Title::parse(text)
            .map(|title| Self(title.as_str().to_owned()))
            .map_err(|violation| Violation::new(Rule::General, violation.detail))
    }

    /// Returns what is made of the first words that somebody says: up to 60 characters, as the revision that brought titles
    /// made them of what had been said before.
    pub(crate) fn of_words(words: &str) -> Self {
        let line = words.replace(['\r', '\n', '\t'], " ");
        let start: String = line.trim_start().chars().take(60).collect();
        Self(start.trim_end().to_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_may_be_empty_and_is_else_like_the_title_of_a_task() {
        for (text, title) in [("", ""), (" \t", ""), (" the hull ", "the hull")] {
            assert_eq!(ConversationTitle::parse(text).unwrap().as_str(), title);
        }
        for text in ["a\nb", &"x".repeat(201)] {
            assert_eq!(ConversationTitle::parse(text).unwrap_err().rule, Rule::General);
        }
    }

    #[test]
    fn first_words_become_one_line_of_sixty_characters() {
        let words = format!("\r\n Caulk\tthe\nhull {}", "ß".repeat(60));
        let title = ConversationTitle::of_words(&words);
        assert_eq!(title.as_str(), format!("Caulk the hull {}", "ß".repeat(45)));
        assert_eq!(
            ConversationTitle::of_words(&format!("{} b", "a".repeat(59))).as_str(),
            "a".repeat(59)
        );
    }
}
