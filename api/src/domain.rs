//! The words of the product: tasks, tags, conversations, and the rules that hold for them. Pure: no HTTP, no database.

pub(crate) use account::{
    Account, ApiToken, Credential, NewAccount, NewApiToken, Session, SessionId, TokenId,
};
pub(crate) use bulk::{Bulk, Change, Operation, Target};
pub(crate) use change::{Changes, EventKind, Outcome, Since, TaskChange, TaskEvent, outcomes};
pub use clock::Clock;
pub(crate) use conversation::{Conversation, ConversationTitle, Message, NewMessage, Role};
pub(crate) use due::{Due, DueChange, DueDay, DueFrom, DueUntil};
pub(crate) use email::Email;
pub(crate) use feature::{Feature, Missing};
pub(crate) use instant::{DayEdge, Instant, When};
pub(crate) use network::network;
pub(crate) use password::Password;
pub(crate) use permission::{Permission, Permissions};
pub(crate) use priority::Priority;
pub(crate) use query::{
    Cursor, CursorValue, Direction, Page, SortKey, SortTerm, TagsMatch, TaskFilter, TaskQuery, View,
};
pub(crate) use recurrence::Recurrence;
pub(crate) use repeat::{Keyed, Record, RepeatKey, fingerprint};
pub(crate) use search::{TextSearch, TextTerm};
pub(crate) use tag::{Tag, TagName};
pub(crate) use task::{Completion, NewTask, Summary, Task, TaskPatch};
pub(crate) use text::{Description, Title, composed, folded_unless_ascii, is_invisible, no_controls};
pub(crate) use user::{User, UserId, UserPatch};
pub(crate) use version::{Precondition, Version, Versioned};
pub(crate) use violation::{Rule, Violation};
pub(crate) use zone::Zone;

mod account;
mod bulk;
mod change;
mod clock;
mod conversation;
mod due;
mod email;
mod feature;
mod instant;
mod network;
mod password;
mod permission;
mod priority;
mod query;
mod recurrence;
mod repeat;
mod search;
mod tag;
mod task;
mod text;
mod user;
mod version;
mod violation;
mod zone;
