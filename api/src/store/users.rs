//! People: made when they are first seen, and counted up.

use std::time::Duration;

use entity::{conversation, message, task, task_tag, user};
use quick_cache::sync::Cache;
use sea_orm::sea_query::{
    DeleteStatement, DynIden, Expr, ExprTrait, Func, IntoIden, LockType, OnConflict, Query, SelectStatement,
};
use sea_orm::{ColumnTrait, QueryResult};
use seaworthy::sql::Dialect;

use super::due::{is_from, is_until};
use super::fault::is_duplicate;
use super::row::{column, moment, owned_by, time};
use super::{Scope, Shape, StoreError};
use crate::domain::{Credential, Feature, Instant, Summary, User, UserId, UserPatch, View, Zone};

/// Who a token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Principal {
    pub(crate) id: UserId,
    pub(crate) email: String,
    pub(crate) name: Option<String>,
    /// What says so.
    pub(crate) credential: Credential,
    /// The zone that their days are in, where their row was looked at; see [`Scope::zone`].
    pub(crate) zone: Option<Zone>,
    /// When the request came in: the birth of somebody who is seen for the first time.
    pub(crate) seen_at: Instant,
}

/// People whose row is known to be there, so that only their first request asks for it, with the zone that it named then.
#[derive(Debug)]
pub(super) struct Known(Cache<UserId, (Zone, std::time::Instant)>);

/// How long a zone is believed that somebody may have changed through another server.
const ZONE_AGE: Duration = Duration::from_secs(60);

/// How many people are remembered.
const MOST_KNOWN: usize = 100_000;

const BY_TAG_POSTGRES: &str = "(SELECT coalesce(json_object_agg(s.name, s.n), '{}')::text FROM (SELECT g.name AS name, \
    count(*) AS n FROM tags g JOIN task_tags l ON l.tag_id = g.id JOIN tasks o ON o.id = l.task_id \
    WHERE NOT o.completed AND o.user_id = $1 GROUP BY g.name) s)";
const BY_TAG_SQLITE: &str = "(SELECT json_group_object(s.name, s.n) FROM (SELECT g.name AS name, \
    count(*) AS n FROM tags g JOIN task_tags l ON l.tag_id = g.id JOIN tasks o ON o.id = l.task_id \
    WHERE NOT o.completed AND o.user_id = ? GROUP BY g.name) s)";

impl Default for Known {
    fn default() -> Self {
        Self(Cache::new(MOST_KNOWN))
    }
}

impl Known {
    fn contains(&self, id: &UserId) -> bool {
        self.0.get(id).is_some()
    }

    fn remember(&self, id: &UserId, zone: Zone) {
        self.0.insert(id.clone(), (zone, std::time::Instant::now()));
    }

    fn zone(&self, id: &UserId) -> Option<Zone> {
        let (zone, at) = self.0.get(id)?;
        (at.elapsed() < ZONE_AGE).then_some(zone)
    }

    pub(super) fn forget(&self, id: &UserId) {
        self.0.remove(id);
    }

    pub(super) fn forget_everybody(&self) {
        self.0.clear();
    }
}

impl Scope {
    /// Makes the row of somebody who is seen for the first time, if a token of an issuer says who they are.
    ///
    /// An e-mail address that belongs to another id is refused and never linked: whoever issues tokens could take over
    /// accounts otherwise.
    pub(super) async fn recognise(&self, principal: &Principal) -> Result<(), StoreError> {
        match self.store.0.known.contains(&principal.id) {
            true => Ok(()),
            // Once in a while, and larger than most of what follows.
            false => Box::pin(self.meet(principal)).await,
        }
    }

    async fn meet(&self, principal: &Principal) -> Result<(), StoreError> {
        let user = self.own_user().await?;
        if user.is_none() {
            if principal.credential.is_local() {
                return Err(StoreError::Gone);
            }
            self.make_known(principal).await?;
        }
        let zone = user.map(|user| user.zone()).unwrap_or_default();
        self.store.0.known.remember(&principal.id, zone);
        Ok(())
    }

    /// Returns the zone that the owner's days are in, as it was a minute ago at most.
    pub(crate) async fn zone(&self) -> Result<Zone, StoreError> {
        if let Some(zone) = self.store.0.known.zone(&self.owner) {
            return Ok(zone);
        }
        let zone = self.user().await?.zone();
        self.store.0.known.remember(&self.owner, zone.clone());
        Ok(zone)
    }

