//! Somebody's API tokens; their secrets are nowhere.

use entity::api_token;
use sea_orm::sea_query::{Expr, ExprTrait, Order, Query};
use sea_orm::{ColumnTrait, QueryResult};

use super::row::zoned;
use super::{Scope, StoreError};
use crate::domain::{ApiToken, Feature, Instant, Permissions, TokenId};

pub(super) const TOKEN_COLUMNS: [api_token::Column; 7] = [
    api_token::Column::Id,
    api_token::Column::Name,
    api_token::Column::LastFour,
    api_token::Column::Scopes,
    api_token::Column::CreatedAt,
    api_token::Column::ExpiresAt,
    api_token::Column::LastUsedAt,
];

impl Scope {
    /// Returns the owner's tokens, newest first; those that are over stay until they are deleted.
    pub(crate) async fn api_tokens(&self) -> Result<Vec<ApiToken>, StoreError> {
        self.needs(Feature::ApiTokens)?;
        let select = Query::select()
            .columns(TOKEN_COLUMNS)
            .from(api_token::Entity)
            .and_where(api_token::Column::UserId.eq(self.owner.as_str()))
            .order_by(api_token::Column::CreatedAt, Order::Desc)
            .order_by(api_token::Column::Id, Order::Desc)
            .limit(ApiToken::MOST)
            .to_owned();
        let rows = self.runner().all(&select).await?;
        let tokens: Result<Vec<_>, _> = rows.iter().map(read_token).collect();
        Ok(tokens?.into_iter().flatten().collect())
    }

    /// Returns how many tokens the owner has.
    pub(crate) async fn count_api_tokens(&self) -> Result<u64, StoreError> {
        let count = Query::select()
            .expr(Expr::col(api_token::Column::Id).count())
            .from(api_token::Entity)
            .and_where(api_token::Column::UserId.eq(self.owner.as_str()))
            .to_owned();
        let row = self.runner().one(&count).await?.ok_or(StoreError::NotFound)?;
        Ok(u64::try_from(row.try_get_by_index::<i64>(0)?).unwrap_or_default())
    }

    /// Keeps a token under the hash of its secret.
    pub(crate) async fn insert_api_token(&self, token: &ApiToken, hash: &str) -> Result<(), StoreError> {
        let insert = Query::insert()
            .into_table(api_token::Entity)
            .columns([
                api_token::Column::Id,
                api_token::Column::UserId,
                api_token::Column::Name,
                api_token::Column::TokenHash,
                api_token::Column::LastFour,
                api_token::Column::Scopes,
                api_token::Column::CreatedAt,
                api_token::Column::ExpiresAt,
            ])
            .values_panic([
                token.id.as_str().into(),
                self.owner.as_str().into(),
                token.name.as_str().into(),
                hash.into(),
                token.last_four.as_str().into(),
                token.permissions.words().join(" ").into(),
                token.created_at.to_zoned().into(),
                token.expires_at.to_zoned().into(),
            ])
            .to_owned();
        self.runner().execute(&insert).await.map(drop)
    }

    /// Ends one of the owner's tokens.
    pub(crate) async fn delete_api_token(&self, id: &TokenId) -> Result<(), StoreError> {
        self.needs(Feature::ApiTokens)?;
        let delete = Query::delete()
            .from_table(api_token::Entity)
            .and_where(api_token::Column::Id.eq(id.as_str()))
            .and_where(api_token::Column::UserId.eq(self.owner.as_str()))
            .to_owned();
        match self.runner().execute(&delete).await? {
            0 => Err(StoreError::NotFound),
            _ => Ok(()),
        }
    }
}

/// Reads a row that begins with [`TOKEN_COLUMNS`]; nothing when its id was not made here.
pub(super) fn read_token(row: &QueryResult) -> Result<Option<ApiToken>, StoreError> {
    let id: String = row.try_get_by_index(0)?;
    let Some(id) = TokenId::parse(&id) else {
        return Ok(None);
    };
    let scopes: String = row.try_get_by_index(3)?;
    let last_used: Option<chrono::DateTime<chrono::Utc>> = row.try_get_by_index(6)?;
    Ok(Some(ApiToken {
        id,
        name: row.try_get_by_index(1)?,
        last_four: row.try_get_by_index(2)?,
        permissions: Permissions::stored(&scopes),
        created_at: zoned(row, 4)?,
        expires_at: zoned(row, 5)?,
        last_used_at: last_used.map(Instant::from),
    }))
}
