//! Bearer tokens: who a request speaks for.
//!
//! HS256 with one shared secret; the algorithm is pinned, whatever a token's header says (RFC 8725, 3.1).

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::domain::{Instant, UserId};

/// Checks and makes tokens.
pub(crate) struct Tokens {
    decoding: DecodingKey,
    encoding: EncodingKey,
    validation: Validation,
    issuer: Option<String>,
    audience: Option<String>,
}

/// Who a token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) id: UserId,
    pub(crate) email: String,
    pub(crate) name: Option<String>,
}

/// A token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum TokenError {
    /// It was good until it ended.
    #[error("the token has expired")]
    Expired,
    /// Anything else; what exactly is nobody's business.
    #[error("the token is not valid")]
    Invalid,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    email: String,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    /// One audience or several; who checks it is the validation.
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<serde_json::Value>,
}

/// Longest token that is looked at.
const MOST_BYTES: usize = 8 * 1024;
/// How far two clocks may be apart.
const SKEW_SECONDS: u64 = 60;

impl Tokens {
    pub(crate) fn new(secret: &[u8], issuer: Option<&str>, audience: Option<&str>) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = SKEW_SECONDS;
        validation.validate_nbf = true;
        validation.validate_aud = audience.is_some();
        let mut required = vec!["sub", "exp"];
        if let Some(issuer) = issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        if let Some(audience) = audience {
            validation.set_audience(&[audience]);
            required.push("aud");
        }
        validation.set_required_spec_claims(&required);
        Self {
            decoding: DecodingKey::from_secret(secret),
            encoding: EncodingKey::from_secret(secret),
            validation,
            issuer: issuer.map(str::to_owned),
            audience: audience.map(str::to_owned),
        }
    }

    /// Returns whom a token speaks for.
    pub(crate) fn verify(&self, token: &str) -> Result<Identity, TokenError> {
        if token.len() > MOST_BYTES {
            return Err(TokenError::Invalid);
        }
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation)
            .map_err(|error| match error.kind() {
                ErrorKind::ExpiredSignature => TokenError::Expired,
                _ => TokenError::Invalid,
            })?
            .claims;
        let is_text = |text: &str| text.chars().count() <= 255 && !text.chars().any(char::is_control);
        if !is_text(&claims.email) || !claims.email.contains('@') {
            return Err(TokenError::Invalid);
        }
        Ok(Identity {
            id: UserId::parse(&claims.sub).ok_or(TokenError::Invalid)?,
            email: claims.email,
            name: claims
                .name
                .filter(|name| is_text(name) && !name.trim().is_empty()),
        })
    }

    /// Makes a token that is good for some days.
    pub(crate) fn mint(&self, identity: &Identity, now: Instant, days: i64) -> Result<String, TokenError> {
        let claims = Claims {
            sub: identity.id.as_str().to_owned(),
            email: identity.email.clone(),
            exp: now.seconds() + days * 24 * 60 * 60,
            iat: Some(now.seconds()),
            name: identity.name.clone(),
            iss: self.issuer.clone(),
            aud: self.audience.clone().map(serde_json::Value::String),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .map_err(|_| TokenError::Invalid)
    }
}
