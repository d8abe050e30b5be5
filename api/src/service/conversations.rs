//! Conversations and their messages.

use super::{Failure, Posted, Principal, Seen, Services, UnderKey, check};
use crate::domain::{
    Conversation, ConversationTitle, Cursor, Feature, Message, NewMessage, Page, Precondition, Role,
};
use crate::store::Scope;

impl Services {
    pub(crate) async fn conversations(
        &self,
        principal: &Principal,
        limit: u64,
        after: Option<&Cursor>,
    ) -> Result<Seen<Page<Conversation>>, Failure> {
        self.run(principal, |scope| async move {
            scope.conversations(limit, after).await
        })
        .await
    }

    pub(crate) async fn conversation(
        &self,
        principal: &Principal,
        id: i32,
    ) -> Result<Seen<Conversation>, Failure> {
        self.run(principal, |scope| async move { scope.conversation(id).await })
            .await
    }

    pub(crate) async fn create_conversation(
        &self,
        principal: &Principal,
        under_key: Option<UnderKey<'_, Conversation>>,
    ) -> Result<Posted<Conversation>, Failure> {
        let now = self.now();
        self.post(principal, under_key, |scope| async move {
            scope.create_conversation(now).await
        })
        .await
    }

    /// Calls a conversation something else; where conversations have no titles, only the empty one can be given.
    pub(crate) async fn rename_conversation(
        &self,
        principal: &Principal,
        id: i32,
        precondition: &Precondition,
        title: &ConversationTitle,
    ) -> Result<Seen<Conversation>, Failure> {
        self.run(principal, |scope| async move {
            if !title.as_str().is_empty() {
                scope.needs(Feature::ConversationTitles)?;
            }
            let old = locked(&scope, id, precondition).await?;
            if scope.has(Feature::ConversationTitles) {
                scope.set_conversation_title(id, title).await?;
            }
            Ok(Conversation {
                title: title.as_str().to_owned(),
                ..old
            })
        })
        .await
    }

    /// Removes a conversation with its messages.
    pub(crate) async fn delete_conversation(
        &self,
        principal: &Principal,
        id: i32,
        precondition: &Precondition,
    ) -> Result<Seen<()>, Failure> {
        self.run(principal, |scope| async move {
            locked(&scope, id, precondition).await?;
            scope.delete_conversation(id).await
        })
        .await
    }

    pub(crate) async fn messages(
        &self,
        principal: &Principal,
        conversation: i32,
        limit: u64,
        after: Option<&Cursor>,
    ) -> Result<Seen<Page<Message>>, Failure> {
        self.run(principal, |scope| async move {
            scope.messages(conversation, limit, after).await
        })
        .await
    }

    pub(crate) async fn message(
        &self,
        principal: &Principal,
        conversation: i32,
        id: i32,
    ) -> Result<Seen<Message>, Failure> {
        self.run(
            principal,
            |scope| async move { scope.message(conversation, id).await },
        )
        .await
    }

    /// Adds a message to a conversation; the first one that a person says is also its title.
    pub(crate) async fn create_message(
        &self,
        principal: &Principal,
        conversation: i32,
        new: &NewMessage,
        under_key: Option<UnderKey<'_, Message>>,
    ) -> Result<Posted<Message>, Failure> {
        let now = self.now();
        self.post(principal, under_key, |scope| async move {
            scope.needs(Feature::Conversations)?;
            scope.begin().await?;
            let is_titled = new.role == Role::User && scope.has(Feature::ConversationTitles);
            let title = is_titled.then(|| ConversationTitle::of_words(&new.content));
            // Also the lock that makes counting and adding one thing.
            scope
                .touch_conversation(conversation, title.as_ref(), now)
                .await?;
            if scope.count_messages(conversation).await? >= Conversation::MOST_MESSAGES {
                return Err(Failure::ConversationFull);
            }
            scope.insert_message(conversation, new, now).await
        })
        .await
    }

    /// Removes a message. It has one state only: what was said stays.
    pub(crate) async fn delete_message(
        &self,
        principal: &Principal,
        conversation: i32,
        id: i32,
        precondition: &Precondition,
    ) -> Result<Seen<()>, Failure> {
        self.run(principal, |scope| async move {
            if precondition.needs_current() {
                let current = scope.message(conversation, id).await?;
                check(&scope, &current, precondition)?;
            }
            scope.delete_message(conversation, id).await
        })
        .await
    }
}

/// Returns a conversation in the state that is wanted, which nobody else can change or say something in until the unit of work
/// ends.
async fn locked(scope: &Scope, id: i32, precondition: &Precondition) -> Result<Conversation, Failure> {
    scope.needs(Feature::Conversations)?;
    scope.begin().await?;
    let current = scope.locked_conversation(id).await?;
    check(scope, &current, precondition)?;
    Ok(current)
}
