//! `conversations`: talks with the assistant, since revision 002.

use sea_orm::entity::prelude::*;

/// A talk with the assistant.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "conversations")]
pub struct Model {
    /// Given by the database.
    #[sea_orm(primary_key)]
    pub id: i32,
    /// The owner.
    #[sea_orm(column_type = "String(StringLen::N(255))")]
    pub user_id: String,
    /// In UTC.
    pub created_at: Option<DateTimeUtc>,
    /// In UTC.
    pub updated_at: Option<DateTimeUtc>,
    /// Empty until somebody gives it one or says something in it; since phase XIV.
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub title: String,
}

/// What a conversation hangs on, and what hangs on it.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The owner.
    #[sea_orm(
        belongs_to = "super::user::Entity",
        from = "Column::UserId",
        to = "super::user::Column::Id"
    )]
    User,
    /// What was said.
    #[sea_orm(has_many = "super::message::Entity")]
    Messages,
}

impl Related<super::user::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::User.def()
    }
}

impl Related<super::message::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Messages.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
