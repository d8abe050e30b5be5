//! `tags`: names to put on tasks, since revision 003; each person's own since phase X.

use sea_orm::entity::prelude::*;

/// A name to put on tasks.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tags")]
pub struct Model {
    /// Given by the database.
    #[sea_orm(primary_key)]
    pub id: i32,
    /// Unique among those of one person.
    #[sea_orm(column_type = "String(StringLen::N(50))")]
    pub name: String,
    /// In UTC.
    pub created_at: Option<DateTimeUtc>,
    /// Whose it is; since phase X.
    #[sea_orm(column_type = "String(StringLen::N(255))")]
    pub user_id: String,
}

/// What hangs on a tag.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The person.
    #[sea_orm(
        belongs_to = "super::user::Entity",
        from = "Column::UserId",
        to = "super::user::Column::Id",
        on_delete = "Cascade"
    )]
    User,
    /// The links to tasks.
    #[sea_orm(has_many = "super::task_tag::Entity")]
    TaskTags,
}

impl Related<super::task::Entity> for Entity {
    fn to() -> RelationDef {
        super::task_tag::Relation::Task.def()
    }

    fn via() -> Option<RelationDef> {
        Some(super::task_tag::Relation::Tag.def().rev())
    }
}

impl ActiveModelBehavior for ActiveModel {}
