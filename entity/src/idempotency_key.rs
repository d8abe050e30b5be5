//! `idempotency_keys`: requests that are carried out once however often they come, since revision a3c1f0d27b64.

use sea_orm::entity::prelude::*;

/// A request under a key, and its answer.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_keys")]
pub struct Model {
    /// Whose request it is.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))"
    )]
    pub user_id: String,
    /// Method and route.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(100))"
    )]
    pub route: String,
    /// The caller's key.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))"
    )]
    pub key: String,
    /// SHA-256 of the body, in hex.
    #[sea_orm(column_type = "String(StringLen::N(64))")]
    pub fingerprint: String,
    /// Status of the answer; nothing while the request is being carried out.
    pub status: Option<i32>,
    /// Headers of the answer that are repeated, as JSON.
    #[sea_orm(column_type = "Text", nullable)]
    pub headers: Option<String>,
    /// Body of the answer.
    #[sea_orm(column_type = "Text", nullable)]
    pub body: Option<String>,
    /// When it first came.
    pub created_at: DateTimeUtc,
    /// When it may be forgotten.
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
