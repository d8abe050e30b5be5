//! Local accounts before it is known who asks: found by e-mail address, by sign-in or by the hash of a token.

use std::sync::Arc;

use entity::{api_token, password_credential, session, user};
use sea_orm::sea_query::{Expr, ExprTrait, LockType, OnConflict, Query, SelectStatement};
use sea_orm::{ColumnTrait, QueryResult};
use seaworthy::sql::Dialect;

use super::api_tokens::{TOKEN_COLUMNS, read_token};
use super::fault::is_duplicate;
use super::row::{moment, time};
use super::runner::Runner;
use super::sessions::{SESSION_COLUMNS, read_session};
use super::unit::Unit;
use super::users::{has_email, holder_of, time_zone};
use super::{Shape, Store, StoreError};
use crate::domain::{
    Account, ApiToken, Email, Feature, Instant, NewAccount, Session, SessionId, TokenId, User, UserId,
};

/// The database as somebody sees it who has not said yet who they are.
#[derive(Clone)]
pub(crate) struct Desk {
    store: Store,
    shape: Arc<Shape>,
    unit: Unit,
}

/// How many columns make a person.
const USER_COLUMNS: usize = 5;

impl Desk {
    pub(super) fn new(store: Store, shape: Arc<Shape>, unit: Unit) -> Self {
        Self { store, shape, unit }
    }

    /// Refuses to go on when the schema does not have this yet.
    pub(crate) fn needs(&self, feature: Feature) -> Result<(), StoreError> {
        self.shape.needs(feature)
    }

    /// Makes everything that follows one transaction, which ends with the unit of work.
    pub(crate) async fn begin(&self) -> Result<(), StoreError> {
        self.unit.begin(&self.store).await
    }

