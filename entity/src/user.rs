//! `users`: people known to the service, since revision 001.

use sea_orm::entity::prelude::*;

/// A person; the id is the subject of their tokens.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// The subject of the person's tokens.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))"
    )]
    pub id: String,
    /// Unique, as written.
    #[sea_orm(unique, column_type = "String(StringLen::N(255))")]
    pub email: String,
    /// What the person is called.
    #[sea_orm(column_type = "String(StringLen::N(255))", nullable)]
    pub name: Option<String>,
    /// In UTC.
    pub created_at: Option<DateTimeUtc>,
    /// Whose days are meant: a name of the IANA database, UTC where there is none. Since phase XVIII.
    #[sea_orm(column_type = "String(StringLen::N(64))", nullable)]
    pub time_zone: Option<String>,
}

/// What hangs on a person.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The person's tasks.
    #[sea_orm(has_many = "super::task::Entity")]
    Tasks,
    /// The person's conversations.
    #[sea_orm(has_many = "super::conversation::Entity")]
    Conversations,
}

impl Related<super::task::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Tasks.def()
    }
}

impl Related<super::conversation::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Conversations.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