    async fn make_known(&self, principal: &Principal) -> Result<(), StoreError> {
        let runner = self.runner();
        // The index for it comes with a later revision than the first.
        if runner.one(&holder_of(&principal.email)).await?.is_some() && self.own_user().await?.is_none() {
            return Err(StoreError::EmailTaken);
        }
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
        match runner.execute(&insert).await {
            Ok(_) => Ok(()),
            // Two first requests at once: the address is then their own.
            Err(error) if is_duplicate(&error) => match self.own_user().await? {
                Some(_) => Ok(()),
                None => Err(StoreError::EmailTaken),
            },
            Err(error) => Err(error),
        }
    }

    /// Returns the owner.
    pub(crate) async fn user(&self) -> Result<User, StoreError> {
        if let Some(user) = self.own_user().await? {
            return Ok(user);
        }
        Err(self.not_there())
    }

    /// Looks for the owner anew with the next request.
    fn not_there(&self) -> StoreError {
        self.store.0.known.forget(&self.owner);
        StoreError::NotFound
    }

    async fn own_user(&self) -> Result<Option<User>, StoreError> {
        let row = self.runner().one(&self.select_user()).await?;
        row.map(|row| self.read_user(&row)).transpose()
    }

    /// Keeps others from counting what the owner has until the transaction ends. One who is gone is no failure here: what is then
    /// written for them says so.
    pub(crate) async fn lock_owner(&self) -> Result<(), StoreError> {
        let mut owner = Query::select()
            .column(user::Column::Id)
            .from(user::Entity)
            .and_where(user::Column::Id.eq(self.owner.as_str()))
            .to_owned();
        match self.dialect() {
            Dialect::Postgresql => self
                .runner()
                .one(owner.lock(LockType::NoKeyUpdate))
                .await
                .map(drop),
            // It has one writer at a time.
            Dialect::Sqlite => Ok(()),
        }
    }

    /// Returns the owner, whom nobody else can change until the transaction ends.
    pub(crate) async fn locked_user(&self) -> Result<User, StoreError> {
        self.user_locked_for(LockType::NoKeyUpdate).await
    }

    /// Returns the owner, to whom nobody else can add anything until the transaction ends.
    pub(crate) async fn wholly_locked_user(&self) -> Result<User, StoreError> {
        self.user_locked_for(LockType::Update).await
    }

    async fn user_locked_for(&self, lock: LockType) -> Result<User, StoreError> {
        let mut select = self.select_user();
        match self.dialect() {
            Dialect::Postgresql => drop(select.lock(lock)),
            // Its transaction keeps all writers out.
            Dialect::Sqlite => {}
        }
        match self.runner().one(&select).await? {
            Some(row) => self.read_user(&row),
            None => Err(self.not_there()),
        }
    }

    fn select_user(&self) -> SelectStatement {
        Query::select()
            .columns([user::Column::Email, user::Column::Name])
            .expr(time(user::Column::CreatedAt, self.dialect()))
            .expr(time_zone(&self.shape))
            .from(user::Entity)
            .and_where(user::Column::Id.eq(self.owner.as_str()))
            .to_owned()
    }

    fn read_user(&self, row: &QueryResult) -> Result<User, StoreError> {
        Ok(User {
            id: self.owner.clone(),
            email: row.try_get_by_index(0)?,
            name: row.try_get_by_index(1)?,
            created_at: moment(row, 2)?,
            time_zone: row.try_get_by_index(3)?,
        })
    }

    /// Writes what a patch names into the owner; nothing is no time zone where the schema has none.
    pub(crate) async fn patch_user(&self, patch: &UserPatch) -> Result<(), StoreError> {
        let mut values: Vec<(user::Column, Expr)> = Vec::new();
        if let Some(name) = &patch.name {
            values.push((user::Column::Name, Expr::val(name.clone())));
        }
        if let Some(zone) = &patch.time_zone {
            let name = zone.as_ref().map(|zone| zone.name().to_owned());
            match name {
                None if !self.shape.has(Feature::TimeZones) => {}
                name => {
                    self.needs(Feature::TimeZones)?;
                    values.push((user::Column::TimeZone, Expr::val(name)));
                }
            }
        }
        if values.is_empty() {
            return Ok(());
        }
        let update = Query::update()
            .table(user::Entity)
            .values(values)
            .and_where(user::Column::Id.eq(self.owner.as_str()))
            .to_owned();
        self.runner().execute(&update).await.map(drop)
    }

    /// Removes the owner and everything that is theirs, in the order that the foreign keys want.
    ///
    /// What came with the accounts goes by itself.
    pub(crate) async fn delete_user(&self) -> Result<(), StoreError> {
        for delete in self.everything() {
            self.runner().execute(&delete).await?;
        }
        Ok(())
    }

