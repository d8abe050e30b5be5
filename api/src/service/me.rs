//! What somebody does with their own account: name, password, sign-ins, the tokens of their programs, the end.

use subtle::ConstantTimeEq;

use super::accounts::{Refusal, principal};
use super::{Failure, Principal, Seen, Services, check};
use crate::auth::{Key, TokenError, random_id};
use crate::domain::{
    ApiToken, Credential, Feature, Instant, NewApiToken, Password, Precondition, Session, TokenId, User,
    UserPatch, Zone,
};

/// How long ago a sign-in may be for what cannot be undone.
const FRESH_SECONDS: i64 = 10 * 60;
/// How far the clocks of an issuer may be ahead.
const SKEW_SECONDS: i64 = 60;

impl Services {
    /// Changes what the patch names: what somebody is called, and in which zone their days are.
    pub(crate) async fn change_user(
        &self,
        principal: &Principal,
        precondition: &Precondition,
        patch: &UserPatch,
    ) -> Result<Seen<User>, Failure> {
        let changed = self
            .run(principal, |scope| async move {
                scope.begin().await?;
                let user = scope.locked_user().await?;
                check(&scope, &user, precondition)?;
                scope.patch_user(patch).await?;
                let name = patch.name.clone();
                let zone = patch.time_zone.as_ref();
                let zone = zone.map(|zone| zone.as_ref().map(|zone| zone.name().to_owned()));
                Ok(User {
                    name: name.unwrap_or(user.name),
                    time_zone: zone.unwrap_or(user.time_zone),
                    ..user
                })
            })
            .await?;
        self.store.forget_user(&principal.id);
        self.authority.forget_user(principal);
        self.store.hub().wake(&principal.id);
        Ok(changed)
    }

    /// Returns the zone that somebody's days are in when a request does not name another one.
    pub(crate) async fn zone(&self, principal: &Principal) -> Result<Zone, Failure> {
        match &principal.zone {
            Some(zone) => Ok(zone.clone()),
            // A token of an issuer: nobody has looked at the row.
            None if self.store.shape().has(Feature::TimeZones) => {
                let zone = self.run(principal, |scope| async move { scope.zone().await });
                Ok(Box::pin(zone).await?.value)
            }
            None => Ok(Zone::UTC),
        }
    }

    /// Removes somebody and everything that is theirs, provided that they signed in a moment ago.
    pub(crate) async fn delete_user(
        &self,
        principal: &Principal,
        precondition: &Precondition,
    ) -> Result<(), Refusal> {
        let signed_in_at = match &principal.credential {
            Credential::Session(session) => Some(session.created_at),
            Credential::Issued { at } => *at,
            Credential::ApiToken(..) => None,
        };
        let age = signed_in_at.map(|at| self.now().seconds() - at.seconds());
        if !age.is_some_and(|age| (-SKEW_SECONDS..=FRESH_SECONDS).contains(&age)) {
            return Err(Refusal::NotFresh);
        }
        self.run(principal, |scope| async move {
            scope.begin().await?;
            let user = scope.wholly_locked_user().await?;
            check(&scope, &user, precondition)?;
            scope.delete_user().await
        })
        .await?;
        self.store.forget_user(&principal.id);
        self.memory.forget(&principal.id);
        self.authority.forget_user(principal);
        self.store.hub().wake(&principal.id);
        Ok(())
    }

    /// Changes a password and ends all other sign-ins.
    pub(crate) async fn change_password(
        &self,
        principal: &Principal,
        current: &Password,
        new: &Password,
    ) -> Result<(), Refusal> {
        let now = self.now();
        let authority = &self.authority;
        let attempt = authority
            .throttle
            .attempt(&principal.email.to_lowercase(), None, now)
            .map_err(|seconds| Refusal::Throttled { seconds })?;
        let looked_at = async {
            let old = self
                .run(principal, |scope| async move { scope.password_hash().await })
                .await
                .map_err(no_password)?
                .value;
            let compared = authority.hasher.compare(current, Some(&old)).await?;
            Ok::<_, Refusal>((old, compared.is_right))
        };
        let (old, is_right) = looked_at
            .await
            .inspect_err(|_| authority.throttle.cancelled(attempt))?;
        if !is_right {
            return Err(Refusal::Credentials);
        }
        authority.throttle.succeeded(attempt);
        let hash = authority.hasher.hash(new).await?;
        let keep = principal.credential.session().map(|session| &session.id);
        let (old, hash) = (old.as_str(), hash.as_str());
        self.run(principal, |scope| async move {
            scope.begin().await?;
            // Otherwise somebody else was faster with another password.
            if !scope.replace_password(old, hash, now).await? {
                return Err(Failure::NotFound);
            }
            scope.end_other_sessions(keep).await
        })
        .await
        .map_err(no_password)?;
        authority.forget_user(principal);
        self.store.hub().wake(&principal.id);
        Ok(())
    }

