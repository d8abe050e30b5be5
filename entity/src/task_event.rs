//! `task_events`: what happened to tasks, since revision 9c2e7a41f0b3; written by triggers.

use sea_orm::entity::prelude::*;

/// Something that happened to a task.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "task_events")]
pub struct Model {
    /// In the order in which it was written; on PostgreSQL not the order of the commits.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Where it stands in the list of its owner; nothing until somebody reads it.
    pub position: Option<i64>,
    /// Whose task it is.
    #[sea_orm(column_type = "String(StringLen::N(255))")]
    pub user_id: String,
    /// `created`, `changed`, `completed`, `reopened`, `deleted`, or `asked` where its owner has asked before anything happened.
    #[sea_orm(column_type = "String(StringLen::N(20))")]
    pub kind: String,
    /// The task; it may be gone, and 0 is none.
    pub task_id: i32,
    /// When.
    pub created_at: DateTimeUtc,
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
