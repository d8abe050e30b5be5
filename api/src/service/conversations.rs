//! Conversations and their messages.

use super::{Answer, Failure, Posted, Principal, Seen, Services};
use crate::domain::{Conversation, ConversationTitle, Cursor, Message, NewMessage, Page, Precondition};

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
        posted: Posted<'_, Conversation>,
    ) -> Result<Answer, Failure> {
        let now = self.now();
        self.post(principal, posted, |scope| async move {
            scope.create_conversation(now).await
        })
        .await
    }

    pub(crate) async fn rename_conversation(
        &self,
        principal: &Principal,
        id: i32,
        precondition: &Precondition,
        title: &ConversationTitle,
    ) -> Result<Seen<Conversation>, Failure> {
        self.run(principal, |scope| async move {
            scope.rename_conversation(id, precondition, title).await
        })
        .await
    }

    pub(crate) async fn delete_conversation(
        &self,
        principal: &Principal,
        id: i32,
        precondition: &Precondition,
    ) -> Result<Seen<()>, Failure> {
        self.run(principal, |scope| async move {
            scope.delete_conversation(id, precondition).await
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

    pub(crate) async fn create_message(
        &self,
        principal: &Principal,
        conversation: i32,
        new: &NewMessage,
        posted: Posted<'_, Message>,
    ) -> Result<Answer, Failure> {
        let now = self.now();
        self.post(principal, posted, |scope| async move {
            scope.create_message(conversation, new, now).await
        })
        .await
    }

    pub(crate) async fn delete_message(
        &self,
        principal: &Principal,
        conversation: i32,
        id: i32,
        precondition: &Precondition,
    ) -> Result<Seen<()>, Failure> {
        self.run(principal, |scope| async move {
            scope.delete_message(conversation, id, precondition).await
        })
        .await
    }
}
