//! `sessions`: where a local account is signed in, since revision a3c1f0d27b64.

use sea_orm::entity::prelude::*;

/// A sign-in that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// Random; the `sid` of the tokens that belong to it.
    #[sea_orm(primary_key, auto_increment = false, column_type = "String(StringLen::N(32))")]
    pub id: String,
    /// Who signed in.
    #[sea_orm(column_type = "String(StringLen::N(255))")]
    pub user_id: String,
    /// When they signed in.
    pub created_at: DateTimeUtc,
    /// When its token was last renewed.
    pub refreshed_at: DateTimeUtc,
    /// When it ends by itself.
    pub expires_at: DateTimeUtc,
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
