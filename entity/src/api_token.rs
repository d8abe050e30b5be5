//! `api_tokens`: long-lived keys for programs, since revision a3c1f0d27b64.

use sea_orm::entity::prelude::*;

/// A key that a person made for a program.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_tokens")]
pub struct Model {
    /// Random, with a prefix that says what it is.
    #[sea_orm(primary_key, auto_increment = false, column_type = "String(StringLen::N(32))")]
    pub id: String,
    /// Whom the program speaks for.
    #[sea_orm(column_type = "String(StringLen::N(255))")]
    pub user_id: String,
    /// What the person calls it.
    #[sea_orm(column_type = "String(StringLen::N(100))")]
    pub name: String,
    /// SHA-256 of the token, in hex; the token itself is nowhere.
    #[sea_orm(unique, column_type = "String(StringLen::N(64))")]
    pub token_hash: String,
    /// The last four characters of the token, to tell one from another.
    #[sea_orm(column_type = "String(StringLen::N(4))")]
    pub last_four: String,
    /// What it may do: names with a space between them.
    #[sea_orm(column_type = "String(StringLen::N(255))")]
    pub scopes: String,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it ends by itself.
    pub expires_at: DateTimeUtc,
    /// When it was last used, to the hour.
    pub last_used_at: Option<DateTimeUtc>,
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
