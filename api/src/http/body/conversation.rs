//! Conversations and messages: what they look like, and how messages are read.

use serde::Serialize;
use utoipa::ToSchema;

use super::shown;
use crate::domain::{
    Conversation, ConversationTitle, Message, NewMessage, Role, Rule, Violation, composed, is_invisible,
    no_controls,
};
use crate::http::fields::{Fields, read_body, text};
use crate::http::problem::Problem;

/// A conversation with the assistant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Conversation)]
pub(in crate::http) struct ConversationBody {
    /// The number of the conversation.
    #[schema(minimum = 1)]
    id: i32,
    /// What it is called: empty until it is renamed or a person says something; then it is called after that.
    #[schema(max_length = 200, example = "What is due today?")]
    title: String,
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

read_body! {
    /// Another name for a conversation.
    #[schema(as = ConversationPatch, example = json!({"title": "The hull"}))]
    ConversationPatchBody {
        /// One line; white space around it is dropped, and an empty one is none.
        #[schema(value_type = String, max_length = 200, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
        title: ConversationTitle = required(Rule::General, text(Rule::General, ConversationTitle::parse));
    }
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

/// Who speaks.
#[derive(ToSchema)]
#[schema(as = Role, rename_all = "lowercase")]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) enum RoleBody {
    /// The person; the default.
    User,
    /// The assistant.
    Assistant,
}

read_body! {
    /// Something to be said.
    #[schema(as = MessageCreate, example = json!({"content": "What is due today?"}))]
    NewMessageBody {
        /// `user` (the default) or `assistant`.
        #[schema(value_type = Option<RoleBody>, nullable = false)]
        role: Option<Role> = optional(text(Rule::General, role));
        /// 1 to 4000 characters.
        #[schema(
            min_length = 1,
            max_length = 4000,
            pattern = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*[^\s\x85\x00-\x1f\x7f][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
        )]
        content: String = required(Rule::General, text(Rule::General, said));
    }
}

impl From<Conversation> for ConversationBody {
    fn from(conversation: Conversation) -> Self {
        Self {
            id: conversation.id,
            title: conversation.title,
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

fn role(word: &str) -> Result<Role, Violation> {
    Role::parse(word).ok_or_else(|| Violation::new(Rule::General, "a role is user or assistant"))
}

fn said(content: &str) -> Result<String, Violation> {
    let violation = |detail: &str| Violation::new(Rule::General, detail);
    let content = composed(content);
    let length = content.chars().count();
    if is_invisible(&content) || length > 4000 {
        return Err(violation(
            "a message has 1 to 4000 characters, and one at least that can be seen",
        ));
    }
    no_controls(&content).map_err(violation)?;
    Ok(content.into_owned())
}

/// Reads another name for a conversation.
pub(in crate::http) fn conversation_title(fields: Fields) -> Result<ConversationTitle, Problem> {
    Ok(ConversationPatchBody::read(fields)?.title)
}

/// Reads a message.
pub(in crate::http) fn new_message(fields: Fields) -> Result<NewMessage, Problem> {
    let read = NewMessageBody::read(fields)?;
    Ok(NewMessage {
        role: read.role.unwrap_or(Role::User),
        content: read.content,
    })
}
