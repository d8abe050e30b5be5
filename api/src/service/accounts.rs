//! Who a request speaks for, and how somebody becomes known: signing up, in and out.

use std::net::IpAddr;

use thiserror::Error;

use super::{Failure, Principal, Seen, Services};
use crate::auth::{Hasher, Key, Live, Overloaded, Throttle, TokenError, Tokens, random_id};
use crate::domain::{
    Account, ApiToken, Credential, Email, Feature, Instant, NewAccount, Password, Session, SessionId, User,
    UserId,
};
use crate::store::Desk;

/// What proves who somebody is, and for how long.
pub(crate) struct Authority {
    pub(crate) tokens: Tokens,
    pub(crate) hasher: Hasher,
    pub(crate) throttle: Throttle,
    pub(super) sessions: Live<SessionId, (Session, User)>,
    pub(super) api_tokens: Live<String, (ApiToken, User)>,
    token_seconds: i64,
    session_seconds: i64,
}

/// Somebody who wants an account.
#[derive(Clone, Debug)]
pub(crate) struct Registration {
    pub(crate) email: Email,
    pub(crate) password: Password,
    pub(crate) name: Option<String>,
}

/// Somebody with a token that was made just now.
pub(crate) struct SignedIn {
    pub(crate) user: User,
    pub(crate) token: String,
    pub(crate) expires_at: Instant,
}

