//! Conversations and messages: whole tables that an older schema lacks.

use entity::{conversation, message};
use sea_orm::sea_query::{Expr, ExprTrait, Func, Order, Query, SelectStatement};
use sea_orm::{ColumnTrait, QueryResult};
use seaworthy::sql::Dialect;

use super::row::{moment, time};
use super::{Scope, StoreError};
use crate::domain::{
    Conversation, ConversationTitle, Cursor, CursorValue, Feature, Instant, Message, NewMessage, Page,
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
        let dialect = self.dialect();
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
                time(conversation::Column::CreatedAt, dialect),
                time(conversation::Column::UpdatedAt, dialect),
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

    /// Calls a conversation something else.
    pub(crate) async fn set_conversation_title(
        &self,
        id: i32,
        title: &ConversationTitle,
    ) -> Result<(), StoreError> {
        let update = Query::update()
            .table(conversation::Entity)
            .value(conversation::Column::Title, title.as_str())
            .and_where(conversation::Column::Id.eq(id))
            .and_where(conversation::Column::UserId.eq(self.owner.as_str()))
            .to_owned();
        self.runner().execute(&update).await.map(drop)
    }

    /// Removes a conversation with its messages.
    pub(crate) async fn delete_conversation(&self, id: i32) -> Result<(), StoreError> {
        let delete = Query::delete()
            .from_table(conversation::Entity)
            .and_where(conversation::Column::Id.eq(id))
            .and_where(conversation::Column::UserId.eq(self.owner.as_str()))
            .to_owned();
        self.runner().execute(&delete).await.map(drop)
    }

    /// Returns a conversation that nobody else can change or say something in until the transaction ends.
    pub(crate) async fn locked_conversation(&self, id: i32) -> Result<Conversation, StoreError> {
        // Apart from reading, as for tasks: a statement that has waited counts the messages from before.
        self.lock_rows(self.own_id(id)).await?;
        self.conversation(id).await
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

    /// Says of a conversation that something is said in it, and calls it `title` unless it has one. Until the transaction ends
    /// nobody else can say something.
    ///
    /// # Errors
    ///
    /// Fails with [`StoreError::NotFound`] when there is no such conversation.
    pub(crate) async fn touch_conversation(
        &self,
        id: i32,
        title: Option<&ConversationTitle>,
        now: Instant,
    ) -> Result<(), StoreError> {
        let mut touch = Query::update()
            .table(conversation::Entity)
            .value(conversation::Column::UpdatedAt, now.to_utc())
            .and_where(conversation::Column::Id.eq(id))
            .and_where(conversation::Column::UserId.eq(self.owner.as_str()))
            .to_owned();
        if let Some(title) = title {
            touch.value(
                conversation::Column::Title,
                Expr::case(conversation::Column::Title.eq(""), title.as_str())
                    .finally(Expr::col(conversation::Column::Title)),
            );
        }
        match self.runner().execute(&touch).await? {
            0 => Err(StoreError::NotFound),
            _ => Ok(()),
        }
    }

    /// Returns how many messages a conversation has, whoever's it is.
    pub(crate) async fn count_messages(&self, conversation_id: i32) -> Result<i64, StoreError> {
        let counting = Query::select()
            .expr(Func::count(Expr::col(message::Column::Id)))
            .from(message::Entity)
            .and_where(message::Column::ConversationId.eq(conversation_id))
            .to_owned();
        let row = self.runner().one(&counting).await?.ok_or(StoreError::NotFound)?;
        Ok(row.try_get_by_index(0)?)
    }

    /// Adds a message to a conversation, whoever's it is.
    pub(crate) async fn insert_message(
        &self,
        conversation_id: i32,
        new: &NewMessage,
        now: Instant,
    ) -> Result<Message, StoreError> {
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
                time(message::Column::CreatedAt, self.dialect()),
            ]))
            .to_owned();
        let row = self.runner().one(&insert).await?.ok_or(StoreError::NotFound)?;
        read_message(&row, conversation_id)
    }

    /// Removes a message of one of the owner's conversations.
    pub(crate) async fn delete_message(&self, conversation_id: i32, id: i32) -> Result<(), StoreError> {
        self.needs(Feature::Conversations)?;
        let mut own = self.own_id(conversation_id);
        match self.dialect() {
            // Messages come and go under the lock of their conversation.
            Dialect::Postgresql => drop(own.lock_exclusive()),
            Dialect::Sqlite => {}
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
        let dialect = self.dialect();
        let title = match self.shape.has(Feature::ConversationTitles) {
            true => Expr::col((conversation::Entity, conversation::Column::Title)),
            false => Expr::cust("''"),
        };
        Query::select()
            .exprs([
                Expr::col((conversation::Entity, conversation::Column::Id)),
                time((conversation::Entity, conversation::Column::CreatedAt), dialect),
                time((conversation::Entity, conversation::Column::UpdatedAt), dialect),
            ])
            .exprs([Expr::from(counting), title])
            .from(conversation::Entity)
            .and_where(conversation::Column::UserId.eq(self.owner.as_str()))
            .to_owned()
    }

    fn select_messages(&self, conversation_id: i32) -> SelectStatement {
        let dialect = self.dialect();
        Query::select()
            .columns([
                (message::Entity, message::Column::Id),
                (message::Entity, message::Column::Role),
                (message::Entity, message::Column::Content),
            ])
            .expr(time((message::Entity, message::Column::CreatedAt), dialect))
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