    fn runner(&self) -> Runner<'_> {
        self.unit.runner(&self.store)
    }

    fn dialect(&self) -> Dialect {
        self.runner().dialect()
    }

    /// Whether somebody has an address, in any case.
    pub(crate) async fn is_taken(&self, email: &Email) -> Result<bool, StoreError> {
        let holder = self.runner().one(&holder_of(email.as_str())).await?;
        Ok(holder.is_some())
    }

    /// Keeps others from taking the same address in another case until the transaction ends.
    ///
    /// From revision 5e9b84d0c2f7 on an index does; on SQLite there is one writer at a time anyway.
    pub(crate) async fn claim_address(&self, email: &Email) -> Result<(), StoreError> {
        let lock = Query::select()
            .expr(Expr::cust_with_values(
                "pg_advisory_xact_lock(hashtextextended($1, 0))",
                [format!("todo account {}", email.folded())],
            ))
            .to_owned();
        match self.dialect() {
            Dialect::Postgresql => self.runner().one(&lock).await.map(drop),
            Dialect::Sqlite => Ok(()),
        }
    }

    /// Returns the id of whoever has an address, in any case, with a password or without; of several from before the index, the
    /// oldest.
    pub(crate) async fn user_of(&self, email: &Email) -> Result<Option<UserId>, StoreError> {
        let select = Query::select()
            .column(user::Column::Id)
            .from(user::Entity)
            .and_where(has_email(email.as_str()))
            .order_by(user::Column::CreatedAt, sea_orm::Order::Asc)
            .limit(1)
            .to_owned();
        let row = self.runner().one(&select).await?;
        let id: Option<String> = row.map(|row| row.try_get_by_index(0)).transpose()?;
        Ok(id.as_deref().and_then(UserId::parse))
    }

    /// Makes a person with a password.
    ///
    /// # Errors
    ///
    /// Fails with [`StoreError::EmailTaken`] when an index says that somebody has the address.
    pub(crate) async fn insert_account(&self, new: &NewAccount, now: Instant) -> Result<(), StoreError> {
        let person = Query::insert()
            .into_table(user::Entity)
            .columns([
                user::Column::Id,
                user::Column::Email,
                user::Column::Name,
                user::Column::CreatedAt,
            ])
            .values_panic([
                new.id.as_str().into(),
                new.email.as_str().into(),
                Expr::val(new.name.clone()),
                now.to_utc().into(),
            ])
            .to_owned();
        if let Err(error) = self.runner().execute(&person).await {
            return Err(match is_duplicate(&error) {
                true => StoreError::EmailTaken,
                false => error,
            });
        }
        self.put_password(&new.id, &new.password_hash, now).await
    }

    /// Gives somebody a password, whether they have one or not.
    pub(crate) async fn put_password(
        &self,
        user: &UserId,
        hash: &str,
        now: Instant,
    ) -> Result<(), StoreError> {
        let password = Query::insert()
            .into_table(password_credential::Entity)
            .columns([
                password_credential::Column::UserId,
                password_credential::Column::PasswordHash,
                password_credential::Column::ChangedAt,
            ])
            .values_panic([user.as_str().into(), hash.into(), now.to_zoned().into()])
            .on_conflict(
                OnConflict::column(password_credential::Column::UserId)
                    .update_columns([
                        password_credential::Column::PasswordHash,
                        password_credential::Column::ChangedAt,
                    ])
                    .to_owned(),
            )
            .to_owned();
        self.runner().execute(&password).await.map(drop)
    }

    /// Returns who has an e-mail address, in any case, and a password.
    pub(crate) async fn account(&self, email: &Email) -> Result<Option<Account>, StoreError> {
        self.shape.needs(Feature::Accounts)?;
        let mut select = Query::select();
        select
            .exprs(user_columns(&self.shape, self.dialect()))
            .column((
                password_credential::Entity,
                password_credential::Column::PasswordHash,
            ))
            .from(password_credential::Entity)
            .and_where(has_email(email.as_str()))
            // Two of them can only stem from before the index; then the older one stays who they were.
            .order_by((user::Entity, user::Column::CreatedAt), sea_orm::Order::Asc)
            .limit(1);
        join_user(
            &mut select,
            (password_credential::Entity, password_credential::Column::UserId),
        );
        let Some(row) = self.runner().one(&select).await? else {
            return Ok(None);
        };
        Ok(Some(Account {
            user: read_user(&row, 0)?,
            password_hash: row.try_get_by_index(USER_COLUMNS)?,
        }))
    }

    /// Whether this is the hash of somebody's password. Whoever changes the password waits until the transaction ends, and finds
    /// the sign-in that it makes.
    pub(crate) async fn has_password(&self, user: &UserId, hash: &str) -> Result<bool, StoreError> {
        let mut password = Query::select();
        password
            .column(password_credential::Column::UserId)
            .from(password_credential::Entity)
            .and_where(password_credential::Column::UserId.eq(user.as_str()))
            .and_where(password_credential::Column::PasswordHash.eq(hash));
        match self.dialect() {
            Dialect::Postgresql => drop(password.lock(LockType::Share)),
            Dialect::Sqlite => {}
        }
        Ok(self.runner().one(&password).await?.is_some())
    }

    /// Ends those of somebody's sign-ins that are over, and the oldest of more than `most`.
    pub(crate) async fn end_old_sessions(
        &self,
        user: &UserId,
        most: u64,
        now: Instant,
    ) -> Result<(), StoreError> {
        let newest = Query::select()
            .column(session::Column::Id)
            .from(session::Entity)
            .and_where(session::Column::UserId.eq(user.as_str()))
            .order_by(session::Column::CreatedAt, sea_orm::Order::Desc)
            .order_by(session::Column::Id, sea_orm::Order::Desc)
            .limit(most)
            .to_owned();
        let over = Query::delete()
            .from_table(session::Entity)
            .and_where(session::Column::UserId.eq(user.as_str()))
            .and_where(
                session::Column::ExpiresAt
                    .lte(now.to_zoned())
                    .or(session::Column::Id.not_in_subquery(newest)),
            )
            .to_owned();
        self.runner().execute(&over).await.map(drop)
    }

    /// Keeps a sign-in.
    pub(crate) async fn insert_session(&self, new: &Session) -> Result<(), StoreError> {
        let insert = Query::insert()
            .into_table(session::Entity)
            .columns([
                session::Column::Id,
                session::Column::UserId,
                session::Column::CreatedAt,
                session::Column::RefreshedAt,
                session::Column::ExpiresAt,
            ])
            .values_panic([
                new.id.as_str().into(),
                new.user.as_str().into(),
                new.created_at.to_zoned().into(),
                new.refreshed_at.to_zoned().into(),
                new.expires_at.to_zoned().into(),
            ])
            .to_owned();
        self.runner().execute(&insert).await.map(drop)
    }

    /// Puts another hash of the same password in the place of an outdated one.
    pub(crate) async fn rehash(&self, user: &UserId, old: &str, new: &str) -> Result<(), StoreError> {
        let update = Query::update()
            .table(password_credential::Entity)
            .value(password_credential::Column::PasswordHash, new)
            .and_where(password_credential::Column::UserId.eq(user.as_str()))
            .and_where(password_credential::Column::PasswordHash.eq(old))
            .to_owned();
        self.runner().execute(&update).await.map(drop)
    }

    /// Returns a sign-in and who signed in.
    pub(crate) async fn session(&self, id: &SessionId) -> Result<Option<(Session, User)>, StoreError> {
        self.shape.needs(Feature::Accounts)?;
        let mut select = Query::select();
        select
            .columns(SESSION_COLUMNS.map(|column| (session::Entity, column)))
            .exprs(user_columns(&self.shape, self.dialect()))
            .from(session::Entity)
            .and_where(session::Column::Id.eq(id.as_str()));
        join_user(&mut select, (session::Entity, session::Column::UserId));
        let Some(row) = self.runner().one(&select).await? else {
            return Ok(None);
        };
        let user = read_user(&row, SESSION_COLUMNS.len())?;
        Ok(Some((read_session(&row, &user.id)?, user)))
    }

    /// Returns the token of a hash, with the hash as it is kept, and whose it is.
    pub(crate) async fn api_token(&self, hash: &str) -> Result<Option<(ApiToken, String, User)>, StoreError> {
        self.shape.needs(Feature::ApiTokens)?;
        let mut select = Query::select();
        select
            .columns(TOKEN_COLUMNS.map(|column| (api_token::Entity, column)))
            .column((api_token::Entity, api_token::Column::TokenHash))
            .exprs(user_columns(&self.shape, self.dialect()))
            .from(api_token::Entity)
            .and_where(api_token::Column::TokenHash.eq(hash));
        join_user(&mut select, (api_token::Entity, api_token::Column::UserId));
        let Some(row) = self.runner().one(&select).await? else {
            return Ok(None);
        };
        let user = read_user(&row, TOKEN_COLUMNS.len() + 1)?;
        Ok(read_token(&row)?
            .zip(Some(row.try_get_by_index(TOKEN_COLUMNS.len())?))
            .map(|(token, kept)| (token, kept, user)))
    }

    /// Notes the hour in which a token was last used.
    pub(crate) async fn note_use(&self, id: &TokenId, hour: Instant) -> Result<(), StoreError> {
        let update = Query::update()
            .table(api_token::Entity)
            .value(api_token::Column::LastUsedAt, hour.to_zoned())
            .and_where(api_token::Column::Id.eq(id.as_str()))
            .to_owned();
        self.runner().execute(&update).await.map(drop)
    }
}

fn user_columns(shape: &Shape, dialect: Dialect) -> [Expr; USER_COLUMNS] {
    [
        Expr::col((user::Entity, user::Column::Id)),
        Expr::col((user::Entity, user::Column::Email)),
        Expr::col((user::Entity, user::Column::Name)),
        time((user::Entity, user::Column::CreatedAt), dialect),
        time_zone(shape),
    ]
}

fn join_user<C: ColumnTrait>(select: &mut SelectStatement, (table, column): (impl sea_orm::Iden + Copy, C)) {
    let is_theirs = Expr::col((user::Entity, user::Column::Id)).equals((table, column));
    select.inner_join(user::Entity, is_theirs);
}

fn read_user(row: &QueryResult, first: usize) -> Result<User, StoreError> {
    let id: String = row.try_get_by_index(first)?;
    Ok(User {
        id: UserId::parse(&id).ok_or(StoreError::Gone)?,
        email: row.try_get_by_index(first + 1)?,
        name: row.try_get_by_index(first + 2)?,
        created_at: moment(row, first + 3)?,
        time_zone: row.try_get_by_index(first + 4)?,
    })
}