/// Somebody is not who they say, or must not do this.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum Refusal {
    /// The token is not taken.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// There is no such account, or the password is another one; which of the two is not told.
    #[error("the e-mail address or the password is wrong")]
    Credentials,
    /// Too many have been wrong.
    #[error("too many passwords were wrong")]
    Throttled { seconds: u32 },
    /// Too many passwords are looked at.
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
    /// The token belongs to no sign-in of ours.
    #[error("the token belongs to no sign-in")]
    NoSession,
    /// The sign-in is too long ago for this.
    #[error("the sign-in is too long ago")]
    NotFresh,
    /// There is no password to be changed.
    #[error("there is no password")]
    NoPassword,
    /// There is no randomness.
    #[error("the system has no random numbers")]
    Random(#[from] getrandom::Error),
    /// The database has something to say.
    #[error(transparent)]
    Store(#[from] Failure),
}

const DAY_SECONDS: i64 = 24 * 60 * 60;

impl Authority {
    /// Tokens and sign-ins are good for so many days.
    pub(crate) fn new(tokens: Tokens, hasher: Hasher, token_days: u32, session_days: u32) -> Self {
        Self {
            tokens,
            hasher,
            throttle: Throttle::default(),
            sessions: Live::default(),
            api_tokens: Live::default(),
            token_seconds: i64::from(token_days) * DAY_SECONDS,
            session_seconds: i64::from(session_days) * DAY_SECONDS,
        }
    }

    fn session(&self, user: &UserId, now: Instant) -> Result<Session, Refusal> {
        let id = random_id(SessionId::PREFIX)?;
        Ok(Session {
            id: SessionId::parse(&id).expect("a random id with this prefix is one of a session"),
            user: user.clone(),
            created_at: now,
            refreshed_at: now,
            expires_at: now.plus_seconds(self.session_seconds),
        })
    }

    /// Makes a token of a sign-in; it does not outlive the sign-in.
    fn signed_in(&self, user: User, session: &Session, now: Instant) -> Result<SignedIn, Refusal> {
        let expires_at = now.plus_seconds(self.token_seconds).min(session.expires_at);
        let token = self
            .tokens
            .mint(&user.id, &user.email, Some(&session.id), now, expires_at)?;
        Ok(SignedIn {
            user,
            token,
            expires_at,
        })
    }
}

impl Services {
    /// Returns whom a bearer token speaks for.
    pub(crate) async fn authenticate(&self, bearer: &str) -> Result<Principal, Refusal> {
        let now = self.now();
        if Key::is_meant(bearer) {
            return Box::pin(self.program(bearer, now)).await;
        }
        let identity = self.authority.tokens.verify(bearer, now).await?;
        let Some(id) = &identity.session else {
            return Ok(Principal {
                id: identity.id,
                email: identity.email,
                name: identity.name,
                credential: Credential::Issued {
                    at: identity.issued_at,
                },
                zone: None,
                seen_at: now,
            });
        };
        let (session, user) = self.live_session(id, now).await?;
        if user.id != identity.id {
            return Err(TokenError::Invalid.into());
        }
        if session.expires_at <= now {
            return Err(TokenError::Expired.into());
        }
        Ok(principal(user, Credential::Session(session), now))
    }

    /// Makes an account and signs its owner in.
    pub(crate) async fn sign_up(&self, registration: &Registration) -> Result<SignedIn, Refusal> {
        let now = self.now();
        let email = &registration.email;
        // Before the work of hashing.
        self.store
            .ask(|desk| async move {
                desk.needs(Feature::Accounts)?;
                check_free(&desk, email).await
            })
            .await?;
        let password_hash = self.authority.hasher.hash(&registration.password).await?;
        let id = random_id("usr_")?;
        let new = NewAccount {
            id: UserId::parse(&id).expect("a random id is an ordinary one"),
            email: email.clone(),
            name: registration.name.clone(),
            password_hash,
        };
        let session = self.authority.session(&new.id, now)?;
        let (account, sign_in) = (&new, &session);
        self.store
            .ask(|desk| async move {
                desk.needs(Feature::Tasks)?;
                desk.needs(Feature::Accounts)?;
                desk.begin().await?;
                desk.claim_address(email).await?;
                check_free(&desk, email).await?;
                desk.insert_account(account, now).await?;
                desk.insert_session(sign_in).await
            })
            .await?;
        let user = User {
            id: new.id,
            email: new.email.as_str().to_owned(),
            name: new.name,
            time_zone: None,
            created_at: Some(now),
        };
        self.authority.signed_in(user, &session, now)
    }

    /// Signs somebody in with their password.
    pub(crate) async fn sign_in(
        &self,
        email: &Email,
        password: &Password,
        address: Option<IpAddr>,
    ) -> Result<SignedIn, Refusal> {
        let now = self.now();
        let authority = &self.authority;
        let attempt = authority
            .throttle
            .attempt(&email.folded(), address, now)
            .map_err(|seconds| Refusal::Throttled { seconds })?;
        // Once more when the password changed, or was only hashed anew, since it was read.
        for _ in 0..2 {
            let account = self
                .recognised(email, password)
                .await
                .inspect_err(|_| authority.throttle.cancelled(attempt))?;
            let Some(account) = account else { break };
            let session = authority.session(&account.user.id, now)?;
            let (sign_in, hash) = (&session, account.password_hash.as_str());
            let kept = self.store.ask(|desk| async move {
                desk.needs(Feature::Accounts)?;
                desk.begin().await?;
                if !desk.has_password(&sign_in.user, hash).await? {
                    return Err(Failure::NotFound);
                }
                let others = Session::MOST - 1;
                desk.end_old_sessions(&sign_in.user, others, now).await?;
                desk.insert_session(sign_in).await
            });
            let kept = kept.await;
            if !matches!(kept, Err(Failure::NotFound)) {
                authority.throttle.succeeded(attempt);
                kept?;
                return authority.signed_in(account.user, &session, now);
            }
        }
        Err(Refusal::Credentials)
    }

    /// Returns who has an e-mail address, if the password is theirs. An outdated hash of it is replaced.
    async fn recognised(&self, email: &Email, password: &Password) -> Result<Option<Account>, Refusal> {
        let hasher = &self.authority.hasher;
        let account = self
            .store
            .ask(|desk| async move { desk.account(email).await })
            .await?;
        let hash = account.as_ref().map(|account| account.password_hash.as_str());
        let compared = hasher.compare(password, hash).await?;
        let Some(mut account) = account.filter(|_| compared.is_right) else {
            return Ok(None);
        };
        if compared.is_outdated {
            let hash = hasher.hash(password).await?;
            let (user, old, new) = (&account.user.id, account.password_hash.as_str(), hash.as_str());
            self.store
                .ask(|desk| async move { desk.rehash(user, old, new).await })
                .await?;
            account.password_hash = hash;
        }
        Ok(Some(account))
    }

    /// Gives whoever has an address another password, or a first one, and ends all their sign-ins. For operators: nobody is asked
    /// who they are.
    pub(crate) async fn reset_password(&self, email: &Email, new: &Password) -> Result<(), Refusal> {
        let now = self.now();
        let hash = self.authority.hasher.hash(new).await?;
        let hash = hash.as_str();
        self.store
            .ask(|desk| async move {
                desk.needs(Feature::Accounts)?;
                desk.begin().await?;
                // Whoever signs in with the address, if somebody does.
                let user = match desk.account(email).await? {
                    Some(account) => account.user.id,
                    None => desk.user_of(email).await?.ok_or(Failure::NotFound)?,
                };
                desk.put_password(&user, hash, now).await?;
                desk.end_old_sessions(&user, 0, now).await
            })
            .await?;
        Ok(())
    }

    /// Ends the sign-in that a request belongs to.
    pub(crate) async fn sign_out(&self, principal: &Principal) -> Result<(), Refusal> {
        let session = principal.credential.session().ok_or(Refusal::NoSession)?;
        match self.end_session(principal, &session.id).await {
            // Somebody else was faster.
            Ok(_) | Err(Failure::NotFound) => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Makes another token of the same sign-in.
    pub(crate) async fn refresh(&self, principal: &Principal) -> Result<SignedIn, Refusal> {
        let now = self.now();
        let session = principal.credential.session().ok_or(Refusal::NoSession)?;
        let id = &session.id;
        let user = self
            .run(principal, |scope| async move {
                scope.refresh_session(id, now).await?;
                scope.user().await
            })
            .await?;
        self.authority.signed_in(user.value, session, now)
    }

    pub(crate) async fn end_session(
        &self,
        principal: &Principal,
        id: &SessionId,
    ) -> Result<Seen<()>, Failure> {
        let ended = self
            .run(principal, |scope| async move { scope.end_session(id).await })
            .await?;
        self.authority.sessions.forget(|known, _| known == id);
        self.store.hub().wake(&principal.id);
        Ok(ended)
    }

    /// Returns the sign-in that a token belongs to, as it was a few seconds ago at most.
    async fn live_session(&self, id: &SessionId, now: Instant) -> Result<(Session, User), Refusal> {
        let live = &self.authority.sessions;
        if self.store.shape().has(Feature::Accounts)
            && let Some(found) = live.get(id, now)
        {
            return Ok(found);
        }
        let began = live.begin();
        let found = self.store.ask(|desk| async move { desk.session(id).await });
        let found = Box::pin(found).await?.ok_or(TokenError::Invalid)?;
        live.remember(began, id.clone(), found.clone(), now);
        Ok(found)
    }

    /// Returns how many passwords were hashed or compared since the start.
    pub(crate) fn password_hashes(&self) -> u64 {
        self.authority.hasher.count()
    }
}

/// Refuses an address that somebody has in any case.
async fn check_free(desk: &Desk, email: &Email) -> Result<(), Failure> {
    match desk.is_taken(email).await? {
        true => Err(Failure::EmailTaken),
        false => Ok(()),
    }
}

pub(super) fn principal(user: User, credential: Credential, now: Instant) -> Principal {
    Principal {
        zone: Some(user.zone()),
        id: user.id,
        email: user.email,
        name: user.name,
        credential,
        seen_at: now,
    }
}
