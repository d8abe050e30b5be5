//! People: made when they are first seen, and counted up.

use std::collections::HashSet;
use std::sync::RwLock;

use entity::{task, user};
use sea_orm::ColumnTrait;
use sea_orm::sea_query::{Expr, OnConflict, Query};

use super::fault::is_duplicate;
use super::row::{column, moment, owned_by};
use super::{Scope, StoreError};
use crate::domain::{Feature, Instant, Summary, User, UserId};

/// Who a token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Principal {
    pub(crate) id: UserId,
    pub(crate) email: String,
    pub(crate) name: Option<String>,
    /// When the request came in: the birth of somebody who is seen for the first time.
    pub(crate) seen_at: Instant,
}

/// People whose row is known to be there, so that only their first request asks for it.
#[derive(Debug, Default)]
pub(super) struct Known(RwLock<HashSet<UserId>>);

/// How many people are remembered; after that all are forgotten and asked for once more.
const MOST_KNOWN: usize = 100_000;

const BY_TAG_POSTGRES: &str = "(SELECT coalesce(json_object_agg(s.name, s.n), '{}')::text FROM (SELECT g.name AS name, \
    count(*) AS n FROM tags g JOIN task_tags l ON l.tag_id = g.id JOIN tasks o ON o.id = l.task_id \
    WHERE NOT o.completed AND o.user_id = $1 GROUP BY g.name) s)";
const BY_TAG_SQLITE: &str = "(SELECT json_group_object(s.name, s.n) FROM (SELECT g.name AS name, \
    count(*) AS n FROM tags g JOIN task_tags l ON l.tag_id = g.id JOIN tasks o ON o.id = l.task_id \
    WHERE NOT o.completed AND o.user_id = ? GROUP BY g.name) s)";

impl Known {
    fn contains(&self, id: &UserId) -> bool {
        self.0.read().is_ok_and(|known| known.contains(id))
    }

    fn remember(&self, id: &UserId) {
        if let Ok(mut known) = self.0.write() {
            if known.len() >= MOST_KNOWN {
                known.clear();
            }
            known.insert(id.clone());
        }
    }

    pub(super) fn forget(&self, id: &UserId) {
        if let Ok(mut known) = self.0.write() {
            known.remove(id);
        }
    }

    pub(super) fn forget_everybody(&self) {
        if let Ok(mut known) = self.0.write() {
            known.clear();
        }
    }
}

impl Scope {
    /// Makes the row of somebody who is seen for the first time.
    ///
    /// An e-mail address that belongs to another id is refused and never linked: whoever issues tokens could take over
    /// accounts otherwise.
    pub(super) async fn recognise(&self, principal: &Principal) -> Result<(), StoreError> {
        let known = &self.store.0.known;
        if known.contains(&principal.id) {
            return Ok(());
        }
        if self.own_user().await?.is_none() {
            let insert = Query::insert()
                .into_table(user::Entity)
                .columns([
                    user::Column::Id,
                    user::Column::Email,
                    user::Column::Name,
                    user::Column::CreatedAt,
                ])
                .values_panic([
                    principal.id.as_str().into(),
                    principal.email.as_str().into(),
                    Expr::val(principal.name.clone()),
                    principal.seen_at.to_utc().into(),
                ])
                .on_conflict(OnConflict::column(user::Column::Id).do_nothing().to_owned())
                .to_owned();
            match self.runner().execute(&insert).await {
                Ok(_) => {}
                // Two first requests at once: the address is then their own.
                Err(error) if is_duplicate(&error) && self.own_user().await?.is_none() => {
                    return Err(StoreError::EmailTaken);
                }
                Err(error) if is_duplicate(&error) => {}
                Err(error) => return Err(error),
            }
        }
        known.remember(&principal.id);
        Ok(())
    }

    /// Returns the owner.
    pub(crate) async fn user(&self) -> Result<User, StoreError> {
        if let Some(user) = self.own_user().await? {
            return Ok(user);
        }
        self.store.0.known.forget(&self.owner);
        Err(StoreError::NotFound)
    }

    async fn own_user(&self) -> Result<Option<User>, StoreError> {
        let select = Query::select()
            .columns([user::Column::Email, user::Column::Name, user::Column::CreatedAt])
            .from(user::Entity)
            .and_where(user::Column::Id.eq(self.owner.as_str()))
            .to_owned();
        let Some(row) = self.runner().one(&select).await? else {
            return Ok(None);
        };
        Ok(Some(User {
            id: self.owner.clone(),
            email: row.try_get_by_index(0)?,
            name: row.try_get_by_index(1)?,
            created_at: moment(&row, 2)?,
        }))
    }

    /// Counts the owner's tasks; the days are those of UTC.
    pub(crate) async fn summary(&self, now: Instant) -> Result<Summary, StoreError> {
        let runner = self.runner();
        let shape = &self.shape;
        let due = || column(shape, task::Column::DueDate);
        let priority = || column(shape, task::Column::Priority);
        let pending = || sea_orm::Condition::all().add(task::Column::Completed.eq(false));
        use sea_orm::sea_query::ExprTrait;
        let within = |from: Instant, until: Instant| {
            pending()
                .add(due().gte(from.to_utc()))
                .add(due().lt(until.to_utc()))
        };
        let (today, tomorrow, next_week) = (now.midnight(0), now.midnight(1), now.midnight(8));
        let conditions = [
            pending(),
            sea_orm::Condition::all().add(task::Column::Completed.eq(true)),
            pending().add(due().lt(now.to_utc())),
            within(today, tomorrow),
            within(tomorrow, next_week),
            pending().add(priority().eq("low")),
            pending().add(priority().is_not_in(["low", "high"])),
            pending().add(priority().eq("high")),
        ];
        let mut select = Query::select();
        for condition in conditions {
            let one = Expr::case(condition, Expr::val(1)).into();
            select.expr(Expr::from(sea_orm::sea_query::Func::count::<Expr>(one)));
        }
        select.expr(match (shape.has(Feature::Tags), runner.is_postgres()) {
            (false, _) => Expr::cust("CAST('{}' AS text)"),
            (true, true) => Expr::cust_with_values(BY_TAG_POSTGRES, [self.owner.as_str()]),
            (true, false) => Expr::cust_with_values(BY_TAG_SQLITE, [self.owner.as_str()]),
        });
        select.from(task::Entity).and_where(owned_by(&self.owner));
        let row = runner.one(&select).await?.ok_or(StoreError::NotFound)?;
        let count = |index| row.try_get_by_index::<i64>(index);
        let by_tag: String = row.try_get_by_index(8)?;
        let by_tag: std::collections::BTreeMap<String, i64> =
            serde_json::from_str(&by_tag).map_err(|error| sea_orm::DbErr::Json(error.to_string()))?;
        Ok(Summary {
            total: count(0)? + count(1)?,
            pending: count(0)?,
            completed: count(1)?,
            overdue: count(2)?,
            due_today: count(3)?,
            upcoming: count(4)?,
            by_priority: [count(5)?, count(6)?, count(7)?],
            by_tag: by_tag.into_iter().collect(),
        })
    }
}
