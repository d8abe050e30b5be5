//! `messages`: what was said in a conversation, since revision 002.

use sea_orm::entity::prelude::*;

/// Something that was said.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "messages")]
pub struct Model {
    /// Given by the database.
    #[sea_orm(primary_key)]
    pub id: i32,
    /// Where it was said.
    pub conversation_id: i32,
    /// The owner of the conversation.
    #[sea_orm(column_type = "String(StringLen::N(255))")]
    pub user_id: String,
    /// `user` or `assistant`; the table does not enforce it.
    #[sea_orm(column_type = "String(StringLen::N(20))")]
    pub role: String,
    /// What was said.
    #[sea_orm(column_type = "Text")]
    pub content: String,
    /// In UTC.
    pub created_at: Option<DateTimeUtc>,
}

/// What a message hangs on.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// Where it was said.
    #[sea_orm(
        belongs_to = "super::conversation::Entity",
        from = "Column::ConversationId",
        to = "super::conversation::Column::Id",
        on_delete = "Cascade"
    )]
    Conversation,
    /// The owner of the conversation.
    #[sea_orm(
        belongs_to = "super::user::Entity",
        from = "Column::UserId",
        to = "super::user::Column::Id"
    )]
    User,
}

impl Related<super::conversation::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Conversation.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
