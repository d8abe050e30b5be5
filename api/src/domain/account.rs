//! Local accounts: what they are made of, where they are signed in, and the tokens of their programs.

use super::{Email, Instant, Permissions, User, UserId};

/// The `sid` of a token that was made here: `ses_` and 26 letters and digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SessionId(String);

/// The name of an API token: `tok_` and 26 letters and digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TokenId(String);

/// What a request was signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Credential {
    /// A token of an issuer; whoever it speaks for is made known when first seen.
    Issued {
        /// When it was made, as far as the issuer says so.
        at: Option<Instant>,
    },
    /// A token of a sign-in.
    Session(Session),
    /// A token for a program.
    ApiToken(TokenId, Permissions),
}

/// A sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) user: UserId,
    pub(crate) created_at: Instant,
    pub(crate) refreshed_at: Instant,
    pub(crate) expires_at: Instant,
}

/// An account to be made; not for showing.
pub(crate) struct NewAccount {
    pub(crate) id: UserId,
    pub(crate) email: Email,
    pub(crate) name: Option<String>,
    pub(crate) password_hash: String,
}

/// A password and whose it is; not for showing.
pub(crate) struct Account {
    pub(crate) user: User,
    pub(crate) password_hash: String,
}

/// A token for a program, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiToken {
    pub(crate) id: TokenId,
    pub(crate) name: String,
    pub(crate) last_four: String,
    pub(crate) permissions: Permissions,
    pub(crate) created_at: Instant,
    pub(crate) expires_at: Instant,
    /// To the hour.
    pub(crate) last_used_at: Option<Instant>,
}

/// What somebody wants of a token.
#[derive(Clone, Debug)]
pub(crate) struct NewApiToken {
    pub(crate) name: String,
    pub(crate) permissions: Permissions,
    pub(crate) days: i64,
}

impl Credential {
    /// Whether the person must be known already: nobody else may make them known.
    pub(crate) fn is_local(&self) -> bool {
        !matches!(self, Self::Issued { .. })
    }

    /// Returns the sign-in.
    pub(crate) fn session(&self) -> Option<&Session> {
        match self {
            Self::Session(session) => Some(session),
            _ => None,
        }
    }
}

impl ApiToken {
    /// Most tokens that somebody has at a time.
    pub(crate) const MOST: u64 = 20;
    /// Longest life.
    pub(crate) const MOST_DAYS: i64 = 365;
    /// How many days one is good for unless somebody says otherwise.
    pub(crate) const DEFAULT_DAYS: i64 = 90;
}

impl Session {
    /// Most sign-ins of somebody; one more ends the oldest.
    pub(crate) const MOST: u64 = 100;
}

impl SessionId {
    pub(crate) const PREFIX: &str = "ses_";

    pub(crate) fn parse(text: &str) -> Option<Self> {
        is_made_here(text, Self::PREFIX).then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TokenId {
    pub(crate) const PREFIX: &str = "tok_";

    pub(crate) fn parse(text: &str) -> Option<Self> {
        is_made_here(text, Self::PREFIX).then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_made_here(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| {
        rest.len() == 26
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    })
}
