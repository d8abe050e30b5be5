//! Local accounts before it is known who asks: found by e-mail address, by sign-in or by the hash of a token.

use std::sync::Arc;

use entity::{api_token, password_credential, session, user};
use sea_orm::sea_query::{Expr, ExprTrait, LockType, Query, SelectStatement};
use sea_orm::{ColumnTrait, DatabaseTransaction, QueryResult};

use super::api_tokens::{TOKEN_COLUMNS, read_token};
use super::fault::is_duplicate;
use super::row::{moment, time};
use super::runner::{Runner, Way};
use super::sessions::{SESSION_COLUMNS, insert_session, read_session};
use super::users::{has_email, holder_of};
use super::{Shape, Store, StoreError};
use crate::domain::{
    Account, ApiToken, Email, Feature, Instant, NewAccount, Session, SessionId, TokenId, User, UserId,
};

/// The database as somebody sees it who has not said yet who they are.
#[derive(Clone)]
pub(crate) struct Desk {
    store: Store,
    shape: Arc<Shape>,
}

impl Desk {
    pub(super) fn new(store: Store, shape: Arc<Shape>) -> Self {
        Self { store, shape }
    }

    fn runner(&self) -> Runner<'_, Way<'_>> {
        self.store.way()
    }

    /// Refuses an address that somebody has in any case.
    pub(crate) async fn check_free(&self, email: &Email) -> Result<(), StoreError> {
        self.shape.needs(Feature::Accounts)?;
        match self.runner().one(&holder_of(email.as_str())).await? {
            Some(_) => Err(StoreError::EmailTaken),
            None => Ok(()),
        }
    }

    /// Makes a person with a password, signed in. An address that somebody has in any case is refused.
    pub(crate) async fn sign_up(&self, new: &NewAccount, session: &Session) -> Result<(), StoreError> {
        self.shape.needs(Feature::Tasks)?;
        self.shape.needs(Feature::Accounts)?;
        let transaction = self.runner().begin().await?;
        claim_address(&transaction, &new.email).await?;
        if transaction.one(&holder_of(new.email.as_str())).await?.is_some() {
            return Err(StoreError::EmailTaken);
        }
        let now = session.created_at;
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
        if let Err(error) = transaction.execute(&person).await {
            return Err(match is_duplicate(&error) {
                true => StoreError::EmailTaken,
                false => error,
            });
        }
        let password = Query::insert()
            .into_table(password_credential::Entity)
            .columns([
                password_credential::Column::UserId,
                password_credential::Column::PasswordHash,
                password_credential::Column::ChangedAt,
            ])
            .values_panic([
                new.id.as_str().into(),
                new.password_hash.as_str().into(),
                now.to_zoned().into(),
            ])
            .to_owned();
        transaction.execute(&password).await?;
        transaction.execute(&insert_session(session)).await?;
        transaction.commit().await
    }

    /// Returns who has an e-mail address, in any case, and a password.
    pub(crate) async fn account(&self, email: &Email) -> Result<Option<Account>, StoreError> {
        self.shape.needs(Feature::Accounts)?;
        let mut select = Query::select();
        select
            .exprs(user_columns(self.runner().is_postgres()))
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
            password_hash: row.try_get_by_index(4)?,
        }))
    }

    /// Keeps a sign-in, provided that this still is the hash of the password; those of the same person that are over go, and the
    /// oldest when there are too many.
    ///
    /// Whoever changes the password waits until the sign-in is there to be ended with the others.
    pub(crate) async fn sign_in(&self, new: &Session, hash: &str) -> Result<(), StoreError> {
        self.shape.needs(Feature::Accounts)?;
        let owner = new.user.as_str();
        let newest = Query::select()
            .column(session::Column::Id)
            .from(session::Entity)
            .and_where(session::Column::UserId.eq(owner))
            .order_by(session::Column::CreatedAt, sea_orm::Order::Desc)
            .order_by(session::Column::Id, sea_orm::Order::Desc)
            .limit(Session::MOST - 1)
            .to_owned();
        let over = Query::delete()
            .from_table(session::Entity)
            .and_where(session::Column::UserId.eq(owner))
            .and_where(
                session::Column::ExpiresAt
                    .lte(new.created_at.to_zoned())
                    .or(session::Column::Id.not_in_subquery(newest)),
            )
            .to_owned();
        let transaction = self.runner().begin().await?;
        let mut password = Query::select();
        password
            .column(password_credential::Column::UserId)
            .from(password_credential::Entity)
            .and_where(password_credential::Column::UserId.eq(owner))
            .and_where(password_credential::Column::PasswordHash.eq(hash));
        if transaction.is_postgres() {
            password.lock(LockType::Share);
        }
        transaction.one(&password).await?.ok_or(StoreError::NotFound)?;
        transaction.execute(&over).await?;
        transaction.execute(&insert_session(new)).await?;
        transaction.commit().await
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
            .exprs(user_columns(self.runner().is_postgres()))
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
            .exprs(user_columns(self.runner().is_postgres()))
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

fn user_columns(is_postgres: bool) -> [Expr; 4] {
    [
        Expr::col((user::Entity, user::Column::Id)),
        Expr::col((user::Entity, user::Column::Email)),
        Expr::col((user::Entity, user::Column::Name)),
        time((user::Entity, user::Column::CreatedAt), is_postgres),
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
    })
}

/// Keeps others from taking the same address in another case until the transaction ends.
///
/// From revision 5e9b84d0c2f7 on an index does; on SQLite there is one writer at a time anyway.
async fn claim_address(
    transaction: &Runner<'_, DatabaseTransaction>,
    email: &Email,
) -> Result<(), StoreError> {
    if !transaction.is_postgres() {
        return Ok(());
    }
    let lock = Query::select()
        .expr(Expr::cust_with_values(
            "pg_advisory_xact_lock(hashtextextended($1, 0))",
            [format!("todo account {}", email.folded())],
        ))
        .to_owned();
    transaction.one(&lock).await.map(drop)
}