    fn everything(&self) -> Vec<DeleteStatement> {
        let owner = self.owner.as_str();
        let mut deletes = Vec::new();
        let mut delete = |table: DynIden, condition: Expr| {
            deletes.push(Query::delete().from_table(table).and_where(condition).to_owned());
        };
        if self.shape.has(Feature::Conversations) {
            let own = Query::select()
                .column(conversation::Column::Id)
                .from(conversation::Entity)
                .and_where(conversation::Column::UserId.eq(owner))
                .to_owned();
            delete(
                message::Entity.into_iden(),
                message::Column::ConversationId
                    .in_subquery(own)
                    .or(message::Column::UserId.eq(owner)),
            );
            delete(
                conversation::Entity.into_iden(),
                conversation::Column::UserId.eq(owner),
            );
        }
        if self.shape.has(Feature::Tags) {
            let own = Query::select()
                .column(task::Column::Id)
                .from(task::Entity)
                .and_where(owned_by(&self.owner))
                .to_owned();
            delete(
                task_tag::Entity.into_iden(),
                task_tag::Column::TaskId.in_subquery(own),
            );
        }
        delete(task::Entity.into_iden(), owned_by(&self.owner));
        delete(user::Entity.into_iden(), user::Column::Id.eq(owner));
        deletes
    }

    /// Counts the owner's tasks, by the days of a zone.
    pub(crate) async fn summary(&self, now: Instant, zone: &Zone) -> Result<Summary, StoreError> {
        let shape = &self.shape;
        let priority = || column(shape, task::Column::Priority);
        let pending = || sea_orm::Condition::all().add(task::Column::Completed.eq(false));
        let within = |view: View| {
            let (from, until) = view.due(now, zone);
            let ends = [
                from.map(|from| is_from(shape, &from)),
                until.map(|until| is_until(shape, &until)),
            ];
            ends.into_iter()
                .flatten()
                .fold(pending(), sea_orm::Condition::add)
        };
        let conditions = [
            pending(),
            sea_orm::Condition::all().add(task::Column::Completed.eq(true)),
            within(View::Overdue),
            within(View::Today),
            within(View::Upcoming),
            pending().add(priority().eq("low")),
            pending().add(priority().is_not_in(["low", "high"])),
            pending().add(priority().eq("high")),
        ];
        let mut select = Query::select();
        for condition in conditions {
            let one = Expr::case(condition, Expr::val(1)).into();
            select.expr(Expr::from(Func::count::<Expr>(one)));
        }
        select.expr(match (shape.has(Feature::Tags), self.dialect()) {
            (false, _) => Expr::cust("CAST('{}' AS text)"),
            (true, Dialect::Postgresql) => Expr::cust_with_values(BY_TAG_POSTGRES, [self.owner.as_str()]),
            (true, Dialect::Sqlite) => Expr::cust_with_values(BY_TAG_SQLITE, [self.owner.as_str()]),
        });
        select.from(task::Entity).and_where(owned_by(&self.owner));
        let row = self.runner().one(&select).await?.ok_or(StoreError::NotFound)?;
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

/// Returns the zone of somebody's days, or nothing where the schema has none yet.
pub(super) fn time_zone(shape: &Shape) -> Expr {
    match shape.has(Feature::TimeZones) {
        true => Expr::col((user::Entity, user::Column::TimeZone)),
        false => Expr::cust("CAST(NULL AS varchar(64))"),
    }
}

/// Whether an e-mail address is this one, however it is written.
///
/// The database folds both sides: it must be the fold of the unique index.
pub(super) fn has_email(email: &str) -> Expr {
    Func::lower(Expr::col((user::Entity, user::Column::Email))).eq(Func::lower(Expr::val(email)))
}

/// Asks for whoever has an e-mail address.
pub(super) fn holder_of(email: &str) -> SelectStatement {
    Query::select()
        .column(user::Column::Id)
        .from(user::Entity)
        .and_where(has_email(email))
        .limit(1)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_not_grow_without_end_and_keeps_who_comes_again() {
        let known = Known::default();
        let id = |number: usize| UserId::parse(&format!("usr_{number}")).unwrap();
        let regular = UserId::parse("usr_ada").unwrap();
        known.remember(&regular, Zone::UTC);
        for number in 0..2 * MOST_KNOWN {
            assert!(known.contains(&regular), "after {number}");
            known.remember(&id(number), Zone::UTC);
        }
        assert!(known.0.len() <= MOST_KNOWN);
    }
}
