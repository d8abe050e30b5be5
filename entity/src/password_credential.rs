//! `password_credentials`: the password of a local account, since revision a3c1f0d27b64.

use sea_orm::entity::prelude::*;

/// What proves that somebody is a person.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "password_credentials")]
pub struct Model {
    /// Whose it is.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))"
    )]
    pub user_id: String,
    /// An argon2id hash in the PHC string format, with its parameters and salt.
    #[sea_orm(column_type = "String(StringLen::N(255))")]
    pub password_hash: String,
    /// When it was last set.
    pub changed_at: DateTimeUtc,
}

/// What it hangs on.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The owner.
    #[sea_orm(
        belongs_to = "super::user::Entity",
        from = "Column::UserId",
        to = "super::user::Column::Id",
        on_delete = "Cascade"
    )]
    User,
}

impl Related<super::user::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::User.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