    pub(crate) async fn sessions(&self, principal: &Principal) -> Result<Seen<Vec<Session>>, Failure> {
        let now = self.now();
        self.run(principal, |scope| async move { scope.sessions(now).await })
            .await
    }

    pub(crate) async fn api_tokens(&self, principal: &Principal) -> Result<Seen<Vec<ApiToken>>, Failure> {
        self.run(principal, |scope| async move { scope.api_tokens().await })
            .await
    }

    /// Makes a token for a program; its secret comes along this once.
    pub(crate) async fn create_api_token(
        &self,
        principal: &Principal,
        new: &NewApiToken,
    ) -> Result<(ApiToken, Key), Refusal> {
        let now = self.now();
        let key = Key::random()?;
        let id = random_id(TokenId::PREFIX)?;
        let token = ApiToken {
            id: TokenId::parse(&id).expect("a random id with this prefix is one of a token"),
            name: new.name.clone(),
            last_four: key.last_four().to_owned(),
            permissions: new.permissions.clone(),
            created_at: now,
            expires_at: now.plus_seconds(new.days * 24 * 60 * 60),
            last_used_at: None,
        };
        let hash = key.hash();
        let (kept, hash) = (&token, hash.as_str());
        self.run(principal, |scope| async move {
            scope.needs(Feature::ApiTokens)?;
            scope.begin().await?;
            // Two at once must not both find room for the last one.
            scope.lock_owner().await?;
            if scope.count_api_tokens().await? >= ApiToken::MOST {
                return Err(Failure::TooManyTokens);
            }
            scope.insert_api_token(kept, hash).await
        })
        .await?;
        Ok((token, key))
    }

    pub(crate) async fn delete_api_token(
        &self,
        principal: &Principal,
        id: &TokenId,
    ) -> Result<Seen<()>, Failure> {
        let deleted = self
            .run(principal, |scope| async move { scope.delete_api_token(id).await })
            .await?;
        self.authority.api_tokens.forget(|_, (token, _)| token.id == *id);
        self.store.hub().wake(&principal.id);
        Ok(deleted)
    }

    /// Returns whom an API token speaks for.
    pub(super) async fn program(&self, bearer: &str, now: Instant) -> Result<Principal, Refusal> {
        let key = Key::parse(bearer).ok_or(TokenError::Invalid)?;
        let (token, user) = self.live_token(&key, now).await?;
        if token.expires_at <= now {
            return Err(TokenError::Expired.into());
        }
        let credential = Credential::ApiToken(token.id, token.permissions);
        Ok(principal(user, credential, now))
    }

    async fn live_token(&self, key: &Key, now: Instant) -> Result<(ApiToken, User), Refusal> {
        let live = &self.authority.api_tokens;
        let hash = key.hash();
        if self.store.shape().has(Feature::ApiTokens)
            && let Some(found) = live.get(&hash, now)
        {
            return Ok(found);
        }
        let began = live.begin();
        let wanted = hash.as_str();
        let (token, kept, user) = self
            .store
            .ask(|desk| async move { desk.api_token(wanted).await })
            .await?
            .ok_or(TokenError::Invalid)?;
        // The index has compared it already, but a collation may be generous, and this comparison tells nothing by its time.
        if !bool::from(kept.as_bytes().ct_eq(hash.as_bytes())) {
            return Err(TokenError::Invalid.into());
        }
        self.note_use(&token, now).await;
        live.remember(began, hash, (token.clone(), user.clone()), now);
        Ok((token, user))
    }

    /// Once an hour and token. A use that cannot be noted is one all the same.
    async fn note_use(&self, token: &ApiToken, now: Instant) {
        let hour = now.hour();
        if token.last_used_at == Some(hour) {
            return;
        }
        let id = &token.id;
        let noted = self
            .store
            .ask(|desk| async move { desk.note_use(id, hour).await })
            .await;
        if let Err(error) = noted {
            tracing::warn!(error = %error, "the use of an API token could not be noted");
        }
    }
}

impl super::Authority {
    /// Looks at everything of somebody anew.
    fn forget_user(&self, principal: &Principal) {
        self.sessions.forget(|_, (_, user)| user.id == principal.id);
        self.api_tokens.forget(|_, (_, user)| user.id == principal.id);
    }
}

fn no_password(failure: Failure) -> Refusal {
    match failure {
        Failure::NotFound => Refusal::NoPassword,
        failure => failure.into(),
    }
}
