//! Conversations and messages: whole tables that an older schema lacks.

use entity::{conversation, message};
use sea_orm::sea_query::{Expr, ExprTrait, Func, Order, Query, SelectStatement};
use sea_orm::{ColumnTrait, DatabaseTransaction, QueryResult};

use super::row::{moment, time};
use super::runner::Runner;
use super::{Scope, StoreError};
use crate::domain::{
    Conversation, ConversationTitle, Cursor, CursorValue, Feature, Instant, Message, NewMessage, Page,
    Precondition, Role,
};

impl Scope {
    /// Returns a page of the owner's conversations, newest first.
    pub(crate) async fn conversations(
        &self,
        limit: u64,
        after: Option<&Cursor>,
    ) -> Result<Page<Conversation>, StoreError> {
        self.needs(Feature::Conversations)?;
        let mut select = self.select_conversations();
        select
            .order_by((conversation::Entity, conversation::Column::Id), Order::Desc)
            .limit(limit + 1);
        if let Some(id) = number(after) {
            select.and_where(conversation::Column::Id.lt(id));
        }
        let rows = self.runner().all(&select).await?;
        let found = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::of(found, limit, |last| at(last.id)))
    }

    /// Returns one conversation.
    pub(crate) async fn conversation(&self, id: i32) -> Result<Conversation, StoreError> {
        self.needs(Feature::Conversations)?;
        let mut select = self.select_conversations();
        select.and_where(conversation::Column::Id.eq(id));
        read(&self.runner().one(&select).await?.ok_or(StoreError::NotFound)?)
    }

    /// Begins a conversation.
    pub(crate) async fn create_conversation(&self, now: Instant) -> Result<Conversation, StoreError> {
        self.needs(Feature::Conversations)?;
        let is_postgres = self.runner().is_postgres();
        let insert = Query::insert()
            .into_table(conversation::Entity)
            .columns([
                conversation::Column::UserId,
                conversation::Column::CreatedAt,
                conversation::Column::UpdatedAt,
            ])
            .values_panic([
                self.owner.as_str().into(),
                now.to_utc().into(),
                now.to_utc().into(),
            ])
            .returning(Query::returning().exprs([
                Expr::col(conversation::Column::Id),
                time(conversation::Column::CreatedAt, is_postgres),
                time(conversation::Column::UpdatedAt, is_postgres),
            ]))
            .to_owned();
        let row = self.runner().one(&insert).await?.ok_or(StoreError::NotFound)?;
        Ok(Conversation {
            id: row.try_get_by_index(0)?,
            title: String::new(),
            message_count: 0,
            created_at: moment(&row, 1)?,
            updated_at: moment(&row, 2)?,
        })
    }

    /// Calls a conversation something else; where conversations have no titles, only the empty one can be given.
    pub(crate) async fn rename_conversation(
        &self,
        id: i32,
        precondition: &Precondition,
        title: &ConversationTitle,
    ) -> Result<Conversation, StoreError> {
        if !title.as_str().is_empty() {
            self.needs(Feature::ConversationTitles)?;
        }
        self.needs(Feature::Conversations)?;
        let transaction = self.runner().begin().await?;
        let old = self.locked_conversation(&transaction, id).await?;
        self.check(&old, precondition)?;
        if self.shape.has(Feature::ConversationTitles) {
            let update = Query::update()
                .table(conversation::Entity)
                .value(conversation::Column::Title, title.as_str())
                .and_where(conversation::Column::Id.eq(id))
                .and_where(conversation::Column::UserId.eq(self.owner.as_str()))
                .to_owned();
            transaction.execute(&update).await?;
        }
        transaction.commit().await?;
        Ok(Conversation {
            title: title.as_str().to_owned(),
            ..old
        })
    }

    /// Removes a conversation with its messages.
    pub(crate) async fn delete_conversation(
        &self,
        id: i32,
        precondition: &Precondition,
    ) -> Result<(), StoreError> {
        self.needs(Feature::Conversations)?;
        let transaction = self.runner().begin().await?;
        let old = self.locked_conversation(&transaction, id).await?;
        self.check(&old, precondition)?;
        let delete = Query::delete()
            .from_table(conversation::Entity)
            .and_where(conversation::Column::Id.eq(id))
            .and_where(conversation::Column::UserId.eq(self.owner.as_str()))
            .to_owned();
        transaction.execute(&delete).await?;
        transaction.commit().await
    }

    /// Returns a conversation that nobody else can change or say something in until the transaction ends.
    async fn locked_conversation(
        &self,
        transaction: &Runner<'_, DatabaseTransaction>,
        id: i32,
    ) -> Result<Conversation, StoreError> {
        if transaction.is_postgres() {
            // Apart from reading, as for tasks: a statement that has waited counts the messages from before.
            let lock = self.own_id(id).lock_exclusive().to_owned();
            transaction.all(&lock).await?;
        }
        let mut select = self.select_conversations();
        select.and_where(conversation::Column::Id.eq(id));
        read(&transaction.one(&select).await?.ok_or(StoreError::NotFound)?)
    }

    fn own_id(&self, id: i32) -> SelectStatement {
        Query::select()
            .column(conversation::Column::Id)
            .from(conversation::Entity)
            .and_where(conversation::Column::Id.eq(id))
            .and_where(conversation::Column::UserId.eq(self.owner.as_str()))
            .to_owned()
    }

    /// Returns a page of a conversation's messages, oldest first.
    pub(crate) async fn messages(
        &self,
        conversation_id: i32,
        limit: u64,
        after: Option<&Cursor>,
    ) -> Result<Page<Message>, StoreError> {
        self.needs(Feature::Conversations)?;
        let mut select = self.select_messages(conversation_id);
        select
            .order_by((message::Entity, message::Column::Id), Order::Asc)
            .limit(limit + 1);
        if let Some(id) = number(after) {
            select.and_where(message::Column::Id.gt(id));
        }
        let rows = self.runner().all(&select).await?;
        if rows.is_empty() {
            // No messages, or no such conversation.
            self.conversation(conversation_id).await?;
        }
        let found = rows
            .iter()
            .map(|row| read_message(row, conversation_id))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Page::of(found, limit, |last| at(last.id)))
    }

    /// Returns one message.
    pub(crate) async fn message(&self, conversation_id: i32, id: i32) -> Result<Message, StoreError> {
        self.needs(Feature::Conversations)?;
        let mut select = self.select_messages(conversation_id);
        select.and_where(message::Column::Id.eq(id));
        let row = self.runner().one(&select).await?.ok_or(StoreError::NotFound)?;
        read_message(&row, conversation_id)
    }

    /// Adds a message to a conversation.
    pub(crate) async fn create_message(
        &self,
        conversation_id: i32,
        new: &NewMessage,
        now: Instant,
    ) -> Result<Message, StoreError> {
        self.needs(Feature::Conversations)?;
        let transaction = self.runner().begin().await?;
        // The row is also the lock that makes counting and adding one thing.
        let mut touch = Query::update()
            .table(conversation::Entity)
            .value(conversation::Column::UpdatedAt, now.to_utc())
            .and_where(conversation::Column::Id.eq(conversation_id))
            .and_where(conversation::Column::UserId.eq(self.owner.as_str()))
            .to_owned();
        if new.role == Role::User && self.shape.has(Feature::ConversationTitles) {
            let title = ConversationTitle::of_words(&new.content);
            touch.value(
                conversation::Column::Title,
                Expr::case(conversation::Column::Title.eq(""), title.as_str())
                    .finally(Expr::col(conversation::Column::Title)),
            );
        }
        if transaction.execute(&touch).await? == 0 {
            return Err(StoreError::NotFound);
        }
        let counting = Query::select()
            .expr(Func::count(Expr::col(message::Column::Id)))
            .from(message::Entity)
            .and_where(message::Column::ConversationId.eq(conversation_id))
            .to_owned();
        let count: i64 = match transaction.one(&counting).await? {
            Some(row) => row.try_get_by_index(0)?,
            None => 0,
        };
        if count >= Conversation::MOST_MESSAGES {
            return Err(StoreError::ConversationFull);
        }
        let is_postgres = transaction.is_postgres();
        let insert = Query::insert()
            .into_table(message::Entity)
            .columns([
                message::Column::ConversationId,
                message::Column::UserId,
                message::Column::Role,
                message::Column::Content,
                message::Column::CreatedAt,
            ])
            .values_panic([
                conversation_id.into(),
                self.owner.as_str().into(),
                new.role.word().into(),
                new.content.as_str().into(),
                now.to_utc().into(),
            ])
            .returning(Query::returning().exprs([
                Expr::col(message::Column::Id),
                Expr::col(message::Column::Role),
                Expr::col(message::Column::Content),
                time(message::Column::CreatedAt, is_postgres),
            ]))
            .to_owned();
        let row = transaction.one(&insert).await?.ok_or(StoreError::NotFound)?;
        let made = read_message(&row, conversation_id)?;
        transaction.commit().await?;
        Ok(made)
    }

    /// Removes a message. It has one state only: what was said stays.
    pub(crate) async fn delete_message(
        &self,
        conversation_id: i32,
        id: i32,
        precondition: &Precondition,
    ) -> Result<(), StoreError> {
        self.needs(Feature::Conversations)?;
        if precondition.needs_current() {
            self.check(&self.message(conversation_id, id).await?, precondition)?;
        }
        let mut own = self.own_id(conversation_id);
        if self.runner().is_postgres() {
            // Messages come and go under the lock of their conversation.
            own.lock_exclusive();
        }
        let delete = Query::delete()
            .from_table(message::Entity)
            .and_where(message::Column::Id.eq(id))
            .and_where(message::Column::ConversationId.in_subquery(own))
            .to_owned();
        match self.runner().execute(&delete).await? {
            0 => Err(StoreError::NotFound),
            _ => Ok(()),
        }
    }

    fn select_conversations(&self) -> SelectStatement {
        let counting = Query::select()
            .expr(Func::count(Expr::col((message::Entity, message::Column::Id))))
            .from(message::Entity)
            .and_where(
                Expr::col((message::Entity, message::Column::ConversationId))
                    .equals((conversation::Entity, conversation::Column::Id)),
            )
            .to_owned();
        let is_postgres = self.runner().is_postgres();
        let title = match self.shape.has(Feature::ConversationTitles) {
            true => Expr::col((conversation::Entity, conversation::Column::Title)),
            false => Expr::cust("''"),
        };
        Query::select()
            .exprs([
                Expr::col((conversation::Entity, conversation::Column::Id)),
                time(
                    (conversation::Entity, conversation::Column::CreatedAt),
                    is_postgres,
                ),
                time(
                    (conversation::Entity, conversation::Column::UpdatedAt),
                    is_postgres,
                ),
            ])
            .exprs([Expr::from(counting), title])
            .from(conversation::Entity)
            .and_where(conversation::Column::UserId.eq(self.owner.as_str()))
            .to_owned()
    }

    fn select_messages(&self, conversation_id: i32) -> SelectStatement {
        let is_postgres = self.runner().is_postgres();
        Query::select()
            .columns([
                (message::Entity, message::Column::Id),
                (message::Entity, message::Column::Role),
                (message::Entity, message::Column::Content),
            ])
            .expr(time((message::Entity, message::Column::CreatedAt), is_postgres))
            .from(message::Entity)
            .inner_join(
                conversation::Entity,
                Expr::col((conversation::Entity, conversation::Column::Id))
                    .equals((message::Entity, message::Column::ConversationId)),
            )
            .and_where(conversation::Column::Id.eq(conversation_id))
            .and_where(conversation::Column::UserId.eq(self.owner.as_str()))
            .to_owned()
    }
}

fn read(row: &QueryResult) -> Result<Conversation, StoreError> {
    Ok(Conversation {
        id: row.try_get_by_index(0)?,
        created_at: moment(row, 1)?,
        updated_at: moment(row, 2)?,
        message_count: row.try_get_by_index(3)?,
        title: row.try_get_by_index(4)?,
    })
}

fn read_message(row: &QueryResult, conversation_id: i32) -> Result<Message, StoreError> {
    Ok(Message {
        id: row.try_get_by_index(0)?,
        conversation_id,
        role: row.try_get_by_index(1)?,
        content: row.try_get_by_index(2)?,
        created_at: moment(row, 3)?,
    })
}

fn number(cursor: Option<&Cursor>) -> Option<i64> {
    match cursor?.0.as_slice() {
        [CursorValue::Number(number)] => Some(*number),
        _ => None,
    }
}

fn at(id: i32) -> Cursor {
    Cursor(vec![CursorValue::Number(i64::from(id))])
}
