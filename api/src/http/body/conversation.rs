//! Conversations and messages: what they look like, and how messages are read.

use serde::Serialize;
use utoipa::ToSchema;

use super::shown;
use crate::domain::{Conversation, Message, NewMessage, Role, Rule, Violation, no_controls};
use crate::http::fields::{Fields, text};
use crate::http::problem::Problem;

/// A conversation with the assistant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Conversation)]
pub(in crate::http) struct ConversationBody {
    /// The number of the conversation.
    #[schema(minimum = 1)]
    id: i32,
    /// How many messages it has.
    #[schema(minimum = 0)]
    message_count: i64,
    /// When it began.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    created_at: Option<String>,
    /// When something was last said.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    updated_at: Option<String>,
}

/// Something that was said.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Message)]
pub(in crate::http) struct MessageBody {
    /// The number of the message.
    #[schema(minimum = 1)]
    id: i32,
    /// Where it was said.
    conversation_id: i32,
    /// `user` or `assistant`.
    #[schema(example = "user")]
    role: String,
    /// What was said.
    content: String,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    created_at: Option<String>,
}

/// Something to be said.
#[derive(ToSchema)]
#[schema(as = MessageCreate, example = json!({"content": "What is due today?"}))]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) struct NewMessageBody {
    /// `user` (the default) or `assistant`.
    #[schema(pattern = "^(user|assistant)$", nullable = false)]
    role: Option<String>,
    /// 1 to 4000 characters.
    #[schema(
        min_length = 1,
        max_length = 4000,
        pattern = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*[^\s\x85\x00-\x1f\x7f][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
    )]
    content: String,
}

impl From<Conversation> for ConversationBody {
    fn from(conversation: Conversation) -> Self {
        Self {
            id: conversation.id,
            message_count: conversation.message_count,
            created_at: shown(conversation.created_at),
            updated_at: shown(conversation.updated_at),
        }
    }
}

impl From<Message> for MessageBody {
    fn from(message: Message) -> Self {
        Self {
            id: message.id,
            conversation_id: message.conversation_id,
            role: message.role,
            content: message.content,
            created_at: shown(message.created_at),
        }
    }
}

/// Reads a message.
pub(in crate::http) fn new_message(mut fields: Fields) -> Result<NewMessage, Problem> {
    let violation = |detail: &str| Violation::new(Rule::General, detail);
    let role = fields.optional(
        "role",
        text(Rule::General, |word| {
            Role::parse(word).ok_or_else(|| violation("a role is user or assistant"))
        }),
    );
    let content = fields.required(
        "content",
        Rule::General,
        text(Rule::General, |content| {
            let length = content.chars().count();
            if content.trim().is_empty() || length > 4000 {
                return Err(violation("a message has 1 to 4000 characters"));
            }
            no_controls(content).map_err(violation)?;
            Ok(content.to_owned())
        }),
    );
    fields.finish()?;
    Ok(NewMessage {
        role: role.unwrap_or(Role::User),
        content: content.expect("a missing content was refused"),
    })
}
