//! Where somebody is signed in, and their password.

use entity::{password_credential, session};
use sea_orm::sea_query::{Order, Query};
use sea_orm::{ColumnTrait, QueryResult};

use super::row::zoned;
use super::{Scope, StoreError};
use crate::domain::{Feature, Instant, Session, SessionId, UserId};

pub(super) const SESSION_COLUMNS: [session::Column; 4] = [
    session::Column::Id,
    session::Column::CreatedAt,
    session::Column::RefreshedAt,
    session::Column::ExpiresAt,
];

impl Scope {
    /// Returns the owner's sign-ins that are not over, newest first.
    pub(crate) async fn sessions(&self, now: Instant) -> Result<Vec<Session>, StoreError> {
        self.needs(Feature::Accounts)?;
        let select = Query::select()
            .columns(SESSION_COLUMNS)
            .from(session::Entity)
            .and_where(session::Column::UserId.eq(self.owner.as_str()))
            .and_where(session::Column::ExpiresAt.gt(now.to_zoned()))
            .order_by(session::Column::CreatedAt, Order::Desc)
            .order_by(session::Column::Id, Order::Desc)
            .limit(Session::MOST)
            .to_owned();
        let rows = self.runner().all(&select).await?;
        rows.iter().map(|row| read_session(row, &self.owner)).collect()
    }

    /// Ends one of the owner's sign-ins.
    pub(crate) async fn end_session(&self, id: &SessionId) -> Result<(), StoreError> {
        self.needs(Feature::Accounts)?;
        let delete = Query::delete()
            .from_table(session::Entity)
            .and_where(session::Column::Id.eq(id.as_str()))
            .and_where(session::Column::UserId.eq(self.owner.as_str()))
            .to_owned();
        match self.runner().execute(&delete).await? {
            0 => Err(StoreError::NotFound),
            _ => Ok(()),
        }
    }

    /// Notes that a sign-in got another token.
    pub(crate) async fn refresh_session(&self, id: &SessionId, now: Instant) -> Result<(), StoreError> {
        self.needs(Feature::Accounts)?;
        let update = Query::update()
            .table(session::Entity)
            .value(session::Column::RefreshedAt, now.to_zoned())
            .and_where(session::Column::Id.eq(id.as_str()))
            .and_where(session::Column::UserId.eq(self.owner.as_str()))
            .to_owned();
        match self.runner().execute(&update).await? {
            0 => Err(StoreError::Gone),
            _ => Ok(()),
        }
    }

    /// Returns the hash of the owner's password.
    pub(crate) async fn password_hash(&self) -> Result<String, StoreError> {
        self.needs(Feature::Accounts)?;
        let select = Query::select()
            .column(password_credential::Column::PasswordHash)
            .from(password_credential::Entity)
            .and_where(password_credential::Column::UserId.eq(self.owner.as_str()))
            .to_owned();
        let row = self.runner().one(&select).await?.ok_or(StoreError::NotFound)?;
        Ok(row.try_get_by_index(0)?)
    }

    /// Puts another hash in the place of the owner's password, provided that this still is the hash of it; returns whether it is.
    pub(crate) async fn replace_password(
        &self,
        old: &str,
        new: &str,
        now: Instant,
    ) -> Result<bool, StoreError> {
        self.needs(Feature::Accounts)?;
        let update = Query::update()
            .table(password_credential::Entity)
            .value(password_credential::Column::PasswordHash, new)
            .value(password_credential::Column::ChangedAt, now.to_zoned())
            .and_where(password_credential::Column::UserId.eq(self.owner.as_str()))
            .and_where(password_credential::Column::PasswordHash.eq(old))
            .to_owned();
        Ok(self.runner().execute(&update).await? > 0)
    }

    /// Ends all of the owner's sign-ins but one.
    pub(crate) async fn end_other_sessions(&self, keep: Option<&SessionId>) -> Result<(), StoreError> {
        let mut others = Query::delete();
        others
            .from_table(session::Entity)
            .and_where(session::Column::UserId.eq(self.owner.as_str()));
        if let Some(keep) = keep {
            others.and_where(session::Column::Id.ne(keep.as_str()));
        }
        self.runner().execute(&others).await.map(drop)
    }
}

/// Reads a row that begins with [`SESSION_COLUMNS`].
pub(super) fn read_session(row: &QueryResult, user: &UserId) -> Result<Session, StoreError> {
    let id: String = row.try_get_by_index(0)?;
    Ok(Session {
        id: SessionId::parse(&id).ok_or(StoreError::Gone)?,
        user: user.clone(),
        created_at: zoned(row, 1)?,
        refreshed_at: zoned(row, 2)?,
        expires_at: zoned(row, 3)?,
    })
}
