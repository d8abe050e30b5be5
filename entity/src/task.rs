//! `tasks`: what is to be done, since revision 001; priority, dates and recurrence since 003.

use sea_orm::entity::prelude::*;

/// Something to be done.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tasks")]
pub struct Model {
    /// Given by the database.
    #[sea_orm(primary_key)]
    pub id: i32,
    /// The owner.
    #[sea_orm(column_type = "String(StringLen::N(255))")]
    pub user_id: String,
    /// One line.
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub title: String,
    /// Several lines.
    #[sea_orm(column_type = "Text", nullable)]
    pub description: Option<String>,
    /// Whether it is done.
    pub completed: bool,
    /// In UTC.
    pub created_at: Option<DateTimeUtc>,
    /// In UTC.
    pub updated_at: Option<DateTimeUtc>,
    /// `low`, `medium` or `high`; since 003.
    #[sea_orm(column_type = "String(StringLen::N(20))")]
    pub priority: String,
    /// In UTC; since 003.
    pub due_date: Option<DateTimeUtc>,
    /// In UTC; since 003.
    pub remind_at: Option<DateTimeUtc>,
    /// A keyword, a rule of iCalendar or the fields of cron; since 003, under this name since phase XII. A task recurs if it
    /// has one.
    #[sea_orm(column_type = "String(StringLen::N(100))", nullable)]
    pub recurrence_rule: Option<String>,
    /// The title as searches compare it, where it is more than ASCII and somebody has folded it; since phase XVII.
    #[sea_orm(column_type = "Text", nullable)]
    pub title_folded: Option<String>,
    /// The description in the same way; since phase XVII.
    #[sea_orm(column_type = "Text", nullable)]
    pub description_folded: Option<String>,
    /// The day that it is due on, where it is a day and no moment; `due_date` then is the end of it. Since phase XVIII.
    pub due_on: Option<Date>,
    /// Whose day: a name of the IANA database, UTC where there is none. Since phase XVIII.
    #[sea_orm(column_type = "String(StringLen::N(64))", nullable)]
    pub due_zone: Option<String>,
}

/// What a task hangs on, and what hangs on it.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The owner.
    #[sea_orm(
        belongs_to = "super::user::Entity",
        from = "Column::UserId",
        to = "super::user::Column::Id"
    )]
    User,
    /// The tags, through their link.
    #[sea_orm(has_many = "super::task_tag::Entity")]
    TaskTags,
}

impl Related<super::user::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::User.def()
    }
}

impl Related<super::tag::Entity> for Entity {
    fn to() -> RelationDef {
        super::task_tag::Relation::Tag.def()
    }

    fn via() -> Option<RelationDef> {
        Some(super::task_tag::Relation::Task.def().rev())
    }
}

impl ActiveModelBehavior for ActiveModel {}
